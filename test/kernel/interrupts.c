/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the stress oracle of the kernel: stamped blocks of all sizes on every CPU, passed between
 *       CPUs, while timer and message interrupts at random points allocate and free as well; a
 *       reaper beside. No block is lost, doubled or written by two.
 * Owns: a table of blocks for each CPU and one for its handlers; cells in which a block passes from
 *       one CPU to another, with its description in its first words.
 *       usage: interrupts [operations for each CPU]
 */
#include "engine.h"

#define TABLE         64u
#define HANDLER_TABLE 16u
#define CELLS         128u
#define HANDLED_MIN   10u

struct block {
    unsigned char *p;
    size_t size;
    uint64_t v;
};

static struct {
    struct block table[TABLE], in_handler[HANDLER_TABLE];
    uint64_t seed, handler_seed;
    uint64_t handled, refused;
} SK_CACHE_ALIGNED cpus[KERN64_CPUS_MAX];

static void *cells[CELLS]; /* atomic */
static unsigned ops = 6000, faults, running;

static void fault_if(bool bad, const char *what)
{
    if (bad) {
        printf("error: %s\n", what);
        sk_add_relaxed(&faults, 1);
    }
}

/* ---- blocks ------------------------------------------------------------------------------------ */

static size_t draw_size(uint64_t *seed)
{
    unsigned kind = draw(seed, 256);

    if (kind == 0)
        return draw(seed, 400000);
    return kind < 16 ? draw(seed, 40000) : draw(seed, 1u << (4 + draw(seed, 7)));
}

static void block_make(struct block *b, size_t size, uint64_t v, bool zero)
{
    *b = (struct block){zero ? km_zalloc(size) : km_alloc(size), size, v};
    if (!b->p)
        return;
    fault_if(zero && !is_zero(b->p, sk_min(size, 64)), "memory that is not zero");
    stamp(b->p, size, v);
}

static void block_drop(struct block *b)
{
    fault_if(!stamp_holds(b->p, b->size, b->v), "somebody else wrote into a live block");
    km_free(b->p);
    b->p = NULL;
}

static void block_resize(struct block *b, uint64_t *seed)
{
    size_t size = draw_size(seed) + 1;
    void *p = km_realloc(b->p, size);

    if (!p)
        return;
    fault_if(!prefix_holds(p, sk_min(size, b->size), b->size, b->v), "contents lost in realloc");
    *b = (struct block){p, size, b->v};
    stamp(p, size, b->v);
}

/* ---- from one CPU to another ------------------------------------------------------------------- */

static void cell_drop(unsigned char *p)
{
    struct block b;

    if (!p)
        return;
    memcpy(&b, p, sizeof(b));
    for (size_t i = sizeof(b); i < b.size; i++)
        fault_if(p[i] != stamp_byte(b.v, i), "a passed block was written by somebody else");
    km_free(p);
}

static void cell_pass(uint64_t *seed)
{
    struct block b;

    block_make(&b, sizeof(b) + draw(seed, 300), *seed, false);
    if (b.p)
        memcpy(b.p, &(struct block){NULL, b.size, b.v}, sizeof(b));
    cell_drop(sk_xchg_acq_rel(&cells[draw(seed, CELLS)], (void *)b.p));
}

/* ---- interrupts -------------------------------------------------------------------------------- */

/* Both interrupts: no memory is no fault here, where only the arena may have been left. */
static void handler(void)
{
    unsigned cpu = plat_slot();
    uint64_t *seed = &cpus[cpu].handler_seed;
    struct block *b = &cpus[cpu].in_handler[draw(seed, HANDLER_TABLE)];

    cpus[cpu].handled++;
    if (b->p)
        block_drop(b);
    else
        block_make(b, draw(seed, 8) ? draw(seed, 500) : draw(seed, 20000), *seed,
                   draw(seed, 8) == 0);
    if (draw(seed, 4) == 0)
        cell_pass(seed);
}

/* ---- workers ------------------------------------------------------------------------------------ */

static void worker_turn(unsigned cpu, uint64_t *seed)
{
    struct block *b = &cpus[cpu].table[draw(seed, TABLE)];

    if (!b->p)
        block_make(b, draw_size(seed), *seed, draw(seed, 8) == 0);
    else if (draw(seed, 6) == 0)
        block_resize(b, seed);
    else
        block_drop(b);
    if (draw(seed, 2))
        cell_pass(seed);
    if (draw(seed, 32) == 0)
        message_send(draw(seed, plat_nslots()));
}

static void reap_now_and_then(uint64_t *seed)
{
    if (draw(seed, 2048) == 0)
        km_trim(0);
    else if (draw(seed, 256) == 0 && plat_enter()) {
        pcpu_reap();
        region_reap(0, false);
        plat_leave();
    }
}

/* Handlers have come, and into slow paths, too: until then the work goes on. */
static bool enough(unsigned cpu)
{
    struct km_stats s;

    km_get_stats(&s);
    return cpus[cpu].handled >= HANDLED_MIN && s.nested_allocs > 0 && s.deferred_frees > 0;
}

static void worker(void)
{
    unsigned cpu = plat_slot();
    uint64_t *seed = &cpus[cpu].seed;

    *seed = cpu + 1;
    cpus[cpu].handler_seed = cpu + 1000;
    timer_every(20000, 300000);
    for (unsigned i = 0; i < ops || !enough(cpu); i++) {
        worker_turn(cpu, seed);
        if (cpu == 0)
            reap_now_and_then(seed);
    }
    sk_sub_relaxed(&running, 1);
    while (sk_load_acquire(&running)) /* the others' messages go on coming */
        irq_on_and_halt();
    timer_usual();
}

static void drop_all(void)
{
    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++) {
        for (unsigned i = 0; i < TABLE; i++)
            if (cpus[cpu].table[i].p)
                block_drop(&cpus[cpu].table[i]);
        for (unsigned i = 0; i < HANDLER_TABLE; i++)
            if (cpus[cpu].in_handler[i].p)
                block_drop(&cpus[cpu].in_handler[i]);
    }
    for (unsigned i = 0; i < CELLS; i++)
        cell_drop(sk_xchg_acq_rel(&cells[i], NULL));
}

static uint64_t handled(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += cpus[cpu].handled;
    return sum;
}

static void test_stress(void **state)
{
    struct km_stats s;

    (void)state;
    running = plat_nslots();
    timer_hook = message_hook = handler;
    on_all_cpus(worker);
    timer_hook = message_hook = NULL;
    km_get_stats(&s);
    printf("%lu handlers ran, %lu allocations and %lu frees of theirs were nested\n", handled(),
           s.nested_allocs, s.deferred_frees);
    assert_int_equal(faults, 0);
    assert_true(handled() >= HANDLED_MIN * plat_nslots());
    assert_true(s.nested_allocs > 0 && s.deferred_frees > 0);
    drop_all();
    km_free(km_alloc(KM_MEDIUM_MAX + 1)); /* a slow path: frees what waits */
    assert_int_equal(faults, 0);
    expect_all_free();
    assert_true(kern64_frames_verify());
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stress)};

    if (argc > 1)
        ops = (unsigned)atoi(argv[1]);
    start_engine(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
