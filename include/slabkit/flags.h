/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/flags.h: how an allocation may behave when there is no memory at hand. Shared by
 * kmem_cache and kmalloc; the names and meanings are those of the BSD kernels' malloc(9).
 */
#ifndef SLABKIT_FLAGS_H
#define SLABKIT_FLAGS_H

#define M_WAITOK      0x0001 /* may make system calls, run reclaim callbacks and wait */
#define M_NOWAIT      0x0002 /* makes no system call and never waits; NULL when nothing is at hand */
#define M_RNOWAIT     0x0004 /* as M_NOWAIT, but may ask the system for pages */
#define M_NULLOK      0x0008 /* with M_WAITOK: NULL at a limit, instead of waiting or panicking */
#define M_ZERO        0x0010 /* zeroed; not for objects with a constructor */
#define M_POWEROF2    0x0020 /* size rounded up to a power of two, and aligned to it */
#define M_CACHEALIGN  0x0040 /* aligned to a cache line */
#define M_USE_RESERVE 0x0080 /* may take what is kept in reserve */

#endif
