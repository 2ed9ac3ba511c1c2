/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the sizes that plat.h takes from the platform, for processes on a hosted system.
 * Why: address space costs nothing there, and is backed as it is touched.
 */
#ifndef SLABKIT_PLAT_SIZES_H
#define SLABKIT_PLAT_SIZES_H

#define PLAT_SLOT_SHIFT 17u
/* Small, so that a slab empties soon; never less than a page of the system, which is up to 64 KiB
 * on 64-bit ARM. */
#ifdef __aarch64__
#define PLAT_PAGE_SHIFT 16u
#else
#define PLAT_PAGE_SHIFT 14u
#endif

/* Blocks that are runs get so much at a time: what is not touched is room to grow in place. */
#define PLAT_ROOM_BYTES ((size_t)64 << 10)

/* May decommitted pages be used again without asking? */
#define PLAT_DECOMMIT_KEEPS true

size_t plat_sys_page_bytes(void);
void plat_hugepages(void *p, size_t bytes, bool want);

#endif
