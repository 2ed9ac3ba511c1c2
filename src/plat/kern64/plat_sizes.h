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

/* May decommitted pages be used again without asking? */
#define PLAT_DECOMMIT_KEEPS false

#endif
