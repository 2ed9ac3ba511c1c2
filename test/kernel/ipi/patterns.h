/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: programs in which a CPU frees mostly what others allocated, over either way of freeing.
 * Concurrency: each runs on all CPUs at once; pattern_reset comes before, alone.
 */
#ifndef SLABKIT_TEST_KERNEL_IPI_PATTERNS_H
#define SLABKIT_TEST_KERNEL_IPI_PATTERNS_H

#include "base/attrs.h"

struct way {
    void *(*wy_alloc)(void);
    void (*wy_free)(void *p);
};

struct pattern {
    const char *pt_name;
    void (*pt_run)(void);
};

#define PATTERNS 5u
extern const struct pattern patterns[PATTERNS];

/* Until so many objects were freed by another CPU than the one that allocated them. */
void pattern_reset(const struct way *way, uint64_t frees_remote);
/* At half of them, and at the last: then CPUs leave, and sleep. Each once. */
extern void (*pattern_halfway)(void), (*pattern_over)(void);
uint64_t pattern_frees(void);
uint64_t pattern_frees_remote(void);

#endif
