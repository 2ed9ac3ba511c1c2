/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: setjmp and longjmp: what a call preserves. */
        .text
        .globl  setjmp, longjmp
setjmp:
        mov     %rbx, 0(%rdi)
        mov     %rbp, 8(%rdi)
        mov     %r12, 16(%rdi)
        mov     %r13, 24(%rdi)
        mov     %r14, 32(%rdi)
        mov     %r15, 40(%rdi)
        lea     8(%rsp), %rax
        mov     %rax, 48(%rdi)
        mov     (%rsp), %rax
        mov     %rax, 56(%rdi)
        xor     %eax, %eax
        ret
longjmp:
        mov     %esi, %eax
        mov     0(%rdi), %rbx
        mov     8(%rdi), %rbp
        mov     16(%rdi), %r12
        mov     24(%rdi), %r13
        mov     32(%rdi), %r14
        mov     40(%rdi), %r15
        mov     48(%rdi), %rsp
        jmp     *56(%rdi)

/* jump_on_stack(fn, stack end) */
        .globl  jump_on_stack
jump_on_stack:
        mov     %rsi, %rsp
        xor     %ebp, %ebp
        call    *%rdi
        ud2

        .section .note.GNU-stack, "", @progbits
