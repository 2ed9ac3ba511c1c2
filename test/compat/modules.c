/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: drives the sample modules through everything they do, and sees that nothing of them is left.
 */
#include "modules.h"
#include "unit.h"

#include <slabkit/compat/linux/slab.h>

#include <errno.h>

#define FLOWS 5000u

static int no_block_is_left(void **state)
{
    struct malloc_type_stats stats;

    (void)state;
    malloc_type_stats(M_LINUX, &stats);
    return stats.inuse != 0;
}

static int count_caches(struct kmem_cache *c, void *arg)
{
    if (strcmp(kmem_cache_name(c), "flow_cache") == 0)
        ++*(unsigned *)arg;
    return 0;
}

static void test_flows(void **state)
{
    unsigned caches = 0;
    char *text;

    (void)state;
    assert_int_equal(flows_init(1024), 0);
    for (uint32_t round = 1; round <= 3; round++)
        for (uint32_t i = 0; i < FLOWS; i++)
            for (uint32_t n = 0; n < 1 + i % 2; n++)
                assert_int_equal(flows_packet(i, ~i, 100), 0);
    assert_int_equal(flows_count(), FLOWS);
    assert_int_equal(flows_packets(7, ~7u), 6);
    assert_int_equal(flows_packets(8, ~8u), 3);
    assert_int_equal(flows_packets(8, 8), 0);
    text = flows_describe(16, ~16u);
    assert_string_equal(text, "00000010>ffffffef");
    kfree(text);
    assert_int_equal(flows_expire(4), FLOWS / 2);
    /* Objects come back constructed. */
    for (uint32_t i = 0; i < FLOWS; i++)
        assert_int_equal(flows_packet(i, i, 1), 0);
    assert_int_equal(flows_count(), FLOWS + FLOWS / 2);
    flows_exit();
    assert_int_equal(flows_count(), 0);
    kmem_cache_foreach(count_caches, &caches);
    assert_int_equal(caches, 0);
}

static void add_up(void *arg, const void *data, size_t bytes)
{
    assert_true(all_are(data, bytes, (unsigned char)bytes));
    *(size_t *)arg += bytes;
}

static void fill_journal(struct journal *j, size_t n)
{
    unsigned char data[256];

    for (size_t i = 1; i <= n; i++) {
        memset(data, (int)i, i);
        assert_int_equal(journal_write(j, data, i, i % 2), 0);
    }
}

static void test_journal(void **state)
{
    struct journal *j = journal_open("records", 8);
    size_t sum = 0, n = 0;

    (void)state;
    assert_non_null(j);
    fill_journal(j, 200);
    while (journal_commit(j, add_up, &sum))
        n++;
    assert_int_equal(n, 200);
    assert_int_equal(sum, 200 * 201 / 2);
    assert_int_equal(journal_write(j, &sum, 1000, true), -EINVAL);
    fill_journal(j, 10);
    journal_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_flows, no_block_is_left),
        cmocka_unit_test_teardown(test_journal, no_block_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
