/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: memory for slabkit's own structures.
 * Below: plat.
 * Owns: chunks cut from their begin upwards, so that only pages in use are touched; a list of
 *       recycled pieces per class. Classes are 16, 32, 64, 128 and from there powers of two and
 *       the midpoints between them up to 32 KiB (every one of 64 or more a multiple of 64);
 *       above, each piece is a mapping of its own. mapped >= used.
 * Concurrency: meta.lock, the last in the order; no system call under it.
 * Failure: NULL.
 * Why: pieces never go back to other classes or to the system: descriptors are small beside
 *       what they describe, and their classes are few.
 */
#include "region/meta.h"
#include "base/bits.h"

#define CLASS_MAX_BYTES ((size_t)32 << 10)
#define CLASSES         20u
#define CHUNK_MIN_BYTES ((size_t)256 << 10)
#define CHUNK_MAX_BYTES ((size_t)4 << 20)

struct piece {
    struct piece *next;
};

static struct {
    struct plat_lock lock;
    char *bump; /* next byte of the chunk being cut */
    size_t left_bytes;
    size_t mapped_bytes, used_bytes;
    struct piece *recycled[CLASSES];
} meta SK_CACHE_ALIGNED;

struct class
{
    unsigned index;
    size_t bytes;
};

static struct class class_of(size_t bytes)
{
    if (bytes <= 128) {
        unsigned log = sk_log2_ceil(sk_max(bytes, 16));
        return (struct class){log - 4, (size_t)1 << log};
    }
    unsigned log = sk_log2_floor(bytes - 1);
    unsigned upper = (bytes - 1) >> (log - 1) & 1;
    return (struct class){4 + (log - 7) * 2 + upper, (size_t)(3 + upper) << (log - 1)};
}

/* ---- chunks ----------------------------------------------------------------------------- */

static void *take_recycled_locked(struct class c)
{
    struct piece *p = meta.recycled[c.index];
    if (p)
        meta.recycled[c.index] = p->next;
    return p;
}

static void *take_new_locked(struct class c)
{
    size_t pad = -(uintptr_t)meta.bump & (sk_min(c.bytes, SK_CACHE_LINE) - 1);
    if (pad + c.bytes > meta.left_bytes)
        return NULL;
    char *p = meta.bump + pad;
    meta.bump = p + c.bytes;
    meta.left_bytes -= pad + c.bytes;
    return p;
}

/* The larger part of what is left is kept, here or there: what is dropped was never touched. */
static bool install_locked(char *chunk, size_t bytes)
{
    if (meta.left_bytes >= bytes)
        return false;
    meta.bump = chunk;
    meta.left_bytes = bytes;
    meta.mapped_bytes += bytes;
    return true;
}

/* An eighth of what there is, so that the number of chunks stays small. */
static size_t next_chunk_bytes(void)
{
    size_t want = sk_align_up(meta_mapped_bytes() / 8, CHUNK_MIN_BYTES);
    return sk_min(sk_max(want, CHUNK_MIN_BYTES), CHUNK_MAX_BYTES);
}

static bool add_chunk(void)
{
    size_t bytes = next_chunk_bytes();
    char *chunk = plat_map(bytes, plat_sys_page_bytes());
    if (!chunk)
        return false;
    plat_lock(&meta.lock);
    bool installed = install_locked(chunk, bytes);
    plat_unlock(&meta.lock);
    if (!installed)
        plat_release(chunk, bytes);
    return true;
}

/* ---- pieces ----------------------------------------------------------------------------- */

static void *alloc_piece(struct class c)
{
    void *p, *old;
    do {
        plat_lock(&meta.lock);
        old = take_recycled_locked(c);
        p = old ? old : take_new_locked(c);
        if (p)
            meta.used_bytes += c.bytes;
        plat_unlock(&meta.lock);
    } while (!p && add_chunk());
    return old ? __builtin_memset(old, 0, c.bytes) : p;
}

static void free_piece(struct piece *p, struct class c)
{
    plat_lock(&meta.lock);
    p->next = meta.recycled[c.index];
    meta.recycled[c.index] = p;
    meta.used_bytes -= c.bytes;
    plat_unlock(&meta.lock);
}

/* ---- mappings --------------------------------------------------------------------------- */

static void account_mapping(size_t added, size_t gone)
{
    plat_lock(&meta.lock);
    meta.mapped_bytes += added - gone;
    meta.used_bytes += added - gone;
    plat_unlock(&meta.lock);
}

static void *alloc_mapping(size_t bytes)
{
    size_t sys = plat_sys_page_bytes();
    if (bytes > PTRDIFF_MAX - sys)
        return NULL;
    bytes = sk_align_up(bytes, sys);
    void *p = plat_map(bytes, sys);
    if (p)
        account_mapping(bytes, 0);
    return p;
}

static void free_mapping(void *p, size_t bytes)
{
    bytes = sk_align_up(bytes, plat_sys_page_bytes());
    plat_release(p, bytes);
    account_mapping(0, bytes);
}

void *meta_alloc(size_t bytes)
{
    return bytes > CLASS_MAX_BYTES ? alloc_mapping(bytes) : alloc_piece(class_of(bytes));
}

void meta_free(void *p, size_t bytes)
{
    if (!p)
        return;
    if (bytes > CLASS_MAX_BYTES)
        free_mapping(p, bytes);
    else
        free_piece(p, class_of(bytes));
}

/* ---- figures, fork ---------------------------------------------------------------------- */

size_t meta_mapped_bytes(void)
{
    plat_lock(&meta.lock);
    size_t bytes = meta.mapped_bytes;
    plat_unlock(&meta.lock);
    return bytes;
}

size_t meta_used_bytes(void)
{
    plat_lock(&meta.lock);
    size_t bytes = meta.used_bytes;
    plat_unlock(&meta.lock);
    return bytes;
}

void meta_fork_prepare(void)
{
    plat_lock(&meta.lock);
}

void meta_fork_parent(void)
{
    plat_unlock(&meta.lock);
}

void meta_fork_child(void)
{
    plat_lock_reset(&meta.lock);
}
