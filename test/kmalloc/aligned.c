/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: every alignment with every size, up to a MiB and where they are refused. */
#include "fixture.h"

static void check(void *p, size_t size, size_t align)
{
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % align, 0);
    assert_true(km_usable(p, "test") >= size);
    km_check_sized(p, size, align);
}

static void test_combinations(void **state)
{
    (void)state;
    for (size_t align = 1; align <= MIB; align *= 2)
        for (size_t size = 0; size <= MIB; size += 1 + size / 5) {
            void *p = km_alloc_aligned(size, align), *q = km_alloc_aligned(size, align);

            check(p, size, align);
            check(q, size, align);
            stamp(p, size, size);
            stamp(q, size, align);
            assert_true(stamp_holds(p, size, size));
            assert_true(stamp_holds(q, size, align));
            km_free(p);
            km_free(q);
        }
    expect_all_free();
}

static void test_many_of_one_class(void **state)
{
    enum {
        MANY = 3000
    };
    static void *p[MANY];

    (void)state;
    for (size_t align = 8; align <= 4096; align *= 4) {
        for (unsigned i = 0; i < MANY; i++) {
            p[i] = km_alloc_aligned(align * 3 / 2, align);
            check(p[i], align * 3 / 2, align);
        }
        for (unsigned i = 0; i < MANY; i++)
            km_free(p[i]);
    }
    expect_all_free();
}

/* Beyond the range's runs too. */
static void test_huge_alignment(void **state)
{
    (void)state;
    for (size_t align = 2 * MIB; align <= 128 * MIB; align *= 4) {
        void *p = km_alloc_aligned(100, align);

        check(p, 100, align);
        stamp(p, 100, align);
        assert_true(stamp_holds(p, 100, align));
        km_free(p);
    }
    expect_all_free();
}

static void test_refused(void **state)
{
    (void)state;
    assert_null(km_alloc_aligned(KM_SIZE_MAX, 16));
    assert_null(km_alloc_aligned(SIZE_MAX, 16));
    assert_null(km_alloc_aligned(SIZE_MAX - 100, 4096));
    assert_null(km_alloc_aligned(16, (size_t)1 << 62));
    assert_null(km_alloc_aligned(16, (size_t)1 << 63));
    assert_null(km_alloc_aligned(0, (size_t)1 << 63));
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_many_of_one_class),
        cmocka_unit_test(test_huge_alignment),
        cmocka_unit_test(test_refused),
    };
    start_kmalloc(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
