/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one thread allocates a block and frees it at once: the bare hit path.
 * Why: the oldest of allocator loops; it says nothing of layout, everything of instructions.
 */
#include "workloads.h"

#define PAIRS 30000000u

static void pair_run(const struct workload *wl, struct outcome *oc)
{
    uint64_t count = work_count(PAIRS);
    size_t bytes = wl->wl_bytes;

    work_start(oc);
    for (uint64_t i = 0; i < count; i++) {
        void *p = work_alloc(bytes);

        work_touch(p);
        free(p);
    }
    work_stop(oc, count);
}

const struct workload pair_workloads[] = {
    {"pair-16", "malloc/free pair on one CPU, 16 B", false, 1, pair_run, 16, 0},
    {"pair-128", "malloc/free pair on one CPU, 128 B", false, 1, pair_run, 128, 0},
    {"pair-1024", "malloc/free pair on one CPU, 1 KiB", false, 1, pair_run, 1024, 0},
    {0},
};
