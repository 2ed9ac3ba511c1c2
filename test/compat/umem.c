/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: umem as its manual describes it: blocks of any size and alignment, caches with constructed objects.
 */
#include "unit.h"

#include <slabkit/compat/umem.h>
#include <slabkit/kmalloc.h>
#include <slabkit/kmem_cache.h>

#include <errno.h>

static const size_t sizes[] = {1,    2,    7,     8,     9,     15,     16,     100,     1000,
                               1024, 4097, 32768, 32769, 66000, 131072, 300000, 3000001, 40000000};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static int64_t blocks(void)
{
    struct malloc_type_stats stats;
    struct malloc_type *type = malloc_type_find("umem");

    if (!type)
        return 0;
    malloc_type_stats(type, &stats);
    return stats.inuse;
}

static void test_blocks(void **state)
{
    int64_t before = blocks();

    (void)state;
    for (unsigned i = 0; i < SIZES; i++) {
        char *p = umem_alloc(sizes[i], i % 2 ? UMEM_DEFAULT : UMEM_NOFAIL);

        assert_non_null(p);
        memset(p, 0xff, sizes[i]);
        umem_free(p, sizes[i]);
        p = umem_zalloc(sizes[i], UMEM_DEFAULT);
        assert_true(all_are(p, sizes[i], 0));
        memset(p, 0xff, sizes[i]);
        umem_free(p, sizes[i]);
    }
    assert_int_equal(blocks(), before);
}

/* All sizes of a class, all with their own memory of it. */
static void test_every_size(void **state)
{
    static void *p[3000];

    (void)state;
    for (size_t i = 1; i < 3000; i++) {
        p[i] = umem_alloc(i, UMEM_DEFAULT);
        memset(p[i], (int)i, i);
    }
    for (size_t i = 1; i < 3000; i++) {
        assert_true(all_are(p[i], i, (unsigned char)i));
        umem_free(p[i], i);
    }
}

static void test_nothing(void **state)
{
    (void)state;
    assert_null(umem_alloc(0, UMEM_DEFAULT));
    assert_null(umem_zalloc(0, UMEM_NOFAIL));
    umem_free(NULL, 0);
}

static void test_alignment(void **state)
{
    (void)state;
    for (size_t align = 1; align <= 1 << 20; align *= 2)
        for (size_t size = 1; size < 200000; size = size * 3 + 1) {
            char *p = umem_alloc_align(size, align, UMEM_DEFAULT);

            assert_non_null(p);
            assert_int_equal((uintptr_t)p % align, 0);
            memset(p, 1, size);
            umem_free_align(p, size);
        }
    errno = 0;
    assert_null(umem_alloc_align(10, 3, UMEM_NOFAIL));
    assert_int_equal(errno, EINVAL);
}

static void test_too_large(void **state)
{
    (void)state;
    errno = 0;
    assert_null(umem_alloc(SIZE_MAX / 2, UMEM_DEFAULT));
    assert_int_equal(errno, ENOMEM);
}

/* ---- caches ------------------------------------------------------------------------------------ */

#define MAGIC 0x5ab5ab5abull

struct session {
    uint64_t magic;
    void *owner;
    char *buffer;
};

static struct counts {
    unsigned made, unmade, flags_default, flags_nofail;
} counts;

static int session_make(void *obj, void *data, int flags)
{
    struct session *s = obj;

    if (flags == UMEM_NOFAIL)
        counts.flags_nofail++;
    else if (flags == UMEM_DEFAULT)
        counts.flags_default++;
    s->buffer = umem_alloc(100, flags);
    if (!s->buffer)
        return -1;
    s->magic = MAGIC;
    s->owner = data;
    counts.made++;
    return 0;
}

static void session_unmake(void *obj, void *data)
{
    struct session *s = obj;

    assert_int_equal(s->magic, MAGIC);
    assert_ptr_equal(s->owner, data);
    umem_free(s->buffer, 100);
    s->magic = 0;
    counts.unmade++;
}

static void test_constructed_objects(void **state)
{
    int owner;
    int64_t before = blocks();
    umem_cache_t *c = umem_cache_create("session", sizeof(struct session), 0, session_make,
                                        session_unmake, NULL, &owner, NULL, 0);
    struct session *s[1000];
    unsigned made;

    (void)state;
    assert_non_null(c);
    memset(&counts, 0, sizeof(counts));
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            s[i] = umem_cache_alloc(c, UMEM_DEFAULT);
            assert_int_equal(s[i]->magic, MAGIC);
            assert_ptr_equal(s[i]->owner, &owner);
        }
        if (round == 0)
            made = counts.made;
        for (unsigned i = 0; i < 1000; i++)
            umem_cache_free(c, s[i]);
    }
    assert_true(made >= 1000);
    assert_int_equal(counts.flags_default, counts.made);
    umem_cache_destroy(c);
    assert_int_equal(counts.unmade, counts.made);
    assert_int_equal(blocks(), before);
}

static void test_the_constructor_knows_the_flags(void **state)
{
    umem_cache_t *c = umem_cache_create("session", sizeof(struct session), 64, session_make,
                                        session_unmake, NULL, NULL, NULL, 0);
    struct session *s;

    (void)state;
    memset(&counts, 0, sizeof(counts));
    s = umem_cache_alloc(c, UMEM_NOFAIL);
    assert_int_equal((uintptr_t)s % 64, 0);
    assert_true(counts.flags_nofail > 0);
    assert_int_equal(counts.flags_default, 0);
    umem_cache_free(c, s);
    umem_cache_destroy(c);
}

static int refuse(void *obj, void *data, int flags)
{
    (void)obj;
    (void)flags;
    ++*(unsigned *)data;
    return -1;
}

static void test_a_constructor_may_refuse(void **state)
{
    unsigned asked = 0;
    umem_cache_t *c = umem_cache_create("refused", 64, 0, refuse, NULL, NULL, &asked, NULL, 0);

    (void)state;
    errno = 0;
    assert_null(umem_cache_alloc(c, UMEM_DEFAULT));
    assert_int_equal(errno, ENOMEM);
    assert_true(asked > 0);
    umem_cache_destroy(c);
}

#define HOARD 20000u

static umem_cache_t *hoarding;
static void *hoard[HOARD];
static unsigned hoarded;

static void give_some_back(void *data)
{
    ++*(unsigned *)data;
    for (unsigned i = 0; i < 10; i++)
        umem_cache_free(hoarding, hoard[--hoarded]);
}

/* Until the cache asks for some back, which then serve. */
static void test_reclaim_is_asked(void **state)
{
    unsigned asked = 0;

    (void)state;
    hoarding = umem_cache_create("hoard", 5000, 0, NULL, NULL, give_some_back, &asked, NULL,
                                 UMC_NODEBUG | UMC_NOHASH);
    assert_non_null(hoarding);
    while (hoarded < 100)
        hoard[hoarded++] = umem_cache_alloc(hoarding, UMEM_DEFAULT);
    slabkit_fail_after(1, 1);
    while (!asked) {
        assert_true(hoarded < HOARD);
        hoard[hoarded] = umem_cache_alloc(hoarding, UMEM_DEFAULT);
        assert_non_null(hoard[hoarded]);
        hoarded++;
    }
    slabkit_fail_after(0, 0);
    assert_int_equal(asked, 1);
    while (hoarded)
        umem_cache_free(hoarding, hoard[--hoarded]);
    umem_cache_destroy(hoarding);
}

static umem_cache_t *shape(size_t size, size_t align, umem_constructor_t *ctor, void *source,
                           int cflags)
{
    errno = 0;
    return umem_cache_create("shape", size, align, ctor, NULL, NULL, NULL, source, cflags);
}

static void test_limits(void **state)
{
    static const struct {
        size_t size, align;
        umem_constructor_t *ctor;
        bool source;
        int cflags;
    } bad[] = {{0, 0, NULL, false, 0},
               {(size_t)17 << 20, 0, NULL, false, 0},
               {SIZE_MAX, 0, NULL, false, 0},
               {64, 24, NULL, false, 0},
               {64, (size_t)1 << 17, NULL, false, 0},
               {64, 0, NULL, true, 0},
               {64, 0, NULL, false, 1},
               {64, 0, refuse, false, UMC_NOTOUCH}};
    umem_cache_t *c;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(shape(bad[i].size, bad[i].align, bad[i].ctor, bad[i].source ? &c : NULL,
                          bad[i].cflags));
        assert_int_equal(errno, EINVAL);
    }
    c = shape(64, 4096, NULL, NULL, UMC_NOTOUCH | UMC_NOMAGAZINE);
    assert_non_null(c);
    umem_cache_free(c, umem_cache_alloc(c, UMEM_DEFAULT));
    umem_cache_destroy(c);
    c = shape((size_t)16 << 20, 0, NULL, NULL, 0);
    assert_non_null(c);
    umem_cache_destroy(c);
    umem_cache_destroy(NULL);
}

static void test_reap(void **state)
{
    umem_cache_t *c = umem_cache_create("reaped", 500, 0, NULL, NULL, NULL, NULL, NULL, 0);
    void *p[500];

    (void)state;
    for (unsigned i = 0; i < 500; i++)
        p[i] = umem_cache_alloc(c, UMEM_NOFAIL);
    for (unsigned i = 0; i < 500; i++)
        umem_cache_free(c, p[i]);
    umem_reap();
    umem_cache_destroy(c);
    assert_int_equal(slabkit_verify(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_constructed_objects),
        cmocka_unit_test(test_the_constructor_knows_the_flags),
        cmocka_unit_test(test_a_constructor_may_refuse),
        cmocka_unit_test(test_reclaim_is_asked),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_reap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
