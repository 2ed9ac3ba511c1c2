/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the n-th call to the system for memory fails, for every n that a load of three caches reaches, once or from
 *       then on: what cannot be had is NULL, objects are constructed or not there, nothing is lost.
 */
#include "fixture.h"
#include "../slab/every_call.h"

/* An emulator takes its time, and says so. */
#ifndef EFFORT_DIV
#define EFFORT_DIV 1u
#endif

#define TABLE 900u
#define OPS   (9000u / EFFORT_DIV)

static struct kmem_cache *caches[3];
static void *table[TABLE];
static unsigned refused;

static void step(unsigned at, int flags)
{
    struct kmem_cache *c = caches[at % 3];

    if (!c)
        return;
    if (table[at]) {
        must(at % 3 || is_constructed(table[at]), "an object lost its state");
        kmem_cache_free(c, table[at]);
        table[at] = NULL;
        return;
    }
    table[at] = kmem_cache_alloc(c, flags);
    refused += !table[at] && flags == M_WAITOK;
    must(!table[at] || at % 3 || is_constructed(table[at]), "an object was not constructed");
}

static void load(void)
{
    uint64_t seed = 9;

    caches[0] = counted_cache(100, 0);
    caches[1] = kmem_create("plain", 3000, NULL);
    caches[2] = kmem_create("large", 300000, &(struct kmem_cache_args){.reserve = 2});
    refused += !caches[0] + !caches[1] + !caches[2];
    for (unsigned op = 0; op < OPS; op++)
        step(draw(&seed, TABLE), op % 3 ? M_WAITOK : M_NOWAIT);
    for (unsigned at = 0; at < TABLE; at++)
        if (table[at])
            step(at, 0);
    for (unsigned i = 0; i < 3; i++) {
        must(!caches[i] || kmem_cache_verify(caches[i]) == 0, "faults");
        must(kmem_cache_destroy(caches[i]) == 0, "objects were lost");
    }
    must(counts.ctors == counts.dtors && counts.bad == 0, "constructions do not match");
}

static int arg_count;
static char **args;

static int child(unsigned nth, bool sticky)
{
    uint64_t calls;
    size_t used;
    bool reached;

    start(arg_count, args);
    used = balance_now().used;
    calls = plat_memory_calls();
    plat_fail_after(nth, sticky);
    load();
    reached = plat_memory_calls() - calls >= nth;
    plat_fail_after(0, false);
    must(reached || !refused, "refused without a cause");
    refused = 0;
    load();
    must(!refused, "refused though the system was not");
    must(balance_now().used == used && region_verify(), "pages did not come home");
    return reached ? CHILD_HIT : CHILD_NOT_REACHED;
}

int main(int argc, char **argv)
{
    arg_count = argc;
    args = argv;
    return every_call_main(child);
}
