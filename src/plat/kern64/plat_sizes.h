/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the sizes that plat.h takes from the platform, for kernels on 64-bit machines.
 * Why: both machines have pages of 4 KiB. The slot areas are backed from the start, so they are small: 8
 *      KiB for each CPU, room for 256 caches.
 */
#ifndef SLABKIT_PLAT_SIZES_H
#define SLABKIT_PLAT_SIZES_H

#define PLAT_SLOT_SHIFT 13u
#define PLAT_PAGE_SHIFT 12u
#define PLAT_ROOM_BYTES PLAT_PAGE_BYTES /* memory is backed at once */

/* May decommitted pages be used again without asking? */
#define PLAT_DECOMMIT_KEEPS false

SK_INLINE size_t plat_sys_page_bytes(void)
{
    return (size_t)1 << PLAT_PAGE_SHIFT;
}

SK_INLINE void plat_hugepages(void *p, size_t bytes, bool want)
{
    (void)p;
    (void)bytes;
    (void)want;
}

#endif
