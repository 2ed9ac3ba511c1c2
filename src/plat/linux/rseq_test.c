/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: does the kernel do what a registration promises?
 * Below: rseq.h, sys.h.
 * Concurrency: the thread that starts the engine. Another thread's SIGURG may be lost meanwhile.
 * Why: a section may make no system call, and a timer takes 45 microseconds on a virtual machine. So
 *       the thread comes into the section out of a handler: the kernel returns from the handler to
 *       the section's first instruction, and on that way finds a signal that was blocked until then.
 *       SIGURG because its default is to be ignored and debuggers pass it.
 */
#define _GNU_SOURCE
#include "plat/linux/rseq_test.h"
#include "plat/linux/sys.h"

#include <signal.h>
#include <ucontext.h>

#define IDS_TRIES  16u
#define SPINS      20000ul
#define SIGURG_SET (1ull << (SIGURG - 1))

/* The ABI's struct rseq_cs. */
struct rseq_descriptor {
    uint32_t version, flags;
    uint64_t begin, bytes, abort;
};

struct rseq_tgkill {
    long nr, pid, tid, sig;
};

#if defined(__x86_64__)
#include "plat/linux/rseq_trial_x86_64.h"
#else
#include "plat/linux/rseq_trial_aarch64.h"
#endif

/*
 * rseq_trial() makes the call, whose signal's handler is to go on at the begin of a section, and
 * spins there until *stop is not 0 or `spins` turns are over. *descriptor is set before the call.
 * ABORTED: the kernel ended the section. HIT: *stop was seen from inside. MISS: no handler came, or
 * nothing happened.
 *
 * rseq_context_go_to() makes the handler's thread go on at an address.
 */

/* ---- ids ----------------------------------------------------------------------------------- */

static bool cpu_is(unsigned expected)
{
    unsigned cpu;

    return !sys_failed(sys_call3(SYS_getcpu, &cpu, NULL, NULL)) && cpu == expected;
}

static bool id_below(const int32_t *id, unsigned limit)
{
    int32_t v = sk_load_relaxed(id);

    return v >= 0 && (unsigned)v < limit;
}

/* The thread may migrate between the two answers; not every time. */
bool rseq_test_ids(const struct plat_rseq *self, unsigned cpus, bool cid)
{
    for (unsigned i = 0; i < IDS_TRIES; i++) {
        if (!id_below(&self->cpu_id, cpus) || (cid && !id_below(&self->mm_cid, cpus)))
            return false;
        if (cpu_is((unsigned)sk_load_relaxed(&self->cpu_id)))
            return true;
    }
    return false;
}

/* ---- abort --------------------------------------------------------------------------------- */

RSEQ_DEFINE_SIGRETURN;

static struct {
    struct plat_rseq *self;
    const struct rseq_descriptor *descriptor;
    struct rseq_tgkill tgkill;
    bool entered;
    int fired; /* atomic: the handler ran once more */
} trial;

static void raise_again(void)
{
    sys_call3(trial.tgkill.nr, trial.tgkill.pid, trial.tgkill.tid, trial.tgkill.sig);
}

/*
 * The first time: into the section, with the signal, which is blocked in here, pending. A kernel
 * built to catch system calls in sections takes this handler's return for one, and sends SIGSEGV:
 * that is a signal as well.
 */
static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    if (!trial.descriptor)
        return;
    if (trial.entered) {
        sk_store_relaxed(&trial.fired, 1);
        return;
    }
    trial.entered = true;
    trial.self->rseq_cs = (uintptr_t)trial.descriptor;
    rseq_context_go_to(context, trial.descriptor->begin);
    raise_again();
}

static bool catch_signal(int sig, struct sys_sigaction *old)
{
    struct sys_sigaction action = {.handler = (void (*)(int))(uintptr_t)on_signal,
                                   .flags = SA_RESTART | SA_SIGINFO | RSEQ_SIGRETURN_FLAGS,
                                   .restorer = RSEQ_SIGRETURN};

    return !sys_failed(sys_call4(SYS_rt_sigaction, sig, &action, old, SYS_SIGSET_BYTES));
}

static void give_back(int sig, const struct sys_sigaction *old)
{
    sys_call4(SYS_rt_sigaction, sig, old, NULL, SYS_SIGSET_BYTES);
}

static enum rseq_verdict try_once(struct plat_rseq *self)
{
    static const enum rseq_verdict verdicts[] = {[RSEQ_HIT] = RSEQ_DOES_NOT_ABORT,
                                                 [RSEQ_MISS] = RSEQ_NOT_TESTED,
                                                 [RSEQ_ABORTED] = RSEQ_ABORTS};

    __builtin_memset(&trial, 0, sizeof(trial));
    trial.self = self;
    trial.tgkill =
        (struct rseq_tgkill){SYS_tgkill, sys_call0(SYS_getpid), sys_call0(SYS_gettid), SIGURG};
    return verdicts[rseq_trial(&trial.descriptor, &trial.fired, SPINS, &trial.tgkill)];
}

enum rseq_verdict rseq_test_abort(struct plat_rseq *self)
{
    struct sys_sigaction old_urg, old_segv;
    uint64_t set = SIGURG_SET, old_set = 0;
    enum rseq_verdict verdict;

    if (!catch_signal(SIGURG, &old_urg))
        return RSEQ_NOT_TESTED;
    catch_signal(SIGSEGV, &old_segv);
    sys_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, &old_set, SYS_SIGSET_BYTES);
    verdict = try_once(self);
    if (old_set & SIGURG_SET)
        sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &old_set, NULL, SYS_SIGSET_BYTES);
    give_back(SIGSEGV, &old_segv);
    give_back(SIGURG, &old_urg);
    return verdict;
}
