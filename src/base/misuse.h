/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: words a report of the caller's misuse: one line that says what, where and whose.
 * Below: base/attrs.h.
 * Concurrency: none; the buffer is the caller's.
 */
#ifndef SLABKIT_BASE_MISUSE_H
#define SLABKIT_BASE_MISUSE_H

#include "base/attrs.h"

#define MISUSE_LINE_BYTES 192

enum misuse {
#define MISUSE(id, text) MISUSE_##id,
#include "base/misuse.def"
#undef MISUSE
    MISUSE_KINDS
};

/* Writes "slabkit: <message>" into line, zero-terminated, cut if too long. */
void misuse_format(char line[MISUSE_LINE_BYTES], enum misuse what, const void *p, size_t bytes,
                   const char *name);

#endif
