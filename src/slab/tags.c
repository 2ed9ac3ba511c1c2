/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a number beside each object of a slab, for the layers above: what they keep of an object
 *       that is out without a word inside of it.
 * Below: meta.
 * Owns: sl_tags: none until the first object is tagged; then one number for each object until the
 *       slab is unmade. A free object's tag is 0: whoever frees a tagged object takes its tag first.
 * Concurrency: lock-free. The tag of an object belongs to whoever holds the object; the array is
 *       published by compare-and-swap, and its partner is the acquire of tags_of.
 */
#include "region/meta.h"
#include "slab/slab.h"

static size_t tags_bytes(const struct slab *s)
{
    return s->sl_objs * sizeof(*s->sl_tags);
}

static uint16_t *tags_of(struct slab *s)
{
    return sk_load_acquire(&s->sl_tags);
}

SK_COLD bool slab_tags_make(struct slab *s)
{
    uint16_t *tags = meta_alloc(tags_bytes(s)), *seen = NULL;

    if (tags && !sk_cas_acq_rel(&s->sl_tags, &seen, tags))
        meta_free(tags, tags_bytes(s));
    return tags != NULL;
}

/* NULL: p is no object of s. */
static uint16_t *tag_at(struct slab *s, uint16_t *tags, const void *p)
{
    if (slab_check(s, p) != MISUSE_KINDS)
        return NULL;
    return &tags[slab_index(s, p)];
}

bool slab_tag(struct slab *s, const void *p, uint16_t tag)
{
    uint16_t *tags = tags_of(s), *at;

    at = tags ? tag_at(s, tags, p) : NULL;
    if (SK_LIKELY(at != NULL))
        sk_store_relaxed(at, tag);
    return at != NULL;
}

uint16_t slab_tag_of(struct slab *s, const void *p)
{
    uint16_t *tags = tags_of(s);
    uint16_t *at = tags ? tag_at(s, tags, p) : NULL;

    return at ? sk_load_relaxed(at) : 0;
}

uint16_t slab_untag(struct slab *s, const void *p)
{
    uint16_t *tags = tags_of(s);
    uint16_t *at = tags ? tag_at(s, tags, p) : NULL;
    uint16_t tag = at ? sk_load_relaxed(at) : 0;

    if (tag)
        sk_store_relaxed(at, 0);
    return tag;
}

SK_COLD void slab_tags_free(struct slab *s)
{
    meta_free(s->sl_tags, tags_bytes(s));
}
