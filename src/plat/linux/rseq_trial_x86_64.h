/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the section of the self-test on x86-64, and what a signal's handler does there.
 * Below: rseq_test.c, which includes this file and says what its parts do.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_TRIAL_X86_64_H
#define SLABKIT_PLAT_LINUX_RSEQ_TRIAL_X86_64_H

SK_INLINE enum rseq_result rseq_trial(const struct rseq_descriptor **descriptor, const int *stop,
                                      unsigned long spins, const struct rseq_tgkill *tgkill)
{
    uintptr_t word;
    long nr = tgkill->nr;

    __asm__ volatile goto(RSEQ_DESCRIPTOR "lea 3b(%%rip), %[word]\n"
                                          "mov %[word], (%[descriptor])\n"
                                          "mov %[spins], %[word]\n"
                                          "syscall\n"
                                          "jmp %l[miss]\n"
                                          "1:\n"
                                          "5: cmpl $0, (%[stop])\n"
                                          "jne 2f\n"
                                          "pause\n"
                                          "dec %[word]\n"
                                          "jne 5b\n"
                                          "jmp %l[miss]\n"
                                          "2:\n" RSEQ_ABORT
                          : [word] "=&r"(word), "+a"(nr)
                          : [descriptor] "r"(descriptor), [stop] "r"(stop), [spins] "r"(spins),
                            "D"(tgkill->pid), "S"(tgkill->tid), "d"(tgkill->sig)
                          : "rcx", "r11", "memory", "cc"
                          : miss, aborted);
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

SK_INLINE void rseq_context_go_to(ucontext_t *context, uintptr_t at)
{
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)at;
}

/* x86-64 wants to be told how a handler returns. */
void rseq_sigreturn(void) PLAT_HIDDEN;
#define RSEQ_SIGRETURN       rseq_sigreturn
#define RSEQ_SIGRETURN_FLAGS 0x04000000ul /* SA_RESTORER */
#define RSEQ_DEFINE_SIGRETURN                                                                      \
    __asm__(".pushsection .text\n"                                                                 \
            ".hidden rseq_sigreturn\n"                                                             \
            ".globl rseq_sigreturn\n"                                                              \
            ".type rseq_sigreturn, @function\n"                                                    \
            "rseq_sigreturn: mov $15, %eax\n"                                                      \
            "syscall\n"                                                                            \
            ".size rseq_sigreturn, . - rseq_sigreturn\n"                                           \
            ".popsection\n")

#endif
