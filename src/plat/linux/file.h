/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: reads small files of /proc and /sys.
 * Below: sys.h.
 */
#ifndef SLABKIT_PLAT_LINUX_FILE_H
#define SLABKIT_PLAT_LINUX_FILE_H

#include "base/attrs.h"

/* Reads up to max bytes from the start; how many, 0 when it cannot be read. */
size_t file_read(const char *path, char *buf, size_t max);

/* Calls each(id, ctx) for every number of a list such as "0-3,8,10-11"; false: no such list. */
bool file_each_id(const char *path, void (*each)(unsigned id, void *ctx), void *ctx);

#endif
