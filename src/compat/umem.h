/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what umem's blocks and caches share: who decides when a UMEM_NOFAIL allocation fails.
 * Below: <slabkit/compat/umem.h>.
 */
#ifndef SLABKIT_COMPAT_UMEM_INTERNAL_H
#define SLABKIT_COMPAT_UMEM_INTERNAL_H

#define SLABKIT_COMPAT_NO_NAMES
#include "base/attrs.h"
#include <slabkit/compat/umem.h>
#include <slabkit/kmalloc.h>

/* The type of umem_alloc's blocks, and of umem's own descriptions of caches. */
extern struct malloc_type umem_type[1];

/* After an allocation failed. true: try again; false: NULL it is; or does not return. */
bool umem_failed(int flags);

#endif
