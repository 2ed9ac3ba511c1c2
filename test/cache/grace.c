/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: reader sections keep what is freed deferred, and typesafe memory, as it is; periods end when they have ended.
 */
#include "fixture.h"

#include <sys/wait.h>

#define OBJS 1000u

static void *objs[OBJS];

static void take(struct kmem_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_non_null(objs[i] = kmem_cache_alloc(c, M_WAITOK));
}

static void defer_all(struct kmem_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        kmem_cache_free_deferred(c, objs[i]);
}

static void go_on(void)
{
    for (unsigned i = 0; i < 20; i++)
        kmem_run_deferred();
}

/* ---- without readers ------------------------------------------------------------------- */

static void test_deferred_are_freed(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache *c = kmem_create("deferred", 100, NULL);

    (void)state;
    take(c, OBJS);
    defer_all(c, OBJS);
    kmem_cache_free_deferred(c, NULL);
    assert_true(stats(c).deferred < 200); /* those of full batches are free already */
    kmem_cache_barrier();
    assert_int_equal(stats(c).deferred, 0);
    assert_int_equal(live(c), 0);
    take(c, 10);
    defer_all(c, 10);
    assert_int_equal(stats(c).deferred, 10);
    assert_int_equal(live(c), 10);
    assert_int_equal(kmem_cache_destroy(c), 0);
    expect_balance(before);
}

/* ---- a reader on another thread ------------------------------------------------------------ */

struct reader {
    pthread_t thread;
    unsigned stage; /* atomic: 1 asked to begin, 2 inside, 3 asked to end, 4 outside */
};

static void stage_wait(struct reader *r, unsigned stage)
{
    while (sk_load_acquire(&r->stage) != stage)
        sched_yield();
}

static void *reader_main(void *arg)
{
    struct reader *r = arg;

    kmem_read_lock();
    kmem_read_lock();
    kmem_read_unlock();
    sk_store_release(&r->stage, 2);
    stage_wait(r, 3);
    kmem_read_unlock();
    sk_store_release(&r->stage, 4);
    return NULL;
}

static void reader_begin(struct reader *r)
{
    r->stage = 1;
    pthread_create(&r->thread, NULL, reader_main, r);
    stage_wait(r, 2);
}

static void reader_end(struct reader *r)
{
    sk_store_release(&r->stage, 3);
    pthread_join(r->thread, NULL);
}

static void test_reader_keeps_objects(void **state)
{
    struct kmem_cache *c = counted_cache(64, 0);
    struct reader first, second;

    (void)state;
    reader_begin(&first);
    take(c, OBJS);
    defer_all(c, OBJS);
    go_on();
    assert_int_equal(stats(c).deferred, OBJS);
    assert_int_equal(live(c), OBJS);
    /* A later section is not waited for by what came before it. */
    reader_begin(&second);
    reader_end(&first);
    go_on();
    assert_true(stats(c).deferred < OBJS);
    reader_end(&second);
    kmem_cache_barrier();
    assert_int_equal(live(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

static void test_reader_keeps_typesafe_slabs(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache *c = counted_cache(500, KMEM_TYPESAFE);
    struct reader reader;
    unsigned dtors;

    (void)state;
    reader_begin(&reader);
    take(c, OBJS);
    for (unsigned i = 0; i < OBJS; i++)
        kmem_cache_free(c, objs[i]);
    assert_int_equal(kmem_cache_shrink(c), 0);
    dtors = counts.dtors;
    go_on();
    assert_int_equal(dtors, 0);
    assert_int_equal(counts.dtors, 0);
    for (unsigned i = 0; i < OBJS; i++) {
        assert_true(is_constructed(objs[i]));
        assert_ptr_equal(kmem_cache_of(objs[i]), c);
    }
    assert_true(kmem_waiting_bytes() >= OBJS * 500);
    reader_end(&reader);
    kmem_cache_barrier();
    assert_int_equal(counts.dtors, counts.ctors);
    assert_int_equal(stats(c).slabs, 0);
    assert_int_equal(kmem_waiting_bytes(), 0);
    take(c, 1);
    kmem_cache_free(c, objs[0]);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.dtors, counts.ctors);
    assert_int_equal(counts.bad, 0);
    expect_balance(before);
}

/* ---- many --------------------------------------------------------------------------------------- */

#define CELLS   32u
#define READERS 3u
#define WRITES  40000u

static struct kmem_cache *published;
static struct counted *cells[CELLS]; /* atomic */
static bool over;
static unsigned faults, reads;

#define RETIRED 0xdeadu

/* In a section every object that can be reached stays what it is: retired at most, never given out anew. */
static void *read_cells(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    while (!sk_load_relaxed(&over)) {
        kmem_read_lock();
        for (unsigned i = 0; i < 50; i++) {
            const struct counted *o = sk_load_acquire(&cells[rand_r(&seed) % CELLS]);
            unsigned serial = sk_load_relaxed(&o->serial);

            for (unsigned k = 0; k < 10; k++)
                sk_add_relaxed(&faults, sk_load_relaxed(&o->serial) != serial || o->self != o);
        }
        kmem_read_unlock();
        sk_add_relaxed(&reads, 1);
    }
    return NULL;
}

static struct counted *publish(unsigned cell, unsigned serial)
{
    struct counted *o = kmem_cache_alloc(published, M_WAITOK);

    sk_store_relaxed(&o->serial, serial);
    return sk_xchg_acq_rel(&cells[cell], o);
}

static void *write_cells(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    for (unsigned i = 0; i < WRITES; i++) {
        kmem_cache_free_deferred(published, publish(rand_r(&seed) % CELLS, seed));
        if (i % 1000 == 500)
            kmem_cache_shrink(published);
        if (i % 4000 == 900)
            kmem_cache_barrier();
    }
    return NULL;
}

static void replace_under_readers(unsigned flags)
{
    pthread_t readers[READERS], writers[2];

    over = false;
    reads = faults = 0;
    published = counted_cache(64, flags);
    for (unsigned i = 0; i < CELLS; i++)
        publish(i, i);
    for (uintptr_t i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_cells, (void *)(i + 7));
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&writers[i], NULL, write_cells, (void *)(i + 1));
    for (unsigned i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    sk_store_relaxed(&over, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(faults, 0);
    assert_true(reads > 0);
    kmem_cache_barrier();
    assert_int_equal(live(published), CELLS);
    for (unsigned i = 0; i < CELLS; i++)
        kmem_cache_free(published, cells[i]);
    assert_int_equal(kmem_cache_destroy(published), 0);
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(counts.bad, 0);
}

static void test_replace_under_readers(void **state)
{
    (void)state;
    replace_under_readers(0);
    replace_under_readers(KMEM_TYPESAFE);
}

/* ---- the rest ------------------------------------------------------------------------------------- */

static int never(void)
{
    return 0;
}

static void test_own_period_comes_too_late(void **state)
{
    (void)state;
    assert_int_equal(kmem_set_grace_period((void (*)(void))never), EBUSY);
}

/* ---- fork ------------------------------------------------------------------------------------------ */

static void *defer_and_shrink(void *arg)
{
    void *mine[80];

    while (!sk_load_relaxed(&over)) {
        kmem_read_lock();
        for (size_t i = kmem_cache_alloc_bulk(arg, M_WAITOK, 80, mine); i > 0; i--)
            kmem_cache_free_deferred(arg, mine[i - 1]);
        kmem_read_unlock();
        kmem_cache_shrink(arg);
    }
    return NULL;
}

/* A child forked inside of a section, amid others' sections and frees: its periods end when its section does, and what waited
 * is freed, but for what a thread had in its hands: of each at most one array and a handful. */
static int child(struct kmem_cache *c)
{
    void *p = kmem_cache_alloc(c, M_WAITOK);

    kmem_cache_free_deferred(c, p);
    go_on();
    if (!p || stats(c).deferred == 0)
        return 1;
    kmem_read_unlock();
    kmem_cache_barrier();
    if (stats(c).deferred != 0 || kmem_waiting_bytes() != 0)
        return 2;
    if (kmem_cache_verify(c) != 0)
        return 3;
    freopen("/dev/null", "w", stderr);
    return kmem_cache_destroy(c) == 0 || live(c) < 3 * (80 + PARRAY_CAP_MAX) ? 0 : 4;
}

static void test_fork_amid_sections(void **state)
{
    struct kmem_cache *c = counted_cache(300, KMEM_TYPESAFE);
    pthread_t threads[3];

    (void)state;
    if (strcmp(plat_mode_name(plat_mode()), "kernel") == 0)
        skip(); /* no fork beside threads there */
    over = false;
    for (unsigned i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, defer_and_shrink, c);
    for (unsigned i = 0; i < 40; i++) {
        int status;
        pid_t pid;

        kmem_read_lock();
        fork_begins();
        pid = fork();
        fork_ends(pid == 0);
        if (pid == 0)
            _exit(child(c));
        kmem_read_unlock();
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    sk_store_relaxed(&over, true);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.ctors, counts.dtors);
}

/* Without memory for a batch the free waits for a period itself. */
static void test_without_memory(void **state)
{
    struct kmem_cache *c = kmem_create("scarce", 4000, NULL);
    unsigned n = 0;

    (void)state;
    kmem_cache_barrier();
    plat_fail_after(1, true);
    while (n < OBJS && (objs[n] = kmem_cache_alloc(c, M_NOWAIT)) != NULL)
        n++;
    while (meta_alloc(512))
        ;
    kmem_cache_free_deferred(c, objs[0]);
    assert_int_equal(stats(c).deferred, 0);
    assert_int_equal(live(c), n - 1);
    for (unsigned i = 1; i < n; i++)
        kmem_cache_free_deferred(c, objs[i]);
    plat_fail_after(0, false);
    kmem_cache_barrier();
    assert_int_equal(live(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deferred_are_freed),
        cmocka_unit_test(test_reader_keeps_objects),
        cmocka_unit_test(test_reader_keeps_typesafe_slabs),
        cmocka_unit_test(test_replace_under_readers),
        cmocka_unit_test(test_own_period_comes_too_late),
        cmocka_unit_test(test_fork_amid_sections),
        cmocka_unit_test(test_without_memory),
    };
    start(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
