/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: looking at caches: names, figures, live objects, verification; giving back.
 * Below: pcpu.
 * Concurrency: kmem_cache_foreach keeps the cache it is at from ending by kc_looks; the others are told a cache that its caller
 *       keeps.
 */
#include "cache/internal.h"

SK_EXPORT const char *kmem_cache_name(const struct kmem_cache *c)
{
    return c->kc_name;
}

SK_EXPORT size_t kmem_cache_size(const struct kmem_cache *c)
{
    return c->kc_size;
}

/* ---- all caches -------------------------------------------------------------------------------- */

/* The first one created after number `n`; it stays until the next call with it as `from`. */
static struct kmem_cache *next_cache(struct kmem_cache *from)
{
    uint64_t after = from ? from->kc_number : 0;
    struct kmem_cache *found = NULL;
    struct list *l;

    plat_lock(&kmem.lock);
    if (from)
        from->kc_looks--;
    list_for_each (l, &kmem.caches) {
        struct kmem_cache *c = SK_CONTAINER_OF(l, struct kmem_cache, kc_link);

        if (c->kc_number > after && !c->kc_closed) {
            found = c;
            c->kc_looks++;
            break;
        }
    }
    plat_unlock(&kmem.lock);
    return found;
}

static void look_ends(struct kmem_cache *c)
{
    plat_lock(&kmem.lock);
    c->kc_looks--;
    plat_unlock(&kmem.lock);
}

SK_EXPORT SK_COLD void kmem_cache_foreach(int (*fn)(struct kmem_cache *c, void *arg), void *arg)
{
    struct kmem_cache *c = NULL;

    if (!kmem.caches.next)
        return;
    while ((c = next_cache(c)) != NULL)
        if (fn(c, arg) != 0) {
            look_ends(c);
            return;
        }
}

/* ---- giving back ------------------------------------------------------------------------------- */

SK_EXPORT SK_COLD int kmem_cache_shrink(struct kmem_cache *c)
{
    uint64_t live;

    c = c->kc_root;
    kmem_enter(c);
    pcpu_drain(&c->kc_pcpu);
    live = pcpu_objs_out(&c->kc_pcpu);
    kmem_leave();
    kmem_defer_go_on(1);
    return live != 0;
}

static int shrink_one(struct kmem_cache *c, void *arg)
{
    (void)arg;
    if (c->kc_root == c)
        kmem_cache_shrink(c);
    return 0;
}

SK_EXPORT SK_COLD void kmem_cache_reap(void)
{
    kmem_cache_foreach(shrink_one, NULL);
}

SK_EXPORT SK_COLD int kmem_cache_tune(struct kmem_cache *c, unsigned limit, unsigned batchcount,
                                      unsigned shared)
{
    if (limit > PARRAY_CAP_TUNED || (limit && batchcount > limit))
        return EINVAL;
    kmem_enter(c);
    pcpu_tune(&c->kc_root->kc_pcpu, limit, batchcount, shared);
    kmem_leave();
    return 0;
}

/* ---- objects ----------------------------------------------------------------------------------- */

struct visit {
    struct kmem_cache *c;
    int (*fn)(void *obj, void *arg);
    void *arg;
    size_t n;
};

static bool visit(void *raw, void *arg)
{
    struct visit *v = arg;

    if (kmem_reserve_holds(v->c, raw))
        return true;
    v->n++;
    return v->fn(kmem_obj_of(v->c, raw), v->arg) == 0;
}

SK_EXPORT SK_COLD size_t kmem_cache_walk(struct kmem_cache *c, int (*fn)(void *obj, void *arg),
                                         void *arg)
{
    struct visit v = {c->kc_root, fn, arg, 0};

    kmem_enter(v.c);
    pcpu_walk(&v.c->kc_pcpu, visit, &v);
    kmem_leave();
    return v.n;
}

/* The object of s that p is or points into, or NULL. */
static void *object_at(const struct kmem_cache *c, const struct slab *s, const void *p)
{
    void *obj;

    if (slab_check(s, p) == MISUSE_OUTSIDE)
        return NULL;
    obj = kmem_obj_of(c, slab_object(s, slab_index(s, p)));
    return (const char *)p >= (char *)obj && (const char *)p < (char *)obj + c->kc_size ? obj
                                                                                        : NULL;
}

SK_EXPORT SK_COLD struct kmem_cache *kmem_cache_of(const void *obj)
{
    unsigned idx = region_index(obj);
    struct pcpu_cache *pc = idx ? pcpu_cache_at(idx) : NULL;
    struct kmem_cache *c = pc ? kmem_of_pcpu(pc) : NULL;

    return c && object_at(c, region_info(obj)->slab, obj) ? c : NULL;
}

/* ---- verification ------------------------------------------------------------------------------ */

static SK_COLD void say(const char *name, const char *what)
{
    char line[256];
    struct text t;

    text_init(&t, line, sizeof(line));
    text_str(&t, "slabkit: verify: ");
    text_str(&t, name);
    text_str(&t, ": ");
    text_str(&t, what);
    text_char(&t, '\n');
    text_end(&t);
    plat_write_err(line, text_len(&t));
}

static void tell_fault(const struct pcpu_cache *c, const char *what)
{
    say(c->pc_geom.name, what);
}

struct object_faults {
    const struct kmem_cache *c;
    unsigned n;
};

static void object_fault(const char *line)
{
    say("object", line);
}

static void verify_object(void *raw, void *arg)
{
    struct object_faults *f = arg;

    f->n += kmem_debug_verify(&f->c->kc_debug, f->c->kc_name, raw, kmem_constructed(f->c),
                              object_fault);
}

SK_COLD unsigned kmem_verify_objects(struct kmem_cache *c)
{
    struct object_faults f = {.c = c};

    if (kmem_has_debug(c))
        pcpu_for_each_object(&c->kc_pcpu, verify_object, &f);
    return f.n;
}

SK_EXPORT SK_COLD int kmem_cache_verify(struct kmem_cache *c)
{
    unsigned faults;

    c = c->kc_root;
    kmem_enter(c);
    faults = pcpu_verify(&c->kc_pcpu, tell_fault) + kmem_verify_objects(c);
    kmem_leave();
    return (int)sk_min(faults, INT32_MAX);
}

/* ---- figures ----------------------------------------------------------------------------------- */

static SK_COLD void geometry(struct kmem_cache_stats *out, const struct kmem_cache *c)
{
    const struct slab_geom *g = &c->kc_pcpu.pc_geom;

    out->stride = g->size;
    out->align = g->align;
    out->slab_bytes = g->pages * PLAT_PAGE_BYTES;
    out->slab_objs = g->objs;
    out->colours = g->colours;
    out->colour_off = g->colour_off;
}

static SK_COLD void arrays(struct kmem_cache_stats *out, const struct kmem_cache *c)
{
    const struct pcpu_cache *pc = &c->kc_pcpu;

    if (sk_load_relaxed(&pc->pc_mode) != PCPU_ARRAYS)
        return;
    for (unsigned node = 0; node < plat_nnodes(); node++) {
        struct node_cache *nd = sk_load_acquire(&pc->pc_node[node]);

        if (nd) {
            out->limit = sk_max(out->limit, sk_load_relaxed(&nd->nd_cap));
            out->shared += sk_load_relaxed(&nd->nd_full_limit);
        }
    }
    out->batchcount = sk_load_relaxed(&pc->pc_batch);
    if (out->batchcount == 0)
        out->batchcount = out->limit;
}

static SK_COLD void traffic(struct kmem_cache_stats *out, struct kmem_cache *c)
{
    struct pcpu_figures f;

    pcpu_get_figures(&c->kc_pcpu, &f);
    out->reserve = sk_load_relaxed(&c->kc_reserve.have);
    out->deferred = sk_load_relaxed(&c->kc_deferred);
    out->live = f.live_objs > out->reserve ? f.live_objs - out->reserve : 0;
    out->total = f.slabs * c->kc_pcpu.pc_geom.objs;
    out->array_objs = f.array_objs;
    out->depot_objs = f.depot_objs;
    out->slabs = f.slabs;
    out->slabs_partial = f.slabs_partial;
    out->slabs_full = f.slabs_away;
    out->slabs_free = f.slabs_idle;
    out->bytes = f.slabs * out->slab_bytes;
    out->allocs = f.allocs;
    out->frees = f.frees;
    out->hits = f.allocs - f.alloc_passed;
    out->refills = f.refills;
    out->flushes = f.flushes;
    out->remote_frees = f.remote_objs;
    out->remote_chains = f.remote_chains;
    out->grows = f.grows;
    out->shrinks = f.shrinks;
    out->reaps = f.reaped;
    out->failures = sk_load_relaxed(&c->kc_failures);
}

SK_EXPORT SK_COLD int kmem_cache_get_stats(struct kmem_cache *c, struct kmem_cache_stats *out)
{
    *out = (struct kmem_cache_stats){.size = c->kc_size};
    c = c->kc_root;
    kmem_enter(c);
    geometry(out, c);
    arrays(out, c);
    traffic(out, c);
    kmem_leave();
    return 0;
}
