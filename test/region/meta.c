/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: metadata: aligned, zero also when recycled, apart from its neighbours, small. */
#include "fixture.h"

static size_t expected_align(size_t bytes)
{
    size_t align = 1;
    while (align < bytes && align < 64)
        align *= 2;
    return align;
}

static bool all_bytes(const unsigned char *p, size_t bytes, unsigned char value)
{
    for (size_t i = 0; i < bytes; i++)
        if (p[i] != value)
            return false;
    return true;
}

static void test_every_size(void **state)
{
    (void)state;
    size_t used = meta_used_bytes();
    for (size_t bytes = 1; bytes <= 70000; bytes += bytes < 600 ? 1 : 97) {
        for (int again = 0; again < 2; again++) {
            unsigned char *p = meta_alloc(bytes);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % expected_align(bytes), 0);
            assert_true(all_bytes(p, bytes, 0));
            memset(p, 0xff, bytes);
            assert_true(meta_used_bytes() - used >= bytes);
            meta_free(p, bytes);
        }
    }
    assert_int_equal(meta_used_bytes(), used);
    assert_true(meta_mapped_bytes() >= used);
    meta_free(NULL, 100);
}

/* Pieces of all sizes at once, each filled with its own byte: none overlaps another. */
static void test_no_overlap(void **state)
{
    (void)state;
    static unsigned char *piece[2000];
    static size_t size[2000];
    for (size_t i = 0; i < 2000; i++) {
        size[i] = 1 + i * i % 3001;
        piece[i] = meta_alloc(size[i]);
        assert_non_null(piece[i]);
        memset(piece[i], (int)(i % 251), size[i]);
    }
    for (size_t i = 0; i < 2000; i++)
        assert_true(all_bytes(piece[i], size[i], (unsigned char)(i % 251)));
    for (size_t i = 0; i < 2000; i++)
        meta_free(piece[i], size[i]);
}

static void test_recycled_not_mapped_anew(void **state)
{
    (void)state;
    void *p = meta_alloc(500);
    meta_free(p, 500);
    size_t mapped = meta_mapped_bytes();
    for (int i = 0; i < 10000; i++) {
        p = meta_alloc(500);
        meta_free(p, 500);
    }
    assert_int_equal(meta_mapped_bytes(), mapped);
}

static void test_large_goes_back(void **state)
{
    (void)state;
    size_t mapped = meta_mapped_bytes();
    char *p = meta_alloc((size_t)10 << 20);
    assert_non_null(p);
    p[((size_t)10 << 20) - 1] = 1;
    assert_int_equal(meta_mapped_bytes(), mapped + ((size_t)10 << 20));
    meta_free(p, (size_t)10 << 20);
    assert_int_equal(meta_mapped_bytes(), mapped);
    assert_null(meta_alloc(SIZE_MAX));
    assert_null(meta_alloc((size_t)PTRDIFF_MAX));
    assert_int_equal(meta_mapped_bytes(), mapped);
}

/* Fresh pieces touch no page beyond those they lie on. */
static void test_only_used_pages_are_touched(void **state)
{
    (void)state;
    size_t sys = plat_sys_page_bytes();
    char *p;
    size_t mapped = meta_mapped_bytes();
    do
        p = meta_alloc(16384);
    while (p && meta_mapped_bytes() == mapped);
    assert_non_null(p);
    /* The first piece of a new chunk. */
    assert_int_equal((uintptr_t)p % sys, 0);
    assert_int_equal(resident(p, (size_t)256 << 10), 0);
    *p = 1;
    assert_int_equal(resident(p, (size_t)256 << 10), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_no_overlap),
        cmocka_unit_test(test_recycled_not_mapped_anew),
        cmocka_unit_test(test_large_goes_back),
        cmocka_unit_test(test_only_used_pages_are_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
