/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: blocks of 5 to 25 MiB, allocated and freed in random order and wholly written.
 * Why: after malloc-large of the mimalloc-bench collection: it asks whether large spans are kept
 * for a while or given back to the system, and faulted in again, every time.
 */
#include "workloads.h"

#include <string.h>

#define LARGE_LIVE   12u
#define LARGE_LO     (5u << 20)
#define LARGE_HI     (25u << 20)
#define LARGE_BLOCKS 120u

static void large_run(const struct workload *wl, struct outcome *oc)
{
    void **block = work_pages(LARGE_LIVE * sizeof(*block));
    uint64_t count = work_count(LARGE_BLOCKS);
    struct random rn = {9};

    (void)wl;
    work_start(oc);
    for (uint64_t i = 0; i < count; i++) {
        void **one = &block[random_below(&rn, LARGE_LIVE)];
        size_t bytes = random_between(&rn, LARGE_LO, LARGE_HI);

        free(*one);
        *one = work_alloc(bytes);
        work_touch_all(*one, bytes);
    }
    work_stop(oc, count);
}

const struct workload large_workloads[] = {
    {"large", "blocks of 5 to 25 MiB replaced at random, every page written", false, 1, large_run,
     0, 0},
    {0},
};
