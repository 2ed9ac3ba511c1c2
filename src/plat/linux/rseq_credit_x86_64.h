/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the restartable sections on credit words, on x86-64.
 * Below: rseq_x86_64.h; rseq.h includes this file.
 * Concurrency: as there. The word is read, compared and stored on one slot, or nothing is stored.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_CREDIT_X86_64_H
#define SLABKIT_PLAT_LINUX_RSEQ_CREDIT_X86_64_H

/* area: the offset of the slot's credit. 6 = PLAT_CREDIT_SHIFT. */
#define RSEQ_LOAD_CREDIT                                                                           \
    "movslq %%fs:24(%[area]), %[area]\n"                                                           \
    "shl $6, %[area]\n"                                                                            \
    "mov (%[cells], %[area]), %[word]\n"

#define RSEQ_COMMIT_CREDIT(word)                                                                   \
    "mov %[" word "], (%[cells], %[area])\n"                                                       \
    "2:\n"

#define RSEQ_ID_GLOBALS [rseq_delta] "m"(plat_rseq_delta), [id_delta] "m"(plat_id_delta)

/* Neither over a 0 nor of a 0: see plat.h. */
SK_INLINE enum rseq_result rseq_credit_take(struct plat_credit *cells, uint64_t amount)
{
    uintptr_t area, word;

    __asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_CREDIT
                          "sub %[amount], %[word]\n"
                          "jbe %l[miss]\n" RSEQ_COMMIT_CREDIT("word") RSEQ_ABORT
                          : [area] "=&r"(area), [word] "=&r"(word)
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
    uintptr_t area, word;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR RSEQ_BEGIN "cmp %k[slot], %%fs:24(%[area])\n"
                                   "jne %l[miss]\n" RSEQ_LOAD_CREDIT "cmp %[old], %[word]\n"
                                   "jne %l[miss]\n" RSEQ_COMMIT_CREDIT("new") RSEQ_ABORT
        : [area] "=&r"(area), [word] "=&r"(word)
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
