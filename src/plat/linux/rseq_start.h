/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: registration with the kernel, the fence, and closing all slots at once.
 * Below: rseq.h, sys.h.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_START_H
#define SLABKIT_PLAT_LINUX_RSEQ_START_H

#include "plat/plat.h"

/* Registers this thread where that is ours to do; whether it has a slot id now. */
bool rseq_register_thread(void);

/* On return no section that began on `slot` before the call is under way. */
void rseq_fence(unsigned slot);
/* The same on every slot. */
void rseq_fence_all(void);

/* Every primitive misses, and none is under way, until the thaw. */
void rseq_freeze(void);
void rseq_thaw(void);
void rseq_thaw_child(void);

#endif
