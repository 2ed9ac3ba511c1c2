/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/compat/linux/gfp.h: the GFP_* flags of Linux, with the part of their meaning that a process
 * can keep. Names and composition follow Linux's include/linux/gfp_types.h.
 *
 *   __GFP_DIRECT_RECLAIM  may make system calls, run reclaim callbacks and wait; without it, and
 *                         without __GFP_HIGH, an allocation makes no system call
 *   __GFP_HIGH            may ask the system for pages although it may not wait, and may use reserves
 *   __GFP_ZERO            the memory reads as zero
 *   __GFP_NORETRY         NULL as soon as reclaim did not help
 *   __GFP_RETRY_MAYFAIL   a few more attempts, with pauses
 *   __GFP_NOFAIL          attempts for seconds, then one line and abort; never NULL
 *   __GFP_NOWARN          no line on stderr about the failure (else the first ten get one)
 *
 * The others, about zones, I/O, accounting and nodes, say nothing to a process and are accepted.
 */
#ifndef SLABKIT_COMPAT_LINUX_GFP_H
#define SLABKIT_COMPAT_LINUX_GFP_H

typedef unsigned int gfp_t;

#define __GFP_DMA            ((gfp_t)0x00000001)
#define __GFP_HIGHMEM        ((gfp_t)0x00000002)
#define __GFP_DMA32          ((gfp_t)0x00000004)
#define __GFP_MOVABLE        ((gfp_t)0x00000008)
#define __GFP_RECLAIMABLE    ((gfp_t)0x00000010)
#define __GFP_HIGH           ((gfp_t)0x00000020)
#define __GFP_IO             ((gfp_t)0x00000040)
#define __GFP_FS             ((gfp_t)0x00000080)
#define __GFP_ZERO           ((gfp_t)0x00000100)
#define __GFP_DIRECT_RECLAIM ((gfp_t)0x00000400)
#define __GFP_KSWAPD_RECLAIM ((gfp_t)0x00000800)
#define __GFP_WRITE          ((gfp_t)0x00001000)
#define __GFP_NOWARN         ((gfp_t)0x00002000)
#define __GFP_RETRY_MAYFAIL  ((gfp_t)0x00004000)
#define __GFP_NOFAIL         ((gfp_t)0x00008000)
#define __GFP_NORETRY        ((gfp_t)0x00010000)
#define __GFP_MEMALLOC       ((gfp_t)0x00020000)
#define __GFP_COMP           ((gfp_t)0x00040000)
#define __GFP_NOMEMALLOC     ((gfp_t)0x00080000)
#define __GFP_HARDWALL       ((gfp_t)0x00100000)
#define __GFP_THISNODE       ((gfp_t)0x00200000)
#define __GFP_ACCOUNT        ((gfp_t)0x00400000)
#define __GFP_RECLAIM        (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_ATOMIC           (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL           (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT   (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT           (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO             (__GFP_RECLAIM)
#define GFP_NOFS             (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER             (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_DMA              __GFP_DMA
#define GFP_DMA32            __GFP_DMA32
#define GFP_HIGHUSER         (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)

#define NUMA_NO_NODE (-1)

static inline _Bool gfpflags_allow_blocking(gfp_t gfp)
{
    return (gfp & __GFP_DIRECT_RECLAIM) != 0;
}

#endif
