/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the table of exceptions: saves what C may change, calls trap_interrupt() or
 *       trap_fault(kind).
 * Owns: trap_vectors: 16 entries of 128 bytes. Number 5 is an interrupt at this exception level with
 *       its own stack pointer: the only one that comes back.
 */
        .text
        .macro  fault_entry kind
        .balign 128
        mov     x0, #\kind
        b       trap_fault
        .endm

        .balign 2048
        .globl  trap_vectors
trap_vectors:
        .irp    kind, 0, 1, 2, 3, 4
        fault_entry \kind
        .endr
        .balign 128
        b       interrupt
        .irp    kind, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        fault_entry \kind
        .endr

        .balign 128
interrupt:
        sub     sp, sp, #176
        stp     x0, x1, [sp, #0]
        stp     x2, x3, [sp, #16]
        stp     x4, x5, [sp, #32]
        stp     x6, x7, [sp, #48]
        stp     x8, x9, [sp, #64]
        stp     x10, x11, [sp, #80]
        stp     x12, x13, [sp, #96]
        stp     x14, x15, [sp, #112]
        stp     x16, x17, [sp, #128]
        stp     x18, x30, [sp, #144]
        stp     x29, xzr, [sp, #160]
        bl      trap_interrupt
        ldp     x0, x1, [sp, #0]
        ldp     x2, x3, [sp, #16]
        ldp     x4, x5, [sp, #32]
        ldp     x6, x7, [sp, #48]
        ldp     x8, x9, [sp, #64]
        ldp     x10, x11, [sp, #80]
        ldp     x12, x13, [sp, #96]
        ldp     x14, x15, [sp, #112]
        ldp     x16, x17, [sp, #128]
        ldp     x18, x30, [sp, #144]
        ldr     x29, [sp, #160]
        add     sp, sp, #176
        eret

        .section .note.GNU-stack, "", @progbits
