/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: blocks that remember their type: for tracked types, and for malloc where every block has a
 *       type and free is not told which.
 * Below: typed.c, slab's tags, region's tags of large and huge blocks.
 * Owns: the tags: the id of the block's type while it is in use, 0 otherwise.
 * Concurrency: the tag belongs to the holder of the block. Huge blocks' tags are under a lock of
 *       region: asked for inside plat_enter only.
 * Failure: no memory for tags: the block is of no type.
 */
#include "kmalloc/internal.h"
#include "kmalloc/types.h"

/* NULL: p is no object. */
static struct slab *slab_of(const void *p)
{
    return region_index(p) ? region_info(p)->slab : NULL;
}

static struct page_info *large_of(const void *p)
{
    struct page_info *info = region_info(p);

    return info && info->state == PAGE_LARGE_HEAD && (uintptr_t)p % PLAT_PAGE_BYTES == 0 ? info
                                                                                         : NULL;
}

static bool outside(const void *p)
{
    return !region_info(p) && !nested_holds(p);
}

static uint16_t swap_large(void *p, uint16_t tag)
{
    struct page_info *large = large_of(p);
    uint16_t old;

    if (!large)
        return outside(p) ? region_huge_tag(p, tag) : 0;
    old = large->tag;
    large->tag = tag;
    return old;
}

/* Inside plat_enter. */
static SK_COLD bool tag_slow(void *p, uint16_t tag)
{
    struct slab *s = slab_of(p);

    if (s)
        return slab_tags_make(s) && slab_tag(s, p, tag);
    swap_large(p, tag);
    return !nested_holds(p);
}

/* false: no memory for it, or a call that may take no lock: then the block is of no type. */
static bool block_tag(void *p, uint16_t tag)
{
    struct slab *s = slab_of(p);
    bool ok;

    if (SK_LIKELY(s != NULL) && SK_LIKELY(slab_tag(s, p, tag)))
        return true;
    if (!plat_enter())
        return false;
    ok = tag_slow(p, tag);
    plat_leave();
    return ok;
}

static uint16_t tag_of_large(const void *p)
{
    struct page_info *large = large_of(p);
    uint16_t tag = 0;

    if (large)
        return large->tag;
    if (outside(p) && plat_enter()) {
        tag = region_huge_tag_of(p);
        plat_leave();
    }
    return tag;
}

uint16_t block_tag_of(const void *p)
{
    struct slab *s = slab_of(p);

    return s ? slab_tag_of(s, p) : tag_of_large(p);
}

static uint16_t block_untag(void *p)
{
    struct slab *s = slab_of(p);
    uint16_t tag = 0;

    if (s)
        return slab_untag(s, p);
    if (plat_enter()) {
        tag = swap_large(p, 0);
        plat_leave();
    }
    return tag;
}

/* ---- tracked types ---------------------------------------------------------------------------- */

bool tracked_ready(void *p, bool entered)
{
    struct slab *s = slab_of(p);

    if (!s)
        return !nested_holds(p);
    return slab_tag(s, p, 0) || (entered && slab_tags_make(s));
}

static struct type *site_entered(struct type *t, const void *site)
{
    struct type *at = NULL;

    if (plat_enter()) {
        at = type_site(t, site);
        plat_leave();
    }
    return at;
}

/* A block whose place has no type for want of memory, or of an id, or by a nested call, has the tracked type's own tag. */
SK_COLD void tracked_alloc(struct type *t, void *p, const void *site)
{
    struct type *at = site_entered(t, site);

    block_tag(p, at ? at->t_id : t->t_id);
    if (at)
        type_count(at, km_usable(p, "types"));
}

SK_COLD void tracked_free(struct type *t, void *p)
{
    uint16_t tag = block_untag(p);
    struct type *at = tag ? type_at(tag) : NULL;
    bool right = t->t_flags & MT_TRACK ? at && (at == t || at->t_parent == t) : !at;

    if (SK_UNLIKELY(!right))
        misuse_die(MISUSE_TYPE, p, 0, t->t_name);
    if (at && at != t)
        type_discharge(at, km_usable(p, "kfree"));
}

/* ---- allocate --------------------------------------------------------------------------------- */

/* An object is counted first, so that no other thread ever sees it tagged and not counted. */
static void *tagged(struct type *t, void *p)
{
    if (p && SK_UNLIKELY(!block_tag(p, t->t_id)))
        type_discharge(t, km_usable(p, "types"));
    return p;
}

void *tagged_alloc(struct type *t, size_t size, size_t align, int flags)
{
    bool charged = false;
    void *p = NULL;

    size = sk_max(size, 1);
    if (align == 1 && type_may_hit(size, flags)) {
        unsigned class = type_class_fine(size);

        charged = type_charge_hit(t, class);
        p = SK_LIKELY(charged) ? pcpu_alloc_hit(class) : NULL;
    }
    if (SK_UNLIKELY(!p))
        p = type_alloc(t, size, align, flags, charged, NULL);
    return tagged(t, p);
}

/* ---- free ------------------------------------------------------------------------------------- */

static void discharge_object(struct type *t, unsigned idx)
{
    if (SK_UNLIKELY(!type_discharge_hit(t, idx)))
        type_discharge(t, pcpu_cache_at(idx)->pc_geom.size);
}

void tagged_free(void *p)
{
    uint32_t kind = region_kind(p);
    struct slab *s = slab_of(p);
    uint16_t tag = s ? slab_untag(s, p) : 0;

    if (SK_LIKELY(tag != 0))
        discharge_object(type_at(tag), PLAT_KIND_INDEX(kind));
    if (SK_UNLIKELY(!plat_slot_push(kind, p)))
        km_free_slow(p);
}

void large_discharge(void *p)
{
    uint16_t tag = swap_large(p, 0);

    if (tag)
        type_discharge_entered(type_at(tag), km_usable(p, "types"));
}

/* ---- resize ----------------------------------------------------------------------------------- */

static void *moved(struct type *t, void *p, size_t old, size_t size)
{
    void *q = t ? tagged_alloc(t, size, 1, M_RNOWAIT) : km_alloc_aligned(size, 1);

    if (!q)
        return NULL;
    __builtin_memcpy(q, p, sk_min(old, size));
    tagged_free(p);
    return q;
}

void *tagged_realloc(struct type *t, void *p, size_t size)
{
    size_t old = km_usable(p, "realloc");
    struct type *was = type_at(block_tag_of(p));
    void *q = NULL;

    if (size > KM_SIZE_MAX / 2)
        return NULL;
    if (!was && !t)
        return km_realloc(p, size);
    if (km_fits_in_place(p, old, size) && (region_index(p) || nested_usable(p)))
        return p;
    if (was && !region_index(p) && size > KM_MEDIUM_MAX)
        q = type_resize_large(was, p, old, size, M_RNOWAIT);
    if (!q)
        q = moved(t, p, old, size);
    return q || size > old ? q : p;
}
