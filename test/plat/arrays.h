/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: arrays for the tests of plat, and the choice of the mode by the first argument.
 * Below: plat.
 */
#ifndef SLABKIT_TEST_PLAT_ARRAYS_H
#define SLABKIT_TEST_PLAT_ARRAYS_H

#include "plat_slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEST_SKIPPED 77

/* An array of any capacity up to the largest. */
#define ARRAY_CAP 32u

struct array {
    unsigned cap;
    void *a[ARRAY_CAP + 2];
};

static inline void array_init(struct array *r, unsigned cap)
{
    memset(r, 0, sizeof(*r));
    r->cap = cap;
    r->a[cap + 1] = PLAT_MARK;
}

/* The word of the array when it holds a[1..k]. */
static inline uintptr_t array_word(struct array *r, unsigned k)
{
    return plat_word_of(r->a + k);
}

static inline unsigned array_count(struct array *r, uintptr_t word)
{
    return (unsigned)(plat_word_top(word) - r->a);
}

/*
 * Starts plat in the mode that argv[1] names ("auto" or nothing: what it chooses). Ends the test
 * as skipped where this machine cannot have the mode.
 */
static inline enum plat_mode start_plat(int argc, char **argv)
{
    struct plat_config cfg = {PLAT_MODE_NONE, 0};
    enum plat_mode mode;

    for (int m = PLAT_MODE_RSEQ_CID; argc > 1 && m <= PLAT_MODE_PORTABLE; m++)
        if (strcmp(argv[1], plat_mode_name((enum plat_mode)m)) == 0)
            cfg.force = (enum plat_mode)m;
    mode = plat_init(&cfg);
    printf("mode %s (%s), %u slots\n", plat_mode_name(mode), plat_mode_reason(), plat_nslots());
    if (cfg.force != PLAT_MODE_NONE && mode != cfg.force)
        exit(TEST_SKIPPED);
    return mode;
}

#endif
