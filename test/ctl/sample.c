/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see sample.h.
 */
#include "sample.h"

#include <string.h>

static const struct slabkit_class small = {
    .name = "malloc-16",
    .object_bytes = 16,
    .slab_bytes = 65536,
    .slab_objs = 4096,
    .array_limit = 512,
    .live_objs = 3072,
    .array_objs = 100,
    .depot_objs = 200,
    .slab_free_objs = 724,
    .slabs = 1,
    .slabs_partial = 2,
    .slabs_away = 3,
    .slabs_free = 4,
    .allocs = 1000000,
    .alloc_misses = 2000,
    .free_misses = 1500,
    .depot_gets = 1000,
    .depot_puts = 1100,
    .refills = 900,
    .refill_objs = 57600,
    .flushes = 400,
    .flush_objs = 25600,
    .remote_objs = 3300,
    .remote_chains = 200,
    .tells = 5,
    .grows = 6,
    .shrinks = 7,
    .adoptions = 8,
    .array_resizes = 9,
    .failures = 0,
};

static const struct slabkit_class unused = {
    .name = "malloc-24",
    .object_bytes = 24,
    .slab_bytes = 65536,
    .slab_objs = 2730,
};

static const struct slabkit_class failing = {
    .name = "malloc-32768",
    .object_bytes = 32768,
    .slab_bytes = 131072,
    .slab_objs = 4,
    .slabs = 2,
    .live_objs = 1,
    .allocs = 1,
    .alloc_misses = 3,
    .grows = 2,
    .failures = 2,
};

static const struct slabkit_class cache = {
    .name = "connections",
    .ctor = "conn_init",
    .cache = 1,
    .size = 250,
    .align = 16,
    .colours = 5,
    .object_bytes = 256,
    .slab_bytes = 65536,
    .slab_objs = 255,
    .array_limit = 59,
    .live_objs = 255,
    .slabs = 1,
    .allocs = 400,
    .alloc_misses = 4,
    .grows = 1,
    .reserve = 8,
    .deferred = 2,
};

void sample_snapshot(struct slabkit_snapshot *s)
{
    memset(s, 0, sizeof *s);
    *s = (struct slabkit_snapshot){
        .version = SLABKIT_SNAPSHOT_VERSION,
        .bytes = sizeof *s,
        .pid = 4711,
        .ppid = 12,
        .process = "demo",
        .slots_mode = "rseq-cid",
        .slots_reason = "the kernel has concurrency ids",
        .slots = 2,
        .nodes = 1,
        .classes = 4,
        .reaper = 1,
        .live_bytes = 12345678,
        .peak_bytes = 23456789,
        .mapped_bytes = 20000000,
        .dirty_bytes = 1048576,
        .returned_bytes = 5ull << 30,
        .reserved_bytes = 1ull << 40,
        .meta_bytes = 65536,
        .array_bytes = 2047,
        .large_bytes = 786432,
        .huge_bytes = 0,
        .large_allocs = 30,
        .large_frees = 27,
        .large_live = 3,
        .huge_allocs = 1,
        .huge_frees = 1,
        .huge_live = 0,
        .reaps = 1,
        .trims = 4,
        .nested_allocs = 2,
        .deferred_frees = 1,
        .allocs_exact = 0,
        .class_ = {small, unused, failing, cache},
    };
}
