/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the standards (C17, C23, POSIX) and glibc's manual say of each function, call by call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

#include "expect.h"
#include "../oracle/engine.h"

#define UNTOUCHED     4711
#define PAST_LIMIT    ((size_t)PTRDIFF_MAX + 1)
#define NATURAL_LIMIT (32u << 10)
#define MIB           ((size_t)1 << 20)

/* Sizes no machine has, hidden from the compiler's own warnings. */
static size_t huge_size(size_t size)
{
    return (size_t)opaque((void *)size);
}

static bool is_aligned(const void *p, size_t align)
{
    return (uintptr_t)p % align == 0;
}

static bool is_zero(const unsigned char *p, size_t bytes)
{
    return bytes == 0 || (p[0] == 0 && memcmp(p, p + 1, bytes - 1) == 0);
}

static const size_t absurd_size[] = {PAST_LIMIT,       PAST_LIMIT + 4096, SIZE_MAX / 2 + MIB,
                                     SIZE_MAX - 65536, SIZE_MAX - 4096,   SIZE_MAX - 64,
                                     SIZE_MAX - 15,    SIZE_MAX};
#define ABSURD_SIZES (sizeof(absurd_size) / sizeof(absurd_size[0]))

#define assert_refused(call, error)                                                                \
    do {                                                                                           \
        errno = 0;                                                                                 \
        assert_null(opaque(call));                                                                 \
        assert_int_equal(errno, error);                                                            \
    } while (0)

/* ---- malloc, calloc ------------------------------------------------------------------------- */

static void test_malloc_zero(void **state)
{
    void *a = malloc(0), *b = malloc(0), *c = calloc(0, 8), *d = calloc(8, 0);

    (void)state;
    assert_true(a && b && c && d);
    assert_true(a != b && a != c && a != d && b != c && b != d && c != d);
    free(a);
    free(b);
    free(c);
    free(d);
}

static void test_absurd_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ABSURD_SIZES; i++) {
        size_t size = huge_size(absurd_size[i]);

        assert_refused(malloc(size), ENOMEM);
        assert_refused(calloc(1, size), ENOMEM);
        assert_refused(calloc(size, 1), ENOMEM);
        assert_refused(realloc(NULL, size), ENOMEM);
        assert_refused(reallocarray(NULL, 1, size), ENOMEM);
        assert_refused(aligned_alloc(64, size), ENOMEM);
        assert_refused(memalign(64, size), ENOMEM);
        assert_refused(valloc(size), ENOMEM);
        assert_refused(pvalloc(size), ENOMEM);
    }
}

static void test_more_than_the_machine_has(void **state)
{
    size_t size = huge_size((size_t)PTRDIFF_MAX - 65536);

    (void)state;
    assert_refused(malloc(size), ENOMEM);
    assert_refused(calloc(size / 16, 16), ENOMEM);
    assert_refused(aligned_alloc(MIB, size), ENOMEM);
}

static void test_calloc_overflow(void **state)
{
    static const size_t factors[][2] = {
        {SIZE_MAX, 2},
        {2, SIZE_MAX},
        {SIZE_MAX / 2 + 1, 2},
        {(size_t)1 << 32, (size_t)1 << 32},
        {(size_t)1 << 33, ((size_t)1 << 31) + 1},
        {SIZE_MAX, SIZE_MAX},
    };
    void *kept = malloc(10);

    (void)state;
    for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
        size_t a = huge_size(factors[i][0]), b = huge_size(factors[i][1]);

        assert_refused(calloc(a, b), ENOMEM);
        assert_refused(reallocarray(NULL, a, b), ENOMEM);
        assert_refused(reallocarray(opaque(kept), a, b), ENOMEM);
    }
    free(kept);
}

/* Memory that was full of ones comes back from free lists of every kind. */
static void test_calloc_is_zero_after_use(void **state)
{
    static const size_t size[] = {1, 8, 16, 100, 1000, 4096, 30000, 40000, 70000, 300000, 5 * MIB};

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
        for (unsigned round = 0; round < 50; round++) {
            unsigned char *dirty = opaque(malloc(size[i])), *clean;

            memset(dirty, 0xff, size[i]);
            opaque(dirty);
            free(dirty);
            clean = opaque(calloc(1, size[i]));
            assert_true(is_zero(clean, size[i]));
            memset(clean, 0xff, size[i]);
            opaque(clean);
            free(clean);
        }
}

/* ---- realloc -------------------------------------------------------------------------------- */

static void test_realloc_null(void **state)
{
    char *p = realloc(NULL, 100);

    (void)state;
    assert_non_null(p);
    memset(p, 1, 100);
    free(p);
    p = realloc(NULL, 0);
    assert_non_null(p);
    free(p);
}

/* As glibc: frees the block and returns NULL. */
static void test_realloc_to_zero(void **state)
{
    static const size_t size[] = {0, 16, 1000, 100000, 40 * MIB};

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        void *p = opaque(malloc(size[i]));

        assert_non_null(p);
        errno = UNTOUCHED;
        assert_null(opaque(realloc(p, huge_size(0))));
        assert_int_equal(errno, UNTOUCHED);
    }
}

static void test_realloc_refused_keeps_block(void **state)
{
    static const size_t size[] = {1, 100, 20000, 200000, 40 * MIB};

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        unsigned char *p = opaque(malloc(size[i]));

        assert_non_null(p);
        memset(p, 0x5a, size[i]);
        for (size_t j = 0; j < ABSURD_SIZES; j++)
            assert_refused(realloc(p, huge_size(absurd_size[j])), ENOMEM);
        assert_refused(realloc(p, huge_size((size_t)PTRDIFF_MAX - 65536)), ENOMEM);
        assert_int_equal(p[0], 0x5a);
        assert_memory_equal(p, p + 1, size[i] - 1);
        free(p);
    }
}

static void check_prefix(const unsigned char *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 1 + i / 64)
        assert_int_equal(p[i], (unsigned char)(i * 7));
}

static void test_realloc_grows_and_shrinks(void **state)
{
    static const size_t size[] = {1,       24,    17,      1000,     1100,     33000,    32768,
                                  70000,   65536, 3 * MIB, 9 * MIB,  40 * MIB, 90 * MIB, 41 * MIB,
                                  2 * MIB, 60000, 128,     64 * MIB, 1};
    unsigned char *p = NULL;
    size_t before = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        p = realloc(p, size[i]);
        assert_non_null(p);
        check_prefix(p, before < size[i] ? before : size[i]);
        for (size_t j = 0; j < size[i]; j++)
            p[j] = (unsigned char)(j * 7);
        before = size[i];
    }
    free(p);
}

static void test_reallocarray(void **state)
{
    int *p = reallocarray(NULL, 10, sizeof(int));

    (void)state;
    assert_non_null(p);
    for (int i = 0; i < 10; i++)
        p[i] = i;
    p = reallocarray(p, 100000, sizeof(int));
    assert_non_null(p);
    for (int i = 0; i < 10; i++)
        assert_int_equal(p[i], i);
    free(p);
}

static void test_realloc_of_aligned(void **state)
{
    (void)state;
    for (size_t align = 16; align <= 4 * MIB; align *= 4) {
        unsigned char *p = opaque(aligned_alloc(align, 100));

        assert_non_null(p);
        memset(p, 0x33, 100);
        p = realloc(p, 50000);
        assert_non_null(p);
        assert_int_equal(p[0], 0x33);
        assert_memory_equal(p, p + 1, 99);
        free(p);
    }
}

/* ---- alignment ------------------------------------------------------------------------------ */

static void test_malloc_alignment(void **state)
{
    void *p[64];

    (void)state;
    for (size_t size = 1; size <= 70000; size += 1 + size / 40) {
        for (unsigned i = 0; i < 64; i++) {
            p[i] = malloc(size);
            assert_true(is_aligned(p[i], size < 16 ? 8 : 16));
        }
        for (unsigned i = 0; i < 64; i++)
            free(p[i]);
    }
}

static void test_natural_alignment(void **state)
{
    void *p[256];

    (void)state;
    if (!engine.en_present)
        skip();
    for (size_t size = 1; size <= NATURAL_LIMIT; size *= 2) {
        for (unsigned i = 0; i < 256; i++) {
            p[i] = malloc(size);
            assert_true(is_aligned(p[i], size));
        }
        for (unsigned i = 0; i < 256; i++)
            free(p[i]);
    }
}

static void check_aligned(unsigned char *p, size_t align, size_t size)
{
    assert_non_null(p);
    assert_true(is_aligned(p, align));
    assert_true(malloc_usable_size(p) >= size);
    memset(p, 0x77, size);
}

static void aligned_forms(size_t align, size_t size)
{
    void *a = aligned_alloc(align, size), *b = memalign(align, size), *c = NULL;

    check_aligned(a, align, size);
    check_aligned(b, align, size);
    if (align >= sizeof(void *)) {
        assert_int_equal(posix_memalign(&c, align, size), 0);
        check_aligned(c, align, size);
    }
    free(b);
    free(a);
    free(c);
}

static void test_aligned_forms(void **state)
{
    static const size_t size[] = {0, 1, 8, 24, 100, 500, 4096, 5000, 33000, 65536, 100000, 3 * MIB};

    (void)state;
    for (size_t align = 1; align <= 64 * MIB; align *= 2)
        for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
            aligned_forms(align, size[i]);
}

static void test_aligned_to_a_gigabyte(void **state)
{
    size_t gib = (size_t)1 << 30;
    char *p = opaque(aligned_alloc(gib, 5000));

    (void)state;
    check_aligned((unsigned char *)p, gib, 5000);
    free(p);
}

/* C23 and glibc from 2.38 on: an alignment that is no power of two fails with EINVAL. */
static void test_aligned_alloc_bad_alignment(void **state)
{
    static const size_t bad[] = {0, 3, 6, 24, 48, 100, 4095, 4097, SIZE_MAX};

    (void)state;
    if (!engine.en_present)
        skip();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(aligned_alloc(huge_size(bad[i]), 64), EINVAL);
}

static void test_posix_memalign_bad_alignment(void **state)
{
    static const size_t bad[] = {0, 1, 2, 3, 4, 5, 12, 24, 40, 4095, SIZE_MAX};
    int mark;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        void *p = &mark;

        errno = UNTOUCHED;
        assert_int_equal(posix_memalign(&p, huge_size(bad[i]), 64), EINVAL);
        assert_ptr_equal(p, &mark);
        assert_int_equal(errno, UNTOUCHED);
    }
}

static void test_posix_memalign_no_memory(void **state)
{
    int mark;

    (void)state;
    for (size_t i = 0; i < ABSURD_SIZES; i++) {
        void *p = &mark;

        errno = UNTOUCHED;
        assert_int_equal(posix_memalign(&p, 64, huge_size(absurd_size[i])), ENOMEM);
        assert_ptr_equal(p, &mark);
        if (engine.en_present)
            assert_int_equal(errno, UNTOUCHED);
    }
}

/* As glibc: rounded up to the next power of two; refused when there is none. */
static void test_memalign_odd_alignment(void **state)
{
    void *p = memalign(huge_size(48), 100);

    (void)state;
    assert_non_null(p);
    assert_true(is_aligned(p, 64));
    free(p);
    p = memalign(huge_size(0), 100);
    assert_non_null(p);
    free(p);
    assert_refused(memalign(huge_size(SIZE_MAX / 2 + 2), 100), EINVAL);
}

static void test_absurd_alignment(void **state)
{
    (void)state;
    assert_refused(aligned_alloc(huge_size((size_t)1 << 62), 16), ENOMEM);
    assert_refused(memalign(huge_size((size_t)1 << 62), 16), ENOMEM);
}

static void test_valloc(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    static const size_t size[] = {0, 1, 100, 4095, 4096, 4097, 70000, 3 * MIB};

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        void *v = valloc(size[i]), *pv = pvalloc(size[i]);

        check_aligned(v, page, size[i]);
        check_aligned(pv, page, (size[i] + page - 1) / page * page);
        free(v);
        free(pv);
    }
}

/* ---- usable size, free ---------------------------------------------------------------------- */

static void test_usable_size(void **state)
{
    (void)state;
    assert_int_equal(malloc_usable_size(NULL), 0);
    for (size_t size = 0; size <= 300000; size += 1 + size / 50) {
        unsigned char *p = malloc(size);
        size_t usable = malloc_usable_size(p);

        assert_true(usable >= size);
        memset(p, 0xee, usable);
        assert_int_equal(malloc_usable_size(p), usable);
        free(p);
    }
}

/* At most 12.5 % lost to rounding above the smallest sizes. */
static void test_rounding(void **state)
{
    (void)state;
    if (!engine.en_present)
        skip();
    for (size_t size = 129; size <= NATURAL_LIMIT; size++) {
        void *p = malloc(size);

        assert_true(malloc_usable_size(p) <= size + size / 8 + 16);
        free(p);
    }
}

static void test_free_null(void **state)
{
    (void)state;
    errno = UNTOUCHED;
    free(NULL);
    if (engine.en_free_sized)
        engine.en_free_sized(NULL, 100);
    if (engine.en_free_aligned_sized)
        engine.en_free_aligned_sized(NULL, 64, 100);
    assert_int_equal(errno, UNTOUCHED);
}

static void test_free_keeps_errno(void **state)
{
    static const size_t size[] = {1, 1000, 30000, 100000, 5 * MIB, 100 * MIB, 1024 * MIB};

    (void)state;
    for (unsigned round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
            void *p = opaque(malloc(size[i]));

            assert_non_null(p);
            errno = UNTOUCHED;
            free(p);
            assert_int_equal(errno, UNTOUCHED);
        }
}

/* Enough of them that arrays are flushed and slabs given back. */
static void test_many_frees_keep_errno(void **state)
{
    enum {
        COUNT = 100000
    };
    void **p = malloc(COUNT * sizeof(void *));

    (void)state;
    assert_non_null(p);
    for (unsigned i = 0; i < COUNT; i++)
        assert_non_null(p[i] = malloc(100 + i % 1000));
    errno = UNTOUCHED;
    for (unsigned i = 0; i < COUNT; i++)
        free(p[i]);
    malloc_trim(0);
    assert_int_equal(errno, UNTOUCHED);
    free(p);
}

static void test_free_sized(void **state)
{
    (void)state;
    if (!engine.en_free_sized || !engine.en_free_aligned_sized)
        skip();
    for (size_t size = 0; size <= 3 * MIB; size += 1 + size / 20) {
        engine.en_free_sized(malloc(size), size);
        engine.en_free_sized(calloc(1, size), size);
        engine.en_free_sized(realloc(NULL, size), size);
        for (size_t align = 1; align <= 65536; align *= 8)
            engine.en_free_aligned_sized(aligned_alloc(align, size), align, size);
    }
}

/* C23's frees exist where the library is the allocator. */
static void test_c23_frees_exist(void **state)
{
    (void)state;
    if (!engine.en_present)
        skip();
    assert_non_null(engine.en_free_sized);
    assert_non_null(engine.en_free_aligned_sized);
}

static void test_trim_says_what_it_did(void **state)
{
    enum {
        COUNT = 64 * 1024
    };
    static void *p[COUNT];

    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        assert_non_null(p[i] = malloc(1000));
        memset(p[i], 1, 1000);
    }
    for (unsigned i = 0; i < COUNT; i++)
        free(p[i]);
    assert_int_equal(malloc_trim(0), 1);
    if (engine.en_present)
        assert_int_equal(malloc_trim(0), 0);
}

static int engine_setup(void **state)
{
    (void)state;
    engine_find();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malloc_zero),
        cmocka_unit_test(test_absurd_sizes),
        cmocka_unit_test(test_more_than_the_machine_has),
        cmocka_unit_test(test_calloc_overflow),
        cmocka_unit_test(test_calloc_is_zero_after_use),
        cmocka_unit_test(test_realloc_null),
        cmocka_unit_test(test_realloc_to_zero),
        cmocka_unit_test(test_realloc_refused_keeps_block),
        cmocka_unit_test(test_realloc_grows_and_shrinks),
        cmocka_unit_test(test_reallocarray),
        cmocka_unit_test(test_realloc_of_aligned),
        cmocka_unit_test(test_malloc_alignment),
        cmocka_unit_test(test_natural_alignment),
        cmocka_unit_test(test_aligned_forms),
        cmocka_unit_test(test_aligned_to_a_gigabyte),
        cmocka_unit_test(test_aligned_alloc_bad_alignment),
        cmocka_unit_test(test_posix_memalign_bad_alignment),
        cmocka_unit_test(test_posix_memalign_no_memory),
        cmocka_unit_test(test_memalign_odd_alignment),
        cmocka_unit_test(test_absurd_alignment),
        cmocka_unit_test(test_valloc),
        cmocka_unit_test(test_usable_size),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_free_null),
        cmocka_unit_test(test_free_keeps_errno),
        cmocka_unit_test(test_many_frees_keep_errno),
        cmocka_unit_test(test_free_sized),
        cmocka_unit_test(test_c23_frees_exist),
        cmocka_unit_test(test_trim_says_what_it_did),
    };

    return cmocka_run_group_tests(tests, engine_setup, NULL);
}
