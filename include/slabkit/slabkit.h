/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/slabkit.h: what every slabkit library offers besides its front doors: version, snapshots,
 * reports, giving memory back, verification.
 *
 * Unless a function says otherwise it may be called from any thread, not from a signal handler, and
 * allocates nothing from the engine it looks at.
 */
#ifndef SLABKIT_SLABKIT_H
#define SLABKIT_SLABKIT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLABKIT_VERSION_MAJOR 0
#define SLABKIT_VERSION_MINOR 1
#define SLABKIT_VERSION_PATCH 0
#define SLABKIT_VERSION       "0.1.0"

/* The version of the library that is running, as "0.1.0". */
const char *slabkit_version(void);

/* ---- snapshots ----------------------------------------------------------------------------------
 * A snapshot is a copy of the engine's figures. Figures of different slots are read one after the
 * other while the program runs, so sums are exact when no other thread allocates, and otherwise as
 * exact as a sum over moving parts can be; no figure is ever negative.
 */
#define SLABKIT_SNAPSHOT_VERSION 2
#define SLABKIT_SNAPSHOT_CLASSES 512

/* One cache: a size class of malloc, or a kmem_cache. Bytes are bytes, the rest are objects or
 * events. */
struct slabkit_class {
    char name[32];
    char ctor[32];         /* a kmem_cache's constructor: its name or address; "": none */
    uint32_t cache;        /* 1: a kmem_cache */
    uint32_t size;         /* bytes asked for */
    uint32_t align;        /* of every object */
    uint32_t colours;      /* offsets at which first objects begin */
    uint32_t object_bytes; /* stride of objects in the slab */
    uint32_t slab_bytes;
    uint32_t slab_objs;      /* objects in one slab without colour */
    uint32_t array_limit;    /* largest array in use for it on any slot */
    uint64_t live_objs;      /* in the program's hands */
    uint64_t array_objs;     /* free, in arrays of slots */
    uint64_t depot_objs;     /* free, in the depot */
    uint64_t slab_free_objs; /* free, in slabs (never-touched ones included) */
    uint64_t slabs;          /* all; fill = live_objs / (slabs * slab_objs) */
    uint64_t slabs_partial;  /* on lists, with free objects */
    uint64_t slabs_away;     /* full, off the lists */
    uint64_t slabs_free;     /* no object in use, kept */
    uint64_t allocs;         /* objects allocated, ever */
    uint64_t alloc_misses;   /* allocations that found the array empty */
    uint64_t free_misses;    /* frees that found the array full */
    uint64_t depot_gets;     /* full arrays taken from the depot */
    uint64_t depot_puts;     /* full arrays given to it */
    uint64_t refills;        /* batches taken from slabs */
    uint64_t refill_objs;
    uint64_t flushes; /* batches returned to slabs */
    uint64_t flush_objs;
    uint64_t remote_objs;   /* objects sent home to another slot's slab */
    uint64_t remote_chains; /* in so many chains: one compare-and-swap each */
    uint64_t tells;         /* owners told */
    uint64_t grows;         /* slabs made */
    uint64_t shrinks;       /* slabs returned */
    uint64_t adoptions;     /* slabs taken over from a slot that sleeps */
    uint64_t array_resizes;
    uint64_t failures; /* allocations that returned NULL */
    uint64_t reserve;  /* objects kept for when there is nothing else */
    uint64_t deferred; /* objects that wait for a grace period */
};

struct slabkit_snapshot {
    uint32_t version; /* SLABKIT_SNAPSHOT_VERSION */
    uint32_t bytes;   /* sizeof(struct slabkit_snapshot) of the writer */
    int32_t pid;
    int32_t ppid;
    char process[32];      /* command name, as in /proc/self/comm */
    char slots_mode[16];   /* "rseq-cid", "rseq-cpu", "portable" */
    char slots_reason[64]; /* why this mode */
    uint32_t slots;
    uint32_t nodes;
    uint32_t classes; /* entries of class_[] that are filled */
    uint32_t reaper;  /* 1: its thread runs */

    /* bytes */
    uint64_t live_bytes;     /* in the program's hands, rounded up to their classes; large and huge
                                included */
    uint64_t peak_bytes;     /* most ever mapped for objects: slabs, large and huge blocks */
    uint64_t mapped_bytes;   /* now: slabs, large and huge blocks, free pages kept */
    uint64_t dirty_bytes;    /* of it: free pages kept, not yet returned */
    uint64_t returned_bytes; /* given back to the system, in sum */
    uint64_t reserved_bytes; /* address space */
    uint64_t meta_bytes;     /* slabkit's own descriptors and arrays, in use */
    uint64_t array_bytes;    /* objects free in arrays and depots */
    uint64_t large_bytes;    /* live large blocks (in the range) */
    uint64_t huge_bytes;     /* live huge blocks (outside of it) */

    /* events */
    uint64_t large_allocs, large_frees, large_live;
    uint64_t huge_allocs, huge_frees, huge_live;
    uint64_t reaps;         /* passes of the reaper, or trims */
    uint64_t trims;         /* returns of excess dirty pages */
    uint64_t nested_allocs; /* served to signal handlers that interrupted the slow path */
    uint64_t deferred_frees;
    uint64_t allocs_exact; /* 1: allocs of the classes are counted, not bounded from below */
    uint64_t spare[8];

    struct slabkit_class class_[SLABKIT_SNAPSHOT_CLASSES];
};

/* Fills *out. 0, or -1 if the engine has not started (then *out is zero but for version and bytes).
 * O(slots * classes). */
int slabkit_snapshot(struct slabkit_snapshot *out);

enum slabkit_format {
    SLABKIT_TEXT = 0,
    SLABKIT_JSON = 1,
    SLABKIT_PROMETHEUS =
        2 /* types only: the text format of Prometheus' exposition, version 0.0.4 */
};

/* Writes a snapshot to a descriptor: tables for people, or one JSON object. Allocates nothing.
 * 0, or -1 with errno from write(2). */
int slabkit_snapshot_write(const struct slabkit_snapshot *s, int fd, enum slabkit_format format);

/* Writes the figures of all types (slabkit/kmalloc.h) to a descriptor: a table in the shape of the
 * BSDs' vmstat -m, one JSON object, or metrics. Allocates nothing from the engine. 0, or -1 with
 * errno from write(2), or ENOMEM. */
int slabkit_types_write(int fd, enum slabkit_format format);

/* ---- memory and verification ----------------------------------------------------------------- */

/* Empties arrays and depots, returns free slabs and pages to the system at once, but for keep_bytes
 * of free pages. Returns the bytes returned. May block on other threads' slow paths; O(everything).
 */
size_t slabkit_trim(size_t keep_bytes);

/* Checks every structure of the engine. 0: all is consistent; otherwise the number of faults, each
 * told in one line on stderr. Stops allocation slow paths while it runs. */
unsigned slabkit_verify(void);

/* For tests of exhaustion: the n-th following call of the engine to the system for memory is
 * refused, and with `sticky` every later one; n == 0 ends it. Any thread, also a signal handler. */
void slabkit_fail_after(unsigned n, int sticky);

#ifdef __cplusplus
}
#endif

#endif
