/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: entries of page tables as x86-64 reads them: 4 KiB pages, four levels of 512.
 */
#ifndef SLABKIT_PLAT_KERN64_PAGING_H
#define SLABKIT_PLAT_KERN64_PAGING_H

#define PTE_PRESENT 1ull
#define PTE_WRITE   2ull
#define PTE_TABLE   (PTE_PRESENT | PTE_WRITE)
#define PTE_PAGE    (PTE_PRESENT | PTE_WRITE)
#define PTE_NEW     (1ull << 9) /* free for software */
#define PTE_FRAME   0x000ffffffffff000ull

#endif
