/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what debugging of caches wants to know of a hosted process: stacks, names of code, ids.
 * Below: cache/debug.h; the compiler's unwinder, dladdr.
 */
#ifndef SLABKIT_CTL_WORLD_H
#define SLABKIT_CTL_WORLD_H

/* Hands them to the cache layer. During the start. */
void world_install(void);
struct text;
/* Words for a function: its name, or where it lies in its file. */
void world_name_code(struct text *t, const void *fn);
/* The child of fork has other ids. */
void world_fork_child(void);

#endif
