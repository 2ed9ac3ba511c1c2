/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: <setjmp.h>. */
#ifndef KERNEL_LIBC_SETJMP_H
#define KERNEL_LIBC_SETJMP_H

typedef unsigned long jmp_buf[14]; /* what a call preserves: the machine's jump.S */

__attribute__((returns_twice)) int setjmp(jmp_buf at);
_Noreturn void longjmp(jmp_buf at, int v);

#endif
