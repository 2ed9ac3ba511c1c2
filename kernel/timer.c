/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a timer for each CPU, with intervals drawn at random; the clock.
 * Below: the machine.
 * Concurrency: each CPU its own state, interrupts off; the clock is stored by the first CPU.
 */
#include "kernel/kernel.h"

#define TICK_NS 4000000u

static struct {
    uint64_t min_ns, spread_ns; /* 0, 0: off */
    uint64_t interval_ns;       /* the one under way */
    uint64_t seed;
} SK_CACHE_ALIGNED timers[KERN64_CPUS_MAX];

static uint64_t clock_ns; /* atomic */

static void timer_next(unsigned cpu)
{
    uint64_t *seed = &timers[cpu].seed;

    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    timers[cpu].interval_ns = timers[cpu].min_ns + (*seed >> 33) % (timers[cpu].spread_ns + 1);
    interrupt_after(timers[cpu].interval_ns);
}

void timer_every(uint64_t min_ns, uint64_t max_ns)
{
    uint64_t flags = cpu_irq_save();
    unsigned cpu = plat_slot();

    timers[cpu].min_ns = min_ns;
    timers[cpu].spread_ns = max_ns - min_ns;
    timers[cpu].seed += cpu + 1;
    timer_next(cpu);
    cpu_irq_restore(flags);
}

void timer_usual(void)
{
    uint64_t ns = plat_slot() == 0 ? TICK_NS : 0;

    timer_every(ns, ns);
}

void timer_handle(void)
{
    unsigned cpu = plat_slot();

    if (cpu == 0)
        sk_store_relaxed(&clock_ns, clock_ns + timers[cpu].interval_ns);
    timer_next(cpu);
}

uint64_t timer_clock_ns(void)
{
    return sk_load_relaxed(&clock_ns);
}

uint64_t kern64_hook_clock_ns(void)
{
    return timer_clock_ns();
}
