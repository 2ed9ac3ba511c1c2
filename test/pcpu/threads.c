/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: stamped objects through many threads, while others reap, drain and verify: none is lost,
 *       doubled or written by two.
 * Owns: cells, each an object on its way from the thread that allocated it to whoever comes by;
 *       its first word is its stamp, the rest follows from it.
 */
#include "fixture.h"

#define WORKERS     4u
#define GENERATIONS 3u
#define CELLS       512u
#define OPS         30000u

static struct cell {
    void *obj; /* atomic */
} cells[CACHES][CELLS];

static unsigned faults;
static bool over;
static uint64_t next_stamp;

static void fault_if(bool bad)
{
    if (bad)
        sk_add_relaxed(&faults, 1);
}

static void *make(struct pcpu_cache *c)
{
    uint64_t v = sk_add_relaxed(&next_stamp, 1);
    char *p = cache_alloc(c);

    fault_if(!p);
    if (!p)
        return NULL;
    memcpy(p, &v, sizeof(v));
    stamp_object(p + 8, c->pc_geom.size - 8, v);
    return p;
}

static void unmake(struct pcpu_cache *c, char *p)
{
    uint64_t v;

    if (!p)
        return;
    memcpy(&v, p, sizeof(v));
    fault_if(!stamp_holds(p + 8, c->pc_geom.size - 8, v));
    memset(p, 0xee, sk_min(c->pc_geom.size, 64));
    cache_free(c, p);
}

static void *swap_worker(void *arg)
{
    uint64_t seed = (uintptr_t)arg;

    for (unsigned i = 0; i < OPS; i++) {
        unsigned k = draw(&seed, 16) ? draw(&seed, 3) : draw(&seed, CACHES);
        struct cell *cell = &cells[k][draw(&seed, CELLS)];
        void *p = draw(&seed, 2) ? make(&caches[k]) : NULL;

        unmake(&caches[k], sk_xchg_acq_rel(&cell->obj, p));
    }
    return NULL;
}

static void *produce(void *arg)
{
    struct pcpu_cache *c = &caches[1];

    (void)arg;
    for (unsigned i = 0; i < OPS; i++) {
        struct cell *cell = &cells[1][i % CELLS];

        while (sk_load_relaxed(&cell->obj))
            sched_yield();
        sk_store_release(&cell->obj, make(c));
    }
    return NULL;
}

static void *consume(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < OPS; i++) {
        struct cell *cell = &cells[1][i % CELLS];
        void *p;

        while (!(p = sk_load_acquire(&cell->obj)))
            sched_yield();
        sk_store_relaxed(&cell->obj, NULL);
        unmake(&caches[1], p);
    }
    return NULL;
}

/* What goes on beside. */
static void *reaper(void *arg)
{
    uint64_t seed = 99;

    (void)arg;
    while (!sk_load_acquire(&over)) {
        unsigned k = draw(&seed, CACHES);

        if (draw(&seed, 2))
            reap();
        else
            drain(&caches[k]);
        plat_enter();
        fault_if(pcpu_verify(&caches[k], print_fault) != 0);
        plat_leave();
        pcpu_idle_bytes();
        sched_yield();
    }
    return NULL;
}

static void run(void *(*const *fns)(void *), unsigned n)
{
    pthread_t threads[WORKERS], reaping;

    sk_store_relaxed(&over, false);
    pthread_create(&reaping, NULL, reaper, NULL);
    for (uintptr_t i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, fns[i], (void *)(i + 1));
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    sk_store_release(&over, true);
    pthread_join(reaping, NULL);
}

static uint64_t live_in(unsigned k)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < CELLS; i++)
        n += cells[k][i].obj != NULL;
    return n;
}

static void expect_whole(void)
{
    assert_int_equal(faults, 0);
    for (unsigned k = 0; k < CACHES; k++)
        assert_true(at_rest(&caches[k], live_in(k)));
    for (unsigned k = 0; k < CACHES; k++)
        for (unsigned i = 0; i < CELLS; i++)
            unmake(&caches[k], sk_xchg_acq_rel(&cells[k][i].obj, NULL));
    assert_int_equal(faults, 0);
    expect_empty();
}

static void test_anybody_frees_anything(void **state)
{
    static void *(*const fns[])(void *) = {swap_worker, swap_worker, swap_worker, swap_worker};

    (void)state;
    for (unsigned generation = 0; generation < GENERATIONS; generation++)
        run(fns, WORKERS);
    expect_whole();
}

static void test_producer_and_consumer(void **state)
{
    static void *(*const fns[])(void *) = {produce, consume};

    (void)state;
    run(fns, 2);
    assert_int_equal(live_in(1), 0);
    expect_whole();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anybody_frees_anything),
        cmocka_unit_test(test_producer_and_consumer),
    };
    start(argc, argv, 0, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
