/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: setjmp and longjmp: what a call preserves. */
        .text
        .globl  setjmp, longjmp
setjmp:
        stp     x19, x20, [x0, #0]
        stp     x21, x22, [x0, #16]
        stp     x23, x24, [x0, #32]
        stp     x25, x26, [x0, #48]
        stp     x27, x28, [x0, #64]
        stp     x29, x30, [x0, #80]
        mov     x1, sp
        str     x1, [x0, #96]
        mov     w0, #0
        ret
longjmp:
        ldp     x19, x20, [x0, #0]
        ldp     x21, x22, [x0, #16]
        ldp     x23, x24, [x0, #32]
        ldp     x25, x26, [x0, #48]
        ldp     x27, x28, [x0, #64]
        ldp     x29, x30, [x0, #80]
        ldr     x2, [x0, #96]
        mov     sp, x2
        mov     w0, w1
        ret

/* jump_on_stack(fn, stack end) */
        .globl  jump_on_stack
jump_on_stack:
        mov     sp, x1
        mov     x29, xzr
        mov     x30, xzr
        br      x0

        .section .note.GNU-stack, "", @progbits
