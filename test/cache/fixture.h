/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the tests of caches share: the layers below in the mode argv[1] names, and objects whose constructions
 *       are counted and whose state is checked.
 */
#ifndef SLABKIT_TEST_CACHE_FIXTURE_H
#define SLABKIT_TEST_CACHE_FIXTURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../slab/fixture.h"
#include "cache/cache.h"

#include <pthread.h>
#include <sched.h>

/* ---- the world ------------------------------------------------------------------ */

static unsigned pokes;

static inline void count_poke(void)
{
    sk_add_relaxed(&pokes, 1);
}

static inline bool pin(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0;
}

/* argv[1]: a mode, or nothing: what plat chooses; a kernel has one only. The main thread stays on a slot. */
static inline void start_nodes(int argc, char **argv, unsigned nodes)
{
    struct plat_config cfg = {PLAT_MODE_NONE, nodes};
    struct pcpu_limits limits = {(size_t)1 << 20, (size_t)256 << 10, (size_t)1 << 20};
    struct kmem_hooks hooks = {count_poke};
    enum plat_mode mode;

    for (int m = PLAT_MODE_RSEQ_CID; argc > 1 && m <= PLAT_MODE_PORTABLE; m++)
        if (strcmp(argv[1], plat_mode_name((enum plat_mode)m)) == 0)
            cfg.force = (enum plat_mode)m;
    mode = plat_init(&cfg);
    printf("mode %s (%s), %u slots, %u nodes\n", plat_mode_name(mode), plat_mode_reason(),
           plat_nslots(), plat_nnodes());
    fflush(stdout);
    if (cfg.force != PLAT_MODE_NONE && mode != cfg.force && mode != PLAT_MODE_KERNEL)
        exit(TEST_SKIPPED);
    region_init(&test_region);
    if (!region_map.npages || !pcpu_init(&limits))
        exit(1);
    kmem_init(&hooks, false);
    pin(0);
    kmem_cache_destroy(kmem_create("first", 64, NULL));
}

static inline void start(int argc, char **argv)
{
    start_nodes(argc, argv, 0);
}

/* On another thread, and where there are several CPUs on another slot. */
static inline void on_another_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    pthread_join(thread, NULL);
}

/* What ctl does around a fork, for the layers that are here. */
static inline void fork_begins(void)
{
    plat_enter();
    kmem_fork_prepare();
    pcpu_fork_prepare();
    region_fork_prepare();
    meta_fork_prepare();
    plat_fork_prepare();
}

static inline void fork_ends(bool in_child)
{
    in_child ? plat_fork_child() : plat_fork_parent();
    in_child ? meta_fork_child() : meta_fork_parent();
    in_child ? region_fork_child() : region_fork_parent();
    in_child ? pcpu_fork_child() : pcpu_fork_parent();
    in_child ? kmem_fork_child() : kmem_fork_parent();
    plat_leave();
}

static inline struct kmem_cache_stats stats(struct kmem_cache *c)
{
    struct kmem_cache_stats s;

    assert_int_equal(kmem_cache_get_stats(c, &s), 0);
    return s;
}

static inline uint64_t live(struct kmem_cache *c)
{
    return stats(c).live;
}

/* What a cache leaves when it is gone: nothing. Only the cache of caches may have come to another slot. */
struct balance {
    size_t used, meta;
};

static inline struct balance balance_now(void)
{
    kmem_cache_reap();
    return (struct balance){used_bytes(), meta_used_bytes()};
}

#define expect_balance(before)                                                                     \
    do {                                                                                           \
        struct balance now_ = balance_now();                                                       \
        assert_int_equal(now_.used, (before).used);                                                \
        assert_in_range(now_.meta, (before).meta,                                                  \
                        (before).meta + plat_nslots() * sizeof(struct slot_cache));                \
        assert_true(region_verify());                                                              \
    } while (0)

/* ---- counted objects ------------------------------------------------------------ */

#define CTOR_MARK  0x636f6e7374727563ull
#define COUNT_DEAD 0xdeadull

/* What a constructor leaves, and a program keeps as it is. */
struct counted {
    uint64_t mark;
    struct counted *self;
    unsigned constructed; /* of this object, since its slab was made */
    unsigned serial;      /* the program's: how often it was allocated */
};

static struct counts {
    unsigned ctors, dtors; /* atomic */
    unsigned fail_at;      /* the n-th construction from now fails; 0: none */
    int error;
    unsigned bad; /* atomic: destructors that found no constructed object */
} counts;

static inline int count_ctor(void *obj, void *priv, int flags)
{
    struct counted *o = obj;

    (void)flags;
    if (priv != &counts)
        return EFAULT;
    if (counts.fail_at && --counts.fail_at == 0)
        return counts.error;
    sk_add_relaxed(&counts.ctors, 1);
    *o = (struct counted){.mark = CTOR_MARK, .self = o, .constructed = 1};
    return 0;
}

static inline bool is_constructed(const struct counted *o)
{
    return o->mark == CTOR_MARK && o->self == o && o->constructed == 1;
}

static inline void count_dtor(void *obj, void *priv)
{
    struct counted *o = obj;

    sk_add_relaxed(&counts.bad, !is_constructed(o) || priv != &counts);
    sk_add_relaxed(&counts.dtors, 1);
    o->mark = COUNT_DEAD;
}

static inline struct kmem_cache *counted_cache(size_t size, unsigned flags)
{
    struct kmem_cache_args args = {
        .ctor = count_ctor, .dtor = count_dtor, .priv = &counts, .flags = flags};

    counts = (struct counts){0};
    return kmem_create("counted", size, &args);
}

#endif
