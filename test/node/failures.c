/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the n-th call to the system for memory fails, for every n that making slabs and arrays
 *       reaches, once or from then on: NULL, and nothing is lost.
 */
#include "fixture.h"
#include "../slab/every_call.h"

#define SLABS  200u
#define ARRAYS 400u

struct made {
    struct slab *slabs[SLABS];
    struct parray *arrays[ARRAYS];
    unsigned nslabs, narrays, refused;
};

static void make(struct made *m)
{
    for (unsigned i = 0; i < SLABS; i++) {
        m->slabs[m->nslabs] = node_grow(&node, 0);
        m->nslabs += m->slabs[m->nslabs] != NULL;
    }
    for (unsigned i = 0; i < ARRAYS; i++) {
        m->arrays[m->narrays] = parray_make(PARRAY_CAP_MAX);
        m->narrays += m->arrays[m->narrays] != NULL;
    }
    m->refused = SLABS + ARRAYS - m->nslabs - m->narrays;
}

static void unmake(struct made *m)
{
    while (m->nslabs)
        node_shrink(&node, m->slabs[--m->nslabs]);
    while (m->narrays)
        parray_unmake(m->arrays[--m->narrays]);
}

static bool counts_are(const struct made *m)
{
    size_t run = node_geom.pages * PLAT_PAGE_BYTES;

    return node.nd_slabs == m->nslabs && used_bytes() == m->nslabs * run && node_sound() &&
           region_verify();
}

/* Fails one call or all from it on; then the same without failures. */
static int child(unsigned nth, bool sticky)
{
    static struct made first, second;
    uint64_t calls = plat_memory_calls();
    bool reached;

    plat_fail_after(nth, sticky);
    make(&first);
    reached = plat_memory_calls() - calls >= nth;
    plat_fail_after(0, false);
    if (!counts_are(&first) || (!reached && first.refused))
        return CHILD_BROKEN;
    unmake(&first);
    if (!counts_are(&first) || meta_used_bytes() != 0)
        return CHILD_BROKEN;
    make(&second);
    if (second.refused || !counts_are(&second))
        return CHILD_BROKEN;
    return reached ? CHILD_HIT : CHILD_NOT_REACHED;
}

int main(void)
{
    if (start_region(NULL) != 0)
        return 1;
    node_start(3000, 1u << 20);
    return every_call_main(child);
}
