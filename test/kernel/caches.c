/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: object caches of every kind on all CPUs, while timer and message interrupts at random points allocate and free
 *       from the same ones, also inside of slow paths and constructors; blocks beside; a reaper. Ordinarily, and with so
 *       little memory that it is used up again and again. No object is lost, doubled, or loses its constructed state.
 *       usage: caches [operations for each CPU] [scarce]
 */
#include "engine.h"

#include "../cache/population.h"

#define TABLE       48u
#define SCARCE      2000u
#define HANDLER_OBJ 12u
#define HANDLED_MIN 10u

static struct {
    struct held table[SCARCE], in_handler[HANDLER_OBJ];
    void *blocks[HANDLER_OBJ];
    uint64_t seed, handler_seed;
    uint64_t handled;
    unsigned inside[KINDS];
} SK_CACHE_ALIGNED cpus[KERN64_CPUS_MAX];

static unsigned ops = 3000, running, objs = TABLE;

static unsigned *inside(enum kind kind)
{
    return &cpus[plat_slot()].inside[kind];
}

/* ---- interrupts -------------------------------------------------------------------------------- */

static void handler(void)
{
    unsigned cpu = plat_slot();
    uint64_t *seed = &cpus[cpu].handler_seed;
    void **block = &cpus[cpu].blocks[draw(seed, HANDLER_OBJ)];

    cpus[cpu].handled++;
    act(cpus[cpu].in_handler, HANDLER_OBJ, seed, M_NOWAIT);
    if (draw(seed, 4) == 0) {
        km_free(*block);
        *block = *block ? NULL : km_alloc(draw(seed, 400));
    }
}

/* ---- workers ------------------------------------------------------------------------------------ */

static void reap_now_and_then(uint64_t *seed)
{
    if (draw(seed, 1024) == 0)
        kmem_cache_reap();
    else if (draw(seed, 128) == 0)
        kmem_run_deferred();
    else if (draw(seed, 128) == 0 && plat_enter()) {
        pcpu_reap();
        region_reap(0, false);
        plat_leave();
    }
}

static bool enough(unsigned cpu)
{
    return cpus[cpu].handled >= HANDLED_MIN && nested_frees() > 0;
}

static void worker(void)
{
    unsigned cpu = plat_slot();
    uint64_t *seed = &cpus[cpu].seed;

    *seed = cpu + 1;
    cpus[cpu].handler_seed = cpu + 1000;
    timer_every(20000, 300000);
    for (unsigned i = 0; i < ops || !enough(cpu); i++) {
        act(cpus[cpu].table, objs, seed, draw(seed, 2) ? M_WAITOK : M_NOWAIT);
        if (draw(seed, 16) == 0)
            message_send(draw(seed, plat_nslots()));
        if (cpu == 0)
            reap_now_and_then(seed);
    }
    sk_sub_relaxed(&running, 1);
    while (sk_load_acquire(&running)) /* the others' messages go on coming */
        irq_on_and_halt();
    timer_usual();
}

static void drop_everything(void)
{
    uint64_t seed = 5;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++) {
        drop_all(cpus[cpu].table, objs, &seed);
        drop_all(cpus[cpu].in_handler, HANDLER_OBJ, &seed);
        for (unsigned i = 0; i < HANDLER_OBJ; i++)
            km_free(cpus[cpu].blocks[i]);
    }
}

static uint64_t handled(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += cpus[cpu].handled;
    return sum;
}

static void poke(void)
{
}

static void test_handlers(void **state)
{
    (void)state;
    assert_true(population_make(3));
    running = plat_nslots();
    timer_hook = message_hook = handler;
    on_all_cpus(worker);
    timer_hook = message_hook = NULL;
    printf("%lu handlers ran, %lu frees of theirs were nested; %u taken, %u refused\n", handled(),
           nested_frees(), taken, refused);
    assert_true(nested_frees() > 0);
    assert_true(objs == TABLE || refused > 0);
    drop_everything();
    assert_int_equal(population_end(), 0);
    km_free(km_alloc(KM_MEDIUM_MAX + 1)); /* a slow path: frees what waits */
    kmem_cache_reap();
    assert_true(kern64_frames_verify());
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_handlers)};

    if (argc > 1)
        ops = (unsigned)atoi(argv[1]);
    if (argc > 2)
        objs = SCARCE;
    start_engine(0);
    kmem_init(&(struct kmem_hooks){poke}, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
