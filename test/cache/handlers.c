/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: calls by signal handlers that interrupted a slow path of their own thread: with every lock held, with none held,
 *       inside of a constructor; at random points of many threads; after each instruction.
 * Why: inside plat_enter with every lock of the engine held is the worst that such a handler finds.
 */
#include "fixture.h"
#include "population.h"

#include <sys/time.h>

#define MANY 300u

static void *objs[MANY];
static bool held_all;
static SK_TLS unsigned depth[KINDS];

static unsigned *inside(enum kind kind)
{
    return &depth[kind];
}

static void hold_everything(void)
{
    assert_true(plat_enter());
    held_all = true;
    kmem_fork_prepare();
    pcpu_fork_prepare();
    region_fork_prepare();
    meta_fork_prepare();
}

static void let_go(void)
{
    meta_fork_parent();
    region_fork_parent();
    pcpu_fork_parent();
    kmem_fork_parent();
    plat_leave();
    held_all = false;
}

static int tear_down(void **state)
{
    (void)state;
    if (held_all)
        let_go();
    return 0;
}

static struct kmem_cache *few_in_arrays(unsigned flags, unsigned limit)
{
    struct kmem_cache_args args = {
        .ctor = count_ctor, .dtor = count_dtor, .priv = &counts, .flags = flags, .limit = limit};

    counts = (struct counts){0};
    return kmem_create("few", sizeof(struct counted), &args);
}

static void end_of(struct kmem_cache *c)
{
    assert_int_equal(live(c), 0);
    assert_int_equal(kmem_cache_verify(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(counts.bad, 0);
}

/* ---- all locks held -------------------------------------------------------------------------- */

static unsigned take_all(struct kmem_cache *c, unsigned flags)
{
    unsigned n = 0;

    while (n < MANY && (objs[n] = kmem_cache_alloc(c, (int)flags)) != NULL)
        assert_true(is_constructed(objs[n++]));
    return n;
}

static void test_all_locks_held(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache *c = few_in_arrays(0, 20);
    unsigned n, more;

    (void)state;
    kmem_cache_free(c, kmem_cache_alloc(c, M_WAITOK)); /* fills the array */
    hold_everything();
    n = take_all(c, M_NOWAIT);
    assert_in_range(n, 1, 20); /* what the array held */
    let_go();
    assert_int_equal(live(c), n);
    assert_int_equal(stats(c).failures, 1);
    for (more = n; more < MANY; more++)
        assert_non_null(objs[more] = kmem_cache_alloc(c, M_WAITOK));
    hold_everything();
    for (unsigned i = 0; i < MANY; i++)
        kmem_cache_free(c, objs[i]);
    let_go();
    assert_int_equal(live(c), 0);
    assert_true(c->kc_pcpu.pc_nested_frees >= MANY - 40); /* two arrays full */
    assert_int_equal(stats(c).frees, MANY + 1);
    assert_int_equal(take_all(c, M_WAITOK), MANY);
    kmem_cache_free_bulk(c, MANY, objs);
    end_of(c);
    expect_balance(before);
}

static void test_bulk_is_all_or_none(void **state)
{
    struct kmem_cache *c = few_in_arrays(0, 20);

    (void)state;
    kmem_cache_free(c, kmem_cache_alloc(c, M_WAITOK));
    hold_everything();
    assert_int_equal(kmem_cache_alloc_bulk(c, M_NOWAIT, 100, objs), 0);
    assert_int_equal(kmem_cache_alloc_bulk(c, M_NOWAIT, 5, objs), 5);
    kmem_cache_free_bulk(c, 5, objs);
    let_go();
    end_of(c);
}

/* ---- none held ------------------------------------------------------------------------------- */

/* What slabs have, beyond the array; not a new slab. */
static void test_slabs_serve_if_nobody_is_at_them(void **state)
{
    struct kmem_cache *c = few_in_arrays(0, 4);
    unsigned n, objs_of_slab = (unsigned)stats(c).slab_objs;

    (void)state;
    objs[0] = kmem_cache_alloc(c, M_WAITOK);
    assert_true(objs_of_slab > MANY);
    assert_true(plat_enter());
    for (n = 1; n < MANY; n++)
        assert_non_null(objs[n] = kmem_cache_alloc(c, M_NOWAIT));
    kmem_cache_free_bulk(c, MANY, objs);
    plat_leave();
    assert_int_equal(stats(c).failures, 0);
    assert_int_equal(stats(c).slabs, 1);
    end_of(c);
}

static void test_the_reserve_serves(void **state)
{
    struct kmem_cache_args args = {.reserve = 3};
    struct kmem_cache *c = kmem_create("spare", 64, &args);
    void *first = kmem_cache_alloc(c, M_WAITOK);

    (void)state;
    kmem_cache_shrink(c);
    kmem_cache_free(c, first);
    kmem_cache_shrink(
        c); /* arrays and slabs are empty: the reserve's own slab has others, in nobody's lock */
    assert_true(plat_enter());
    for (unsigned i = 0; i < MANY; i++)
        if (!(objs[i] = kmem_cache_alloc(c, M_NOWAIT)))
            objs[i] = NULL;
    for (unsigned i = 0; i < MANY; i++)
        kmem_cache_free(c, objs[i]);
    plat_leave();
    for (unsigned i = 0; i < 10; i++) /* ordinary frees fill it again */
        objs[i] = kmem_cache_alloc(c, M_WAITOK);
    for (unsigned i = 0; i < 10; i++)
        kmem_cache_free(c, objs[i]);
    assert_int_equal(stats(c).reserve, 3);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* Taken one by one while the slabs' locks are held, and this cache's own is not. */
static void test_the_reserve_is_counted(void **state)
{
    struct kmem_cache_args args = {.reserve = 3};
    struct kmem_cache *c = kmem_create("spare", 64, &args);

    (void)state;
    kmem_cache_shrink(c);
    assert_true(plat_enter());
    pcpu_fork_prepare();
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(objs[i] = kmem_cache_alloc(c, M_NOWAIT));
    assert_null(kmem_cache_alloc(c, M_NOWAIT));
    pcpu_fork_parent();
    plat_leave();
    assert_int_equal(stats(c).reserve, 0);
    assert_int_equal(live(c), 3);
    for (unsigned i = 0; i < 3; i++)
        kmem_cache_free(c, objs[i]);
    assert_int_equal(stats(c).reserve, 3);
    assert_int_equal(live(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* ---- deferred frees -------------------------------------------------------------------------- */

static void test_deferred_frees_wait_their_period(void **state)
{
    struct kmem_cache *c = few_in_arrays(KMEM_TYPESAFE, 0);

    (void)state;
    for (unsigned i = 0; i < 60; i++)
        objs[i] = kmem_cache_alloc(c, M_WAITOK);
    kmem_read_lock();
    hold_everything();
    for (unsigned i = 0; i < 60; i++)
        kmem_cache_free_deferred(c, objs[i]);
    let_go();
    assert_int_equal(stats(c).deferred, 60);
    kmem_run_deferred();
    for (unsigned i = 0; i < 60; i++)
        assert_true(is_constructed(objs[i]));
    assert_int_equal(live(c), 60);
    kmem_read_unlock();
    kmem_cache_barrier();
    assert_int_equal(stats(c).deferred, 0);
    end_of(c);
}

#define TOO_MANY 100000u

/* What finds no place stays the program's. */
static void test_more_deferred_than_can_wait(void **state)
{
    struct kmem_cache *c = few_in_arrays(0, 0);
    static void *all[TOO_MANY];
    unsigned waiting;

    (void)state;
    assert_int_equal(kmem_cache_alloc_bulk(c, M_WAITOK, TOO_MANY, all), TOO_MANY);
    hold_everything();
    for (unsigned i = 0; i < TOO_MANY; i++)
        kmem_cache_free_deferred(c, all[i]);
    waiting = (unsigned)c->kc_deferred;
    let_go();
    assert_in_range(waiting, 60, TOO_MANY - 1);
    kmem_cache_barrier();
    assert_int_equal(stats(c).deferred, 0);
    assert_int_equal(live(c), TOO_MANY - waiting);
    for (unsigned i = waiting; i < TOO_MANY; i++)
        kmem_cache_free(c, all[i]);
    end_of(c);
}

/* ---- inside of a constructor ------------------------------------------------------------------ */

static struct kmem_cache *self;
static unsigned building, built_inside;

/* As a handler would, that interrupted it. */
static int ctor_interrupted(void *obj, void *priv, int flags)
{
    void *p;

    (void)flags, (void)priv;
    assert_int_equal(building++, 0);
    p = kmem_cache_alloc(self, M_NOWAIT);
    if (p) {
        built_inside++;
        kmem_cache_free(self, p);
    }
    building--;
    *(void **)obj = obj;
    return 0;
}

static void dtor_interrupted(void *obj, void *priv)
{
    assert_ptr_equal(*(void **)obj, obj);
    ctor_interrupted(obj, priv, 0);
}

static void test_no_constructor_inside_of_another(void **state)
{
    struct kmem_cache_args args = {.ctor = ctor_interrupted, .dtor = dtor_interrupted};

    (void)state;
    self = kmem_create("self", 400, &args);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < MANY; i++)
            assert_non_null(objs[i] = kmem_cache_alloc(self, M_WAITOK));
        for (unsigned i = 1; i < MANY; i++)
            kmem_cache_free(self, objs[i]);
        assert_int_equal(kmem_cache_shrink(self),
                         1); /* the last object's slab has others that are free */
        kmem_cache_free(self, objs[0]);
    }
    assert_true(built_inside > 0);
    assert_int_equal(live(self), 0);
    assert_int_equal(kmem_cache_destroy(self), 0);
}

/* ---- at random points ------------------------------------------------------------------------- */

#define THREADS     3u
#define TABLE       48u
#define HANDLER_OBJ 12u
#define TURNS       60000u
#define TURNS_MOST  3000000u

static SK_TLS struct held *in_handler; /* NULL: not yet, or not any more */
static SK_TLS uint64_t handler_seed;
static SK_TLS unsigned every; /* one in so many handlers acts */
static SK_TLS unsigned left;  /* so many act, and no more */
static unsigned handled;

static void handler(int sig)
{
    int saved = errno;

    (void)sig;
    if (!in_handler || left == 0 || draw(&handler_seed, every) != 0)
        return;
    left--;
    sk_add_relaxed(&handled, 1);
    act(in_handler, HANDLER_OBJ, &handler_seed, M_NOWAIT);
    errno = saved;
}

static void handler_at(int sig)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigfillset(&sa.sa_mask);
    sigaction(sig, &sa, NULL);
}

static void *worker(void *arg)
{
    uint64_t seed = (uintptr_t)arg;
    struct held table[TABLE] = {{0}}, in[HANDLER_OBJ] = {{0}};

    handler_seed = seed + 1000;
    every = 1;
    left = UINT32_MAX;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    in_handler = in;
    for (unsigned i = 0; i < TURNS || (nested_frees() == 0 && i < TURNS_MOST); i++) {
        act(table, TABLE, &seed, draw(&seed, 2) ? M_WAITOK : M_NOWAIT);
        if (draw(&seed, 8) == 0)
            pthread_kill(pthread_self(), SIGUSR1);
        if (draw(&seed, 4000) == 0)
            kmem_cache_reap();
    }
    in_handler = NULL;
    drop_all(table, TABLE, &seed);
    drop_all(in, HANDLER_OBJ, &seed);
    return NULL;
}

static void test_at_random_points(void **state)
{
    const struct itimerval often = {.it_interval = {0, 50}, .it_value = {0, 50}}, never = {0};
    pthread_t threads[THREADS];

    (void)state;
    assert_true(population_make(3));
    handler_at(SIGUSR1);
    handler_at(SIGALRM);
    setitimer(ITIMER_REAL, &often, NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    printf("%u handlers, %lu frees of theirs nested; %u taken, %u refused\n", handled,
           (unsigned long)nested_frees(), taken, refused);
    assert_true(handled > 0);
#ifndef SLABKIT_TSAN /* delivers signals between its functions, when it likes */
    assert_true(nested_frees() > 0);
#endif
    assert_int_equal(population_end(), 0);
}

/* ---- after each instruction --------------------------------------------------------------------- */

#if defined(__x86_64__) && !defined(SLABKIT_TSAN)

#define STEPPED_TURNS 15u
#define TRAP_FLAG     "$0x100"

/* The trap flag: SIGTRAP after each instruction of this thread; a handler runs without. The red zone is left alone. */
static void step(bool on)
{
    if (on)
        __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq " TRAP_FLAG
                         ", (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::
                             : "memory", "cc");
    else
        __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; lea "
                         "128(%%rsp), %%rsp" ::
                             : "memory", "cc");
}

static void test_after_each_instruction(void **state)
{
    struct held table[TABLE] = {{0}}, in[HANDLER_OBJ] = {{0}};
    uint64_t seed = 77;

    (void)state;
    made = unmade = handled = taken = refused = 0;
    assert_true(population_make(3));
    handler_at(SIGTRAP);
    handler_seed = 78;
    every = 16;
    in_handler = in;
    for (unsigned i = 0; i < STEPPED_TURNS; i++) {
        left = 100; /* or they bring more than the thread can do */
        step(true);
        act(table, TABLE, &seed, M_NOWAIT);
        if (i % 5 == 0)
            kmem_cache_shrink(kinds[draw(&seed, KINDS)]);
        step(false);
    }
    in_handler = NULL;
    printf("%u handlers, %lu frees of theirs nested; %u taken, %u refused\n", handled,
           (unsigned long)nested_frees(), taken, refused);
    assert_true(nested_frees() > 0);
    drop_all(table, TABLE, &seed);
    drop_all(in, HANDLER_OBJ, &seed);
    assert_int_equal(population_end(), 0);
}

#else

static void test_after_each_instruction(void **state)
{
    (void)state;
    skip();
}

#endif

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_locks_held, tear_down),
        cmocka_unit_test_teardown(test_bulk_is_all_or_none, tear_down),
        cmocka_unit_test(test_slabs_serve_if_nobody_is_at_them),
        cmocka_unit_test(test_the_reserve_serves),
        cmocka_unit_test(test_the_reserve_is_counted),
        cmocka_unit_test_teardown(test_deferred_frees_wait_their_period, tear_down),
        cmocka_unit_test_teardown(test_more_deferred_than_can_wait, tear_down),
        cmocka_unit_test(test_no_constructor_inside_of_another),
        cmocka_unit_test(test_at_random_points),
        cmocka_unit_test(test_after_each_instruction),
    };

    start(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
