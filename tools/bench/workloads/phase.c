/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a program changes its habits: many blocks of A sizes, 90 % of them freed, then as much
 *       memory again in B sizes. Does the memory of the first phase serve the second?
 * Owns: PHASE_BYTES live after each phase's growth, a tenth of A throughout.
 * Why: blocks are freed in groups that were allocated together, as a program's requests, sessions
 *      and documents end; freeing single blocks at random would pin every page of every allocator.
 */
#include "workloads.h"

#include <string.h>

#define PHASE_BYTES (64u << 20)
#define PHASE_MAX   (PHASE_BYTES / PHASE_A_LO)
#define PHASE_A_LO  32u
#define PHASE_A_HI  96u
#define PHASE_B_LO  160u
#define PHASE_B_HI  400u
#define PHASE_GROUP 8192u /* largest group of blocks freed or kept together */
#define PHASE_REST  100u  /* ms of rest before the last figure */

static uint64_t phase_grow(void **block, struct random *rn, size_t lo, size_t hi)
{
    uint64_t count = 0;

    for (size_t bytes = 0; bytes < PHASE_BYTES; count++) {
        size_t size = random_between(rn, lo, hi);

        block[count] = work_alloc(size);
        memset(block[count], 0x5a, size);
        bytes += size;
    }
    return count;
}

static void phase_free(void **block, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        free(block[i]);
        block[i] = NULL;
    }
}

/* Nine groups of ten go. */
static void phase_shrink(void **block, uint64_t count, struct random *rn)
{
    for (uint64_t at = 0; at < count;) {
        uint64_t end = at + random_size(rn, 1, PHASE_GROUP);

        end = end < count ? end : count;
        if (random_below(rn, 10) != 0)
            phase_free(block, at, end);
        at = end;
    }
}

static uint64_t phase_round(void **a, void **b, struct random *rn)
{
    uint64_t a_count = phase_grow(a, rn, PHASE_A_LO, PHASE_A_HI);
    uint64_t b_count;

    phase_shrink(a, a_count, rn);
    b_count = phase_grow(b, rn, PHASE_B_LO, PHASE_B_HI);
    phase_shrink(b, b_count, rn);
    phase_free(a, 0, a_count);
    return a_count + b_count;
}

/* What a round leaves of B stays: the next round lives beside it. */
static void phase_run(const struct workload *wl, struct outcome *oc)
{
    void **a = work_pages(PHASE_MAX * sizeof(*a));
    void **b = work_pages(PHASE_MAX * sizeof(*b));
    uint64_t rounds = work_count(2);
    struct random rn = {6};
    uint64_t ops = 0;

    (void)wl;
    oc->oc_start_kib = work_rss_kib();
    work_start(oc);
    for (uint64_t i = 0; i < rounds; i++)
        ops += phase_round(a, b, &rn);
    work_stop(oc, ops);
    work_sleep_ms(PHASE_REST);
    oc->oc_end_kib = work_rss_kib();
}

const struct workload phase_workloads[] = {
    {"phase-change", "64 MiB of small sizes, 90 % freed, then 64 MiB of other sizes", false, 1,
     phase_run, 0, 0},
    {0},
};
