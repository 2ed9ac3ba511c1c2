/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slots and slabs' memory on real CPUs and real nodes.
 */
#include "fixture.h"

#include <sys/auxv.h>
#include <sys/syscall.h>

#define AUXV_RSEQ_FEATURE_BYTES 27
#define FEATURE_BYTES_WITH_CID  28

/* ---- who is where ---------------------------------------------------------------------------- */

static void test_counts(void **state)
{
    (void)state;
    assert_int_equal(plat_nslots(), cpus);
    assert_int_equal(plat_nnodes(), nodes);
}

/* As designed: concurrency ids on one node, CPUs on several; with sections that the kernel was seen to abort. */
static void test_mode(void **state)
{
    bool cid = nodes == 1 && getauxval(AUXV_RSEQ_FEATURE_BYTES) >= FEATURE_BYTES_WITH_CID;

    (void)state;
    assert_int_equal(plat_mode(), cid ? PLAT_MODE_RSEQ_CID : PLAT_MODE_RSEQ_CPU);
    assert_string_equal(plat_mode_reason(), "libc's registration");
}

static bool sys_says(unsigned cpu, unsigned node)
{
    char path[96];

    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/node%u", cpu, node);
    return access(path, F_OK) == 0;
}

static void where_job(struct job *job)
{
    unsigned cpu = ~0u, node = ~0u, slot = plat_slot();

    expect(syscall(SYS_getcpu, &cpu, &node, NULL) == 0);
    expect(cpu == job->cpu);
    expect(sys_says(cpu, node));
    expect(slot < plat_nslots());
    if (plat_mode() == PLAT_MODE_RSEQ_CPU)
        expect(slot == cpu && plat_slot_node(slot) == node);
}

static void test_slots_are_where_the_kernel_says(void **state)
{
    (void)state;
    on_all(where_job, &caches[1], 0);
    assert_int_equal(faults, 0);
}

/* The inline primitives hit in a section only: in the portable mode they always miss. */
static void hits_job(struct job *job)
{
    void *p = cache_alloc(job->c);

    for (unsigned i = 0; i < EACH; i++) {
        cache_free(job->c, p);
        p = pcpu_alloc_hit(job->c->pc_geom.kind);
        job->hits += p != NULL;
        if (!p)
            p = cache_alloc(job->c);
    }
    cache_free(job->c, p);
}

static uint64_t pops(const struct pcpu_cache *c)
{
    uint64_t sum = 0;

    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        sum += plat_slot_pops(slot, c->pc_geom.kind);
    return sum;
}

static void test_hits_are_sections(void **state)
{
    struct pcpu_cache *c = &caches[1];
    uint64_t before = pops(c), hits = on_all(hits_job, c, 0);

    (void)state;
    print_message("%llu of %u pairs hit\n", (unsigned long long)hits, cpus * EACH);
    assert_true(hits > (uint64_t)cpus * EACH * 9 / 10);
    assert_true(pops(c) - before >= hits * 9 / 10);
    assert_int_equal(faults, 0);
    expect_empty();
}

/* ---- whose memory ------------------------------------------------------------------------------ */

/* And what is left in the array: then every object that ever left its slab was written to here. */
static void alloc_rest_job(struct job *job)
{
    void *p;

    alloc_job(job);
    while ((p = pcpu_alloc_hit(job->c->pc_geom.kind)) != NULL)
        keep(job, p);
}

/* Objects whose memory the kernel has elsewhere than on the node of their slab. */
static unsigned misplaced(void)
{
    static int where[EACH + PARRAY_CAP_MAX];
    unsigned n = 0;

    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        assert_int_equal(syscall(SYS_move_pages, 0, nobjs[cpu], objs[cpu], NULL, where, 0), 0);
        for (unsigned i = 0; i < nobjs[cpu]; i++)
            n += where[i] != (int)slab_at(objs[cpu][i])->sl_node;
    }
    return n;
}

/* The second time the pages are resident already, on the node of who had them first. */
static void test_memory_is_of_the_slots_node(void **state)
{
    struct pcpu_cache *c = &caches[3];

    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        on_all(alloc_rest_job, c, 0);
        if (plat_mode() == PLAT_MODE_RSEQ_CPU)
            on_all(check_slab_job, c, 0);
        assert_int_equal(faults, 0);
        assert_int_equal(misplaced(), 0);
        on_all(free_job, c, shift_across());
        drain(c);
        assert_int_equal(used_bytes(), 0);
    }
}
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_mode),
        cmocka_unit_test(test_slots_are_where_the_kernel_says),
        cmocka_unit_test(test_hits_are_sections),
        cmocka_unit_test(test_memory_is_of_the_slots_node),
    };

    start_guest(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
