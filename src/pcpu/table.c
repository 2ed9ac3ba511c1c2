/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the table of caches and of (slot, cache) pairs, and the budget of each slot.
 * Below: node, region's metadata.
 * Owns: pcpu_table: the caches, the pair table (address space for nslots * PLAT_SLOT_ARRAYS pointers,
 *       touched as used), slot budgets.
 * Concurrency: entries are set under pcpu_table.lock, with release; read with acquire. A pair stays
 *       as long as its cache: who uses a cache, or has it pinned, may keep a pointer.
 */
#include "pcpu/internal.h"
#include "region/meta.h"

struct pcpu_table pcpu_table;

SK_START bool pcpu_init(const struct pcpu_limits *limits)
{
    size_t slots = plat_nslots(), page = plat_sys_page_bytes();

    pcpu_table.limits = *limits;
    if (!pcpu_table.budget)
        pcpu_table.budget = meta_alloc(slots * sizeof(*pcpu_table.budget));
    if (!pcpu_table.pairs)
        pcpu_table.pairs = plat_reserve_usable(
            sk_align_up(slots * PLAT_SLOT_ARRAYS * sizeof(*pcpu_table.pairs), page), page);
    if (!pcpu_table.budget || !pcpu_table.pairs)
        return false;
    /* The page of the first slot: one fault, instead of one to read and one to write. */
    sk_store_relaxed(pcpu_pair_at(0, 0), NULL);
    return true;
}

SK_START void pcpu_cache_init(struct pcpu_cache *c, const char *name, size_t size, size_t align,
                              uint16_t idx)
{
    SK_REQUIRE(idx != 0 && idx < PLAT_SLOT_ARRAYS);
    slab_geom_init(&c->pc_geom, name, size, align, idx);
    plat_lock(&pcpu_table.lock);
    sk_store_release(&pcpu_table.caches[idx], c);
    if (idx >= pcpu_table.end)
        sk_store_release(&pcpu_table.end, idx + 1u);
    plat_unlock(&pcpu_table.lock);
}

struct pcpu_cache *pcpu_cache_at(unsigned idx)
{
    return idx < PLAT_SLOT_ARRAYS ? sk_load_acquire(&pcpu_table.caches[idx]) : NULL;
}

unsigned pcpu_cache_end(void)
{
    return sk_load_acquire(&pcpu_table.end);
}

struct slot_cache **pcpu_pair_at(unsigned slot, unsigned idx)
{
    return &pcpu_table.pairs[(size_t)slot * PLAT_SLOT_ARRAYS + idx];
}

struct slot_cache *pcpu_slot_cache(unsigned slot, unsigned idx)
{
    return sk_load_acquire(pcpu_pair_at(slot, idx));
}

SK_START struct slot_cache *pcpu_next_pair(const struct pcpu_cache *c, unsigned *slot)
{
    struct slot_cache *sc = NULL;

    while (!sc && *slot < pcpu_slots_end())
        sc = pcpu_slot_cache((*slot)++, c->pc_geom.kind);
    return sc;
}

SK_COLD struct node_cache *pcpu_next_node(const struct pcpu_cache *c, unsigned *node)
{
    struct node_cache *nd = NULL;

    while (!nd && *node < plat_nnodes())
        nd = sk_load_acquire(&c->pc_node[(*node)++]);
    return nd;
}

static struct node_cache *node_cache_locked(struct pcpu_cache *c, unsigned node,
                                            struct node_cache **spare)
{
    struct node_limits limits = {.depot_bytes = pcpu_table.limits.depot_bytes,
                                 .total_bytes = pcpu_table.limits.depots_bytes};

    if (!c->pc_node[node] && *spare) {
        node_init(*spare, &c->pc_geom, node, &limits);
        node_tune(*spare, &c->pc_tuning);
        sk_store_release(&c->pc_node[node], *spare);
        *spare = NULL;
    }
    return c->pc_node[node];
}

static void pair_init(struct slot_cache *sc, struct pcpu_cache *c, struct node_cache *nd,
                      unsigned slot)
{
    sc->sc_cache = c;
    sc->sc_node = nd;
    sc->sc_slot = slot;
    sc->sc_refill_pops = UINT64_MAX;
    if (c->pc_geom.kind >= PCPU_DYNAMIC_FIRST)
        sc->sc_pops_before = plat_slot_pops(slot, c->pc_geom.kind);
    list_init(&sc->sc_partial);
}

static SK_START struct slot_cache *pair_make(struct pcpu_cache *c, unsigned slot)
{
    struct slot_cache **entry = pcpu_pair_at(slot, c->pc_geom.kind), *sc = meta_alloc(sizeof(*sc));
    struct node_cache *nd, *spare = NULL;
    unsigned node = plat_slot_node(slot);

    if (!sk_load_acquire(&c->pc_node[node]))
        spare = meta_alloc(sizeof(*spare));
    plat_lock(&pcpu_table.lock);
    nd = node_cache_locked(c, node, &spare);
    if (!*entry && sc && nd) {
        pair_init(sc, c, nd, slot);
        sk_store_release(entry, sc);
        sc = NULL;
        if (slot >= pcpu_table.slots_end)
            sk_store_release(&pcpu_table.slots_end, slot + 1);
    }
    plat_unlock(&pcpu_table.lock);
    meta_free(sc, sizeof(*sc));
    meta_free(spare, sizeof(*spare));
    return sk_load_acquire(entry);
}

struct slot_cache *slot_cache_get(struct pcpu_cache *c, unsigned slot)
{
    struct slot_cache *sc = pcpu_slot_cache(slot, c->pc_geom.kind);

    return SK_LIKELY(sc != NULL) ? sc : pair_make(c, slot);
}

/* ---- which slot -------------------------------------------------------------------------------- */

static unsigned first_slot_of(unsigned node)
{
    unsigned slot = 0;

    while (plat_slot_node(slot) != node)
        slot++;
    return slot;
}

unsigned pcpu_slot_for(const struct pcpu_cache *c)
{
    unsigned slot = plat_slot();

    return sk_load_relaxed(&c->pc_mode) == PCPU_DIRECT ? first_slot_of(plat_slot_node(slot)) : slot;
}

unsigned pcpu_slot_from(const struct pcpu_cache *c, const void *p)
{
    return sk_load_relaxed(&c->pc_mode) == PCPU_DIRECT ? PLAT_KIND_SLOT(region_kind(p))
                                                       : plat_slot();
}

void slot_budget_add(unsigned slot, enum node_group group, int64_t bytes)
{
    sk_add_relaxed(&pcpu_table.budget[slot].used[group], bytes);
}

bool slot_budget_allows(unsigned slot, enum node_group group, size_t bytes)
{
    return sk_load_relaxed(&pcpu_table.budget[slot].used[group]) + (int64_t)bytes <=
           (int64_t)node_group_budget(group, pcpu_table.limits.array_bytes);
}

/* ---- fork: every lock of this layer and of node, in one order -------------------------------- */

SK_COLD void pcpu_pair_locks(const struct pcpu_cache *c, void (*fn)(struct plat_lock *l))
{
    struct slot_cache *sc;

    pcpu_for_each_pair (sc, c)
        fn(&sc->sc_lock);
}

SK_COLD void pcpu_node_locks(const struct pcpu_cache *c, void (*fn)(struct plat_lock *l))
{
    struct node_cache *nd;

    pcpu_for_each_node (nd, c)
        fn(&nd->nd_lock);
}

static SK_COLD void for_each_lock(void (*fn)(struct plat_lock *l))
{
    for (unsigned idx = 1; pcpu_table.pairs && idx < pcpu_table.end; idx++)
        if (pcpu_table.caches[idx])
            pcpu_pair_locks(pcpu_table.caches[idx], fn);
    for (unsigned idx = 1; idx < pcpu_table.end; idx++)
        if (pcpu_table.caches[idx])
            pcpu_node_locks(pcpu_table.caches[idx], fn);
}

/* The table's lock is the first and the last: no pair goes in between. */
SK_COLD void pcpu_fork_prepare(void)
{
    plat_lock(&pcpu_table.lock);
    for_each_lock(plat_lock);
}

SK_COLD void pcpu_fork_parent(void)
{
    for_each_lock(plat_unlock);
    plat_unlock(&pcpu_table.lock);
}

/* Who walked or hid a cache is not here any more. */
SK_COLD void pcpu_fork_child(void)
{
    for_each_lock(plat_lock_reset);
    pcpu_table.forked = true;
    for (unsigned idx = 1; idx < pcpu_table.end; idx++)
        if (pcpu_table.caches[idx])
            sk_store_relaxed(&pcpu_table.caches[idx]->pc_pins, 0);
    plat_lock_reset(&pcpu_table.lock);
}
