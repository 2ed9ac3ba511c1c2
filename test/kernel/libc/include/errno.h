/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: <errno.h>: the port's numbers, one more that a test uses, and this CPU's errno. */
#ifndef KERNEL_LIBC_ERRNO_H
#define KERNEL_LIBC_ERRNO_H

#include "plat/kern64/errno.h"

#define EPERM  1
#define EIO    5
#define EFAULT 14

int *plat_errno(void);
#define errno (*plat_errno())

#endif
