/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: memory for slabkit's own structures: descriptors, arrays, per-slot state.
 * Below: plat.
 * Owns: chunks mapped from the system, never inside the range given to the callers' objects, so
 *       that no overrun of an object reaches a descriptor.
 * Concurrency: one lock; no system call under it. meta_alloc and meta_free are callable while
 *       holding any other lock of the engine.
 * Failure: NULL.
 */
#ifndef SLABKIT_REGION_META_H
#define SLABKIT_REGION_META_H

#include "plat/plat.h"

/* Zeroed memory of at least `bytes`, aligned to the smaller of 64 and the power of two >= bytes (so
 * that anything of 64 bytes or more has cache lines of its own). */
void *meta_alloc(size_t bytes);
/* bytes as given to meta_alloc. p may be NULL. Makes a system call above 16 KiB. */
void meta_free(void *p, size_t bytes);
/* Gives the system pages that hold nothing back to the system. Makes system calls; the caller holds
 * no lock. Returns bytes. */
size_t meta_trim(void);
/* Bytes mapped for metadata; bytes of it handed out. */
size_t meta_mapped_bytes(void);
size_t meta_used_bytes(void);

void meta_fork_prepare(void);
void meta_fork_parent(void);
void meta_fork_child(void);

/* Walks everything. */
bool meta_verify(void);

#endif
