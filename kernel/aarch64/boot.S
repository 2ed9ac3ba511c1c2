/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: from the loader to C, at EL1 with paging off: the first CPU by the ELF entry, the others by
 *       PSCI, with the end of their stack as argument.
 * Owns: the page tables of the identity map: the devices, and memory up to 4 GiB; the empty top table
 *       of the upper half, where the engine's window is.
 * Why: the loader puts the device tree at the begin of memory when it starts an ELF file (QEMU,
 *      hw/arm/boot.c); nothing is in x0. Before paging a CPU loads constants only, so that no line of
 *      a cache that is still off can be missed.
 */
#define MEMORY_AT 0x40000000

/* Attributes 0: memory, write back; 1: device. */
#define MAIR 0x00ff
/* T0SZ 25: 39 bits from level 1; T1SZ 16: 48 bits from level 0; both 4 KiB, write back, inner
 * shareable; 40 bits of physical address. */
#define TCR (25 | 0x3500 | 16 << 16 | 0x3500 << 16 | 2 << 30 | 2 << 32)

#define SCTLR_M_C_I 0x1005

#define TABLE  3
#define MEMORY (1 | 3 << 8 | 1 << 10 | 1 << 54)
#define DEVICE (1 | 1 << 2 | 1 << 10 | 3 << 53)

        .section .text.boot, "ax"
        .globl  boot_start
boot_start:
        ldr     x20, =boot_stack_end
        ldr     x21, =kernel_start
        b       paging_on

        .globl  boot_other
boot_other:
        mov     x20, x0
        ldr     x21, =cpu_main

paging_on:
        msr     daifset, #0xf
        ldr     x0, =MAIR
        msr     mair_el1, x0
        ldr     x0, =TCR
        msr     tcr_el1, x0
        ldr     x0, =boot_low
        msr     ttbr0_el1, x0
        ldr     x0, =boot_root
        msr     ttbr1_el1, x0
        isb
        tlbi    vmalle1
        dsb     nsh
        isb
        mrs     x0, sctlr_el1
        ldr     x1, =SCTLR_M_C_I
        orr     x0, x0, x1
        msr     sctlr_el1, x0
        isb
        mov     sp, x20
        mov     x29, xzr
        mov     x30, xzr
        ldr     x0, =MEMORY_AT
        br      x21
        .ltorg

/* ---- tables ----------------------------------------------------------------------------------- */

        .data
        .balign 4096
boot_low:                       /* 1 GiB each */
        .quad   boot_devices + TABLE
        .quad   0x40000000 + MEMORY, 0x80000000 + MEMORY, 0xc0000000 + MEMORY
        .fill   512 - 4, 8, 0
boot_devices:                   /* 2 MiB each: 128 to 160 MiB. Address 0 is a fault. */
        .fill   64, 8, 0
        .set    n, 0x08000000
        .rept   16
        .quad   n + DEVICE
        .set    n, n + 0x200000
        .endr
        .fill   512 - 64 - 16, 8, 0
        .globl  boot_root
boot_root:
        .fill   512, 8, 0

        .bss
        .balign 16
        .skip   65536
boot_stack_end:

        .section .note.GNU-stack, "", @progbits
