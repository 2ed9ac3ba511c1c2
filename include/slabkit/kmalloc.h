/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/kmalloc.h: allocation by type. Every allocation names its type, and the program knows at
 * any moment, exactly, what each part of it uses, and can bound it. The interface is that of the
 * BSD kernels' malloc(9); krecalloc is OpenBSD's recallocarray.
 *
 * Unless a function says otherwise it may be called from any thread, constructors of shared objects
 * included, and not from a handler. A block may be freed by any thread.
 *
 * Allocation with M_NOWAIT or M_RNOWAIT and kfree may be called from handlers (see kmem_cache.h), at any instruction; inside of this
 * library's own code the blocks are what arrays, slabs and a small arena have at hand, and of a limited type what its credit or a
 * free lock allows. What M_WAITOK would have to wait for there ends the program with one line. All of it is counted exactly.
 */
#ifndef SLABKIT_KMALLOC_H
#define SLABKIT_KMALLOC_H

#include <slabkit/flags.h>
#include <slabkit/slabkit.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- types --------------------------------------------------------------------------------------
 * Flags of a type.
 */
#define MT_ISOLATE 0x0001u /* size-class caches of its own: shares no slab with another type */
#define MT_TRACK   0x0002u /* each block remembers its type and who allocated it; slow, for bugs */

/* Private but for the macros below. */
struct malloc_type {
    const char *mt_name, *mt_desc;
    unsigned mt_flags;
    unsigned mt_reserved;
    void *mt_type; /* set by the library, once */
};

/*
 * MALLOC_DEFINE(M_CONN, "conn", "connection state") defines the type M_CONN in one file,
 * MALLOC_DECLARE(M_CONN) makes it known in others. The type appears in the tables when its program
 * or library is loaded; when the library is unloaded, it stays in the tables if it was used, and
 * goes on where it was if it is loaded again (name and description tell).
 * MALLOC_DEFINE_FLAGS adds MT_* flags.
 */
#define MALLOC_DEFINE(type, name, desc) MALLOC_DEFINE_FLAGS(type, name, desc, 0)
#define MALLOC_DEFINE_FLAGS(type, name, desc, flags)                                               \
    struct malloc_type type[1] = {{name, desc, flags, 0, NULL}};                                   \
    __attribute__((constructor)) static void type##_attach(void)                                   \
    {                                                                                              \
        malloc_type_attach(type);                                                                  \
    }                                                                                              \
    __attribute__((destructor)) static void type##_detach(void)                                    \
    {                                                                                              \
        malloc_type_detach(type);                                                                  \
    }                                                                                              \
    struct malloc_type type[1]
#define MALLOC_DECLARE(type) extern struct malloc_type type[1]

/* What MALLOC_DEFINE calls; a type that is used earlier attaches itself. */
void malloc_type_attach(struct malloc_type *type);
void malloc_type_detach(struct malloc_type *type);

/*
 * A type made at run time; name and desc are copied (31 and 63 characters are kept). NULL with
 * errno: EINVAL (unknown flags), ENOMEM, ENOSPC (65535 types). May make system calls.
 */
struct malloc_type *malloc_type_create(const char *name, const char *desc, unsigned flags);

/*
 * Unmakes a type that malloc_type_create made. 0, or -1 with errno EBUSY and a line on stderr when
 * memory of the type is in use: how much, and for MT_TRACK from where; the type stays then. The
 * slabs of an MT_ISOLATE type become free pages at once. Nobody may use the type meanwhile.
 */
int malloc_type_destroy(struct malloc_type *type);

/* ---- allocate and free --------------------------------------------------------------------------
 * flags: one of
 *   M_WAITOK   may make system calls and wait. Never NULL without M_NULLOK: at the type's limit, and
 *              when there is no memory, it waits; see kmalloc_on_full for what ends the wait
 *   M_RNOWAIT  may ask the system for pages, never waits for memory; may be NULL
 *   M_NOWAIT   what is at hand, without asking the system for pages; may be NULL
 * and any of
 *   M_NULLOK       with M_WAITOK: NULL at once instead of a wait
 *   M_ZERO         the block reads as zero
 *   M_POWEROF2     size rounded up to a power of two, and aligned to it (at most 64 KiB alignment)
 *   M_CACHEALIGN   aligned to a cache line, and sharing none with other blocks
 *   M_USE_RESERVE  may exceed the type's limit by 1/16
 * Contradictory flags (none or two of the first three, M_NULLOK without M_WAITOK) are misuse: one
 * line on stderr and abort. So are unknown bits; of those above 0xff an allocation that hits takes no
 * notice.
 *
 * Blocks are aligned to 16 (8 for size <= 8), powers of two up to 32 KiB to themselves. What counts
 * is the block's usable size, kmalloc_usable_size. NULL comes with errno ENOMEM.
 */

/* What kmalloc(0) returns: no block, not to be dereferenced, accepted by all functions here. */
#define KMALLOC_ZERO ((void *)-4096L)

void *kmalloc(size_t size, struct malloc_type *type, int flags);
void *kzalloc(size_t size, struct malloc_type *type, int flags);

/* n * size bytes; NULL with ENOMEM when that overflows, whatever the flags. */
void *kmalloc_array(size_t n, size_t size, struct malloc_type *type, int flags);

/* align: a power of two, at most 1 GiB; otherwise NULL with EINVAL. */
void *kmalloc_aligned(size_t size, size_t align, struct malloc_type *type, int flags);

/* Resizes a block of this type: the first min(old, new) bytes stay, with M_ZERO the bytes above the
 * old usable size are zero. p NULL: kmalloc. size 0: kfree, KMALLOC_ZERO. NULL: p stays valid. */
void *krealloc(void *p, size_t size, struct malloc_type *type, int flags);

/* An array of old_n elements becomes one of n: new elements are zero, and what is given up or left
 * behind is cleared. NULL with EINVAL when old_n is more than the block holds, ENOMEM otherwise. */
void *krecalloc(void *p, size_t old_n, size_t n, size_t size, struct malloc_type *type, int flags);

char *kstrdup(const char *s, struct malloc_type *type, int flags);
/* At most n characters, and a terminator. */
char *kstrndup(const char *s, size_t n, struct malloc_type *type, int flags);
void *kmemdup(const void *p, size_t size, struct malloc_type *type, int flags);
/* printf into a new block; NULL also when the format fails. */
char *kasprintf(struct malloc_type *type, int flags, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
char *kvasprintf(struct malloc_type *type, int flags, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/*
 * Gives a block back. p may be NULL or KMALLOC_ZERO. Never fails, never waits, keeps errno. The type
 * must be the one it was allocated with: where one of the two is MT_TRACK, another one is misuse at
 * the call; otherwise slabkit_verify finds the type whose count became negative.
 */
void kfree(void *p, struct malloc_type *type);
/* The same; a size larger than the block is misuse. */
void kfree_sized(void *p, size_t size, struct malloc_type *type);
/* Bytes that may be used at p; 0 for NULL and KMALLOC_ZERO. */
size_t kmalloc_usable_size(const void *p);

/* ---- limits ----------------------------------------------------------------------------------- */

#define KMALLOC_NO_LIMIT SIZE_MAX

/* Most bytes of the type that may be in use. Never exceeded, not by a byte; credit that other slots
 * hold is called in before an allocation is refused. */
size_t kmalloc_limit(struct malloc_type *type);
/* A new limit, larger or smaller; below what is in use it only stops further allocation. Wakes who
 * waits. May make system calls. */
void kmalloc_raise_limit(struct malloc_type *type, size_t bytes);

/* Calls fn once each time the bytes in use go above `bytes`, from the allocation that does it, with
 * no lock held; it may allocate. Due again as soon as the use is at or below `bytes`; until then
 * frees of the type take a lock. fn NULL ends it. */
typedef void malloc_soft_fn(struct malloc_type *type, size_t inuse_bytes, void *arg);
void kmalloc_soft_limit(struct malloc_type *type, size_t bytes, malloc_soft_fn *fn, void *arg);

/* What an M_WAITOK allocation does that has waited in vain. */
enum malloc_full {
    MALLOC_FULL_PANIC, /* one line, abort */
    MALLOC_FULL_WAIT,  /* waits as long again */
    MALLOC_FULL_NULL   /* returns NULL */
};
typedef enum malloc_full malloc_full_fn(struct malloc_type *type, size_t size, void *arg);
/* After wait_ms milliseconds fn decides, called with no lock held; without fn it panics. Every type
 * begins with no fn and MALLOC_WAIT_MS. */
#define MALLOC_WAIT_MS 10000u
void kmalloc_on_full(struct malloc_type *type, unsigned wait_ms, malloc_full_fn *fn, void *arg);

/* ---- figures ---------------------------------------------------------------------------------- */

struct malloc_type_stats {
    uint64_t calls;    /* blocks allocated, ever */
    int64_t inuse;     /* blocks in use; negative: freed with a wrong type */
    int64_t memuse;    /* bytes in use, by usable size */
    int64_t peak;      /* most bytes ever in use, as often as somebody looked; see below */
    uint64_t failures; /* allocations that returned NULL */
    uint64_t limit;    /* KMALLOC_NO_LIMIT: none */
    uint64_t waits;    /* allocations that waited */
    uint64_t sizes[2]; /* bit i: blocks of size class i + 1 were allocated; bit 77: larger ones */
    uint32_t id;
    uint32_t
        parent; /* id of the tracked type that this is one place of, and which counts it too; or 0 */
    uint32_t weight; /* the figures are of one in so many allocations, times weight */
    char name[32], desc[64];
};

/*
 * Exact when no thread is inside a call with this type; otherwise each slot is exact at the instant
 * it is read. The peak is never too high; it is looked at whenever a slot asks for credit and when
 * figures are read, so that it may be too low by what the slots allocated since: while the type
 * grows at most max(16 KiB, 64 blocks, peak / (16 * slots)) each, and up to 64 times as much where
 * it has long not reached a new peak. O(slots).
 */
void malloc_type_stats(struct malloc_type *type, struct malloc_type_stats *out);
/* All types in turn, the unloaded ones too: fn gets a copy. fn may allocate; true ends the walk. */
void malloc_type_iterate(int (*fn)(const struct malloc_type_stats *stats, void *arg), void *arg);
/* Copies the figures of at most n types; how many there are. */
size_t slabkit_types(struct malloc_type_stats *out, size_t n);
/* NULL: no type has this name. The first, if several have. */
struct malloc_type *malloc_type_find(const char *name);

/* What option report=binary appends behind the snapshot, for slabkit run. */
#define SLABKIT_TYPES_VERSION 0x10001u
struct slabkit_types_record {
    uint32_t version; /* SLABKIT_TYPES_VERSION */
    uint32_t bytes;   /* of the record */
    int32_t pid;
    uint32_t count;
    struct malloc_type_stats types[];
};

#ifdef __cplusplus
}
#endif

#endif
