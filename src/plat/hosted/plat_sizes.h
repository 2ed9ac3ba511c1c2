/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the sizes that plat.h takes from the platform, for processes on a hosted system.
 * Why: address space costs nothing there, and is backed as it is touched.
 */
#ifndef SLABKIT_PLAT_SIZES_H
#define SLABKIT_PLAT_SIZES_H

#define PLAT_SLOT_SHIFT 17u
#define PLAT_PAGE_SHIFT 16u

/* May decommitted pages be used again without asking? */
#define PLAT_DECOMMIT_KEEPS true

size_t plat_sys_page_bytes(void);
void plat_hugepages(void *p, size_t bytes, bool want);

#endif
