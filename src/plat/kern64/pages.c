/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: pages for the engine: a window of kernel address space, backed by frames page by page.
 * Below: frames.c, buddy.h (pieces of address space), ask.c.
 * Owns: the window's page tables. An entry is 0 (not committed), a frame and PRESENT, or a frame
 *       without PRESENT while it is on its way back, or on its way in. PTE_NEW marks what the
 *       plat_commit under way has made.
 * Concurrency: the entries of a page are written by whoever the layer above lets commit or decommit
 *       it: one at a time. Page tables come by compare-and-swap and stay. The lock is for pieces of
 *       address space.
 * Failure: false or NULL: no frame left, for the page or for a page table. Never a fault: what is
 *       committed has its frame.
 * Why: address space costs an entry per 64 KiB and is several times the memory, so that what is
 *       short is frames, and those are all alike: no run of pages can fail for being scattered.
 */
#include "plat/kern64/kern64.h"
#include "base/bits.h"
#include "paging.h"
#include "plat/kern64/buddy.h"

#define TABLE_BITS 9u
#define TABLE_MASK ((1u << TABLE_BITS) - 1)
#define LEVELS     4u

#define UNIT_SHIFT 16u

/* Address space the engine may take, in multiples of the memory. */
#define SPACE_PER_MEMORY 2u

static struct {
    struct plat_lock lock;
    struct buddy space; /* of units of 64 KiB */
    uintptr_t at;       /* constant */
    uint64_t bytes;     /* constant */
    unsigned fail_in;   /* calls still to succeed plus one; 0: off. Atomic */
    bool fail_sticky;
    uint64_t calls; /* atomic */
} window;

/* ---- the window ---------------------------------------------------------------------------- */

void kern64_window(uintptr_t at, uint64_t bytes)
{
    window.at = at;
    window.bytes = bytes;
}

/* ---- page tables --------------------------------------------------------------------------- */

static uint64_t *table_at(uint64_t entry)
{
    return (uint64_t *)frame_address(entry & PTE_FRAME);
}

/* A new table where there is none; another CPU's will do. */
static bool table_make(uint64_t *entry)
{
    uint64_t frame = frame_zeroed(), none = 0;

    if (!frame)
        return false;
    if (!sk_cas_acq_rel(entry, &none, frame | PTE_TABLE))
        kern64_frames_free(frame);
    return true;
}

/* The entry of a page; NULL: a table is missing, and cannot be made or shall not. */
static uint64_t *entry_of(uintptr_t addr, bool make)
{
    uint64_t *table = table_at(frame_root());

    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t *entry = &table[addr >> (PLAT_PAGE_SHIFT + level * TABLE_BITS) & TABLE_MASK];

        if (!sk_load_acquire(entry) && (!make || !table_make(entry)))
            return NULL;
        table = table_at(sk_load_acquire(entry));
    }
    return &table[addr >> PLAT_PAGE_SHIFT & TABLE_MASK];
}

/* ---- commit and decommit ------------------------------------------------------------------- */

static bool page_commit(uintptr_t addr)
{
    uint64_t *entry = entry_of(addr, true), frame;

    if (!entry)
        return false;
    if (*entry & PTE_PRESENT)
        return true;
    frame = frame_zeroed();
    if (!frame)
        return false;
    sk_store_release(entry, frame | PTE_PAGE | PTE_NEW);
    return true;
}

static void pages_settle(uintptr_t at, uintptr_t end)
{
    for (; at < end; at += PLAT_PAGE_BYTES)
        *entry_of(at, false) &= ~PTE_NEW;
    cpu_entries_made();
}

/* First all entries, then every CPU forgets them, then the frames go. `mask`: only pages with one
 * of these bits. */
static void pages_take_back(uintptr_t at, uintptr_t end, uint64_t mask)
{
    bool any = false;

    for (uintptr_t a = at; a < end; a += PLAT_PAGE_BYTES) {
        uint64_t *entry = entry_of(a, false);

        if (entry && *entry & mask) {
            sk_store_relaxed(entry, *entry & PTE_FRAME);
            any = true;
        }
    }
    if (!any)
        return;
    kern64_flush_all();
    for (uintptr_t a = at; a < end; a += PLAT_PAGE_BYTES) {
        uint64_t *entry = entry_of(a, false);

        if (entry && *entry && !(*entry & PTE_PRESENT)) {
            kern64_frames_free(*entry & PTE_FRAME);
            sk_store_relaxed(entry, 0);
        }
    }
}

static bool pages_commit(uintptr_t at, uintptr_t end)
{
    for (uintptr_t a = at; a < end; a += PLAT_PAGE_BYTES)
        if (!page_commit(a)) {
            pages_take_back(at, a, PTE_NEW);
            return false;
        }
    pages_settle(at, end);
    return true;
}

/* ---- failure injection --------------------------------------------------------------------- */

void plat_fail_after(unsigned n, bool sticky)
{
    window.fail_sticky = sticky;
    sk_store_release(&window.fail_in, n);
}

uint64_t plat_memory_calls(void)
{
    return sk_load_relaxed(&window.calls);
}

/* Takes one from the counter; at 1 this call fails, and stays there when sticky. */
static bool refused(void)
{
    unsigned n = sk_load_acquire(&window.fail_in);

    if (plat_refusing())
        return true;
    sk_add_relaxed(&window.calls, 1);
    while (n != 0) {
        if (n == 1 && window.fail_sticky)
            return true;
        if (sk_cas_relaxed(&window.fail_in, &n, n - 1))
            return n == 1;
    }
    return false;
}

/* ---- plat.h -------------------------------------------------------------------------------- */

size_t plat_resident_limit_bytes(void)
{
    return SPACE_PER_MEMORY * kern64_frames_free_bytes(KERN64_ALL_NODES);
}

/* The entries of the address space are the window's first pages. */
static bool space_start_locked(void)
{
    uint32_t units = (uint32_t)(window.bytes >> UNIT_SHIFT);
    size_t bytes = sk_align_up(units * sizeof(struct buddy_unit), (size_t)1 << UNIT_SHIFT);
    uint32_t own = (uint32_t)(bytes >> UNIT_SHIFT);

    if (window.space.bd_unit)
        return true;
    if (!pages_commit(window.at, window.at + bytes))
        return false;
    buddy_init(&window.space, (struct buddy_unit *)window.at, units);
    buddy_add(&window.space, own, units - own, 0);
    return true;
}

static unsigned space_order(size_t bytes)
{
    return buddy_order(((bytes - 1) >> UNIT_SHIFT) + 1);
}

static char *space_take(size_t bytes, size_t align)
{
    unsigned order;
    uint32_t unit;

    if (bytes == 0 || bytes > window.bytes || align > window.bytes)
        return NULL;
    order = space_order(sk_max(bytes, align));
    plat_lock(&window.lock);
    unit = order < BUDDY_ORDERS && space_start_locked() ? buddy_alloc(&window.space, order, 0)
                                                        : BUDDY_NONE;
    plat_unlock(&window.lock);
    return unit == BUDDY_NONE ? NULL : (char *)window.at + ((uintptr_t)unit << UNIT_SHIFT);
}

static void space_put(void *p)
{
    bool ok;

    plat_lock(&window.lock);
    ok = buddy_free(&window.space, (uint32_t)(((uintptr_t)p - window.at) >> UNIT_SHIFT));
    plat_unlock(&window.lock);
    SK_REQUIRE(ok);
}

void *plat_reserve(size_t bytes, size_t align)
{
    return refused() ? NULL : space_take(bytes, align);
}

bool plat_commit(void *p, size_t bytes)
{
    return !refused() && pages_commit((uintptr_t)p, (uintptr_t)p + bytes);
}

bool plat_commit_zeros(void *p, size_t bytes)
{
    return plat_commit(p, bytes);
}

/* A frame of this CPU's node in the place of another node's, if there is one; no CPU may use it before
 * all have forgotten the old one. The old ones are chained through their first words. */
static bool frame_moved_near(uint64_t *entry, uint64_t *old_frames)
{
    unsigned node = kern64_self()->node;
    uint64_t old = *entry & PTE_FRAME, new;

    if (frame_node(old) == node || (new = frame_zeroed_of(node)) == 0)
        return false;
    sk_store_relaxed(entry, new);
    *(uint64_t *)frame_address(old) = *old_frames;
    *old_frames = old;
    return true;
}

static void pages_show(uintptr_t at, uintptr_t end)
{
    for (; at < end; at += PLAT_PAGE_BYTES) {
        uint64_t *entry = entry_of(at, false);

        if (entry && *entry)
            sk_store_release(entry, *entry | PTE_PAGE);
    }
    cpu_entries_made();
}

static void frames_free_chain(uint64_t at)
{
    uint64_t next;

    for (; at; at = next) {
        next = *(uint64_t *)frame_address(at);
        kern64_frames_free(at);
    }
}

/* What stays committed must have its frame: it is cleared, or another near this CPU takes its place. */
void plat_discard(void *p, size_t bytes)
{
    uintptr_t end = (uintptr_t)p + bytes;
    uint64_t old_frames = 0;

    for (uintptr_t a = (uintptr_t)p; a < end; a += PLAT_PAGE_BYTES) {
        uint64_t *entry = entry_of(a, false);

        if (entry && *entry & PTE_PRESENT && !frame_moved_near(entry, &old_frames))
            __builtin_memset((void *)a, 0, PLAT_PAGE_BYTES);
    }
    if (!old_frames)
        return;
    kern64_flush_all();
    pages_show((uintptr_t)p, end);
    frames_free_chain(old_frames);
}

void plat_decommit(void *p, size_t bytes)
{
    pages_take_back((uintptr_t)p, (uintptr_t)p + bytes, PTE_PRESENT);
}

void plat_release(void *p, size_t bytes)
{
    if (!bytes)
        return;
    plat_decommit(p, bytes);
    space_put(p);
}

static void *map_pages(size_t bytes, size_t align)
{
    char *p = space_take(bytes, align);

    if (p && !pages_commit((uintptr_t)p, (uintptr_t)p + bytes)) {
        space_put(p);
        return NULL;
    }
    return p;
}

void *plat_map(size_t bytes, size_t align)
{
    return refused() ? NULL : map_pages(bytes, align);
}

/* The entries move, and with them the frames. Their tables are there. */
static void entries_move(uintptr_t from, uintptr_t to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += PLAT_PAGE_BYTES) {
        uint64_t *old = entry_of(from + i, false);

        sk_store_release(entry_of(to + i, false), *old);
        sk_store_relaxed(old, 0);
    }
    cpu_entries_made();
}

static bool tables_make(uintptr_t at, uintptr_t end)
{
    for (; at < end; at += PLAT_PAGE_BYTES)
        if (!entry_of(at, true))
            return false;
    return true;
}

static void *remap_moving(char *p, size_t old_bytes, size_t new_bytes)
{
    char *to = space_take(new_bytes, PLAT_PAGE_BYTES);
    uintptr_t at = (uintptr_t)to;

    if (!to)
        return NULL;
    if (!tables_make(at, at + old_bytes) || !pages_commit(at + old_bytes, at + new_bytes)) {
        space_put(to);
        return NULL;
    }
    entries_move((uintptr_t)p, at, old_bytes);
    kern64_flush_all();
    space_put(p);
    return to;
}

void *plat_remap(void *p, size_t old_bytes, size_t new_bytes)
{
    uintptr_t at = (uintptr_t)p;

    if (refused())
        return NULL;
    if (space_order(new_bytes) > space_order(old_bytes))
        return remap_moving(p, old_bytes, new_bytes);
    if (new_bytes < old_bytes)
        plat_decommit((char *)p + new_bytes, old_bytes - new_bytes);
    return new_bytes <= old_bytes || pages_commit(at + old_bytes, at + new_bytes) ? p : NULL;
}

bool kern64_is_backed(const void *p)
{
    const uint64_t *entry = entry_of((uintptr_t)p, false);

    return entry && *entry & PTE_PRESENT;
}

unsigned kern64_node_of(const void *p)
{
    return frame_node(*entry_of((uintptr_t)p, false) & PTE_FRAME);
}
