/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: free runs of one kind by size: best fit, the lowest address among equals.
 * Below: base.
 * Owns: the links of struct run_node. In a bin, an in-order walk rises in (pages, page) and no
 *       node has a higher prio than the one above it (treap; Seidel and Aragon 1996).
 * Concurrency: caller holds region.lock.
 * Why: a list per bin would be O(1) to take from but gives the address order away, and low
 *       addresses first is what lets the high ones become whole again. The bins keep the trees
 *       small; a bitmap finds the next bin that has any.
 */
#include "region/internal.h"

static inline struct run_node *node(uint32_t page)
{
    return &region.nodes[page];
}

static unsigned bin_of(uint32_t pages)
{
    if (pages < RUN_EXACT_BINS)
        return pages;
    unsigned log = sk_log2_floor(pages);
    return RUN_EXACT_BINS + (log - 5) * 8 + ((pages >> (log - 3)) & 7);
}

/* Any function of the page would do that is not monotone in it; the finaliser of MurmurHash3. */
static uint32_t prio_of(uint32_t page)
{
    page = (page ^ page >> 16) * 0x85ebca6bu;
    page = (page ^ page >> 13) * 0xc2b2ae35u;
    return page ^ page >> 16;
}

static bool comes_before(uint32_t a, uint32_t b)
{
    uint32_t size_a = node(a)->pages, size_b = node(b)->pages;
    return size_a != size_b ? size_a < size_b : a < b;
}

/* Parts the tree t into what comes before n and what comes after it. */
static void tree_split(uint32_t t, uint32_t n, uint32_t *before, uint32_t *after)
{
    while (t != RUN_NIL) {
        if (comes_before(t, n)) {
            *before = t;
            before = &node(t)->right;
            t = *before;
        } else {
            *after = t;
            after = &node(t)->left;
            t = *after;
        }
    }
    *before = *after = RUN_NIL;
}

/* All of a comes before all of b. */
static void tree_join(uint32_t *link, uint32_t a, uint32_t b)
{
    while (a != RUN_NIL && b != RUN_NIL) {
        if (node(a)->prio >= node(b)->prio) {
            *link = a;
            link = &node(a)->right;
            a = *link;
        } else {
            *link = b;
            link = &node(b)->left;
            b = *link;
        }
    }
    *link = a != RUN_NIL ? a : b;
}

SK_START void run_index_init(struct run_index *ix)
{
    for (unsigned w = 0; w < SK_ARRAY_SIZE(ix->used); w++)
        ix->used[w] = 0;
    for (unsigned b = 0; b < RUN_BINS; b++)
        ix->root[b] = RUN_NIL;
}

void run_index_insert(struct run_index *ix, uint32_t page, uint32_t pages)
{
    struct run_node *n = node(page);
    unsigned bin = bin_of(pages);
    uint32_t *link = &ix->root[bin];

    n->pages = pages;
    n->prio = prio_of(page);
    while (*link != RUN_NIL && node(*link)->prio >= n->prio)
        link = comes_before(page, *link) ? &node(*link)->left : &node(*link)->right;
    uint32_t below = *link;
    *link = page;
    tree_split(below, page, &n->left, &n->right);
    ix->used[bin / SK_WORD_BITS] |= 1ull << bin % SK_WORD_BITS;
}

void run_index_remove(struct run_index *ix, uint32_t page)
{
    unsigned bin = bin_of(node(page)->pages);
    uint32_t *link = &ix->root[bin];

    while (*link != page) {
        SK_REQUIRE(*link != RUN_NIL);
        link = comes_before(page, *link) ? &node(*link)->left : &node(*link)->right;
    }
    tree_join(link, node(page)->left, node(page)->right);
    if (ix->root[bin] == RUN_NIL)
        ix->used[bin / SK_WORD_BITS] &= ~(1ull << bin % SK_WORD_BITS);
}

/* First in order that is longer than `pages`, or as long and at or above `page`. */
static SK_NOINLINE uint32_t tree_fit(uint32_t t, uint32_t pages, uint32_t page)
{
    uint32_t fit = RUN_NIL;
    while (t != RUN_NIL) {
        bool enough = node(t)->pages > pages || (node(t)->pages == pages && t >= page);
        if (enough)
            fit = t;
        t = enough ? node(t)->left : node(t)->right;
    }
    return fit;
}

/* Lowest non-empty bin at or above `bin`; RUN_BINS: none. */
static unsigned next_bin(const struct run_index *ix, unsigned bin)
{
    uint64_t mask = ~0ull << bin % SK_WORD_BITS;
    for (unsigned w = bin / SK_WORD_BITS; w < SK_ARRAY_SIZE(ix->used); w++, mask = ~0ull)
        if (ix->used[w] & mask)
            return w * SK_WORD_BITS + sk_ctz(ix->used[w] & mask);
    return RUN_BINS;
}

static uint32_t fit_from(const struct run_index *ix, uint32_t pages, uint32_t page)
{
    unsigned bin = next_bin(ix, bin_of(pages));
    if (bin == RUN_BINS)
        return RUN_NIL;
    uint32_t fit = tree_fit(ix->root[bin], pages, page);
    if (fit != RUN_NIL)
        return fit;
    bin = next_bin(ix, bin + 1);
    return bin == RUN_BINS ? RUN_NIL : tree_fit(ix->root[bin], pages, page);
}

uint32_t run_index_fit(const struct run_index *ix, uint32_t pages)
{
    return fit_from(ix, pages, 0);
}

uint32_t run_index_after(const struct run_index *ix, uint32_t pages, uint32_t page)
{
    return fit_from(ix, pages, page + 1);
}

/* ---- verify ----------------------------------------------------------------------------- */

struct tree_walk {
    uint32_t last; /* in order; RUN_NIL before the first */
    uint32_t count;
    unsigned bin;
    bool broken;
};

static SK_COLD void tree_verify(uint32_t t, uint32_t prio, struct tree_walk *w)
{
    if (t == RUN_NIL || w->broken)
        return;
    if (node(t)->prio > prio || bin_of(node(t)->pages) != w->bin) {
        w->broken = true;
        return;
    }
    tree_verify(node(t)->left, node(t)->prio, w);
    if (w->last != RUN_NIL && !comes_before(w->last, t))
        w->broken = true;
    w->last = t;
    w->count++;
    tree_verify(node(t)->right, node(t)->prio, w);
}

SK_COLD uint32_t run_index_verify(const struct run_index *ix)
{
    uint32_t count = 0;
    for (unsigned bin = 0; bin < RUN_BINS; bin++) {
        bool used = ix->used[bin / SK_WORD_BITS] >> bin % SK_WORD_BITS & 1;
        struct tree_walk w = {.last = RUN_NIL, .bin = bin};
        tree_verify(ix->root[bin], UINT32_MAX, &w);
        if (w.broken || used != (w.count != 0))
            return UINT32_MAX;
        count += w.count;
    }
    return count;
}
