/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the kernel's own tests share: the engine, started as a kernel starts it; work on all
 *       CPUs at once; stamped blocks.
 */
#ifndef SLABKIT_TEST_KERNEL_ENGINE_H
#define SLABKIT_TEST_KERNEL_ENGINE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../kmalloc/fixture.h"
#include "kernel/kernel.h"

/* What a CPU does that was told, when it is idle. */
static inline void answer_tell(void)
{
    if (plat_enter()) {
        pcpu_settle(plat_slot());
        plat_leave();
    }
}

/* Budgets for a machine with so much memory as this one. */
static inline void start_engine(unsigned nodes)
{
    size_t memory = kern64_frames_free_bytes(KERN64_ALL_NODES);
    struct pcpu_limits limits = {.array_bytes = memory / 64 / plat_nslots(),
                                 .depot_bytes = memory / 256,
                                 .depots_bytes = memory / 32};

    plat_init(&(struct plat_config){.nodes = nodes});
    region_init(&(struct region_config){.reserve_bytes = SIZE_MAX,
                                        .dirty_floor_bytes = memory / 16,
                                        .dirty_percent = 25,
                                        .hugepages = REGION_HUGE_NEVER});
    if (!pcpu_init(&limits))
        exit(1);
    km_init();
    sk_store_release(&cpu_told_hook, answer_tell);
}

static void (*all_do)(void);

static inline void all_run(void *arg)
{
    (void)arg;
    all_do();
}

/* fn on every CPU, this one included; returns when all have. */
static inline void on_all_cpus(void (*fn)(void))
{
    all_do = fn;
    for (unsigned cpu = 1; cpu < plat_nslots(); cpu++)
        assert_true(cpu_run_on(cpu, all_run, NULL));
    fn();
    for (unsigned cpu = 1; cpu < plat_nslots(); cpu++)
        while (!cpu_is_idle(cpu))
            cpu_rest();
}

#endif
