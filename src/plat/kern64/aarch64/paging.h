/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: entries of page tables as 64-bit ARM reads them: granule 4 KiB, addresses of 48 bits, hence
 *       four levels of 512.
 * Why: a page is inner shareable, cached as attribute 0 of MAIR_EL1 says, never executed, and the
 *      access flag is set: the CPU itself never writes an entry.
 */
#ifndef SLABKIT_PLAT_KERN64_PAGING_H
#define SLABKIT_PLAT_KERN64_PAGING_H

#define PTE_PRESENT 1ull
#define PTE_TABLE   (PTE_PRESENT | 2ull)
#define PTE_SHARED  (3ull << 8)
#define PTE_USED    (1ull << 10)
#define PTE_NO_EXEC (3ull << 53)
#define PTE_PAGE    (PTE_PRESENT | 2ull | PTE_SHARED | PTE_USED | PTE_NO_EXEC)
#define PTE_NEW     (1ull << 55) /* free for software */
#define PTE_FRAME   0x0000fffffffff000ull

#endif
