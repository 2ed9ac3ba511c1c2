/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the tests of pcpu share: the world below in the mode argv[1] names, a few caches,
 *       alloc and free as a layer above does them, and the equation that must hold whenever
 *       nobody works.
 */
#ifndef SLABKIT_TEST_PCPU_FIXTURE_H
#define SLABKIT_TEST_PCPU_FIXTURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../slab/fixture.h"
#include "pcpu/hit.h"
#include "pcpu/internal.h"

#include <pthread.h>
#include <sched.h>

#define CACHES       6u
#define DEPOT_BUDGET ((size_t)256 << 10)

#ifndef DEPOTS_BUDGET
#define DEPOTS_BUDGET (4 * DEPOT_BUDGET)
#endif

#ifndef ARRAY_BUDGET
#define ARRAY_BUDGET ((size_t)1 << 20)
#endif

static const size_t cache_sizes[CACHES] = {16, 64, 208, 1024, 5000, 32768};
static struct pcpu_cache caches[CACHES];

/* ---- the world ------------------------------------------------------------------ */

static inline struct plat_config mode_wanted(int argc, char **argv)
{
    struct plat_config cfg = {PLAT_MODE_NONE, 0};

    for (int m = PLAT_MODE_RSEQ_CID; argc > 1 && m <= PLAT_MODE_PORTABLE; m++)
        if (strcmp(argv[1], plat_mode_name((enum plat_mode)m)) == 0)
            cfg.force = (enum plat_mode)m;
    return cfg;
}

static inline void start_mode(struct plat_config cfg)
{
    enum plat_mode mode = plat_init(&cfg);

    printf("mode %s (%s), %u slots, %u nodes\n", plat_mode_name(mode), plat_mode_reason(),
           plat_nslots(), plat_nnodes());
    fflush(stdout);
    if (cfg.force != PLAT_MODE_NONE && mode != cfg.force)
        exit(TEST_SKIPPED);
}

static inline bool start_caches(size_t depot_bytes)
{
    struct pcpu_limits limits = {
        .array_bytes = ARRAY_BUDGET, .depot_bytes = depot_bytes, .depots_bytes = DEPOTS_BUDGET};

    region_init(&test_region);
    if (!pcpu_init(&limits))
        return false;
    for (unsigned i = 0; i < CACHES; i++)
        pcpu_cache_init(&caches[i], "cache", cache_sizes[i], 8, (uint16_t)(i + 1));
    return true;
}

static inline void start(int argc, char **argv, unsigned nodes, size_t depot_bytes)
{
    struct plat_config cfg = mode_wanted(argc, argv);

    cfg.nodes = nodes;
    start_mode(cfg);
    if (!start_caches(depot_bytes))
        exit(1);
}

/* The calling thread stays on one CPU, which in every mode keeps a lone thread on one slot. */
static inline bool pin(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0;
}

/* ---- alloc and free ------------------------------------------------------------- */

static inline void *cache_alloc(struct pcpu_cache *c)
{
    void *p = pcpu_alloc_hit(c->pc_geom.kind);

    if (!p && plat_enter()) {
        p = pcpu_alloc_slow(c);
        plat_leave();
    }
    return p;
}

static inline void cache_free(struct pcpu_cache *c, void *p)
{
    if (pcpu_free_hit(p))
        return;
    plat_enter();
    pcpu_free_slow(c, p);
    plat_leave();
}

static inline bool reap(void)
{
    bool some;

    plat_enter();
    some = pcpu_reap();
    plat_leave();
    return some;
}

static inline void drain(struct pcpu_cache *c)
{
    plat_enter();
    pcpu_drain(c);
    plat_leave();
}

static inline void drain_all(void)
{
    plat_enter();
    pcpu_drain_all();
    plat_leave();
}

/* ---- what must hold at rest ----------------------------------------------------- */

static inline void print_fault(const struct pcpu_cache *c, const char *what)
{
    print_error("%s of %u bytes: %s\n", c->pc_geom.name, c->pc_geom.size, what);
}

static inline uint64_t in_arrays(struct pcpu_cache *c)
{
    uint64_t arrays, depots;

    pcpu_count_free(c, &arrays, &depots);
    return arrays;
}

static inline uint64_t in_depots(struct pcpu_cache *c)
{
    uint64_t arrays, depots;

    pcpu_count_free(c, &arrays, &depots);
    return depots;
}

static inline bool at_rest(struct pcpu_cache *c, uint64_t live)
{
    return pcpu_verify(c, print_fault) == 0 &&
           pcpu_objs_out(c) == live + in_arrays(c) + in_depots(c);
}

/* Sum of a figure over the slots of a cache. */
#define SUM_OVER_SLOTS(c, field)                                                                   \
    ({                                                                                             \
        uint64_t sum_ = 0;                                                                         \
        for (unsigned slot_ = 0; slot_ < plat_nslots(); slot_++) {                                 \
            struct slot_cache *sc_ = pcpu_slot_cache(slot_, (c)->pc_geom.kind);                    \
            sum_ += sc_ ? sc_->field : 0;                                                          \
        }                                                                                          \
        sum_;                                                                                      \
    })

#define SUM_OVER_NODES(c, field)                                                                   \
    ({                                                                                             \
        uint64_t sum_ = 0;                                                                         \
        for (unsigned node_ = 0; node_ < plat_nnodes(); node_++)                                   \
            sum_ += (c)->pc_node[node_] ? (c)->pc_node[node_]->field : 0;                          \
        sum_;                                                                                      \
    })

/* With nothing live a drain leaves nothing: no object, no slab, no page. */
static inline void expect_empty(void)
{
    drain_all();
    for (unsigned i = 0; i < CACHES; i++) {
        assert_true(at_rest(&caches[i], 0));
        assert_int_equal(pcpu_objs_out(&caches[i]), 0);
        assert_int_equal(SUM_OVER_NODES(&caches[i], nd_slabs), 0);
    }
    assert_int_equal(used_bytes(), 0);
    assert_true(region_verify());
}

static inline int empty_again(void **state)
{
    (void)state;
    drain_all();
    return used_bytes() == 0 ? 0 : -1;
}

/* ---- stamps --------------------------------------------------------------------- */

/* Fills an object with a value that nobody else uses; check says whether it is still so. */
static inline void stamp_object(void *p, size_t size, uint64_t v)
{
    uint64_t *word = p;

    for (size_t i = 0; i < size / 8; i++)
        word[i] = v ^ (uint64_t)(uintptr_t)&word[i];
}

static inline bool stamp_holds(const void *p, size_t size, uint64_t v)
{
    const uint64_t *word = p;

    for (size_t i = 0; i < size / 8; i++)
        if (word[i] != (v ^ (uint64_t)(uintptr_t)&word[i]))
            return false;
    return true;
}

#endif
