/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the files of kmalloc share.
 * Below: kmalloc.h.
 */
#ifndef SLABKIT_KMALLOC_INTERNAL_H
#define SLABKIT_KMALLOC_INTERNAL_H

#include "base/text.h"
#include "kmalloc/kmalloc.h"

struct type;

extern struct pcpu_cache km_caches[KM_CACHES + 1]; /* by array index */
extern struct km_stats km_figures;                 /* fields atomic */

/* ---- kmalloc.c: what typed blocks are made of ----------------------------------------------- */

/* The class whose objects serve; 0: a large or huge block does. */
unsigned km_class_for(size_t size, size_t align);
/* An object of c, or with c NULL a large or huge block; everything free is given back before it is
 * refused. Caller is inside plat_enter. *zeroed (may be NULL) is set only if it reads as zero. */
void *km_block(size_t size, size_t align, struct pcpu_cache *c, bool *zeroed);

/* Whether a block of `usable` bytes at p serves `size` bytes well. */
bool km_fits_in_place(const void *p, size_t usable, size_t size);

/* ---- tagged.c ---------------------------------------------------------------------------------- */

/* The tag of any block in use; 0: none. */
uint16_t block_tag_of(const void *p);
/* Can p have a tag? entered: inside plat_enter, not nested. */
bool tracked_ready(void *p, bool entered);
/* A block of a tracked type is given out, or comes back as one of type t: reported if it is not. */
void tracked_alloc(struct type *t, void *p, const void *site);
void tracked_free(struct type *t, void *p);
/* p, no object, is about to be freed: if it has a type, it has it no more. Inside plat_enter. */
void large_discharge(void *p);

/* ---- large.c: large and huge blocks; caller is inside plat_enter ----------------------------- */

/* *zeroed may be NULL. */
void *large_alloc(size_t size, size_t align, bool *zeroed);
/* p is no object of a slab. Misuse is reported. */
void large_free(void *p);
/* Usable bytes of a block of `size` bytes. */
size_t large_bytes_for(size_t size);
/* In place, or NULL. */
void *large_resize(void *p, size_t size);
/* 0: no large or huge block begins at p. */
size_t large_usable(const void *p);
/* Why p, in no slab, cannot be freed: aborts. */
_Noreturn void large_misuse(const void *p);

/* ---- nested.c: calls that interrupted a slow path of their own thread ------------------------ */

void nested_init(void);
/* idx: the array of a class that would do, or 0. */
void *nested_alloc(size_t size, size_t align, unsigned idx);
/* Does p point into the arena? */
bool nested_holds(const void *p);
/* Is p a block of the arena? Its usable bytes, or 0. */
size_t nested_usable(const void *p);
/* A block of the arena is not used any more. */
void nested_free(void *p);
/* Any block: a large one is freed by the next slow path that is not nested, an object collected by one of its slab's owner. */
void nested_free_any(void *p);
/* Frees the large ones. Not nested; no lock held. */
void nested_run_deferred(void);

#endif
