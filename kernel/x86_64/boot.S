/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: from the loader to C: the first CPU by the PVH entry (32-bit, paging off), the others by
 *       the code that their start-up interrupt names.
 * Owns: the page tables of the identity map: 4 GiB.
 * Why: PVH is what `qemu -kernel` knows for a 64-bit ELF file; it also hands over the memory map.
 */
#define CR0_PE       1
#define CR0_WP_PG    0x80010000
#define CR4_PAE      0x20
#define MSR_EFER     0xc0000080
#define EFER_LME     0x100
#define PTE_RW       3
#define PTE_RW_LARGE 0x83
#define PTE_DEVICE   0x93
#define CODE64       8
#define CODE32       24
#define DATA         16

        .section .note.pvh, "a", @note
        .balign 4
        .long 4, 8, 18          /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .quad boot_start

/* ---- the first CPU --------------------------------------------------------------------------- */

        .section .text.boot, "ax"
        .code32
        .globl boot_start
boot_start:
        cli
        cld
        mov     %ebx, %ebp              /* start info */
        mov     $boot_stack_end, %esp

        mov     $boot_pdpt + PTE_RW, %eax
        mov     %eax, boot_root
        mov     $boot_pds + PTE_RW, %eax
        xor     %ecx, %ecx
1:      mov     %eax, boot_pdpt(, %ecx, 8)
        add     $4096, %eax
        inc     %ecx
        cmp     $4, %ecx
        jne     1b

        mov     $PTE_RW_LARGE, %eax
        xor     %ecx, %ecx
2:      mov     %eax, boot_pds(, %ecx, 8)
        add     $0x200000, %eax
        inc     %ecx
        cmp     $2048, %ecx
        jne     2b
        movl    $0xfee00000 + PTE_DEVICE, boot_pds + 8 * (0xfee00000 / 0x200000)

        mov     $boot_pt + PTE_RW, %eax /* the first 2 MiB page by page, so that page 0 can go */
        mov     %eax, boot_pds
        mov     $PTE_RW, %eax
        xor     %ecx, %ecx
3:      mov     %eax, boot_pt(, %ecx, 8)
        add     $4096, %eax
        inc     %ecx
        cmp     $512, %ecx
        jne     3b

        lgdt    boot_gdt_pointer
        call    enter_long_mode
        ljmp    $CODE64, $first_64

/* Paging on; still in 32-bit code. */
enter_long_mode:
        mov     %cr4, %eax
        or      $CR4_PAE, %eax
        mov     %eax, %cr4
        mov     $boot_root, %eax
        mov     %eax, %cr3
        mov     $MSR_EFER, %ecx
        rdmsr
        or      $EFER_LME, %eax
        wrmsr
        mov     %cr0, %eax
        or      $CR0_WP_PG, %eax
        mov     %eax, %cr0
        ret

        .code64
first_64:
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     %ebp, %edi
        xor     %ebp, %ebp
        call    kernel_start
        ud2

/* ---- the others: copied to TRAMPOLINE, below 1 MiB ------------------------------------------- */

        .globl trampoline, trampoline_end, trampoline_stack
        .code16
trampoline:
        cli
        cld
        xor     %ax, %ax
        mov     %ax, %ds
        lgdtl   boot_gdt_pointer_low - trampoline + TRAMPOLINE
        mov     $CR0_PE, %eax
        mov     %eax, %cr0
        ljmpl   $CODE32, $other_32
boot_gdt_pointer_low:
        .word   boot_gdt_end - boot_gdt - 1
        .long   boot_gdt
trampoline_end:

        .code32
other_32:
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     trampoline_stack, %esp  /* far below 4 GiB */
        call    enter_long_mode
        ljmp    $CODE64, $other_64
        .code64
other_64:
        mov     trampoline_stack, %rsp
        xor     %ebp, %ebp
        call    cpu_main
        ud2

        .section .rodata
        .balign 8
boot_gdt:
        .quad   0
        .quad   0x00af9b000000ffff      /* 64-bit code */
        .quad   0x00cf93000000ffff      /* data */
        .quad   0x00cf9b000000ffff      /* 32-bit code */
boot_gdt_end:
boot_gdt_pointer:
        .word   boot_gdt_end - boot_gdt - 1
        .long   boot_gdt

        .bss
        .balign 4096
        .globl boot_root, boot_pt
boot_root:      .skip 4096
boot_pdpt:      .skip 4096
boot_pds:       .skip 4 * 4096
boot_pt:        .skip 4096
        .skip   65536
boot_stack_end:
trampoline_stack: .skip 8

        .section .note.GNU-stack, "", @progbits
