/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: pools: what is kept, when it is handed out, who waits for it.
 */
#include "unit.h"

#include <linux/mempool.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* A pool's function that fails when told, and counts. */
struct source {
    bool dry; /* atomic */
    int out;  /* atomic: elements that are not freed */
    gfp_t last;
};

static void *source_get(gfp_t gfp, void *data)
{
    struct source *s = data;

    s->last = gfp;
    if (__atomic_load_n(&s->dry, __ATOMIC_ACQUIRE))
        return NULL;
    __atomic_fetch_add(&s->out, 1, __ATOMIC_RELAXED);
    return malloc(64);
}

static void source_put(void *element, void *data)
{
    struct source *s = data;

    __atomic_fetch_sub(&s->out, 1, __ATOMIC_RELAXED);
    free(element);
}

static void test_kept_and_given_back(void **state)
{
    struct source s = {0};
    mempool_t *pool = mempool_create(4, source_get, source_put, &s);
    void *e[5];

    (void)state;
    assert_non_null(pool);
    assert_int_equal(s.out, 4);
    e[0] = mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO);
    assert_int_equal(s.out, 5);
    assert_false(s.last & __GFP_ZERO);
    assert_true(s.last & __GFP_NORETRY && s.last & __GFP_NOWARN);

    s.dry = true;
    for (unsigned i = 1; i < 5; i++)
        e[i] = mempool_alloc(pool, i % 2 ? GFP_KERNEL : GFP_NOWAIT);
    for (unsigned i = 0; i < 5; i++) {
        assert_non_null(e[i]);
        memset(e[i], 1, 64);
    }
    assert_null(mempool_alloc(pool, GFP_NOWAIT));
    assert_null(mempool_alloc_preallocated(pool));
    for (unsigned i = 0; i < 5; i++)
        mempool_free(e[i], pool);
    mempool_free(NULL, pool);
    assert_int_equal(s.out, 4);
    assert_int_equal(pool->curr_nr, 4);
    mempool_destroy(pool);
    mempool_destroy(NULL);
    assert_int_equal(s.out, 0);
}

static void test_no_pool_from_a_dry_source(void **state)
{
    struct source s = {.dry = true};
    mempool_t pool = {0};

    (void)state;
    assert_null(mempool_create(1, source_get, source_put, &s));
    assert_int_equal(mempool_init(&pool, 1, source_get, source_put, &s), -ENOMEM);
    assert_false(mempool_initialized(&pool));
    mempool_exit(&pool);
}

static void test_resize(void **state)
{
    struct source s = {0};
    mempool_t pool;

    (void)state;
    assert_int_equal(mempool_init(&pool, 2, source_get, source_put, &s), 0);
    assert_true(mempool_initialized(&pool));
    assert_int_equal(mempool_resize(&pool, 50), 0);
    assert_int_equal(s.out, 50);
    assert_int_equal(mempool_resize(&pool, 10), 0);
    assert_int_equal(s.out, 10);
    assert_int_equal(mempool_resize(&pool, 20), 0);
    assert_int_equal(pool.curr_nr, 20);
    mempool_exit(&pool);
    mempool_exit(&pool);
    assert_int_equal(s.out, 0);
}

static void *wait_for_one(void *pool)
{
    return mempool_alloc(pool, GFP_KERNEL);
}

static void test_who_may_wait_waits(void **state)
{
    struct source s = {0};
    mempool_t *pool = mempool_create(1, source_get, source_put, &s);
    pthread_t thread;
    void *held, *got;

    (void)state;
    __atomic_store_n(&s.dry, true, __ATOMIC_RELEASE);
    held = mempool_alloc(pool, GFP_NOWAIT);
    assert_non_null(held);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_one, pool), 0);
    mempool_free(held, pool);
    assert_int_equal(pthread_join(thread, &got), 0);
    assert_ptr_equal(got, held);
    mempool_free(got, pool);
    mempool_destroy(pool);
    assert_int_equal(s.out, 0);
}

static void *churn(void *pool)
{
    for (unsigned i = 0; i < 20000; i++) {
        unsigned *p = mempool_alloc(pool, GFP_NOIO);

        if (!p)
            return pool;
        *p = i;
        if (*(volatile unsigned *)p != i)
            return pool;
        mempool_free(p, pool);
    }
    return NULL;
}

/* Two elements for four threads, and nothing else most of the time. */
static void test_threads_share_what_is_kept(void **state)
{
    struct kmem_cache *c = kmem_cache_create("pooled", 64, 0, 0, NULL);
    struct kmem_cache_fail most = {.rate = 2, .times = -1, .seed = 5};
    mempool_t *pool = mempool_create_slab_pool(2, c);
    struct kmem_cache_stats stats;
    pthread_t thread[4];
    void *bad;

    (void)state;
    assert_non_null(pool);
    assert_int_equal(kmem_cache_fail(c, &most), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, churn, pool), 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], &bad), 0);
        assert_null(bad);
    }
    assert_int_equal(pool->curr_nr, 2);
    mempool_destroy(pool);
    kmem_cache_get_stats(c, &stats);
    assert_int_equal(stats.live, 0);
    assert_true(stats.failures > 0);
    kmem_cache_destroy(c);
}

static void test_over_kmalloc(void **state)
{
    mempool_t *pool = mempool_create_kmalloc_pool(3, 1000), inside;
    void *p = mempool_alloc(pool, GFP_KERNEL);

    (void)state;
    assert_true(ksize(p) >= 1000);
    mempool_free(p, pool);
    mempool_destroy(pool);
    assert_int_equal(mempool_init_kmalloc_pool(&inside, 1, 10), 0);
    mempool_exit(&inside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_and_given_back),
        cmocka_unit_test(test_no_pool_from_a_dry_source),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_who_may_wait_waits),
        cmocka_unit_test(test_threads_share_what_is_kept),
        cmocka_unit_test(test_over_kmalloc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
