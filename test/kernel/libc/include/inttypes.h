/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <inttypes.h>, what our tests use. */
#ifndef KERNEL_LIBC_INTTYPES_H
#define KERNEL_LIBC_INTTYPES_H

#include <stdint.h>

#define PRIu64 "lu"
#define PRIx64 "lx"

#endif
