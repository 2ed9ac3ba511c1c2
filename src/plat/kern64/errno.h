/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the error numbers that the layers name, where there is no C library: as Linux has them.
 */
#ifndef SLABKIT_PLAT_KERN64_ERRNO_H
#define SLABKIT_PLAT_KERN64_ERRNO_H

#define EAGAIN 11
#define ENOMEM 12
#define EBUSY  16
#define EINVAL 22
#define ENOSPC 28

#endif
