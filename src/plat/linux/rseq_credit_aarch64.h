/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the restartable sections on credit words, on aarch64.
 * Below: rseq_aarch64.h; rseq.h includes this file.
 * Concurrency: as there. The word is read, compared and stored on one slot, or nothing is stored.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_CREDIT_AARCH64_H
#define SLABKIT_PLAT_LINUX_RSEQ_CREDIT_AARCH64_H

/* area: the address of the slot's credit. 6 = PLAT_CREDIT_SHIFT. */
#define RSEQ_LOAD_CREDIT                                                                           \
    "add %[area], %[cells], %[area], lsl #6\n"                                                     \
    "ldr %[word], [%[area]]\n"

#define RSEQ_COMMIT_CREDIT(word)                                                                   \
    "str %[" word "], [%[area]]\n"                                                                 \
    "2:\n"

#define RSEQ_ID_GLOBALS [rseq_delta] "m"(plat_rseq_delta), [id_delta] "m"(plat_id_delta)

/* Neither over a 0 nor of a 0: see plat.h. */
SK_INLINE enum rseq_result rseq_credit_take(struct plat_credit *cells, uint64_t amount)
{
    uintptr_t area, base, word, tp;

    __asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_CREDIT
                          "subs %[word], %[word], %[amount]\n"
                          "b.ls 7f\n" RSEQ_COMMIT_CREDIT("word") RSEQ_EXITS:RSEQ_SCRATCH
                          : [cells] "r"(cells), [amount] "r"(amount), RSEQ_ID_GLOBALS
                          : "memory", "cc"
                          : miss, aborted);
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

SK_INLINE enum rseq_result rseq_credit_cas(struct plat_credit *cells, unsigned slot, uint64_t old,
                                           uint64_t new)
{
    uintptr_t area, base, word, tp;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR RSEQ_BEGIN "cmp %w[area], %w[slot]\n"
                                   "b.ne 7f\n" RSEQ_LOAD_CREDIT "cmp %[word], %[old]\n"
                                   "b.ne 7f\n" RSEQ_COMMIT_CREDIT("new") RSEQ_EXITS:RSEQ_SCRATCH
        : [cells] "r"(cells), [slot] "r"(slot), [old] "r"(old), [new] "r"(new), RSEQ_ID_GLOBALS
        : "memory", "cc"
        : miss, aborted);
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

#endif
