/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: isolated types share no slab and give everything back; tracked types know who allocated, and
 *       wrong types are reported at the call; M_NOWAIT takes what is at hand.
 */
#include "../slab/fixture.h"
#include <slabkit/kmalloc.h>

#include <errno.h>
#include <pthread.h>

#define KIB   ((size_t)1 << 10)
#define MIB   ((size_t)1 << 20)
#define PAGE  PLAT_PAGE_BYTES
#define COUNT 3000u

MALLOC_DEFINE(M_PLAIN, "plain", "of the shared classes");
MALLOC_DEFINE_FLAGS(M_TRACKED, "tracked", "every block remembered", MT_TRACK);

static struct malloc_type_stats stats(struct malloc_type *type)
{
    struct malloc_type_stats s;

    malloc_type_stats(type, &s);
    return s;
}

/* ---- isolation -------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

    return (x > y) - (x < y);
}

static bool in_pages(const uintptr_t *pages, size_t n, const void *p)
{
    uintptr_t page = (uintptr_t)p / PAGE;

    return bsearch(&page, pages, n, sizeof(page), by_address) != NULL;
}

static void test_no_page_is_shared(void **state)
{
    static uintptr_t pages[COUNT];
    static void *own[COUNT], *others[COUNT];
    struct malloc_type *type = malloc_type_create("alone", "", MT_ISOLATE);

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            own[i] = kmalloc(i % 2000 + 1, type, M_WAITOK);
            others[i] = kmalloc(i % 2000 + 1, M_PLAIN, M_WAITOK);
            pages[i] = (uintptr_t)own[i] / PAGE;
        }
        qsort(pages, COUNT, sizeof(pages[0]), by_address);
        for (unsigned i = 0; i < COUNT; i++)
            assert_false(in_pages(pages, COUNT, others[i]));
        assert_int_equal(stats(type).inuse, COUNT);
        for (unsigned i = 0; i < COUNT; i++) {
            kfree(own[i], type);
            kfree(others[i], M_PLAIN);
        }
        assert_int_equal(stats(type).memuse, 0);
    }
    assert_int_equal(malloc_type_destroy(type), 0);
}

static uint64_t used_by_slabs(void)
{
    static struct slabkit_snapshot s;

    assert_int_equal(slabkit_snapshot(&s), 0);
    return s.mapped_bytes - s.dirty_bytes;
}

/* More types than there are indices for their caches, one after the other; and nothing is left. */
static void test_destroying_returns_everything(void **state)
{
    uint64_t before;

    (void)state;
    slabkit_trim(0);
    before = used_by_slabs();
    for (unsigned round = 0; round < 1500; round++) {
        struct malloc_type *type = malloc_type_create("alone", "", MT_ISOLATE);

        for (size_t size = 16; size <= 64 * KIB; size *= 16) {
            void *p = kmalloc(size, type, M_WAITOK);

            memset(p, 1, size);
            p = krealloc(p, size + 100, type, M_WAITOK);
            kfree(p, type);
        }
        assert_int_equal(malloc_type_destroy(type), 0);
    }
    assert_true(used_by_slabs() <= before);
}

static void *use_own(void *arg)
{
    for (unsigned i = 0; i < 20000; i++)
        kfree(kmalloc(i % 3000 + 1, arg, M_WAITOK), arg);
    return NULL;
}

static void test_first_use_by_many(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct malloc_type *type = malloc_type_create("alone", "", MT_ISOLATE);
        pthread_t threads[4];

        kmalloc_raise_limit(type, 64 * KIB);
        for (unsigned i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, use_own, type);
        for (unsigned i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(stats(type).calls, 80000);
        assert_int_equal(malloc_type_destroy(type), 0);
    }
}

/* ---- tracking --------------------------------------------------------------------------------- */

/* A sanitizer's compiler does not jump at the end of a function: then all places are one. */
#ifdef SLABKIT_NO_REPLACE
#define PLACES 1
#else
#define PLACES 2
#endif

/* Not at the end of a function: the call shall be at a place of its own. */
static void *here(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

SK_NOINLINE static void *one_place(size_t size)
{
    return here(kmalloc(size, M_TRACKED, M_WAITOK));
}

SK_NOINLINE static void *another_place(size_t size)
{
    return here(here(kmalloc(size, M_TRACKED, M_WAITOK)));
}

static uint64_t sum_calls, places;

static int add_place(const struct malloc_type_stats *s, void *arg)
{
    if (s->parent == *(uint32_t *)arg) {
        sum_calls += s->calls;
        places += s->inuse != 0;
    }
    return 0;
}

static void test_places(void **state)
{
    static const size_t sizes[] = {8, 100, 5000, 100 * KIB, 1 * MIB, 40 * MIB};
    void *p[SK_ARRAY_SIZE(sizes)], *q[SK_ARRAY_SIZE(sizes)];
    uint32_t id = stats(M_TRACKED).id;

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
        p[i] = one_place(sizes[i]);
        q[i] = another_place(sizes[i]);
    }
    malloc_type_iterate(add_place, &id);
    assert_int_equal(places, PLACES);
    assert_int_equal(sum_calls, 2 * SK_ARRAY_SIZE(sizes));
    assert_int_equal(stats(M_TRACKED).inuse, 2 * SK_ARRAY_SIZE(sizes));
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
        p[i] = krealloc(p[i], sizes[i] + 300 * KIB, M_TRACKED, M_WAITOK);
        kfree(p[i], M_TRACKED);
        kfree(q[i], M_TRACKED);
    }
    places = 0;
    malloc_type_iterate(add_place, &id);
    assert_int_equal(places, 0);
    assert_int_equal(stats(M_TRACKED).memuse, 0);
}

static void as_plain(void *arg)
{
    kfree(arg, M_PLAIN);
}

static void as_tracked(void *arg)
{
    kfree(arg, M_TRACKED);
}

static void test_a_wrong_type_is_reported(void **state)
{
    static const size_t sizes[] = {100, 100 * KIB, 1 * MIB, 40 * MIB};

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
        void *plain = kmalloc(sizes[i], M_PLAIN, M_WAITOK), *tracked = one_place(sizes[i]);

        expect_death(as_tracked, plain,
                     "slabkit: free of 0x%lx as type tracked, which it does not have\n",
                     (unsigned long)plain);
        kfree(plain, M_PLAIN);
        kfree(tracked, M_TRACKED);
        expect_death(as_tracked, tracked,
                     "slabkit: free of 0x%lx as type tracked, which it does not have\n",
                     (unsigned long)tracked);
    }
    {
        void *tracked = one_place(2000);

        expect_death(as_plain, tracked,
                     "slabkit: free of 0x%lx as type plain, which it does not have\n",
                     (unsigned long)tracked);
        kfree(tracked, M_TRACKED);
    }
}

static void leak(void *arg)
{
    struct malloc_type *type = malloc_type_create("leaky", "", MT_TRACK);
    void *p = kmalloc(100, type, M_WAITOK);

    (void)arg;
    if (malloc_type_destroy(type) == 0)
        return;
    kfree(p, type);
    if (malloc_type_destroy(type) == 0)
        abort();
}

static void test_a_leak_is_told_with_its_place(void **state)
{
    struct death d = die_in_child(leak, NULL);
    unsigned long at = 0;
    int n = 0;

    (void)state;
    assert_true(WIFSIGNALED(d.status));
    assert_int_equal(sscanf(d.text,
                            "slabkit: type leaky is not destroyed: 1 blocks, 112 bytes in use\n"
                            "slabkit: type leaky: 1 blocks, 112 bytes in use from 0x%lx\n%n",
                            &at, &n),
                     1);
    assert_true(n > 0);
    assert_true(PLACES == 1 || (at > (uintptr_t)leak && at < (uintptr_t)leak + 4096));
}

/* ---- M_NOWAIT --------------------------------------------------------------------------------- */

static void test_what_is_at_hand(void **state)
{
    void *p;

    (void)state;
    slabkit_trim(0);
    assert_null(kmalloc(20 * MIB, M_PLAIN, M_NOWAIT));
    assert_int_equal(errno, ENOMEM);
    assert_null(kmalloc(40 * MIB, M_PLAIN, M_NOWAIT));
    p = kmalloc(40 * MIB, M_PLAIN, M_RNOWAIT);
    assert_non_null(p);
    kfree(p, M_PLAIN);
    p = kmalloc(48, M_PLAIN, M_WAITOK);
    kfree(p, M_PLAIN);
    for (unsigned i = 0; i < 100; i++) {
        p = kmalloc(48, M_PLAIN, M_NOWAIT);
        assert_non_null(p);
        kfree(p, M_PLAIN);
    }
    assert_int_equal(stats(M_PLAIN).inuse, 0);
}

static int at_end(void **state)
{
    (void)state;
    return slabkit_verify() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_page_is_shared),
        cmocka_unit_test(test_destroying_returns_everything),
        cmocka_unit_test(test_first_use_by_many),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_a_wrong_type_is_reported),
        cmocka_unit_test(test_a_leak_is_told_with_its_place),
        cmocka_unit_test(test_what_is_at_hand),
    };

    return cmocka_run_group_tests(tests, NULL, at_end);
}
