/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the section of the self-test on aarch64, and what a signal's handler does there.
 * Below: rseq_test.c, which includes this file and says what its parts do.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_TRIAL_AARCH64_H
#define SLABKIT_PLAT_LINUX_RSEQ_TRIAL_AARCH64_H

SK_INLINE enum rseq_result rseq_trial(const struct rseq_descriptor **descriptor, const int *stop,
                                      unsigned long spins, const struct rseq_tgkill *tgkill)
{
    register long x8 __asm__("x8") = tgkill->nr;
    register long x0 __asm__("x0") = tgkill->pid;
    register long x1 __asm__("x1") = tgkill->tid;
    register long x2 __asm__("x2") = tgkill->sig;
    uintptr_t word, seen;

    __asm__ volatile goto(RSEQ_DESCRIPTOR "adrp %[word], 3b\n"
                                          "add %[word], %[word], :lo12:3b\n"
                                          "str %[word], [%[descriptor]]\n"
                                          "mov %[word], %[spins]\n"
                                          "svc 0\n"
                                          "b 7f\n"
                                          "1:\n"
                                          "5: ldr %w[seen], [%[stop]]\n"
                                          "cbnz %w[seen], 2f\n"
                                          "yield\n"
                                          "subs %[word], %[word], #1\n"
                                          "b.ne 5b\n"
                                          "b 7f\n"
                                          "2:\n" RSEQ_EXITS
                          : [word] "=&r"(word), [seen] "=&r"(seen), "+r"(x0)
                          : [descriptor] "r"(descriptor), [stop] "r"(stop), [spins] "r"(spins),
                            "r"(x8), "r"(x1), "r"(x2)
                          : "memory", "cc"
                          : miss, aborted);
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

SK_INLINE void rseq_context_go_to(ucontext_t *context, uintptr_t at)
{
    context->uc_mcontext.pc = at;
}

/* The kernel's own code returns from a handler. */
#define RSEQ_SIGRETURN       NULL
#define RSEQ_SIGRETURN_FLAGS 0ul
#define RSEQ_DEFINE_SIGRETURN                                                                      \
    _Static_assert(RSEQ_SIGRETURN_FLAGS == 0, "no restorer on this machine")

#endif
