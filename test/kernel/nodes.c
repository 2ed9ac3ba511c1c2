/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a machine with several nodes, as its firmware says: each has CPUs and a zone of frames; memory
 *       comes from the CPU's own node while that has some, then from the others; objects freed on another
 *       node go home.
 *       usage: nodes COUNT
 */
#include "engine.h"

#define MANY 4000u

static unsigned count;
static void *objs[MANY];

static unsigned cpu_of(unsigned node)
{
    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        if (plat_slot_node(cpu) == node)
            return cpu;
    fail_msg("no CPU on node %u", node);
    return 0;
}

static void run_on(unsigned cpu, void (*fn)(void *))
{
    if (cpu == 0) {
        fn(NULL);
        return;
    }
    assert_true(cpu_run_on(cpu, fn, NULL));
    while (!cpu_is_idle(cpu))
        cpu_rest();
}

static void test_machine(void **state)
{
    unsigned cpus = 0;

    (void)state;
    assert_int_equal(plat_nnodes(), count);
    for (unsigned node = 0; node < count; node++) {
        cpu_of(node);
        assert_true(kern64_frames_free_bytes(node) > 8 * MIB);
        for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
            cpus += plat_slot_node(cpu) == node;
    }
    assert_int_equal(cpus, plat_nslots());
}

/* ---- frames ---------------------------------------------------------------------------------------------- */

static char *mapped;
static size_t bytes_to_map;

static void map_some(void *arg)
{
    (void)arg;
    mapped = plat_map(bytes_to_map, PLAT_PAGE_BYTES);
}

static void test_frames_of_the_own_node_first(void **state)
{
    (void)state;
    for (unsigned node = 0; node < count; node++) {
        size_t before[PLAT_NODES_MAX];

        for (unsigned n = 0; n < count; n++)
            before[n] = kern64_frames_free_bytes(n);
        bytes_to_map = 2 * MIB;
        run_on(cpu_of(node), map_some);
        assert_non_null(mapped);
        for (unsigned n = 0; n < count; n++)
            if (n == node)
                assert_true(kern64_frames_free_bytes(n) <= before[n] - 2 * MIB);
            else
                assert_int_equal(kern64_frames_free_bytes(n), before[n]);
        plat_release(mapped, bytes_to_map);
    }
}

static void test_then_of_the_others(void **state)
{
    size_t all = kern64_frames_free_bytes(KERN64_ALL_NODES);

    (void)state;
    bytes_to_map = sk_align_down(kern64_frames_free_bytes(count - 1) + 4 * MIB, PLAT_PAGE_BYTES);
    run_on(cpu_of(count - 1), map_some);
    assert_non_null(mapped);
    assert_int_equal(kern64_frames_free_bytes(count - 1), 0);
    plat_release(mapped, bytes_to_map);
    assert_true(kern64_frames_free_bytes(KERN64_ALL_NODES) + MIB > all);
    assert_true(kern64_frames_verify());
}

/* ---- objects ---------------------------------------------------------------------------------------------- */

static void take(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < MANY; i++)
        objs[i] = km_alloc(200);
}

static void give(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < MANY; i++)
        km_free(objs[i]);
}

static void test_objects_go_home(void **state)
{
    struct pcpu_cache *c = pcpu_cache_at(km_class(200));
    unsigned from = cpu_of(0), to = cpu_of(count - 1), others = 0;

    (void)state;
    run_on(from, take);
    for (unsigned i = 0; i < MANY; i++) {
        assert_non_null(objs[i]);
        assert_int_equal(region_info(objs[i])->slab->sl_node, 0);
        assert_int_equal(kern64_node_of(objs[i]), 0);
    }
    run_on(to, give);
    run_on(to, take);
    for (unsigned i = 0; i < MANY; i++) {
        struct slab *s = region_info(objs[i])->slab;

        assert_int_equal(kern64_node_of(objs[i]), s->sl_node);
        others += s->sl_node == count - 1;
    }
    assert_true(others > MANY / 2);
    run_on(from, give);
    run_on(from, take);
    run_on(to, give);
    assert_true(pcpu_slot_cache(to, c->pc_geom.kind)->sc_remote_objs > MANY / 2);
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine),
        cmocka_unit_test(test_frames_of_the_own_node_first),
        cmocka_unit_test(test_then_of_the_others),
        cmocka_unit_test(test_objects_go_home),
    };

    count = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    start_engine(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
