/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the restartable sections on x86-64.
 * Below: rseq.h, which includes this file.
 * Concurrency: between labels 1 and 2 the kernel sends the thread to label 4 whenever it was
 *       preempted, migrated or interrupted by a signal. The one store that others can see is the
 *       last instruction before label 2; a store of an object above the top is seen by nobody.
 * Why: a plain store commits, not a read-modify-write: a word
 *       that was closed after it was read must not be changed by arithmetic on the 0.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_X86_64_H
#define SLABKIT_PLAT_LINUX_RSEQ_X86_64_H

#define RSEQ_SIGNATURE 0x53053053

/* The descriptor, at label 3. It is relocated, hence writable data. */
#define RSEQ_DESCRIPTOR                                                                            \
    ".pushsection __rseq_cs, \"aw\"\n"                                                             \
    ".balign 32\n"                                                                                 \
    "3: .long 0, 0\n"                                                                              \
    ".quad 1f, 2f - 1f, 4f\n"                                                                      \
    ".popsection\n"

/* The signature must stand directly before the abort label; it reads as an undefined instruction.
 */
#define RSEQ_ABORT_BY(first)                                                                       \
    ".pushsection __rseq_abort, \"ax\"\n"                                                          \
    ".byte 0x0f, 0xb9, 0x3d\n"                                                                     \
    ".long 0x53053053\n"                                                                           \
    "4: " first "jmp %l[aborted]\n"                                                                \
    ".popsection\n"

#define RSEQ_ABORT RSEQ_ABORT_BY("")

/* With the output 0, as on a miss: see RSEQ_OUTPUT. */
#define RSEQ_ABORT_WITHOUT(output) RSEQ_ABORT_BY("xor %k[" output "], %k[" output "]\n")

/* Announces the section to the kernel. */
#define RSEQ_BEGIN                                                                                 \
    "mov plat_closed_rseq@gottpoff(%%rip), %[area]\n"                                              \
    "add %[rseq_delta], %[area]\n"                                                                 \
    "lea 3b(%%rip), %[word]\n"                                                                     \
    "mov %[word], %%fs:8(%[area])\n"                                                               \
    "1:\n"                                                                                         \
    "add %[id_delta], %[area]\n"

#define RSEQ_LOAD_ID "movslq %%fs:24(%[area]), %[area]\n"

/* area: from the id to the slot's area but for a constant; word: the word of idx. */
#define RSEQ_LOAD_WORD                                                                             \
    "mov %[slot_base], %[base]\n"                                                                  \
    "shl $17, %[area]\n"                                                                           \
    "add %[base], %[area]\n"                                                                       \
    "mov 131088(%[area], %[idx], 8), %[word]\n"

#define RSEQ_COMMIT                                                                                \
    "mov %[word], 131088(%[area], %[idx], 8)\n"                                                    \
    "2:\n"

/* After the section, hence not exact: see plat.h. 164112 = 131088 + 8 * PLAT_SLOT_POPS. */
#define RSEQ_COUNT_POP "incq 164112(%[area], %[idx], 8)\n"

#define RSEQ_COUNT_POP_N "add %[done], 164112(%[area], %[idx], 8)\n"

#define RSEQ_GLOBALS                                                                               \
    [rseq_delta] "m"(plat_rseq_delta), [id_delta] "m"(plat_id_delta),                              \
        [slot_base] "m"(plat_slot_base)

SK_INLINE enum rseq_result rseq_pop(unsigned idx, void **obj)
{
    uintptr_t area, base, word;
    void *top;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_ID RSEQ_LOAD_WORD
        "mov (%[base], %[word]), %[top]\n"
        "test %[top], %[top]\n"
        "je %l[miss]\n"
        "sub $8, %[word]\n" RSEQ_COMMIT RSEQ_COUNT_POP RSEQ_ABORT_WITHOUT("top")
        : [area] "=&r"(area), [base] "=&r"(base), [word] "=&r"(word), [top] "=&r"(top)
        : [idx] "r"((uintptr_t)idx), RSEQ_GLOBALS
        : "memory", "cc"
        : miss, aborted);
    RSEQ_OUTPUT(top);
    *obj = top;
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

/* 8192 = PLAT_FOREIGN. */
SK_INLINE enum rseq_result rseq_push(uint32_t kind, void *obj)
{
    uintptr_t area, base, word, idx;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_ID "lea 8192(%[own]), %[idx]\n"
                                                "cmp %k[owner], %k[area]\n"
                                                "cmove %[own], %[idx]\n" RSEQ_LOAD_WORD
                                                "cmpq $1, 8(%[base], %[word])\n"
                                                "je %l[miss]\n"
                                                "mov %[obj], 8(%[base], %[word])\n"
                                                "add $8, %[word]\n" RSEQ_COMMIT RSEQ_ABORT
        : [area] "=&r"(area), [base] "=&r"(base), [word] "=&r"(word), [idx] "=&r"(idx)
        : [own] "r"((uintptr_t)PLAT_KIND_INDEX(kind)), [owner] "r"(PLAT_KIND_SLOT(kind)),
          [obj] "r"(obj), RSEQ_GLOBALS
        : "memory", "cc"
        : miss, aborted);
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

/* A closed word (0) is never stored, not even unchanged: its opener does not know of this section.
 */
SK_INLINE enum rseq_result rseq_pop_n(unsigned idx, void **out, unsigned n, unsigned *count)
{
    uintptr_t area, base, word, obj, done;

    __asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_ID RSEQ_LOAD_WORD
                          "mov %[n], %[done]\n"
                          "neg %[done]\n"
                          "je %l[miss]\n"
                          "5: mov (%[base], %[word]), %[obj]\n"
                          "test %[obj], %[obj]\n"
                          "je 6f\n"
                          "mov %[obj], (%[end], %[done], 8)\n"
                          "sub $8, %[word]\n"
                          "inc %[done]\n"
                          "jne 5b\n"
                          "6: add %[n], %[done]\n"
                          "je %l[miss]\n" RSEQ_COMMIT RSEQ_COUNT_POP_N RSEQ_ABORT_WITHOUT("done")
                          : [area] "=&r"(area), [base] "=&r"(base), [word] "=&r"(word),
                            [obj] "=&r"(obj), [done] "=&r"(done)
                          : [idx] "r"((uintptr_t)idx), [end] "r"(out + n), [n] "r"((uintptr_t)n),
                            RSEQ_GLOBALS
                          : "memory", "cc"
                          : miss, aborted);
    RSEQ_OUTPUT(done);
    *count = (unsigned)done;
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

SK_INLINE enum rseq_result rseq_push_n(unsigned idx, void *const *objs, unsigned n, unsigned *count)
{
    uintptr_t area, base, word, obj, done;

    __asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_ID RSEQ_LOAD_WORD
                          "mov %[n], %[done]\n"
                          "neg %[done]\n"
                          "je %l[miss]\n"
                          "5: cmpq $1, 8(%[base], %[word])\n"
                          "je 6f\n"
                          "mov (%[end], %[done], 8), %[obj]\n"
                          "mov %[obj], 8(%[base], %[word])\n"
                          "add $8, %[word]\n"
                          "inc %[done]\n"
                          "jne 5b\n"
                          "6: add %[n], %[done]\n"
                          "je %l[miss]\n" RSEQ_COMMIT RSEQ_ABORT_WITHOUT("done")
                          : [area] "=&r"(area), [base] "=&r"(base), [word] "=&r"(word),
                            [obj] "=&r"(obj), [done] "=&r"(done)
                          : [idx] "r"((uintptr_t)idx), [end] "r"(objs + n), [n] "r"((uintptr_t)n),
                            RSEQ_GLOBALS
                          : "memory", "cc"
                          : miss, aborted);
    RSEQ_OUTPUT(done);
    *count = (unsigned)done;
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

SK_INLINE enum rseq_result rseq_cas(unsigned slot, unsigned idx, uintptr_t old, uintptr_t new)
{
    uintptr_t area, base, word;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_ID "cmp %k[slot], %k[area]\n"
                                                "jne %l[miss]\n" RSEQ_LOAD_WORD
                                                "cmp %[old], %[word]\n"
                                                "jne %l[miss]\n"
                                                "mov %[new], %[word]\n" RSEQ_COMMIT RSEQ_ABORT
        : [area] "=&r"(area), [base] "=&r"(base), [word] "=&r"(word)
        : [idx] "r"((uintptr_t)idx), [slot] "r"(slot), [old] "r"(old), [new] "r"(new), RSEQ_GLOBALS
        : "memory", "cc"
        : miss, aborted);
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

#endif
