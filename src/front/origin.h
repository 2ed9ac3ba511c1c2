/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: which type an allocation of a program has that knows nothing of types: by the shared object
 *       or the place it was made from, or by a token that the compiler gave.
 * Below: ctl, kmalloc/types.h.
 */
#ifndef SLABKIT_FRONT_ORIGIN_H
#define SLABKIT_FRONT_ORIGIN_H

#include "kmalloc/types.h"

/* The type of what the code at `site` allocates, by the mode of option types; made at first sight.
 * NULL: no memory for it, or a call that may take no lock. */
struct type *origin_of_site(const void *site);
/* The type of a token; that of what has none. */
struct type *origin_of_token(uint64_t token);
struct type *origin_without_token(void);

#endif
