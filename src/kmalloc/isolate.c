/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: size-class caches of a type's own, so that its objects share no slab with another's.
 * Below: pcpu's caches that come and go.
 * Owns: an isolated type's caches, one for each class it has used; t_idx names them.
 * Concurrency: made without a lock; the first to put its index into t_idx, under t_lock, wins.
 * Failure: no memory or no array index: NULL, and the allocation fails: it may not go elsewhere.
 */
#include "kmalloc/internal.h"
#include "kmalloc/types.h"
#include "region/meta.h"

#define NAME_BYTES 48u

struct own_cache {
    struct pcpu_cache oc_cache;
    char oc_name[NAME_BYTES]; /* conn-128 */
};

static void own_name(char *out, const struct type *t, size_t bytes)
{
    struct text text;

    text_init(&text, out, NAME_BYTES);
    text_str(&text, t->t_name);
    text_char(&text, '-');
    text_number(&text, (int64_t)bytes);
    text_end(&text);
}

static SK_COLD struct own_cache *own_open(const struct type *t, unsigned class)
{
    const struct slab_geom *like = &km_caches[class].pc_geom;
    struct own_cache *oc = meta_alloc(sizeof(*oc));

    if (!oc)
        return NULL;
    own_name(oc->oc_name, t, like->size);
    slab_geom_init(&oc->oc_cache.pc_geom, oc->oc_name, like->size, like->align, 0);
    if (pcpu_cache_open(&oc->oc_cache))
        return oc;
    meta_free(oc, sizeof(*oc));
    return NULL;
}

static SK_COLD void own_close(struct own_cache *oc)
{
    struct pcpu_cache *c = &oc->oc_cache;

    sk_store_relaxed(&km_amount[c->pc_geom.kind], TYPE_NEVER);
    pcpu_cache_hide(c);
    pcpu_drain(c);
    pcpu_cache_close(c);
    meta_free(oc, sizeof(*oc));
}

/* A tracked type's objects have no amount that a hit could count: a free of one, as any type, is
 * looked at. Whether it is the type's now; otherwise another thread was first. */
static SK_COLD bool own_bind(struct type *t, unsigned class, struct own_cache *oc)
{
    uint16_t idx = oc->oc_cache.pc_geom.kind;
    bool first;

    if (!(t->t_flags & MT_TRACK))
        sk_store_relaxed(&km_amount[idx], type_amount(oc->oc_cache.pc_geom.size, 1));
    plat_lock(&t->t_lock);
    first = t->t_idx[class] == 0;
    if (first)
        sk_store_release(&t->t_idx[class], idx);
    plat_unlock(&t->t_lock);
    return first;
}

struct pcpu_cache *type_cache(struct type *t, unsigned class)
{
    unsigned idx = sk_load_acquire(&t->t_idx[class]);
    struct own_cache *oc;

    if (SK_LIKELY(idx != 0))
        return pcpu_cache_at(idx);
    oc = own_open(t, class);
    if (!oc)
        return NULL;
    if (!own_bind(t, class, oc))
        own_close(oc);
    return pcpu_cache_at(sk_load_acquire(&t->t_idx[class]));
}

SK_COLD void type_caches_close(struct type *t)
{
    for (unsigned class = 1; class <= KM_CACHES; class ++)
        if (type_has_own(t) && t->t_idx[class])
            own_close(SK_CONTAINER_OF(pcpu_cache_at(t->t_idx[class]), struct own_cache, oc_cache));
}
