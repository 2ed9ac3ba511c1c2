/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: object caches of every kind on all CPUs, while timer and message interrupts at random points allocate and free
 *       from the same ones, also inside of slow paths and constructors; typed blocks beside, one type at its limit; a reaper.
 *       Ordinarily, and with so little memory that it is used up again and again. No object is lost, doubled, or loses its
 *       constructed state; types count exactly.
 *       usage: caches [operations for each CPU] [scarce]
 */
#include "engine.h"

#include "../cache/population.h"
#include "kmalloc/types.h"

#define TABLE       48u
#define SCARCE      2000u
#define HANDLER_OBJ 12u
#define HANDLED_MIN 10u
#define BLOCKS      24u
#define TYPE_LIMIT  (40u << 10)

static struct {
    struct held table[SCARCE], in_handler[HANDLER_OBJ];
    void *blocks[BLOCKS], *handler_blocks[BLOCKS];
    uint64_t seed, handler_seed;
    uint64_t handled;
    unsigned inside[KINDS];
} SK_CACHE_ALIGNED cpus[KERN64_CPUS_MAX];

static unsigned ops = 3000, running, objs = TABLE;

static unsigned *inside(enum kind kind)
{
    return &cpus[plat_slot()].inside[kind];
}

/* ---- blocks with a type: even places are of one, odd ones of the other, which is limited ------------------- */

static struct type *types[2];
static uint64_t typed[2]; /* atomic: allocations that were given */

static void block_turn(void **blocks, uint64_t *seed)
{
    unsigned i = draw(seed, BLOCKS);
    size_t size = 1 + draw(seed, draw(seed, 16) ? 2000 : 30000);

    if (blocks[i]) {
        type_free(types[i % 2], blocks[i]);
        blocks[i] = NULL;
        return;
    }
    blocks[i] = type_alloc(types[i % 2], size, 1, M_NOWAIT, false, NULL);
    sk_add_relaxed(&typed[i % 2], blocks[i] != NULL);
}

static void blocks_drop(void **blocks)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        type_free(types[i % 2], blocks[i]);
}

static bool type_is_exact(unsigned i)
{
    struct malloc_type_stats s;

    type_stats(types[i], &s);
    return s.calls == typed[i] && s.inuse == 0 && s.memuse == 0 && type_verify(types[i]) &&
           (i == 0 || s.peak <= TYPE_LIMIT);
}

/* ---- interrupts -------------------------------------------------------------------------------- */

static void handler(void)
{
    unsigned cpu = plat_slot();
    uint64_t *seed = &cpus[cpu].handler_seed;

    cpus[cpu].handled++;
    act(cpus[cpu].in_handler, HANDLER_OBJ, seed, M_NOWAIT);
    block_turn(cpus[cpu].handler_blocks, seed);
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
        block_turn(cpus[cpu].blocks, seed);
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
        blocks_drop(cpus[cpu].blocks);
        blocks_drop(cpus[cpu].handler_blocks);
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
    enum type_error error;

    assert_true(population_make(3));
    for (unsigned i = 0; i < 2; i++)
        assert_non_null(types[i] = type_make("kind", "", 0, &error));
    type_set_limit(types[1], TYPE_LIMIT);
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
    assert_true(type_is_exact(0) && type_is_exact(1));
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
