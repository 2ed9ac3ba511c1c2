/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: patterns in and around an object, and where they are damaged.
 * Below: debug_internal.h.
 * Concurrency: none of its own; the caller has the object, or looks twice.
 * Why: of a constructed object digests are kept, not a copy, which would double it: eight of them, so that a report can
 *      still say where.
 */
#include "cache/debug_internal.h"

/* ---- paint ------------------------------------------------------------------------------------ */

static char *object_of(const struct kmem_debug *d, const void *raw)
{
    return kmem_debug_object(d, raw);
}

static size_t right_zone_bytes(const struct kmem_debug *d)
{
    return d->stride - d->object_off - d->size;
}

void debug_paint_zones(const struct kmem_debug *d, void *raw)
{
    size_t head = debug_head_bytes(d);

    __builtin_memset((char *)raw + head, KMEM_DEBUG_ZONE, d->object_off - head);
    __builtin_memset(object_of(d, raw) + d->size, KMEM_DEBUG_ZONE, right_zone_bytes(d));
}

void debug_paint_fresh(const struct kmem_debug *d, void *raw)
{
    __builtin_memset(object_of(d, raw), KMEM_DEBUG_FRESH, d->size);
}

void debug_paint_freed(const struct kmem_debug *d, void *raw)
{
    char *obj = object_of(d, raw);

    __builtin_memset(obj, KMEM_DEBUG_FREED, d->size - 1);
    obj[d->size - 1] = (char)KMEM_DEBUG_LAST;
}

/* ---- look --------------------------------------------------------------------------------------- */

SK_INLINE uint64_t word_at(const unsigned char *p)
{
    uint64_t w;

    __builtin_memcpy(&w, p, sizeof(w));
    return w;
}

/* Index of the first byte that is not `want`; n if there is none. */
static size_t first_other(const unsigned char *p, size_t n, unsigned char want)
{
    uint64_t words = want * 0x0101010101010101ull;
    size_t i = 0;

    while (n - i >= sizeof(words) && word_at(p + i) == words)
        i += sizeof(words);
    while (i < n && p[i] == want)
        i++;
    return i;
}

/* From the first to the last byte that is not `want`. */
static bool find_other(const void *at, size_t n, unsigned char want, size_t *first, size_t *bytes)
{
    const unsigned char *p = at;
    size_t last = n;

    *first = first_other(p, n, want);
    if (*first == n)
        return false;
    while (p[last - 1] == want)
        last--;
    *bytes = last - *first;
    return true;
}

bool debug_find_overrun(const struct kmem_debug *d, const void *raw, struct debug_damage *out)
{
    size_t first, bytes;

    if (!find_other(object_of(d, raw) + d->size, right_zone_bytes(d), KMEM_DEBUG_ZONE, &first,
                    &bytes))
        return false;
    *out = (struct debug_damage){DEBUG_OVERRUN, (ptrdiff_t)(d->size + first), bytes};
    return true;
}

bool debug_find_underrun(const struct kmem_debug *d, const void *raw, struct debug_damage *out)
{
    size_t first, bytes, zone = d->object_off - debug_head_bytes(d);

    if (!find_other(object_of(d, raw) - zone, zone, KMEM_DEBUG_ZONE, &first, &bytes))
        return false;
    *out = (struct debug_damage){DEBUG_UNDERRUN, (ptrdiff_t)first - (ptrdiff_t)zone, bytes};
    return true;
}

bool debug_find_poison(const struct kmem_debug *d, const void *raw, struct debug_damage *out)
{
    const char *obj = object_of(d, raw);
    size_t first, bytes, last = d->size - 1;
    bool wrong_last = obj[last] != (char)KMEM_DEBUG_LAST;

    if (!find_other(obj, last, KMEM_DEBUG_FREED, &first, &bytes)) {
        first = last;
        bytes = 0;
    }
    if (bytes == 0 && !wrong_last)
        return false;
    bytes = wrong_last ? d->size - first : bytes;
    *out = (struct debug_damage){DEBUG_POISON, (ptrdiff_t)first, bytes};
    return true;
}

/* ---- constructed objects ---------------------------------------------------------------------- */

/* Whole words, so that an object of up to 64 bytes has a digest for each. */
static size_t part_bytes(const struct kmem_debug *d)
{
    return sk_align_up((d->size + DEBUG_PARTS - 1) / DEBUG_PARTS, sizeof(uint64_t));
}

/* Each step is a bijection both of h and of the word it takes in: one changed word always changes the digest. */
static uint64_t digest(const unsigned char *p, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15ull + n;

    for (; n >= sizeof(h); p += sizeof(h), n -= sizeof(h)) {
        h = (h ^ word_at(p)) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    for (; n; p++, n--)
        h = (h ^ *p) * 0x100000001b3ull;
    return h;
}

/* Of part i; 0 behind the end of the object. */
static uint64_t part_digest(const struct kmem_debug *d, const void *raw, unsigned i)
{
    size_t off = i * part_bytes(d);

    if (off >= d->size)
        return 0;
    return digest((const unsigned char *)object_of(d, raw) + off,
                  sk_min(part_bytes(d), d->size - off));
}

void debug_remember(const struct kmem_debug *d, void *raw)
{
    for (unsigned i = 0; i < DEBUG_PARTS; i++)
        debug_record(raw)->part[i] = part_digest(d, raw, i);
}

bool debug_find_change(const struct kmem_debug *d, const void *raw, struct debug_damage *out)
{
    unsigned first = DEBUG_PARTS, last = 0;

    for (unsigned i = 0; i < DEBUG_PARTS; i++) {
        if (debug_record(raw)->part[i] != part_digest(d, raw, i)) {
            first = (unsigned)sk_min(first, i);
            last = i;
        }
    }
    if (first == DEBUG_PARTS)
        return false;
    size_t off = first * part_bytes(d);
    size_t end = sk_min((last + 1) * part_bytes(d), d->size);
    *out = (struct debug_damage){DEBUG_DIGEST, (ptrdiff_t)off, end - off};
    return true;
}
