/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a buddy allocator over numbered units: frames of memory, and pieces of address space.
 * Below: base.
 * Owns: struct buddy and one entry for each unit, in memory that the caller gives; the units
 *       themselves are never touched.
 * Invariants: a block of order o begins at a multiple of 2^o and is 2^o units of one zone
 *       the first entry of a block says its order and whether it is free; the others BUDDY_INSIDE
 *       bd_free = sum of 2^order over the free blocks of all zones
 *       no two free blocks are buddies: they would be one
 * Concurrency: none of its own.
 * Failure: BUDDY_NONE.
 * Why: split and merge are a few links, and merging never searches (Knowlton 1965; Knuth, TAOCP
 *      1, 2.5).
 */
#ifndef SLABKIT_PLAT_KERN64_BUDDY_H
#define SLABKIT_PLAT_KERN64_BUDDY_H

#include "base/attrs.h"

#define BUDDY_ORDERS 24u
#define BUDDY_ZONES  16u
#define BUDDY_NONE   UINT32_MAX

enum buddy_state {
    BUDDY_ABSENT, /* no such memory, or never given to the allocator */
    BUDDY_FREE,
    BUDDY_USED,
    BUDDY_INSIDE
};

struct buddy_unit {
    uint32_t next, prev; /* FREE: list of its order and zone; BUDDY_NONE at the ends */
    uint8_t order, state, zone;
};

struct buddy {
    struct buddy_unit *bd_unit;
    uint32_t bd_units;
    uint32_t bd_free;
    uint32_t bd_zone_free[BUDDY_ZONES];
    uint32_t bd_head[BUDDY_ZONES][BUDDY_ORDERS];
};

/* Every unit absent. `unit` has room for `units` entries. */
void buddy_init(struct buddy *b, struct buddy_unit *unit, uint32_t units);
/* Absent units become free memory of a zone. */
void buddy_add(struct buddy *b, uint32_t first, uint32_t units, unsigned zone);
/* The smallest order of at least so many units. */
unsigned buddy_order(uint64_t units);
/* 2^order units of that zone; the first of them. */
uint32_t buddy_alloc(struct buddy *b, unsigned order, unsigned zone);
/* false, and nothing changed: no block in use begins there. */
bool buddy_free(struct buddy *b, uint32_t unit);
/* Walks everything. */
bool buddy_verify(const struct buddy *b);

#endif
