/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: entries of exceptions and interrupts: saves what C may change, calls
 *       trap_handle(vector, frame).
 * Owns: trap_entry[256]. The stack pointer is aligned as C wants it, whatever it was.
 */
        .text
        .altmacro
        .macro one_entry n
entry_\n:
        .if !(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21)
        push    $0                      /* in the place of an error code */
        .endif
        push    $\n
        jmp     common
        .endm

        .set    n, 0
        .rept   256
        one_entry %n
        .set    n, n + 1
        .endr

common:
        cld
        push    %rax
        push    %rcx
        push    %rdx
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %rbp
        mov     72+8(%rsp), %rdi        /* vector */
        lea     72+16(%rsp), %rsi       /* error code, rip, cs, flags, rsp, ss */
        mov     %rsp, %rbp
        and     $-16, %rsp
        call    trap_handle
        mov     %rbp, %rsp
        pop     %rbp
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $16, %rsp
        iretq

        .section .rodata
        .balign 8
        .globl  trap_entry
trap_entry:
        .macro  one_address n
        .quad   entry_\n
        .endm
        .set    n, 0
        .rept   256
        one_address %n
        .set    n, n + 1
        .endr

        .section .note.GNU-stack, "", @progbits
