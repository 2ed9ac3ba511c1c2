/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the per-slot primitives with one lock per slot.
 * Below: plat.h: locks, areas.
 */
#ifndef SLABKIT_PLAT_PORTABLE_SLOT_LOCKS_H
#define SLABKIT_PLAT_PORTABLE_SLOT_LOCKS_H

#include "plat/plat.h"

#define PORTABLE_SLOTS_MAX 4096u

/* The slot this thread tries first. */
unsigned portable_home(void);

void *portable_pop(unsigned idx);
bool portable_push_kind(uint32_t kind, void *obj);
unsigned portable_pop_n(unsigned idx, void **out, unsigned n);
unsigned portable_push_n(unsigned idx, void *const *objs, unsigned n);
bool portable_cas(unsigned slot, unsigned idx, uintptr_t old, uintptr_t new);
void portable_stop_many(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n);
bool portable_credit_take(struct plat_credit *cells, uint64_t amount);
bool portable_credit_cas(struct plat_credit *cells, unsigned slot, uint64_t old, uint64_t new);
void portable_credit_stop(struct plat_credit *cells);

void portable_fork_prepare(void);
void portable_fork_parent(void);
void portable_fork_child(void);

/* How many primitives have taken a slot lock: what shows which implementation ran. */
uint64_t portable_sections(void);

#endif
