/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: compares the interrupts between CPUs that freeing costs: one message for each object freed by
 *       another CPU, and slabkit. One line for each pattern:
 *
 *         pattern=.. cpus=.. nodes=.. frees_remote=.. ipis_old=.. ipis_new=.. ratio=.. objs_per_cas=..
 *
 *       and one more with what else was counted. ipis_new has all that the engine sent: tells to CPUs that
 *       sleep, fences, flushes of translations; "returned" is how often a slab was the first to come back to its owner,
 *       which is when the owner is told. objs_per_cas: objects that went home to a slab of another CPU, for each
 *       compare-and-swap; "none" when all of them found a place in arrays and depots instead.
 *       usage: bench [remote frees [pattern]]
 */
#include "../engine.h"

#include "oldway.h"
#include "patterns.h"

#define OBJECT_BYTES 64u

static uint64_t wanted = 100000;

struct figures {
    uint64_t frees, remote, ipis, handled, swaps, sent_home, cycles, tells, tells_half, fences,
        flushes, returned;
};

/* ---- counting --------------------------------------------------------------------------------------- */

static uint64_t tells_at_half, tells_at_end;

static uint64_t count_tells(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += kern64_cpu[cpu].tells;
    return sum;
}

static uint64_t count_fences(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += kern64_cpu[cpu].fences;
    return sum;
}

static uint64_t count_flushes(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += kern64_cpu[cpu].flushes;
    return sum;
}

static void at_half(void)
{
    tells_at_half = count_tells();
}

static void at_end(void)
{
    tells_at_end = count_tells();
}

static uint64_t count_ipis(void)
{
    uint64_t sum = oldway_figures().sent;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += kern64_cpu[cpu].tells + kern64_cpu[cpu].fences + kern64_cpu[cpu].flushes;
    return sum;
}

static uint64_t count_handled(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += ipis_handled[cpu];
    return sum;
}

static struct figures count(void)
{
    struct figures f = {.frees = pattern_frees(),
                        .remote = pattern_frees_remote(),
                        .ipis = count_ipis(),
                        .handled = count_handled(),
                        .swaps = oldway_figures().swaps,
                        .tells = count_tells(),
                        .fences = count_fences(),
                        .flushes = count_flushes(),
                        .cycles = cpu_cycles()};

    for (unsigned idx = 1; idx < pcpu_cache_end(); idx++)
        for (unsigned slot = 0; slot < plat_nslots(); slot++) {
            struct slot_cache *sc = pcpu_slot_cache(slot, idx);

            f.swaps += sc ? sc->sc_remote_chains : 0;
            f.sent_home += sc ? sc->sc_remote_objs : 0;
            f.returned += sc ? sc->sc_tells : 0;
        }
    return f;
}

static struct figures minus(struct figures a, struct figures b)
{
    return (struct figures){.frees = a.frees,
                            .remote = a.remote,
                            .ipis = a.ipis - b.ipis,
                            .handled = a.handled - b.handled,
                            .swaps = a.swaps - b.swaps,
                            .sent_home = a.sent_home - b.sent_home,
                            .tells = a.tells - b.tells,
                            .fences = a.fences - b.fences,
                            .flushes = a.flushes - b.flushes,
                            .returned = a.returned - b.returned,
                            .tells_half = tells_at_end - tells_at_half,
                            .cycles = a.cycles - b.cycles};
}

/* ---- running ------------------------------------------------------------------------------------------ */

static void *new_alloc(void)
{
    return km_alloc(OBJECT_BYTES);
}

static const struct way old_way = {oldway_alloc, oldway_free}, new_way = {new_alloc, km_free};

static struct figures run(const struct pattern *p, const struct way *way)
{
    struct figures before;

    pattern_reset(way, wanted);
    pattern_halfway = at_half;
    pattern_over = at_end;
    before = count();
    on_all_cpus(p->pt_run);
    return minus(count(), before);
}

static void quiet(void)
{
    km_trim(0);
    assert_int_equal(used_bytes(), 0);
}

static void print_ratio(const char *name, uint64_t a, uint64_t b, const char *if_none)
{
    if (b)
        printf(" %s=%lu.%lu", name, a / b, a * 10 / b % 10);
    else
        printf(" %s=%s", name, if_none);
}

static void compare(const struct pattern *p)
{
    struct figures old, new;

    oldway_start(OBJECT_BYTES);
    old = run(p, &old_way);
    oldway_end();
    assert_int_equal(oldway_figures().gone + oldway_figures().refused, 0);
    quiet();
    new = run(p, &new_way);
    quiet();

    printf("pattern=%s cpus=%u nodes=%u frees_remote=%lu ipis_old=%lu ipis_new=%lu ratio=%lu",
           p->pt_name, plat_nslots(), plat_nnodes(), new.remote, old.ipis, new.ipis,
           old.ipis / sk_max(new.ipis, 1));
    print_ratio("objs_per_cas", new.sent_home, new.swaps, "none");
    printf("\ndetail=%s cpus=%u nodes=%u handled_old=%lu handled_new=%lu cas_old=%lu cas_new=%lu "
           "tells=%lu tells_second_half=%lu fences=%lu flushes=%lu returned=%lu "
           "cycles_per_free_old=%lu "
           "cycles_per_free_new=%lu\n",
           p->pt_name, plat_nslots(), plat_nnodes(), old.handled, new.handled, old.swaps, new.swaps,
           new.tells, new.tells_half, new.fences, new.flushes, new.returned, old.cycles / old.frees,
           new.cycles / new.frees);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        wanted = strtoul(argv[1], NULL, 10);
    start_engine(0);
    for (unsigned i = 0; i < PATTERNS; i++)
        if (argc < 3 || strcmp(argv[2], patterns[i].pt_name) == 0)
            compare(&patterns[i]);
    return 0;
}
