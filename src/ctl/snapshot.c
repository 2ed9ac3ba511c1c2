/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: copies the engine's figures into struct slabkit_snapshot.
 * Below: all layers below, by their counters.
 * Concurrency: reads while the program runs; see slabkit.h for what that means.
 */
#include "ctl/start.h"
#include "ctl/system.h"
#include "ctl/world.h"
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

/* What an object cache has besides; figures that its reserve falsifies are set right. */
static void fill_cache(struct slabkit_class *k, const struct kmem_cache *c)
{
    struct text t;

    text_init(&t, k->ctor, sizeof(k->ctor));
    if (c->kc_ctor)
        world_name_code(&t, (const void *)(uintptr_t)c->kc_ctor);
    text_end(&t);
    k->cache = 1;
    k->size = (uint32_t)c->kc_size;
    k->reserve = sk_load_relaxed(&c->kc_reserve.have);
    k->deferred = sk_load_relaxed(&c->kc_deferred);
    k->live_objs = minus(k->live_objs, k->reserve);
    k->failures = sk_load_relaxed(&c->kc_failures);
}

static void fill_class(struct slabkit_class *k, struct pcpu_cache *c)
{
    const struct slab_geom *g = &c->pc_geom;
    struct pcpu_figures f;

    pcpu_get_figures(c, &f);
    copy_name(k->name, sizeof(k->name), g->name);
    k->object_bytes = g->size;
    k->slab_bytes = (uint32_t)(g->pages * PLAT_PAGE_BYTES);
    k->slab_objs = g->objs;
    k->array_limit = (uint32_t)f.array_limit;
    k->live_objs = f.live_objs;
    k->array_objs = f.array_objs;
    k->depot_objs = f.depot_objs;
    k->slab_free_objs = f.slab_free_objs;
    k->slabs = f.slabs;
    k->slabs_partial = f.slabs_partial;
    k->slabs_away = f.slabs_away;
    k->slabs_free = f.slabs_idle;
    k->allocs = f.allocs;
    k->alloc_misses = f.alloc_misses;
    k->free_misses = f.free_misses;
    k->depot_gets = f.depot_gets;
    k->depot_puts = f.depot_puts;
    k->refills = f.refills;
    k->refill_objs = f.refill_objs;
    k->flushes = f.flushes;
    k->flush_objs = f.flush_objs;
    k->remote_objs = f.remote_objs;
    k->remote_chains = f.remote_chains;
    k->tells = f.tells;
    k->grows = f.grows;
    k->shrinks = f.shrinks;
    k->adoptions = f.adoptions;
    k->array_resizes = f.resizes;
    k->failures = f.failures;
    k->size = g->size;
    k->align = g->align;
    k->colours = g->colours;
    if (kmem_of_pcpu(c))
        fill_cache(k, kmem_of_pcpu(c));
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
