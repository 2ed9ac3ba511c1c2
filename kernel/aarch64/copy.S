/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: memcpy and memset, 32 bytes in a turn: an emulator does them one by one.
 */
        .text
        .globl  memcpy, memset
memcpy:
        mov     x3, x0
1:      subs    x2, x2, #32
        b.lo    2f
        ldp     x4, x5, [x1], #16
        ldp     x6, x7, [x1], #16
        stp     x4, x5, [x3], #16
        stp     x6, x7, [x3], #16
        b       1b
2:      adds    x2, x2, #32
        b.eq    4f
3:      ldrb    w4, [x1], #1
        strb    w4, [x3], #1
        subs    x2, x2, #1
        b.ne    3b
4:      ret

memset:
        mov     x3, x0
        and     x4, x1, #0xff
        mov     x5, #0x0101010101010101
        mul     x4, x4, x5
1:      subs    x2, x2, #32
        b.lo    2f
        stp     x4, x4, [x3], #16
        stp     x4, x4, [x3], #16
        b       1b
2:      adds    x2, x2, #32
        b.eq    4f
3:      strb    w4, [x3], #1
        subs    x2, x2, #1
        b.ne    3b
4:      ret

        .section .note.GNU-stack, "", @progbits
