/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what umem does when an allocation must not fail and does: the callback's retries and exits; and wrong sizes,
 *       which end the program.
 */
#include "../slab/fixture.h"
#include "unit.h"

#include <slabkit/compat/umem.h>
#include <slabkit/kmalloc.h>
#include <slabkit/kmem_cache.h>

#include <pthread.h>
#include <stdlib.h>

static unsigned asked;

static void starve(void)
{
    umem_free(umem_alloc(1, UMEM_DEFAULT), 1);
    kmalloc_raise_limit(malloc_type_find("umem"), 0);
}

static void feed(void)
{
    kmalloc_raise_limit(malloc_type_find("umem"), KMALLOC_NO_LIMIT);
}

static int retry_twice(void)
{
    if (++asked == 3)
        feed();
    return UMEM_CALLBACK_RETRY;
}

static void test_retry(void **state)
{
    void *p;

    (void)state;
    asked = 0;
    starve();
    assert_null(umem_alloc(100, UMEM_DEFAULT));
    umem_nofail_callback(retry_twice);
    p = umem_zalloc(100, UMEM_NOFAIL);
    assert_non_null(p);
    assert_true(all_are(p, 100, 0));
    assert_int_equal(asked, 3);
    umem_free(p, 100);
    umem_nofail_callback(NULL);
}

static int refusals = 2;

static int make_reluctantly(void *obj, void *data, int flags)
{
    (void)obj;
    (void)data;
    return flags == UMEM_NOFAIL && refusals-- > 0 ? -1 : 0;
}

static int retry(void)
{
    asked++;
    return UMEM_CALLBACK_RETRY;
}

static void test_retry_of_a_cache(void **state)
{
    umem_cache_t *c =
        umem_cache_create("reluctant", 3000000, 0, make_reluctantly, NULL, NULL, NULL, NULL, 0);
    void *obj;

    (void)state;
    asked = 0;
    umem_nofail_callback(retry);
    obj = umem_cache_alloc(c, UMEM_NOFAIL);
    assert_non_null(obj);
    assert_int_equal(refusals, -1);
    assert_true(asked >= 1);
    umem_nofail_callback(NULL);
    umem_cache_free(c, obj);
    umem_cache_destroy(c);
}

/* ---- exits --------------------------------------------------------------------------------------- */

static int decision;

static int decide(void)
{
    return decision;
}

static void fail_for_good(void *callback)
{
    umem_nofail_callback(*(umem_nofail_callback_t **)callback);
    starve();
    umem_alloc(100, UMEM_NOFAIL);
}

static int status_of(umem_nofail_callback_t *callback, int what)
{
    struct death d;

    decision = what;
    d = die_in_child(fail_for_good, &callback);
    assert_string_equal(d.text, "");
    assert_true(WIFEXITED(d.status));
    return WEXITSTATUS(d.status);
}

static void test_exit(void **state)
{
    (void)state;
    assert_int_equal(status_of(NULL, 0), 255);
    assert_int_equal(status_of(decide, UMEM_CALLBACK_EXIT(0)), 0);
    assert_int_equal(status_of(decide, UMEM_CALLBACK_EXIT(42)), 42);
    assert_int_equal(status_of(decide, 12345), 255);
}

static void fail_again(void)
{
    umem_alloc(100, UMEM_NOFAIL);
}

static void fail_at_exit(void *callback)
{
    atexit(fail_again);
    fail_for_good(callback);
}

static void *fail_in_thread(void *arg)
{
    (void)arg;
    umem_alloc(100, UMEM_NOFAIL);
    return NULL;
}

static void fail_in_threads(void *arg)
{
    pthread_t thread[8];

    (void)arg;
    umem_nofail_callback(decide);
    starve();
    for (unsigned i = 0; i < 8; i++)
        pthread_create(&thread[i], NULL, fail_in_thread, NULL);
    for (unsigned i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
}

/* One exit, by one thread, also when the exit itself runs out of memory. */
static void test_exit_once(void **state)
{
    umem_nofail_callback_t *callback = decide;
    struct death d;

    (void)state;
    decision = UMEM_CALLBACK_EXIT(7);
    d = die_in_child(fail_at_exit, &callback);
    assert_true(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 7);
    d = die_in_child(fail_in_threads, NULL);
    assert_true(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 7);
}

/* ---- wrong sizes ----------------------------------------------------------------------------------- */

struct wrong {
    size_t size, told;
    void *p;
};

static void free_wrongly(void *arg)
{
    struct wrong *w = arg;

    umem_free(w->p, w->told);
}

static void overrun_and_free(void *arg)
{
    struct wrong *w = arg;

    ((char *)w->p)[kmalloc_usable_size(w->p) - 1] ^= 1;
    umem_free(w->p, w->told);
}

static void expect_wrong(void (*fn)(void *arg), size_t size, size_t told)
{
    struct wrong w = {size, told, umem_alloc(size, UMEM_NOFAIL)};

    assert_true(told == size || kmalloc_usable_size(w.p) != told);
    expect_death(fn, &w,
                 "slabkit: umem_free of 0x%zx with %zu bytes, which is not the size it was "
                 "allocated with\n",
                 (size_t)w.p, told);
    umem_free(w.p, size);
}

static void test_wrong_sizes(void **state)
{
    (void)state;
    expect_wrong(free_wrongly, 100, 99);
    expect_wrong(free_wrongly, 100, 101);
    expect_wrong(free_wrongly, 100, 0);
    expect_wrong(free_wrongly, 100, 113);
    expect_wrong(free_wrongly, 100, SIZE_MAX);
    expect_wrong(free_wrongly, 128, 127);
    expect_wrong(free_wrongly, 128, 64);
    expect_wrong(free_wrongly, 30000, 29999);
    expect_wrong(free_wrongly, 100000, 99000);
    expect_wrong(free_wrongly, 1000000, 1000001);
    expect_wrong(free_wrongly, 40000000, 5000);
    expect_wrong(overrun_and_free, 100, 100);
    expect_wrong(overrun_and_free, 111, 111);
    expect_wrong(overrun_and_free, 100000, 100000);
}

static void free_nothing(void *arg)
{
    (void)arg;
    umem_free(NULL, 1);
}

static void test_nothing_has_no_size(void **state)
{
    (void)state;
    expect_death(free_nothing, NULL,
                 "slabkit: umem_free of 0x0 with 1 bytes, which is not the size it was allocated "
                 "with\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry),       cmocka_unit_test(test_retry_of_a_cache),
        cmocka_unit_test(test_exit),        cmocka_unit_test(test_exit_once),
        cmocka_unit_test(test_wrong_sizes), cmocka_unit_test(test_nothing_has_no_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
