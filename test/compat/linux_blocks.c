/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the kmalloc family as kernel code calls it, every member; all of it counted for one type.
 */
#include "unit.h"

#include <linux/slab.h>

#include <limits.h>

static const size_t sizes[] = {1,    7,    8,     9,     16,    100,    128,     1000,
                               1024, 4000, 32768, 32769, 70000, 300000, 3000000, 40000000};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static struct malloc_type_stats before;

static int note(void **state)
{
    (void)state;
    malloc_type_stats(M_LINUX, &before);
    return 0;
}

static int all_freed(void **state)
{
    struct malloc_type_stats now;

    (void)state;
    malloc_type_stats(M_LINUX, &now);
    return now.inuse != before.inuse || now.memuse != before.memuse;
}

static void test_sizes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIZES; i++) {
        unsigned char *p = kmalloc(sizes[i], GFP_KERNEL);
        size_t bytes = ksize(p);

        assert_non_null(p);
        assert_true(bytes >= sizes[i]);
        assert_int_equal(kmalloc_size_roundup(sizes[i]), bytes);
        assert_int_equal((uintptr_t)p % ARCH_KMALLOC_MINALIGN, 0);
        memset(p, 0x5a, bytes);
        kfree(p);
        p = kzalloc(sizes[i], GFP_KERNEL);
        assert_non_null(p);
        assert_true(all_are(p, ksize(p), 0));
        kfree_sensitive(p);
    }
}

static void test_powers_of_two_are_aligned_to_themselves(void **state)
{
    (void)state;
    for (size_t size = 8; size <= 32768; size *= 2) {
        void *p = kmalloc(size, GFP_KERNEL);

        assert_int_equal((uintptr_t)p % size, 0);
        kfree(p);
    }
}

static void test_nothing(void **state)
{
    void *p = kmalloc(0, GFP_KERNEL), *null = NULL;

    assert_ptr_equal(p, ZERO_SIZE_PTR);
    assert_true(ZERO_OR_NULL_PTR(p) && ZERO_OR_NULL_PTR(null) && !ZERO_OR_NULL_PTR(state));
    assert_int_equal(ksize(p), 0);
    assert_int_equal(ksize(NULL), 0);
    kfree(p);
    kfree(null);
    kfree_sensitive(p);
    kfree_sensitive(NULL);
    kvfree(NULL);
    assert_ptr_equal(krealloc(NULL, 0, GFP_KERNEL), ZERO_SIZE_PTR);
    p = krealloc(ZERO_SIZE_PTR, 10, GFP_KERNEL);
    assert_non_null(p);
    assert_ptr_equal(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

static void test_arrays(void **state)
{
    uint32_t *a = kmalloc_array(10, sizeof(*a), GFP_KERNEL), *b;

    (void)state;
    assert_non_null(a);
    for (uint32_t i = 0; i < 10; i++)
        a[i] = i;
    b = krealloc_array(a, 10000, sizeof(*b), GFP_KERNEL);
    assert_non_null(b);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(b[i], i);
    kfree(b);

    a = kcalloc(1000, sizeof(*a), GFP_ATOMIC);
    assert_true(all_are(a, 1000 * sizeof(*a), 0));
    assert_null(krealloc_array(a, SIZE_MAX / 2, 4, GFP_KERNEL));
    kfree(a);
    assert_null(kmalloc_array(SIZE_MAX / 2, 4, GFP_KERNEL));
    assert_null(kcalloc(SIZE_MAX, SIZE_MAX, GFP_KERNEL | __GFP_NOFAIL));
    a = kcalloc_node(3, 5, GFP_KERNEL, 0);
    assert_true(all_are(a, 15, 0));
    kfree(a);
    a = kmalloc_array_node(3, 5, GFP_KERNEL, NUMA_NO_NODE);
    kfree(a);
    kfree(kmalloc_node(5, GFP_KERNEL, 0));
    kfree(kzalloc_node(5, GFP_KERNEL, 0));
}

/* As the kernel has it: if every call has __GFP_ZERO, what is beyond the size asked for is zero. */
static void test_resize_keeps_zero(void **state)
{
    static const size_t steps[] = {20, 28, 8, 32, 500, 490, 497, 100000, 66000, 5000000, 10, 300};
    unsigned char *p = kzalloc(10, GFP_KERNEL);
    size_t old = 10;

    (void)state;
    memset(p, 0xee, old);
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        size_t kept = old < steps[i] ? old : steps[i];

        p = krealloc(p, steps[i], GFP_KERNEL | __GFP_ZERO);
        assert_non_null(p);
        assert_true(all_are(p, kept, 0xee));
        assert_true(all_are(p + kept, ksize(p) - kept, 0));
        old = steps[i];
        memset(p, 0xee, old);
    }
    kfree(p);
}

static void test_resize_keeps_contents(void **state)
{
    unsigned char *p = NULL;
    size_t old = 0;

    (void)state;
    for (unsigned i = 0; i < SIZES; i++) {
        p = krealloc(p, sizes[i], i % 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_NOFAIL);
        assert_true(all_are(p, old, 0x77));
        old = sizes[i];
        memset(p, 0x77, old);
    }
    kfree(p);
}

static void test_virtual(void **state)
{
    char *p = kvmalloc(5 << 20, GFP_KERNEL), *q = kvzalloc(100, GFP_KERNEL);

    (void)state;
    assert_non_null(p);
    assert_true(all_are(q, 100, 0));
    p = kvrealloc(p, 6 << 20, GFP_KERNEL);
    assert_non_null(p);
    kvfree(p);
    kvfree_sensitive(q, 100);
    p = kvcalloc(100, 1000, GFP_KERNEL);
    assert_true(all_are(p, 100000, 0));
    kvfree(p);
    p = kvmalloc_array(10, 10, GFP_KERNEL);
    kfree(p);
    kvfree(kvmalloc_node(10, GFP_KERNEL, 0));
    kvfree(kvzalloc_node(10, GFP_KERNEL, 0));
}

struct pair {
    int a, b;
};

static void test_by_type(void **state)
{
    struct pair *p = kmalloc_obj(*p, GFP_KERNEL), *q = kzalloc_objs(struct pair, 10, GFP_KERNEL);

    (void)state;
    p->a = p->b = 1;
    assert_true(all_are(q, 10 * sizeof(*q), 0));
    kfree(p);
    kfree(q);
    p = kzalloc_obj(struct pair, GFP_KERNEL);
    q = kmalloc_objs(*q, 10, GFP_KERNEL);
    assert_int_equal(p->a, 0);
    kfree(p);
    kfree(q);
}

static void expect_text(char *s, const char *text)
{
    assert_non_null(s);
    assert_string_equal(s, text);
    kfree(s);
}

static void test_text(void **state)
{
    const char *fixed = kstrdup_const("constant", GFP_KERNEL);
    char *s;

    (void)state;
    expect_text(kstrdup("some text", GFP_KERNEL), "some text");
    expect_text(kstrdup("", GFP_KERNEL), "");
    assert_null(kstrdup(NULL, GFP_KERNEL));
    expect_text(kstrndup("some text", 4, GFP_KERNEL), "some");
    expect_text(kstrndup("some text", SIZE_MAX, GFP_KERNEL), "some text");
    assert_null(kstrndup(NULL, 4, GFP_KERNEL));
    expect_text(kmemdup_nul("no end", 2, GFP_KERNEL), "no");
    expect_text(kasprintf(GFP_KERNEL, "%s-%d/%08x", "eth", 17, 0xbeefu), "eth-17/0000beef");
    s = kasprintf(GFP_KERNEL, "%5000d", 1);
    assert_int_equal(strlen(s), 5000);
    kfree(s);
    assert_string_equal(fixed, "constant");
    kfree_const(fixed);
}

static void test_copies(void **state)
{
    static const int numbers[] = {1, 2, 3, 4};
    int *copy = kmemdup(numbers, sizeof(numbers), GFP_KERNEL);

    (void)state;
    assert_memory_equal(copy, numbers, sizeof(numbers));
    kfree(copy);
    copy = kmemdup_array(numbers, 4, sizeof(int), GFP_KERNEL);
    assert_memory_equal(copy, numbers, sizeof(numbers));
    kfree(copy);
    assert_null(kmemdup_array(numbers, SIZE_MAX, 4, GFP_KERNEL));
    copy = kvmemdup(numbers, 8, GFP_KERNEL);
    assert_memory_equal(copy, numbers, 8);
    kvfree(copy);
}

static void test_flags(void **state)
{
    (void)state;
    assert_true(gfpflags_allow_blocking(GFP_KERNEL) && gfpflags_allow_blocking(GFP_NOFS));
    assert_false(gfpflags_allow_blocking(GFP_ATOMIC) || gfpflags_allow_blocking(GFP_NOWAIT));
    assert_true(GFP_NOWAIT & __GFP_NOWARN);
}

static void test_one_type(void **state)
{
    struct malloc_type_stats now;
    void *p = kmalloc(1000, GFP_KERNEL);

    (void)state;
    malloc_type_stats(M_LINUX, &now);
    assert_string_equal(now.name, "linux");
    assert_int_equal(now.inuse - before.inuse, 1);
    assert_int_equal(now.memuse - before.memuse, (int64_t)ksize(p));
    kfree(p);
}

#define COUNTED(test) cmocka_unit_test_setup_teardown(test, note, all_freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(test_sizes),
        COUNTED(test_powers_of_two_are_aligned_to_themselves),
        COUNTED(test_nothing),
        COUNTED(test_arrays),
        COUNTED(test_resize_keeps_zero),
        COUNTED(test_resize_keeps_contents),
        COUNTED(test_virtual),
        COUNTED(test_by_type),
        COUNTED(test_text),
        COUNTED(test_copies),
        COUNTED(test_flags),
        COUNTED(test_one_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
