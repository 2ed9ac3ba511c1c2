/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: where the object of a debug cache lies in its raw object, for every combination of flags.
 */
#include "debug_fixture.h"

static const size_t sizes[] = {1, 7, 8, 9, 63, 64, 65, 100, 512, 4095, 4096, 100000};
static const size_t aligns[] = {1, 8, 16, 64, 4096, 65536};

static void check_layout(size_t size, size_t align, unsigned flags)
{
    size_t zone = flags & KMEM_REDZONE ? 16 : 0;
    struct kmem_debug d;
    size_t stride = kmem_debug_layout(&d, size, align, flags);

    assert_int_equal(d.flags, flags & (KMEM_DEBUG | KMEM_TRACE));
    assert_int_equal(d.size, size);
    assert_int_equal(d.stride, stride);
    assert_int_equal(d.object_off % align, 0);
    assert_int_equal(stride % align, 0);
    assert_true(stride >= d.object_off + size + zone);
    assert_true(stride < d.object_off + size + zone + sk_max(align, 8));
    if (!(flags & KMEM_DEBUG)) {
        assert_int_equal(d.object_off, 0);
        return;
    }
    assert_true(d.object_off >= debug_head_bytes(&d) + zone);
    assert_true(d.object_off < debug_head_bytes(&d) + zone + sk_max(align, 8));
}

static void test_layouts(void **state)
{
    (void)state;
    for (unsigned s = 0; s < SK_ARRAY_SIZE(sizes); s++)
        for (unsigned a = 0; a < SK_ARRAY_SIZE(aligns); a++)
            for (unsigned flags = 0; flags < 32; flags++)
                check_layout(sizes[s], aligns[a], flags << 8 | KMEM_HWALIGN);
}

static void test_flags_are_the_public_ones(void **state)
{
    (void)state;
    assert_int_equal(31u << 8, KMEM_DEBUG | KMEM_TRACE);
    assert_int_equal(ALL, KMEM_DEBUG);
}

/* Readers may look at a freed object until a grace period has passed. */
static void test_typesafe_has_no_poison(void **state)
{
    struct kmem_debug d;

    (void)state;
    kmem_debug_layout(&d, 64, 8, ALL | KMEM_TYPESAFE);
    assert_int_equal(d.flags, ALL & ~KMEM_POISON);
}

/* What debugging needs must not make an object too large. */
static void test_largest_objects(void **state)
{
    struct kmem_debug d;

    (void)state;
    assert_int_equal(kmem_debug_layout(&d, SLAB_OBJ_MAX, 8, ALL | KMEM_TRACE), SLAB_OBJ_MAX);
    assert_int_equal(d.flags, KMEM_TRACE);
    assert_int_equal(d.object_off, 0);
    assert_true(kmem_debug_layout(&d, SLAB_OBJ_MAX - 512, 8, ALL) <= SLAB_OBJ_MAX);
    assert_int_equal(d.flags, ALL);
}

/* History costs only those who ask for it. */
static void test_history_is_large(void **state)
{
    struct kmem_debug with, without;

    (void)state;
    kmem_debug_layout(&with, 64, 8, KMEM_STORE_USER);
    kmem_debug_layout(&without, 64, 8, KMEM_CONSISTENCY);
    assert_int_equal(with.stride - without.stride, sizeof(struct debug_history));
}

/* A life under every combination of flags touches nothing outside of the raw object, and without P nothing of the
 * object. */
static void live_once(size_t size, size_t align, unsigned flags, bool constructed)
{
    struct bench b;

    bench_open(&b, size, align, flags);
    kmem_debug_made(&b.d, NAME, b.raw);
    if (constructed) {
        memset(b.obj, 0x33, size);
        kmem_debug_constructed(&b.d, NAME, b.raw);
    }
    for (unsigned round = 0; round < 3; round++) {
        kmem_debug_alloc(&b.d, NAME, b.raw, constructed, CALLER);
        if (constructed || !(flags & KMEM_POISON))
            assert_int_equal(b.obj[size / 2], constructed ? 0x33 : round ? 0x44 : 0x11);
        else
            assert_int_equal(b.obj[size / 2], KMEM_DEBUG_FRESH);
        memset(b.obj, constructed ? 0x33 : 0x44, size);
        kmem_debug_free(&b.d, NAME, b.raw, constructed, CALLER);
    }
    kmem_debug_gone(&b.d, NAME, b.raw, constructed);
    bench_close(&b);
}

static void test_lives(void **state)
{
    (void)state;
    for (unsigned s = 0; s < SK_ARRAY_SIZE(sizes); s++)
        for (unsigned flags = 0; flags < 16; flags++)
            for (unsigned a = 0; a < SK_ARRAY_SIZE(aligns); a++) {
                live_once(sizes[s], aligns[a], flags << 8, false);
                live_once(sizes[s], aligns[a], flags << 8, true);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_flags_are_the_public_ones),
        cmocka_unit_test(test_typesafe_has_no_poison),
        cmocka_unit_test(test_largest_objects),
        cmocka_unit_test(test_history_is_large),
        cmocka_unit_test(test_lives),
    };
    return cmocka_run_group_tests(tests, start_region, NULL);
}
