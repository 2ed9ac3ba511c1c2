/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <dlfcn.h>, what our tests use: names of functions, as the program itself defines them. */
#ifndef KERNEL_LIBC_DLFCN_H
#define KERNEL_LIBC_DLFCN_H

#define RTLD_DEFAULT ((void *)0)

/* Defined by the program that calls it. */
void *dlsym(void *of, const char *name);

#endif
