/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the restartable sections share with the code around them.
 * Below: plat.h.
 * Owns: plat_closed_rseq: in each thread, ids of -1 that no kernel knows; and three words that
 *       every section reads, in this order:
 *         plat_rseq_delta  from plat_closed_rseq to the struct rseq this thread is registered with
 *         plat_id_delta    from its mm_cid to the id that is used: 0, or cpu_id
 *         plat_slot_base   plat_base, or a closed copy of the areas (before start, during fork)
 *       Invariant: plat_rseq_delta is 0 (every section misses), or plat_slot_base has an area for
 *       every id found by the other two.
 * Concurrency: the three are written by plat_init and the fork hooks only.
 * Why: offsets from a thread-local of ours, because that is the only address of this kind the
 *       linker can provide before any code has run, in executables and libraries alike.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_H
#define SLABKIT_PLAT_LINUX_RSEQ_H

#include "plat/plat.h"

/* The kernel's struct rseq as far as it is used. The kernel writes all but rseq_cs. */
struct plat_rseq {
    uint32_t cpu_id_start;
    int32_t cpu_id; /* -1: not registered, -2: refused */
    uint64_t rseq_cs;
    uint32_t flags;
    uint32_t node_id;
    int32_t mm_cid;
    uint32_t unused;
} __attribute__((aligned(32)));

#define RSEQ_BYTES      32u
#define RSEQ_OFF_CPU_ID 4
#define RSEQ_OFF_CS     8
#define RSEQ_OFF_MM_CID 24

#define RSEQ_DELTA_CID 0
#define RSEQ_DELTA_CPU (RSEQ_OFF_CPU_ID - RSEQ_OFF_MM_CID)

_Static_assert(PLAT_SLOT_SHIFT == 17 && 8 * PLAT_SLOT_POPS == 33024 && PLAT_FOREIGN == 8192,
               "the numbers in the sections");
_Static_assert(PLAT_CREDIT_SHIFT == 6, "the shift in the sections on credit");
_Static_assert(sizeof(struct plat_rseq) == RSEQ_BYTES, "the ABI's first size");
_Static_assert(offsetof(struct plat_rseq, cpu_id) == RSEQ_OFF_CPU_ID, "ABI");
_Static_assert(offsetof(struct plat_rseq, rseq_cs) == RSEQ_OFF_CS, "ABI");
_Static_assert(offsetof(struct plat_rseq, mm_cid) == RSEQ_OFF_MM_CID, "ABI");

extern SK_TLS PLAT_HIDDEN struct plat_rseq plat_closed_rseq;
extern PLAT_HIDDEN intptr_t plat_rseq_delta;
extern PLAT_HIDDEN intptr_t plat_id_delta;
extern PLAT_HIDDEN char *plat_slot_base;

/* HIT: committed. MISS: empty, full or not as expected. ABORTED: interrupted, nothing happened. */
enum rseq_result {
    RSEQ_HIT,
    RSEQ_MISS,
    RSEQ_ABORTED
};

/*
 * After a section, for the output that is used: gcc 12 may otherwise put copies of an output where
 * they belong to another edge of the branch (gcc bug 113921; the cure is Linux's). No instruction. It
 * does not help a caller that merges the result of a miss with that of a hit: gcc 12 takes the output's
 * register for both. So a section leaves 0 in it on every other way out, which costs the hit nothing.
 */
#define RSEQ_OUTPUT(v) __asm__ volatile("" : "+r"(v))

#if defined(__x86_64__)
#include "plat/linux/rseq_x86_64.h"
#include "plat/linux/rseq_credit_x86_64.h"
#elif defined(__aarch64__)
#include "plat/linux/rseq_aarch64.h"
#include "plat/linux/rseq_credit_aarch64.h"
#else
#error "no restartable sections for this machine: build with SLABKIT_PORTABLE_ONLY"
#endif

#endif
