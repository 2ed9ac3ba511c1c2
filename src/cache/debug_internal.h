/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the files of debugging share: the record beside an object, damage, and reports.
 * Below: debug.h.
 */
#ifndef SLABKIT_CACHE_DEBUG_INTERNAL_H
#define SLABKIT_CACHE_DEBUG_INTERNAL_H

#include "cache/debug.h"

#define DEBUG_PARTS 8u /* a constructed object is remembered in so many parts */

enum debug_state {
    DEBUG_DAMAGED, /* none of the others */
    DEBUG_MADE,    /* painted; not constructed yet, or without constructor */
    DEBUG_BUILT,   /* constructed, never allocated */
    DEBUG_LIVE,
    DEBUG_LEAVING, /* in free, on its way from LIVE to FREE */
    DEBUG_FREE,
    DEBUG_TAKEN, /* MADE, BUILT or FREE before; in alloc, or at the end of its slab */
    DEBUG_SEEN,  /* the same, in verify */
};

/* At the begin of the raw object. */
struct debug_record {
    uintptr_t link;             /* the slab layer's, while the object is on its way home */
    uint64_t state;             /* atomic; a word for each enum debug_state and address */
    uint64_t part[DEBUG_PARTS]; /* P, constructed, BUILT or FREE: digests of what it looked like */
};

/* One event: by whom, where and when. */
struct debug_track {
    void *pcs[KMEM_DEBUG_STACK];
    uint64_t ns;
    uint32_t pid, tid, slot;
    uint32_t depth; /* 0: there was none */
};

/* Behind the record, with U. */
struct debug_history {
    struct debug_track alloc, free;
};

enum debug_fault {
#define DEBUG_FAULT(id, text) DEBUG_##id,
#include "cache/debug.def"
#undef DEBUG_FAULT
    DEBUG_FAULTS
};

struct debug_damage {
    enum debug_fault what;
    ptrdiff_t off; /* of the first byte, from the object's begin */
    size_t bytes;  /* to the last one; 0: there is no picture of it */
};

/* The object, the call it is in, and who called. */
struct debug_scene {
    const struct kmem_debug *d;
    const char *name;
    void *raw;
    void *caller;
    bool constructed;
};

SK_INLINE struct debug_record *debug_record(const void *raw)
{
    return (struct debug_record *)(uintptr_t)raw;
}

SK_INLINE struct debug_history *debug_history(const void *raw)
{
    return (struct debug_history *)(debug_record(raw) + 1);
}

/* Where the left red zone begins. */
SK_INLINE size_t debug_head_bytes(const struct kmem_debug *d)
{
    return sizeof(struct debug_record) +
           (d->flags & KMEM_STORE_USER ? sizeof(struct debug_history) : 0);
}

/* ---- debug_paint.c --------------------------------------------------------------------------- */

void debug_paint_zones(const struct kmem_debug *d, void *raw);
void debug_paint_fresh(const struct kmem_debug *d, void *raw);
void debug_paint_freed(const struct kmem_debug *d, void *raw);
void debug_remember(const struct kmem_debug *d, void *raw);
/* Each: false, or what is damaged. */
bool debug_find_overrun(const struct kmem_debug *d, const void *raw, struct debug_damage *out);
bool debug_find_underrun(const struct kmem_debug *d, const void *raw, struct debug_damage *out);
bool debug_find_poison(const struct kmem_debug *d, const void *raw, struct debug_damage *out);
bool debug_find_change(const struct kmem_debug *d, const void *raw, struct debug_damage *out);

/* ---- debug_report.c -------------------------------------------------------------------------- */

/* The first line, without its "slabkit: ". */
void debug_word_damage(struct text *t, const struct kmem_debug *d, const char *name,
                       const void *raw, const struct debug_damage *damage);
_Noreturn void debug_die_damaged(const struct debug_scene *s, const struct debug_damage *damage);
/* p: what was freed; s->raw: the object that was hit, or NULL; s->name: for the line. */
_Noreturn void debug_die_misused(const struct debug_scene *s, enum misuse what, const void *p);

/* ---- debug_track.c --------------------------------------------------------------------------- */

void debug_track_now(struct debug_track *track, void *caller);
/* "pid 1, tid 2, slot 0, 0.012 s ago" */
void debug_word_track(struct text *t, const struct debug_track *track);
/* One line for each return address. */
void debug_word_stack(struct text *t, const struct debug_track *track);
/* "0x1234 main+0x10 (prog+0x11d9)" */
void debug_word_place(struct text *t, const void *pc);
void debug_trace(const struct debug_scene *s, const char *verb);

#endif
