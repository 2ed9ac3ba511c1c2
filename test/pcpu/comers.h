/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what tests of caches that come and go share: making, using and ending one, and a thread that walks them all.
 */
#ifndef SLABKIT_TEST_PCPU_COMERS_H
#define SLABKIT_TEST_PCPU_COMERS_H

#include "fixture.h"

#define OBJS 3000u

static void *objs[OBJS];

static inline struct pcpu_cache *make(size_t size, enum pcpu_mode mode)
{
    struct pcpu_cache *c = calloc(1, sizeof(*c));

    slab_geom_init(&c->pc_geom, "guest", size, 8, 0);
    c->pc_mode = mode;
    assert_true(pcpu_cache_open(c));
    assert_true(c->pc_geom.kind >= PCPU_DYNAMIC_FIRST);
    return c;
}

static inline void end(struct pcpu_cache *c)
{
    pcpu_cache_hide(c);
    drain(c);
    assert_int_equal(pcpu_objs_out(c), 0);
    assert_int_equal(SUM_OVER_NODES(c, nd_slabs), 0);
    plat_enter();
    pcpu_cache_close(c);
    plat_leave();
    free(c);
}

static inline void use(struct pcpu_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        objs[i] = cache_alloc(c);
        assert_non_null(objs[i]);
        stamp_object(objs[i], c->pc_geom.size, i);
    }
    for (unsigned i = 0; i < n; i++) {
        assert_true(stamp_holds(objs[i], c->pc_geom.size, i));
        cache_free(c, objs[i]);
    }
}

static bool over;

static inline void fault_is_one(const struct pcpu_cache *c, const char *what)
{
    print_fault(c, what);
    sk_store_relaxed(&over, true);
}

static inline void *walker(void *arg)
{
    struct pcpu_cache *c;
    unsigned idx;

    (void)arg;
    while (!sk_load_relaxed(&over)) {
        plat_enter();
        pcpu_reap();
        pcpu_idle_bytes();
        pcpu_drain_all();
        pcpu_for_each(c, idx) pcpu_verify(c, fault_is_one);
        plat_leave();
    }
    return NULL;
}

#endif
