/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the n-th call to the system for memory fails, for every n that a mixed load reaches,
 *       once or from then on. Allocation may say NULL, free may not fail, nothing is lost, and
 *       afterwards the same load runs without a refusal.
 */
#include "fixture.h"
#include "../slab/every_call.h"

#define TABLE 4000u
#define OPS   12000u

static struct entry {
    void *p;
    unsigned k;
    uint64_t v;
} table[TABLE];
static uint64_t live[CACHES];
static unsigned refused;

static void entry_alloc(struct entry *e, unsigned k, uint64_t v)
{
    e->p = cache_alloc(&caches[k]);
    if (!e->p) {
        refused++;
        return;
    }
    e->k = k;
    e->v = v;
    stamp_object(e->p, caches[k].pc_geom.size, v);
    live[k]++;
}

static void entry_free(struct entry *e)
{
    must(stamp_holds(e->p, caches[e->k].pc_geom.size, e->v), "an object was written by another");
    cache_free(&caches[e->k], e->p);
    e->p = NULL;
    live[e->k]--;
}

static void must_be_at_rest(void)
{
    for (unsigned k = 0; k < CACHES; k++)
        must(at_rest(&caches[k], live[k]), "objects were lost or doubled");
}

static void load(void)
{
    uint64_t seed = 5;

    for (unsigned op = 0; op < OPS; op++) {
        struct entry *e = &table[draw(&seed, TABLE)];

        if (e->p)
            entry_free(e);
        else
            entry_alloc(e, draw(&seed, CACHES), op);
        if (op % 1000 == 500)
            reap();
    }
    must_be_at_rest();
}

static void free_all(void)
{
    for (unsigned i = 0; i < TABLE; i++)
        if (table[i].p)
            entry_free(&table[i]);
    must_be_at_rest();
    drain_all();
    for (unsigned k = 0; k < CACHES; k++)
        must(pcpu_objs_out(&caches[k]) == 0, "objects did not come home");
    must(used_bytes() == 0 && region_verify(), "pages did not come home");
}

static struct plat_config config;

static int child(unsigned nth, bool sticky)
{
    uint64_t calls;
    bool reached;

    start_mode(config);
    must(start_caches(DEPOT_BUDGET), "start");
    calls = plat_memory_calls();
    plat_fail_after(nth, sticky);
    load();
    reached = plat_memory_calls() - calls >= nth;
    free_all();
    plat_fail_after(0, false);
    must(reached || !refused, "refused without a cause");
    refused = 0;
    load();
    free_all();
    must(!refused, "refused though the system was not");
    return reached ? CHILD_HIT : CHILD_NOT_REACHED;
}

int main(int argc, char **argv)
{
    config = mode_wanted(argc, argv);
    return every_call_main(child);
}
