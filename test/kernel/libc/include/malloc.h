/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: <malloc.h>, empty: the tests that include it call slabkit_ names here (test/oracle/entry.h). */
#ifndef KERNEL_LIBC_MALLOC_H
#define KERNEL_LIBC_MALLOC_H

#endif
