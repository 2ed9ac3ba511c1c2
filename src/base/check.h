/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: checks of our own invariants. Misuse by the caller is not checked here: it is always
 *       checked, and reported by the layer that can name it.
 * Below: a panic supplied by plat.
 */
#ifndef SLABKIT_BASE_CHECK_H
#define SLABKIT_BASE_CHECK_H

#include "base/attrs.h"

_Noreturn void plat_panic(const char *line);

#define SK_STR_(x) #x
#define SK_STR(x)  SK_STR_(x)

/* Always on: continuing would corrupt state. */
#define SK_REQUIRE(cond)                                                                           \
    do {                                                                                           \
        if (SK_UNLIKELY(!(cond)))                                                                  \
            plat_panic("slabkit: internal error: " #cond " at " __FILE__ ":" SK_STR(__LINE__));    \
    } while (0)

/* Debug builds only. */
#ifdef SLABKIT_DEBUG
#define SK_ASSERT(cond) SK_REQUIRE(cond)
#else
#define SK_ASSERT(cond) ((void)sizeof((cond) ? 1 : 0))
#endif

#endif
