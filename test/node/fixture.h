/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the tests of node share: a node's state over a geometry, arrays with objects that
 *       are numbers.
 */
#ifndef SLABKIT_TEST_NODE_FIXTURE_H
#define SLABKIT_TEST_NODE_FIXTURE_H

#include "../slab/fixture.h"
#include "node/node.h"

static struct slab_geom node_geom;
static struct node_cache node;

/* Every figure from nothing; nothing that a test before left is given back. */
static inline void node_start(size_t size, size_t depot_bytes)
{
    slab_geom_init(&node_geom, "node", size, 8, KIND);
    node_init(&node, &node_geom, 1,
              &(struct node_limits){.depot_bytes = depot_bytes, .total_bytes = SIZE_MAX / 2});
}

/* An array of the node's capacity, full of `mark`. */
static inline struct parray *full_array(uintptr_t mark)
{
    struct parray *pa = parray_make(node.nd_cap);

    assert_non_null(pa);
    for (pa->pa_avail = 0; pa->pa_avail < pa->pa_cap; pa->pa_avail++)
        pa->pa_a[1 + pa->pa_avail] = (void *)(mark << 16);
    return pa;
}

static inline uintptr_t mark_of(const struct parray *pa)
{
    return (uintptr_t)pa->pa_a[1] >> 16;
}

static inline unsigned list_length(const struct list *head)
{
    const struct list *l;
    unsigned n = 0;

    list_for_each (l, head)
        n++;
    return n;
}

/* Bytes of the objects that the arrays in the depot have room for. */
static inline size_t depot_bytes(void)
{
    const struct list *l;
    size_t bytes = 0;

    list_for_each (l, &node.nd_full)
        bytes += (size_t)SK_CONTAINER_OF(l, struct parray, pa_link)->pa_cap * node_geom.size;
    return bytes;
}

/* Every count is the length of its list; every slab says where it is. */
static inline bool node_sound(void)
{
    const struct list *l;
    bool ok = node.nd_nfull == list_length(&node.nd_full) &&
              node.nd_nempty == list_length(&node.nd_empty) &&
              node.nd_norphans == list_length(&node.nd_orphans) &&
              node.nd_nidle == list_length(&node.nd_idle) && node.nd_full_low <= node.nd_nfull &&
              node.nd_idle_low <= node.nd_nidle;

    list_for_each (l, &node.nd_orphans) {
        const struct slab *s = SK_CONTAINER_OF(l, struct slab, sl_link);
        ok &= s->sl_state == SLAB_ORPHAN && s->sl_owner == SLAB_NO_OWNER && slab_verify(s);
    }
    list_for_each (l, &node.nd_idle) {
        const struct slab *s = SK_CONTAINER_OF(l, struct slab, sl_link);
        ok &= s->sl_state == SLAB_IDLE && s->sl_inuse == 0 && s->sl_owner == SLAB_NO_OWNER &&
              slab_verify(s);
    }
    return ok;
}

#endif
