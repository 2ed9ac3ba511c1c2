/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: another grace period in the place of slabkit's: liburcu's, with its readers.
 */
#include "fixture.h"

#include <urcu.h>

#define WRITES 3000u

static struct kmem_cache *cache;
static struct counted *shared; /* atomic */
static bool over;
static unsigned faults, reads, periods;

static void period(void)
{
    periods++;
    synchronize_rcu();
}

static void *reader(void *arg)
{
    (void)arg;
    rcu_register_thread();
    while (!sk_load_relaxed(&over)) {
        rcu_read_lock();
        const struct counted *o = sk_load_acquire(&shared);
        unsigned serial = sk_load_relaxed(&o->serial);

        for (unsigned k = 0; k < 100; k++)
            sk_add_relaxed(&faults, sk_load_relaxed(&o->serial) != serial || !is_constructed(o));
        rcu_read_unlock();
        sk_add_relaxed(&reads, 1);
    }
    rcu_unregister_thread();
    return NULL;
}

static struct counted *publish(unsigned serial)
{
    struct counted *o = kmem_cache_alloc(cache, M_WAITOK);

    sk_store_relaxed(&o->serial, serial);
    return sk_xchg_acq_rel(&shared, o);
}

static void test_readers_of_liburcu(void **state)
{
    pthread_t readers[2];

    (void)state;
    assert_int_equal(kmem_set_grace_period(period), 0);
    cache = counted_cache(300, KMEM_TYPESAFE);
    assert_int_equal(kmem_set_grace_period(NULL), EBUSY);
    publish(0);
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, reader, NULL);
    for (unsigned i = 1; i <= WRITES; i++) {
        kmem_cache_free_deferred(cache, publish(i));
        if (i % 500 == 0)
            kmem_cache_barrier();
        if (i % 700 == 0)
            kmem_cache_shrink(cache);
    }
    sk_store_relaxed(&over, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(faults, 0);
    assert_true(reads > 0);
    assert_true(periods >= WRITES / 500);
    kmem_cache_free(cache, shared);
    assert_int_equal(kmem_cache_destroy(cache), 0);
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(counts.bad, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers_of_liburcu)};

    start(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
