/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: copies the engine's figures into struct slabkit_snapshot.
 * Below: all layers below, by their counters.
 * Concurrency: reads while the program runs; see slabkit.h for what that means.
 */
#include "ctl/start.h"
#include "ctl/system.h"
#include "region/meta.h"
#include <slabkit/slabkit.h>

#include <string.h>
#include <unistd.h>

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void copy_name(char *out, size_t bytes, const char *name)
{
    size_t n = 0;

    for (; name[n] && n < bytes - 1; n++)
        out[n] = name[n];
    out[n] = 0;
}

static void add_slot(struct slabkit_class *k, struct slot_cache *sc)
{
    k->allocs += slot_cache_pops(sc) + sk_load_relaxed(&sc->sc_alloc_passed);
    k->alloc_misses += sk_load_relaxed(&sc->sc_alloc_misses);
    k->free_misses += sk_load_relaxed(&sc->sc_free_misses);
    k->refills += sk_load_relaxed(&sc->sc_refills);
    k->refill_objs += sk_load_relaxed(&sc->sc_refill_objs);
    k->flushes += sk_load_relaxed(&sc->sc_flushes);
    k->flush_objs += sk_load_relaxed(&sc->sc_flush_objs);
    k->remote_objs += sk_load_relaxed(&sc->sc_remote_objs);
    k->remote_chains += sk_load_relaxed(&sc->sc_remote_chains);
    k->tells += sk_load_relaxed(&sc->sc_tells);
    plat_lock(&sc->sc_lock);
    for (enum side side = 0; side < SIDES; side++)
        if (sc->sc_array[side] && sc->sc_array[side]->pa_cap > k->array_limit)
            k->array_limit = sc->sc_array[side]->pa_cap;
    k->slabs_partial += sc->sc_npartial;
    plat_unlock(&sc->sc_lock);
}

static void add_node(struct slabkit_class *k, struct node_cache *nd)
{
    plat_lock(&nd->nd_lock);
    k->slabs += nd->nd_slabs;
    k->slabs_partial += nd->nd_norphans;
    k->slabs_free += nd->nd_nidle;
    k->depot_gets += nd->nd_depot_gets;
    k->depot_puts += nd->nd_depot_puts;
    k->grows += nd->nd_grows;
    k->shrinks += nd->nd_shrinks;
    k->adoptions += nd->nd_adoptions;
    k->array_resizes += nd->nd_resizes;
    plat_unlock(&nd->nd_lock);
}

static void derive(struct slabkit_class *k, struct pcpu_cache *c)
{
    uint64_t out;

    pcpu_count_free(c, &k->array_objs, &k->depot_objs);
    out = minus(k->refill_objs, k->flush_objs);
    k->live_objs = minus(out, k->array_objs + k->depot_objs);
    k->slab_free_objs = minus(k->slabs * k->slab_objs, out);
    k->slabs_away = minus(k->slabs, k->slabs_partial + k->slabs_free);
    k->failures = sk_load_relaxed(&c->pc_failures);
}

static void fill_class(struct slabkit_class *k, struct pcpu_cache *c)
{
    const struct slab_geom *g = &c->pc_geom;

    copy_name(k->name, sizeof(k->name), g->name);
    k->object_bytes = g->size;
    k->slab_bytes = (uint32_t)(g->pages * PLAT_PAGE_BYTES);
    k->slab_objs = g->objs;
    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        struct slot_cache *sc = pcpu_slot_cache(slot, g->kind);

        if (sc)
            add_slot(k, sc);
    }
    for (unsigned node = 0; node < plat_nnodes(); node++) {
        struct node_cache *nd = sk_load_acquire(&c->pc_node[node]);

        if (nd)
            add_node(k, nd);
    }
    derive(k, c);
}

static void fill_region(struct slabkit_snapshot *out)
{
    struct region_stats r;

    region_get_stats(&r);
    out->peak_bytes = r.peak_bytes;
    out->mapped_bytes = r.used_bytes + r.dirty_bytes + r.huge_bytes;
    out->dirty_bytes = r.dirty_bytes;
    out->returned_bytes = r.returned_bytes;
    out->reserved_bytes = r.reserved_bytes;
    out->huge_bytes = r.huge_bytes;
    out->huge_live = r.huge_blocks;
    out->trims = r.trims;
    out->meta_bytes = meta_used_bytes();
}

static void fill_blocks(struct slabkit_snapshot *out)
{
    struct km_stats k;

    km_get_stats(&k);
    out->large_allocs = k.large_allocs;
    out->large_frees = k.large_frees;
    out->large_live = minus(k.large_allocs, k.large_frees);
    out->large_bytes = k.large_bytes;
    out->huge_allocs = k.huge_allocs;
    out->huge_frees = k.huge_frees;
    out->nested_allocs = k.nested_allocs;
    out->deferred_frees = k.deferred_frees;
}

static void fill_process(struct slabkit_snapshot *out)
{
    out->pid = getpid();
    out->ppid = getppid();
    system_process_name(out->process, sizeof(out->process));
    copy_name(out->slots_mode, sizeof(out->slots_mode), plat_mode_name(plat_mode()));
    copy_name(out->slots_reason, sizeof(out->slots_reason), plat_mode_reason());
    out->slots = plat_nslots();
    out->nodes = plat_nnodes();
    out->allocs_exact = 1;
    out->reaper = ctl_reaper_runs();
    out->reaps = ctl_reaps();
}

static void fill_classes(struct slabkit_snapshot *out)
{
    struct pcpu_cache *c;
    unsigned idx;

    pcpu_for_each(c, idx)
    {
        struct slabkit_class *k = &out->class_[out->classes];

        if (out->classes == SLABKIT_SNAPSHOT_CLASSES) {
            pcpu_unpin(c);
            break;
        }
        fill_class(k, c);
        out->live_bytes += k->live_objs * k->object_bytes;
        out->array_bytes += (k->array_objs + k->depot_objs) * k->object_bytes;
        out->classes++;
    }
}

SK_EXPORT int slabkit_snapshot(struct slabkit_snapshot *out)
{
    memset(out, 0, sizeof(*out));
    out->version = SLABKIT_SNAPSHOT_VERSION;
    out->bytes = sizeof(*out);
    if (!km_started() || !plat_enter())
        return -1;
    fill_process(out);
    fill_region(out);
    fill_blocks(out);
    fill_classes(out);
    out->live_bytes += out->large_bytes + out->huge_bytes;
    plat_leave();
    return 0;
}

SK_EXPORT size_t slabkit_trim(size_t keep_bytes)
{
    return ctl_start() ? km_trim(keep_bytes) : 0;
}

SK_EXPORT void slabkit_fail_after(unsigned n, int sticky)
{
    plat_fail_after(n, sticky != 0);
}
