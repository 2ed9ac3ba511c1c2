/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <sys/mman.h>, what our tests use: which pages have memory. */
#ifndef KERNEL_LIBC_SYS_MMAN_H
#define KERNEL_LIBC_SYS_MMAN_H

#include <stddef.h>

int mincore(void *at, size_t bytes, unsigned char *in_core);

#endif
