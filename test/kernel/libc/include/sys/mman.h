/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <sys/mman.h>, what our tests use: which pages have memory; and memory of their own. */
#ifndef KERNEL_LIBC_SYS_MMAN_H
#define KERNEL_LIBC_SYS_MMAN_H

#include <stddef.h>

#define PROT_READ     1
#define PROT_WRITE    2
#define MAP_PRIVATE   2
#define MAP_ANONYMOUS 32
#define MAP_FAILED    ((void *)-1)

void *mmap(void *at, size_t bytes, int access, int flags, int fd, long offset);
int mincore(void *at, size_t bytes, unsigned char *in_core);

#endif
