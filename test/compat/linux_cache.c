/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: kmem_cache as kernel code calls it: every form of create, flags, constructors, bulk.
 */
#include "unit.h"

#include <linux/slab.h>

#include <errno.h>

struct probe {
    long number;
    char secret[24];
    char shown[40];
    void *next;
};

static unsigned made;

static void probe_make(void *obj)
{
    struct probe *p = obj;

    memset(p, 0, sizeof(*p));
    p->number = 42;
    made++;
}

static void use(struct kmem_cache *c)
{
    struct probe *p = kmem_cache_alloc(c, GFP_KERNEL);

    assert_non_null(p);
    assert_ptr_equal(kmem_cache_of(p), c);
    memset(p, 1, sizeof(*p));
    kmem_cache_free(c, p);
    kmem_cache_destroy(c);
}

static void test_five_arguments(void **state)
{
    struct kmem_cache *c = kmem_cache_create("probe", sizeof(struct probe), 0, 0, NULL);

    (void)state;
    assert_non_null(c);
    assert_string_equal(kmem_cache_name(c), "probe");
    assert_int_equal(kmem_cache_size(c), sizeof(struct probe));
    use(c);
    c = kmem_cache_create("probe", sizeof(struct probe), __alignof__(struct probe),
                          SLAB_HWCACHE_ALIGN | SLAB_PANIC | SLAB_ACCOUNT | SLAB_RECLAIM_ACCOUNT,
                          NULL);
    assert_non_null(c);
    use(c);
}

static void test_arguments_in_a_struct(void **state)
{
    struct kmem_cache_args args = {.align = 256, .ctor = probe_make, .sheaf_capacity = 32};
    struct kmem_cache *c = kmem_cache_create("probe", sizeof(struct probe), &args, SLAB_NO_MERGE);
    struct probe *p;

    (void)state;
    assert_non_null(c);
    p = kmem_cache_alloc(c, GFP_KERNEL);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 256, 0);
    assert_int_equal(p->number, 42);
    kmem_cache_free(c, p);
    kmem_cache_destroy(c);
}

static void test_no_arguments(void **state)
{
    struct kmem_cache *c = kmem_cache_create("probe", sizeof(struct probe), NULL, SLAB_TEMPORARY);

    (void)state;
    assert_non_null(c);
    use(c);
}

static void test_by_struct(void **state)
{
    struct kmem_cache *c = KMEM_CACHE(probe, SLAB_HWCACHE_ALIGN);

    (void)state;
    assert_non_null(c);
    assert_string_equal(kmem_cache_name(c), "probe");
    use(c);
    c = KMEM_CACHE_USERCOPY(probe, 0, shown);
    assert_non_null(c);
    use(c);
}

static void test_regions_lie_in_the_object(void **state)
{
    struct kmem_cache_args args = {.freeptr_offset = offsetof(struct probe, next),
                                   .use_freeptr_offset = true};
    struct kmem_cache *c;

    (void)state;
    c = kmem_cache_create_usercopy("probe", 64, 0, 0, 16, 48, NULL);
    assert_non_null(c);
    kmem_cache_destroy(c);
    errno = 0;
    assert_null(kmem_cache_create_usercopy("probe", 64, 0, 0, 16, 49, NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(kmem_cache_create_usercopy("probe", 64, 0, 0, 65, 0, NULL));

    c = kmem_cache_create("probe", sizeof(struct probe), &args, SLAB_TYPESAFE_BY_RCU);
    assert_non_null(c);
    kmem_cache_destroy(c);
    assert_null(kmem_cache_create("probe", sizeof(struct probe), &args, 0));
    args.freeptr_offset = sizeof(struct probe);
    assert_null(kmem_cache_create("probe", sizeof(struct probe), &args, SLAB_TYPESAFE_BY_RCU));
}

static void test_wrong_shapes(void **state)
{
    (void)state;
    assert_null(kmem_cache_create("none", 0, 0, 0, NULL));
    assert_null(kmem_cache_create("odd", 64, 24, 0, NULL));
    assert_null(kmem_cache_create("large", 1u << 30, 0, 0, NULL));
}

/* Constructed once, however often allocated. */
static void test_constructor(void **state)
{
    struct kmem_cache *c = kmem_cache_create("probe", sizeof(struct probe), 0, 0, probe_make);
    struct kmem_cache_stats stats;

    (void)state;
    made = 0;
    for (unsigned i = 0; i < 1000; i++) {
        struct probe *p = kmem_cache_alloc(c, GFP_KERNEL);

        assert_non_null(p);
        assert_int_equal(p->number, 42);
        kmem_cache_free(c, p);
    }
    kmem_cache_get_stats(c, &stats);
    assert_int_equal(made, stats.total);
    errno = 0;
    assert_null(kmem_cache_zalloc(c, GFP_KERNEL | __GFP_NOWARN));
    assert_int_equal(errno, EINVAL);
    kmem_cache_destroy(c);
}

static void test_zero(void **state)
{
    struct kmem_cache *c = KMEM_CACHE(probe, 0);

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct probe *p = i % 2 ? kmem_cache_zalloc(c, GFP_KERNEL)
                                : kmem_cache_alloc_node(c, GFP_ATOMIC | __GFP_ZERO, NUMA_NO_NODE);

        assert_non_null(p);
        assert_true(all_are(p, sizeof(*p), 0));
        memset(p, 0xff, sizeof(*p));
        kmem_cache_free(c, p);
    }
    assert_int_equal(kmem_cache_shrink(c), 0);
    kmem_cache_destroy(c);
}

static void test_bulk(void **state)
{
    struct kmem_cache *c = KMEM_CACHE(probe, 0), *other = kmem_cache_create("o", 100, 0, 0, NULL);
    struct kmem_cache_stats stats;
    void *objs[100];

    (void)state;
    assert_int_equal(kmem_cache_alloc_bulk(c, GFP_KERNEL | __GFP_ZERO, 100, objs), 100);
    for (unsigned i = 0; i < 100; i++)
        assert_true(all_are(objs[i], sizeof(struct probe), 0));
    kmem_cache_free_bulk(c, 100, objs);
    assert_int_equal(kmem_cache_alloc_bulk(c, GFP_KERNEL, 0, objs), 0);

    /* Whatever kfree takes. */
    objs[0] = kmem_cache_alloc(c, GFP_KERNEL);
    objs[1] = kmem_cache_alloc(other, GFP_KERNEL);
    objs[2] = kmalloc(100, GFP_KERNEL);
    kfree_bulk(3, objs);
    kmem_cache_get_stats(c, &stats);
    assert_int_equal(stats.live, 0);
    kmem_cache_destroy(c);
    kmem_cache_destroy(other);
    kmem_cache_destroy(NULL);
}

static void test_functions_have_addresses(void **state)
{
    void (*release)(const void *) = kfree;
    void *(*get)(struct kmem_cache *, gfp_t) = kmem_cache_alloc;
    struct kmem_cache *c = KMEM_CACHE(probe, 0);
    struct probe *p = get(c, GFP_KERNEL);

    (void)state;
    assert_non_null(p);
    assert_int_equal(ksize(p), sizeof(*p));
    release(p);
    kmem_cache_destroy(c);
}

static void test_debug_flags(void **state)
{
    struct kmem_cache *c =
        KMEM_CACHE(probe, SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER);
    struct probe *p = kmem_cache_alloc(c, GFP_KERNEL);

    (void)state;
    assert_non_null(p);
    memset(p, 0, sizeof(*p));
    assert_int_equal(kmem_cache_verify(c), 0);
    kfree(p);
    assert_int_equal(kmem_cache_verify(c), 0);
    kmem_cache_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_arguments),
        cmocka_unit_test(test_arguments_in_a_struct),
        cmocka_unit_test(test_no_arguments),
        cmocka_unit_test(test_by_struct),
        cmocka_unit_test(test_regions_lie_in_the_object),
        cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_constructor),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_functions_have_addresses),
        cmocka_unit_test(test_debug_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
