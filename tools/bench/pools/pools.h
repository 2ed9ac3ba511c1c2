/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what a pool allocator is to slabkit-pools.
 * Invariants: po_single and po_bulk allocate n objects into objs, write to each (pool_use), and give all back.
 * Failure: po_open says in *why what is missing here; a call that fails later ends the program.
 */
#ifndef SLABKIT_BENCH_POOLS_H
#define SLABKIT_BENCH_POOLS_H

#include <stdbool.h>
#include <stddef.h>

#define POOL_BYTES 256u /* of an object */
#define POOL_BATCH 64u

struct pool {
    const char *po_name;
    const char *po_calls; /* what is measured, in words */
    bool (*po_open)(unsigned cpu, const char **why);
    void (*po_close)(void);
    void (*po_single)(void **objs, unsigned n);
    void (*po_bulk)(void **objs, unsigned n); /* NULL: it has no bulk calls */
};

extern const struct pool pool_slabkit, pool_malloc, pool_talloc, pool_apr, pool_dpdk;

_Noreturn void pool_die(const char *why);

/* A store that the compiler must make. */
static inline void *pool_use(void *p)
{
    if (!p)
        pool_die("an allocation failed");
    *(volatile unsigned char *)p = 1;
    return p;
}

#endif
