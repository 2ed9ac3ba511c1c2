/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what each call of kmalloc.h returns and counts, on one thread.
 */
#include "../slab/fixture.h"
#include <slabkit/kmalloc.h>

#include <errno.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

MALLOC_DEFINE(M_TEST, "test", "blocks of this test");
MALLOC_DEFINE(M_OTHER, "other", "blocks of another kind");
MALLOC_DECLARE(M_TEST);

static struct malloc_type_stats before;

static struct malloc_type_stats stats(struct malloc_type *type)
{
    struct malloc_type_stats s;

    malloc_type_stats(type, &s);
    return s;
}

static int note(void **state)
{
    (void)state;
    before = stats(M_TEST);
    return 0;
}

/* Since note: so many calls, and this much in use. */
static void expect_use(uint64_t calls, int64_t objs, size_t bytes)
{
    struct malloc_type_stats now = stats(M_TEST);

    assert_int_equal(now.calls - before.calls, calls);
    assert_int_equal(now.inuse - before.inuse, objs);
    assert_int_equal(now.memuse - before.memuse, (int64_t)bytes);
    assert_true(now.peak >= now.memuse);
}

static const size_t sizes[] = {1,    8,     9,     16,    100,       1000,      1024,    1025,
                               4000, 20000, 32768, 32769, 100 * KIB, 300 * KIB, 3 * MIB, 40 * MIB};

static void test_every_size_is_counted_by_what_is_usable(void **state)
{
    void *p[SK_ARRAY_SIZE(sizes)];
    size_t bytes = 0;

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
        p[i] = kmalloc(sizes[i], M_TEST, M_WAITOK);
        assert_non_null(p[i]);
        assert_true(kmalloc_usable_size(p[i]) >= sizes[i]);
        memset(p[i], 1, sizes[i]);
        bytes += kmalloc_usable_size(p[i]);
        expect_use(i + 1, i + 1, bytes);
    }
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++)
        kfree(p[i], M_TEST);
    expect_use(SK_ARRAY_SIZE(sizes), 0, 0);
}

static void test_nothing(void **state)
{
    void *p = kmalloc(0, M_TEST, M_NOWAIT);

    (void)state;
    assert_ptr_equal(p, KMALLOC_ZERO);
    assert_int_equal(kmalloc_usable_size(p), 0);
    kfree(p, M_TEST);
    kfree(NULL, M_TEST);
    kfree_sized(p, 0, M_TEST);
    expect_use(0, 0, 0);
    p = krealloc(p, 10, M_TEST, M_WAITOK);
    assert_non_null(p);
    assert_ptr_equal(krealloc(p, 0, M_TEST, M_WAITOK), KMALLOC_ZERO);
    expect_use(1, 0, 0);
}

static bool all_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static void test_zero(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
        void *p = kmalloc(sizes[i], M_TEST, M_WAITOK);

        memset(p, 0xa5, sizes[i]);
        kfree(p, M_TEST);
        p = i % 2 ? kzalloc(sizes[i], M_TEST, M_WAITOK)
                  : kmalloc(sizes[i], M_TEST, M_RNOWAIT | M_ZERO);
        assert_true(all_zero(p, sizes[i]));
        kfree(p, M_TEST);
    }
    expect_use(2 * SK_ARRAY_SIZE(sizes), 0, 0);
}

static void test_shapes(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 200 * KIB; size += size / 3 + 1) {
        char *p = kmalloc(size, M_TEST, M_WAITOK | M_POWEROF2);
        char *q = kmalloc(size, M_TEST, M_WAITOK | M_CACHEALIGN);
        char *r = kmalloc_aligned(size, 512, M_TEST, M_WAITOK);
        size_t power = sk_min((size_t)1 << sk_log2_ceil(size), 64 * KIB);

        assert_int_equal((uintptr_t)p % power, 0);
        assert_true(kmalloc_usable_size(p) >= power);
        assert_int_equal((uintptr_t)q % 64, 0);
        assert_int_equal(kmalloc_usable_size(q) % 64, 0);
        assert_int_equal((uintptr_t)r % 512, 0);
        kfree(p, M_TEST);
        kfree(q, M_TEST);
        kfree(r, M_TEST);
    }
    assert_null(kmalloc_aligned(8, 24, M_TEST, M_WAITOK));
    assert_int_equal(errno, EINVAL);
}

static void test_arrays(void **state)
{
    int *p = kmalloc_array(10, sizeof(*p), M_TEST, M_WAITOK);

    (void)state;
    errno = 0;
    assert_null(kmalloc_array(SIZE_MAX / 2, 3, M_TEST, M_WAITOK));
    assert_int_equal(errno, ENOMEM);
    for (int i = 0; i < 10; i++)
        p[i] = i;
    p = krecalloc(p, 10, 1000, sizeof(*p), M_TEST, M_WAITOK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], i < 10 ? i : 0);
    p = krecalloc(p, 1000, 5, sizeof(*p), M_TEST, M_WAITOK);
    assert_int_equal(p[4], 4);
    assert_null(krecalloc(p, 1000000, 5, sizeof(*p), M_TEST, M_WAITOK));
    assert_int_equal(errno, EINVAL);
    assert_null(krecalloc(p, 5, SIZE_MAX, sizeof(*p), M_TEST, M_WAITOK));
    kfree_sized(p, 5 * sizeof(*p), M_TEST);
    expect_use(3, 0, 0);
}

static void test_resize_keeps_contents_and_the_account(void **state)
{
    unsigned char *p = NULL;
    size_t old = 0;

    (void)state;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
            size_t size = sizes[round ? SK_ARRAY_SIZE(sizes) - 1 - i : i];

            p = krealloc(p, size, M_TEST, M_WAITOK);
            for (size_t at = 0; at < sk_min(old, size); at += 97)
                assert_int_equal(p[at], (at * 7) & 0xff);
            for (size_t at = 0; at < size; at += 97)
                p[at] = (at * 7) & 0xff;
            old = size;
            assert_int_equal(stats(M_TEST).inuse - before.inuse, 1);
            assert_int_equal(stats(M_TEST).memuse - before.memuse, (int64_t)kmalloc_usable_size(p));
        }
    kfree(p, M_TEST);
    assert_int_equal(stats(M_TEST).inuse, before.inuse);
    p = kmalloc(100, M_TEST, M_WAITOK);
    memset(p, 1, 100);
    p = krealloc(p, 10000, M_TEST, M_WAITOK | M_ZERO);
    assert_true(all_zero(p + 112, 10000 - 112));
    kfree(p, M_TEST);
}

static void test_text(void **state)
{
    char *a = kstrdup("state of a connection", M_TEST, M_WAITOK);
    char *b = kstrndup(a, 5, M_TEST, M_WAITOK);
    char *c = kasprintf(M_TEST, M_WAITOK, "%s %d", b, 42);
    char *d = kmemdup("xyz", 4, M_TEST, M_WAITOK);

    (void)state;
    assert_string_equal(a, "state of a connection");
    assert_string_equal(b, "state");
    assert_string_equal(c, "state 42");
    assert_string_equal(d, "xyz");
    expect_use(4, 4,
               kmalloc_usable_size(a) + kmalloc_usable_size(b) + kmalloc_usable_size(c) +
                   kmalloc_usable_size(d));
    kfree(a, M_TEST);
    kfree(b, M_TEST);
    kfree(c, M_TEST);
    kfree(d, M_TEST);
}

/* ---- types ------------------------------------------------------------------------------------ */

static int find_by_name(const struct malloc_type_stats *s, void *arg)
{
    return strcmp(s->name, arg) == 0;
}

static int count_name(const struct malloc_type_stats *s, void *arg)
{
    static char wanted[] = "gone";

    if (find_by_name(s, wanted))
        ++*(unsigned *)arg;
    return 0;
}

static unsigned gone(void)
{
    unsigned n = 0;

    malloc_type_iterate(count_name, &n);
    return n;
}

static void test_types_come_and_go(void **state)
{
    struct malloc_type *type = malloc_type_create("gone", "made at run time", 0);
    void *p = kmalloc(100, type, M_WAITOK);

    (void)state;
    assert_ptr_equal(malloc_type_find("gone"), type);
    assert_int_equal(stats(type).inuse, 1);
    assert_int_equal(malloc_type_destroy(type), -1);
    assert_int_equal(errno, EBUSY);
    kfree(p, type);
    assert_int_equal(gone(), 1);
    assert_int_equal(malloc_type_destroy(type), 0);
    assert_int_equal(gone(), 0);
    assert_null(malloc_type_find("gone"));
    assert_null(malloc_type_create("gone", "bad flags", 0x8000));
    assert_int_equal(errno, EINVAL);
}

/* As when a library is unloaded and loaded again. */
static void test_an_unloaded_type_goes_on(void **state)
{
    struct malloc_type one = {"gone", "of a library", 0, 0, NULL}, two = one, never = one;
    void *p = kmalloc(100, &one, M_WAITOK);

    (void)state;
    malloc_type_detach(&one);
    assert_null(one.mt_type);
    assert_int_equal(gone(), 1);
    malloc_type_attach(&two);
    assert_int_equal(gone(), 1);
    assert_int_equal(stats(&two).inuse, 1);
    malloc_type_attach(&never);
    assert_int_equal(gone(), 2);
    malloc_type_detach(&never);
    assert_int_equal(gone(), 1);
    kfree(p, &two);
    assert_int_equal(stats(&two).inuse, 0);
    assert_int_equal(stats(&two).calls, 1);
    malloc_type_detach(&two);
}

static void test_many_types(void **state)
{
    static struct malloc_type *types[600];
    char name[16];

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(types); i++) {
        snprintf(name, sizeof(name), "many-%u", i);
        types[i] = malloc_type_create(name, "", 0);
        assert_non_null(types[i]);
        kfree(kmalloc(i + 1, types[i], M_WAITOK), types[i]);
    }
    for (unsigned i = 0; i < SK_ARRAY_SIZE(types); i++) {
        snprintf(name, sizeof(name), "many-%u", i);
        assert_ptr_equal(malloc_type_find(name), types[i]);
        assert_int_equal(stats(types[i]).calls, 1);
        assert_int_equal(malloc_type_destroy(types[i]), 0);
    }
}

static void test_sizes_are_exact(void **state)
{
    struct malloc_type *type = malloc_type_create("sizes", "", 0);
    struct malloc_type_stats s;

    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        kfree(kmalloc(16, type, M_WAITOK), type);
    kfree(kmalloc(128, type, M_WAITOK), type);
    kfree(kmalloc(1 * MIB, type, M_WAITOK), type);
    s = stats(type);
    assert_int_equal(s.sizes[0], 1u << 1 | 1u << 8);
    assert_int_equal(s.sizes[1], 1u << (77 - 64));
    malloc_type_destroy(type);
}

/* ---- misuse ----------------------------------------------------------------------------------- */

static void bad_flags(void *arg)
{
    kmalloc(*(int *)arg > 0xff ? 2000 : 10, M_OTHER, *(int *)arg);
}

static void test_contradictory_flags(void **state)
{
    static const int bad[] = {0,
                              M_WAITOK | M_NOWAIT,
                              M_NOWAIT | M_RNOWAIT,
                              M_NOWAIT | M_NULLOK,
                              M_NULLOK,
                              M_WAITOK | 0x1000,
                              M_ZERO};

    (void)state;
    kfree(kmalloc(10, M_OTHER, M_WAITOK | M_NULLOK), M_OTHER);
    for (unsigned i = 0; i < SK_ARRAY_SIZE(bad); i++)
        expect_death(bad_flags, (void *)(uintptr_t)&bad[i],
                     "slabkit: contradictory flags %d of an allocation of type other\n", bad[i]);
}

static void free_as_other(void *arg)
{
    kfree(kmalloc(100, M_TEST, M_WAITOK), M_OTHER);
    (void)arg;
    if (slabkit_verify() == 1)
        abort();
}

static void test_a_wrong_type_is_found_by_verification(void **state)
{
    (void)state;
    expect_death(free_as_other, NULL,
                 "slabkit: verify: other: more was freed than allocated (with a wrong type?)\n");
}

static int end_all(void **state)
{
    (void)state;
    assert_int_equal(stats(M_TEST).inuse, 0);
    assert_int_equal(stats(M_TEST).memuse, 0);
    return slabkit_verify() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_every_size_is_counted_by_what_is_usable, note),
        cmocka_unit_test_setup(test_nothing, note),
        cmocka_unit_test_setup(test_zero, note),
        cmocka_unit_test_setup(test_shapes, note),
        cmocka_unit_test_setup(test_arrays, note),
        cmocka_unit_test_setup(test_resize_keeps_contents_and_the_account, note),
        cmocka_unit_test_setup(test_text, note),
        cmocka_unit_test(test_types_come_and_go),
        cmocka_unit_test(test_an_unloaded_type_goes_on),
        cmocka_unit_test(test_many_types),
        cmocka_unit_test(test_sizes_are_exact),
        cmocka_unit_test(test_contradictory_flags),
        cmocka_unit_test(test_a_wrong_type_is_found_by_verification),
    };

    return cmocka_run_group_tests(tests, NULL, end_all);
}
