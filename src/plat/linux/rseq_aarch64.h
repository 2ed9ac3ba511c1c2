/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the restartable sections on aarch64.
 * Below: rseq.h, which includes this file.
 * Concurrency: as on x86-64; the loads need no barrier: the entries are reached by an address
 *       that depends on the word, and what a remote side must see it fences for.
 * Why: what leaves a section goes through subsection 1 of the same text, because a compare-and-
 *       branch reaches 1 MiB and a compiler may put the label of a cold block further away.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_AARCH64_H
#define SLABKIT_PLAT_LINUX_RSEQ_AARCH64_H

#define RSEQ_SIGNATURE 0xd428bc00

/* The descriptor, at label 3. It is relocated, hence writable data. */
#define RSEQ_DESCRIPTOR                                                                            \
    ".pushsection __rseq_cs, \"aw\"\n"                                                             \
    ".balign 32\n"                                                                                 \
    "3: .word 0, 0\n"                                                                              \
    ".xword 1f, 2f - 1f, 4f\n"                                                                     \
    ".popsection\n"

/* The signature (a brk) must stand directly before the abort label, 4. 7: miss. */
#define RSEQ_EXITS_BY(first)                                                                       \
    ".subsection 1\n"                                                                              \
    ".inst 0xd428bc00\n"                                                                           \
    "4: " first "b %l[aborted]\n"                                                                  \
    "7: b %l[miss]\n"                                                                              \
    ".previous\n"

#define RSEQ_EXITS RSEQ_EXITS_BY("")

/* With the output 0, as on a miss: see RSEQ_OUTPUT. */
#define RSEQ_EXITS_WITHOUT(output) RSEQ_EXITS_BY("mov %[" output "], #0\n")

/* Announces the section to the kernel. */
#define RSEQ_BEGIN                                                                                 \
    "mrs %[tp], tpidr_el0\n"                                                                       \
    "adrp %[area], :gottprel:plat_closed_rseq\n"                                                   \
    "ldr %[area], [%[area], :gottprel_lo12:plat_closed_rseq]\n"                                    \
    "ldr %[base], %[rseq_delta]\n"                                                                 \
    "add %[tp], %[tp], %[area]\n"                                                                  \
    "add %[tp], %[tp], %[base]\n"                                                                  \
    "adrp %[word], 3b\n"                                                                           \
    "add %[word], %[word], :lo12:3b\n"                                                             \
    "str %[word], [%[tp], #8]\n"                                                                   \
    "1:\n"                                                                                         \
    "ldr %[base], %[id_delta]\n"                                                                   \
    "add %[tp], %[tp], %[base]\n"                                                                  \
    "ldrsw %[area], [%[tp], #24]\n"

/* area: where the word is, but for 16; word: the word of idx. */
#define RSEQ_LOAD_WORD                                                                             \
    "ldr %[base], %[slot_base]\n"                                                                  \
    "add %[area], %[base], %[area], lsl #17\n"                                                     \
    "add %[area], %[area], %[idx], lsl #3\n"                                                       \
    "add %[area], %[area], #32, lsl #12\n"                                                         \
    "ldr %[word], [%[area], #16]\n"

#define RSEQ_COMMIT                                                                                \
    "str %[word], [%[area], #16]\n"                                                                \
    "2:\n"

/* After the section, hence not exact: see plat.h. 33024 = 8 * PLAT_SLOT_POPS. */
#define RSEQ_COUNT(n)                                                                              \
    "add %[area], %[area], #8, lsl #12\n"                                                          \
    "ldr %[word], [%[area], #272]\n"                                                               \
    "add %[word], %[word], " n "\n"                                                                \
    "str %[word], [%[area], #272]\n"

#define RSEQ_GLOBALS                                                                               \
    [rseq_delta] "m"(plat_rseq_delta), [id_delta] "m"(plat_id_delta),                              \
        [slot_base] "m"(plat_slot_base)

#define RSEQ_SCRATCH [area] "=&r"(area), [base] "=&r"(base), [word] "=&r"(word), [tp] "=&r"(tp)

SK_INLINE enum rseq_result rseq_pop(unsigned idx, void **obj)
{
    uintptr_t area, base, word, tp;
    void *top;

    __asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_WORD
                          "ldr %[top], [%[base], %[word]]\n"
                          "cbz %[top], 7f\n"
                          "sub %[word], %[word], #8\n" RSEQ_COMMIT RSEQ_COUNT("#1")
                              RSEQ_EXITS_WITHOUT("top")
                          : RSEQ_SCRATCH, [top] "=&r"(top)
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

/* 2 << 12 = PLAT_FOREIGN. */
SK_INLINE enum rseq_result rseq_push(uint32_t kind, void *obj)
{
    uintptr_t area, base, word, tp, idx;

    __asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_BEGIN
                          "add %[idx], %[own], #2, lsl #12\n"
                          "cmp %w[area], %w[owner]\n"
                          "csel %[idx], %[own], %[idx], eq\n" RSEQ_LOAD_WORD
                          "add %[word], %[word], #8\n"
                          "ldr %[tp], [%[base], %[word]]\n"
                          "cmp %[tp], #1\n"
                          "b.eq 7f\n"
                          "str %[obj], [%[base], %[word]]\n" RSEQ_COMMIT RSEQ_EXITS
                          : RSEQ_SCRATCH, [idx] "=&r"(idx)
                          : [own] "r"((uintptr_t)PLAT_KIND_INDEX(kind)),
                            [owner] "r"(PLAT_KIND_SLOT(kind)), [obj] "r"(obj), RSEQ_GLOBALS
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
    uintptr_t area, base, word, tp, done;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_WORD
        "mov %[done], #0\n"
        "5: cmp %[done], %[n]\n"
        "b.eq 6f\n"
        "ldr %[tp], [%[base], %[word]]\n"
        "cbz %[tp], 6f\n"
        "str %[tp], [%[out], %[done], lsl #3]\n"
        "add %[done], %[done], #1\n"
        "sub %[word], %[word], #8\n"
        "b 5b\n"
        "6: cbz %[done], 7f\n" RSEQ_COMMIT RSEQ_COUNT("%[done]") RSEQ_EXITS_WITHOUT("done")
        : RSEQ_SCRATCH, [done] "=&r"(done)
        : [idx] "r"((uintptr_t)idx), [out] "r"(out), [n] "r"((uintptr_t)n), RSEQ_GLOBALS
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
    uintptr_t area, base, word, tp, done, next;

    __asm__ volatile goto(RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_WORD
                          "mov %[done], #0\n"
                          "5: cmp %[done], %[n]\n"
                          "b.eq 6f\n"
                          "add %[next], %[word], #8\n"
                          "ldr %[tp], [%[base], %[next]]\n"
                          "cmp %[tp], #1\n"
                          "b.eq 6f\n"
                          "ldr %[tp], [%[objs], %[done], lsl #3]\n"
                          "str %[tp], [%[base], %[next]]\n"
                          "add %[done], %[done], #1\n"
                          "mov %[word], %[next]\n"
                          "b 5b\n"
                          "6: cbz %[done], 7f\n" RSEQ_COMMIT RSEQ_EXITS_WITHOUT("done")
                          : RSEQ_SCRATCH, [done] "=&r"(done), [next] "=&r"(next)
                          : [idx] "r"((uintptr_t)idx), [objs] "r"(objs), [n] "r"((uintptr_t)n),
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
    uintptr_t area, base, word, tp;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR RSEQ_BEGIN "cmp %w[area], %w[slot]\n"
                                   "b.ne 7f\n" RSEQ_LOAD_WORD "cmp %[word], %[old]\n"
                                   "b.ne 7f\n"
                                   "mov %[word], %[new]\n" RSEQ_COMMIT RSEQ_EXITS:RSEQ_SCRATCH
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
