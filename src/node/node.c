/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabs that belong to no running slot, and making and unmaking slabs. See node.h.
 * Below: slab, region.
 */
#include "node/node.h"

#define NODE_IDLE_BYTES (64u << 10) /* idle slabs kept */

SK_START void node_init(struct node_cache *nd, const struct slab_geom *g, unsigned node,
                        const struct node_limits *limits)
{
    static const struct node_tuning automatic;

    *nd = (struct node_cache){.nd_geom = g, .nd_node = node};
    list_init(&nd->nd_full);
    list_init(&nd->nd_empty);
    list_init(&nd->nd_orphans);
    list_init(&nd->nd_idle);
    list_init(&nd->nd_all);
    nd->nd_colour_next = g->kind + node;
    nd->nd_depot_bytes = limits->depot_bytes;
    nd->nd_total_bytes = node_group_budget(node_group_of(g), limits->total_bytes);
    nd->nd_idle_limit = (uint32_t)sk_max(NODE_IDLE_BYTES / (g->pages * PLAT_PAGE_BYTES), 1);
    node_tune(nd, &automatic);
    nd->nd_resizes = 0;
}

static struct slab *slab_of(struct list *l)
{
    return SK_CONTAINER_OF(l, struct slab, sl_link);
}

struct slab *node_adopt(struct node_cache *nd, struct list *list, unsigned slot)
{
    struct slab *s = NULL;

    if (sk_load_relaxed(&nd->nd_norphans) + sk_load_relaxed(&nd->nd_nidle) == 0)
        return NULL;
    plat_lock(&nd->nd_lock);
    if (!list_empty(&nd->nd_orphans)) {
        s = slab_of(nd->nd_orphans.next);
        slab_orphan_to_partial(s, list, slot);
        sk_store_relaxed(&nd->nd_norphans, nd->nd_norphans - 1);
        nd->nd_adoptions++;
    } else if (!list_empty(&nd->nd_idle)) {
        s = slab_of(nd->nd_idle.next);
        slab_idle_to_partial(s, list, slot);
        sk_store_relaxed(&nd->nd_nidle, nd->nd_nidle - 1);
        nd->nd_idle_low = (uint32_t)sk_min(nd->nd_idle_low, nd->nd_nidle);
    }
    plat_unlock(&nd->nd_lock);
    return s;
}

void node_orphan(struct node_cache *nd, struct slab *s)
{
    plat_lock(&nd->nd_lock);
    slab_partial_to_orphan(s, &nd->nd_orphans);
    sk_store_relaxed(&nd->nd_norphans, nd->nd_norphans + 1);
    plat_unlock(&nd->nd_lock);
}

bool node_keep_idle(struct node_cache *nd, struct slab *s)
{
    bool keep;

    plat_lock(&nd->nd_lock);
    keep = nd->nd_nidle < nd->nd_idle_limit || plat_refusing();
    if (keep) {
        slab_partial_to_idle(s, &nd->nd_idle);
        sk_store_relaxed(&nd->nd_nidle, nd->nd_nidle + 1);
    }
    plat_unlock(&nd->nd_lock);
    return keep;
}

SK_COLD struct slab *node_reap_idle(struct node_cache *nd, bool all)
{
    struct slab *s = NULL;

    plat_lock(&nd->nd_lock);
    if (all ? nd->nd_nidle : nd->nd_idle_low) {
        s = slab_of(nd->nd_idle.prev);
        list_del(&s->sl_link);
        nd->nd_reaped++;
        sk_store_relaxed(&nd->nd_nidle, nd->nd_nidle - 1);
        nd->nd_idle_low = (uint32_t)sk_min(nd->nd_idle_low - !all, nd->nd_nidle);
    }
    plat_unlock(&nd->nd_lock);
    return s;
}

SK_COLD void node_settle_orphans(struct node_cache *nd)
{
    struct list *l, *tmp;

    plat_lock(&nd->nd_lock);
    list_for_each_safe (l, tmp, &nd->nd_orphans) {
        struct slab *s = slab_of(l);

        slab_collect(s);
        if (s->sl_inuse == 0) {
            slab_orphan_to_idle(s, &nd->nd_idle);
            sk_store_relaxed(&nd->nd_norphans, nd->nd_norphans - 1);
            sk_store_relaxed(&nd->nd_nidle, nd->nd_nidle + 1);
        }
    }
    plat_unlock(&nd->nd_lock);
}

static unsigned next_colour(struct node_cache *nd)
{
    unsigned colour;

    plat_lock(&nd->nd_lock);
    colour = nd->nd_colour_next++;
    plat_unlock(&nd->nd_lock);
    return colour;
}

/* With its objects made. */
static struct slab *grow_slab(struct node_cache *nd, void *run, unsigned slot)
{
    const struct slab_hooks *hooks = nd->nd_geom->hooks;
    struct slab *s = slab_make(nd->nd_geom, run, next_colour(nd), nd->nd_node, slot);

    if (!s) {
        region_free(run, nd->nd_geom->pages);
        return NULL;
    }
    if (hooks && hooks->made && !hooks->made(s)) {
        slab_unmake(s);
        return NULL;
    }
    return s;
}

SK_START struct slab *node_grow(struct node_cache *nd, unsigned slot)
{
    bool zeroed;
    void *run = region_alloc(nd->nd_geom->pages, nd->nd_geom->run_align, &zeroed);
    struct slab *s;

    if (!run)
        return NULL;
    if (plat_nnodes() > 1)
        region_place(run, nd->nd_geom->pages, nd->nd_node, zeroed);
    s = grow_slab(nd, run, slot);
    if (!s)
        return NULL;
    plat_lock(&nd->nd_lock);
    list_push(&nd->nd_all, &s->sl_all);
    nd->nd_slabs++;
    nd->nd_grows++;
    plat_unlock(&nd->nd_lock);
    return s;
}

SK_COLD bool node_unmake(struct node_cache *nd, struct slab *s)
{
    plat_lock(&nd->nd_lock);
    list_del(&s->sl_all);
    nd->nd_slabs--;
    nd->nd_shrinks++;
    plat_unlock(&nd->nd_lock);
    return slab_unmake(s);
}

SK_COLD bool node_shrink(struct node_cache *nd, struct slab *s)
{
    const struct slab_hooks *hooks = nd->nd_geom->hooks;

    if (hooks && hooks->unmade && !hooks->unmade(s))
        return false;
    return node_unmake(nd, s);
}
