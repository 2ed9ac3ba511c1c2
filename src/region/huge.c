/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: huge blocks: mappings of their own, found by the address of their begin.
 * Below: plat, meta.
 * Owns: the table of huge blocks: a hash of chains, whose array doubles when chains would grow
 *       beyond two on average.
 * Concurrency: table.lock; no system call under it. The figures are under region.lock, with
 *       those of the runs, so that the peak of their sum is exact.
 * Failure: NULL; the block stays as it was.
 */
#include "region/internal.h"
#include "region/meta.h"

#define FIRST_BITS 6u

struct huge {
    struct huge *next;
    uintptr_t addr;
    size_t bytes;
    uint16_t tag; /* under the table's lock */
};

static struct huge *first_chains[1u << FIRST_BITS];

static struct {
    struct plat_lock lock;
    unsigned bits;
    size_t count;
    struct huge **chains; /* 1 << bits */
} table = {.bits = FIRST_BITS, .chains = first_chains};

/* ---- table ------------------------------------------------------------------------------ */

static struct huge **chain_of(struct huge **chains, unsigned bits, uintptr_t addr)
{
    return &chains[(addr >> PLAT_PAGE_SHIFT) * 0x9e3779b97f4a7c15ull >> (64 - bits)];
}

/* The link that names the block at addr, or the NULL at the end of its chain. */
static SK_NOINLINE struct huge **find_locked(uintptr_t addr)
{
    struct huge **link = chain_of(table.chains, table.bits, addr);
    while (*link && (*link)->addr != addr)
        link = &(*link)->next;
    return link;
}

static void push(struct huge **chains, unsigned bits, struct huge *h)
{
    struct huge **chain = chain_of(chains, bits, h->addr);
    h->next = *chain;
    *chain = h;
}

static void table_move_locked(struct huge **chains, unsigned bits)
{
    for (size_t i = 0; i < (size_t)1 << table.bits; i++) {
        struct huge *h, *next;
        for (h = table.chains[i]; h; h = next) {
            next = h->next;
            push(chains, bits, h);
        }
    }
    table.chains = chains;
    table.bits = bits;
}

/* Without memory for it the chains only grow longer. */
static SK_COLD void table_widen(unsigned bits)
{
    struct huge **wider = meta_alloc(sizeof(*wider) << (bits + 1));
    if (!wider)
        return;
    plat_lock(&table.lock);
    struct huge **unused = wider;
    unsigned unused_bits = bits + 1;
    if (table.bits == bits) {
        unused = table.chains;
        unused_bits = bits;
        table_move_locked(wider, bits + 1);
    }
    plat_unlock(&table.lock);
    if (unused != first_chains)
        meta_free(unused, sizeof(*unused) << unused_bits);
}

/* Before an insertion. */
static void table_make_room(void)
{
    plat_lock(&table.lock);
    unsigned bits = table.bits;
    bool crowded = table.count >= (size_t)2 << bits;
    plat_unlock(&table.lock);
    if (crowded)
        table_widen(bits);
}

static SK_NOINLINE void table_insert(struct huge *h)
{
    plat_lock(&table.lock);
    push(table.chains, table.bits, h);
    table.count++;
    plat_unlock(&table.lock);
}

static SK_NOINLINE struct huge *table_remove(const void *p)
{
    plat_lock(&table.lock);
    struct huge **link = find_locked((uintptr_t)p);
    struct huge *h = *link;
    if (h) {
        *link = h->next;
        table.count--;
    }
    plat_unlock(&table.lock);
    return h;
}

/* ---- figures ---------------------------------------------------------------------------- */

static void account(int blocks, size_t added, size_t gone)
{
    plat_lock(&region.lock);
    region.huge_blocks += (uint64_t)blocks;
    region.huge_bytes += added;
    region.huge_bytes -= gone;
    region.returned_bytes += gone;
    region_note_peak();
    plat_unlock(&region.lock);
}

/* ---- blocks ----------------------------------------------------------------------------- */

/* 0: more than an address can say. */
static size_t to_sys_pages(size_t bytes)
{
    size_t sys = plat_sys_page_bytes();
    return bytes > PTRDIFF_MAX - sys ? 0 : sk_align_up(sk_max(bytes, 1), sys);
}

static void *map_fresh(size_t bytes, size_t align)
{
    void *p = plat_map(bytes, sk_max(align, PLAT_PAGE_BYTES));
    if (!p)
        return NULL;
    if (region.hugepages == REGION_HUGE_AUTO)
        region_advise_fresh(p, bytes);
    else
        plat_hugepages(p, bytes, region.hugepages == REGION_HUGE_ALWAYS);
    return p;
}

SK_COLD void *region_huge_alloc(size_t bytes, size_t align)
{
    bytes = to_sys_pages(bytes);
    if (bytes == 0)
        return NULL;
    table_make_room();
    struct huge *h = meta_alloc(sizeof(*h));
    void *p = h ? map_fresh(bytes, align) : NULL;
    if (!p) {
        meta_free(h, sizeof(*h));
        return NULL;
    }
    h->addr = (uintptr_t)p;
    h->bytes = bytes;
    table_insert(h);
    account(1, bytes, 0);
    return p;
}

/* What is known of the block that begins at p; of none, all 0. Its tag becomes `tag`, if that is not KEEP. */
#define KEEP UINT32_MAX

static SK_NOINLINE struct huge look(const void *p, uint32_t tag)
{
    struct huge seen = {0};
    plat_lock(&table.lock);
    struct huge *h = *find_locked((uintptr_t)p);
    if (h) {
        seen = *h;
        h->tag = tag == KEEP ? h->tag : (uint16_t)tag;
    }
    plat_unlock(&table.lock);
    return seen;
}

size_t region_huge_bytes(const void *p)
{
    return look(p, KEEP).bytes;
}

uint16_t region_huge_tag(const void *p, uint16_t tag)
{
    return look(p, tag).tag;
}

uint16_t region_huge_tag_of(const void *p)
{
    return look(p, KEEP).tag;
}

static struct huge *inside_locked(uintptr_t addr)
{
    for (size_t i = 0; i < (size_t)1 << table.bits; i++)
        for (struct huge *h = table.chains[i]; h; h = h->next)
            if (addr > h->addr && addr - h->addr < h->bytes)
                return h;
    return NULL;
}

SK_COLD void *region_huge_inside(const void *p)
{
    plat_lock(&table.lock);
    const struct huge *h = inside_locked((uintptr_t)p);
    void *begin = h ? (void *)h->addr : NULL;
    plat_unlock(&table.lock);
    return begin;
}

/* Out of the table before out of the map: once unmapped, another block may begin there. */
SK_COLD bool region_huge_free(void *p)
{
    struct huge *h = table_remove(p);
    if (!h)
        return false;
    size_t bytes = h->bytes;
    plat_release(p, bytes);
    account(-1, 0, bytes);
    meta_free(h, sizeof(*h));
    return true;
}

/* Out of the table meanwhile, for the same reason; the node comes back either way. */
SK_COLD void *region_huge_resize(void *p, size_t bytes)
{
    bytes = to_sys_pages(bytes);
    struct huge *h = bytes ? table_remove(p) : NULL;
    if (!h)
        return NULL;
    size_t old = h->bytes;
    void *moved = plat_remap(p, old, bytes);
    if (moved) {
        h->addr = (uintptr_t)moved;
        h->bytes = bytes;
    }
    table_insert(h);
    if (moved)
        account(0, bytes > old ? bytes - old : 0, bytes < old ? old - bytes : 0);
    return moved;
}

/* ---- fork, verify ----------------------------------------------------------------------- */

SK_COLD void huge_fork_prepare(void)
{
    plat_lock(&table.lock);
}

SK_COLD void huge_fork_parent(void)
{
    plat_unlock(&table.lock);
}

SK_COLD void huge_fork_child(void)
{
    plat_lock_reset(&table.lock);
}

SK_COLD bool huge_verify(void)
{
    size_t count = 0;
    bool ok = true;
    plat_lock(&table.lock);
    for (size_t i = 0; i < (size_t)1 << table.bits; i++)
        for (const struct huge *h = table.chains[i]; h; h = h->next, count++)
            ok &= chain_of(table.chains, table.bits, h->addr) == &table.chains[i] && h->bytes;
    ok &= count == table.count;
    plat_unlock(&table.lock);
    return ok;
}
