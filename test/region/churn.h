/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what tests with several threads share: numbers drawn, and a thread that purges until it shall stop.
 */
#ifndef TEST_REGION_CHURN_H
#define TEST_REGION_CHURN_H

#include "fixture.h"

#include <pthread.h>

static bool stopping;

static inline uint32_t below(uint64_t *random, uint32_t n)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)(*random >> 20) % n;
}

static inline void *purger(void *arg)
{
    (void)arg;
    while (!sk_load_acquire(&stopping))
        region_reap(0, true);
    return NULL;
}

#endif
