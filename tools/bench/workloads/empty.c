/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a program that does nothing: what an allocator costs in time and memory by being there.
 * Why: the driver starts it many times and takes the time from outside; loading, relocation and
 *      constructors are over before main() could look at a clock.
 */
#include "workloads.h"

static void empty_run(const struct workload *wl, struct outcome *oc)
{
    (void)wl;
    work_start(oc);
    work_stop(oc, 1);
}

const struct workload empty_workloads[] = {
    {"empty", "a program that does nothing, started 200 times", false, 200, empty_run, 0, 0},
    {0},
};
