/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: does the kernel do what a registration promises?
 * Below: rseq.h, sys.h.
 * Concurrency: the thread that starts the engine. Another thread's SIGURG may be lost meanwhile.
 * Why: a section may make no system call, so what interrupts it must be asked for before: a timer's
 *       signal to this thread. SIGURG because its default is to be ignored and debuggers pass it.
 */
#include "plat/linux/rseq_test.h"
#include "plat/linux/sys.h"

#include <signal.h>
#include <time.h>

#define IDS_TRIES        16u
#define ABORT_TRIES      4u
#define FIRST_DELAY_NS   20000 /* longer than from the timer's start to the section's, mostly */
#define SPINS            20000ul
#define SIGURG_SET       (1ull << (SIGURG - 1))
#define SYS_SIGEV_TO_TID 4

struct sys_sigevent {
    uint64_t value;
    int signo, notify, tid;
    int unused[11];
};

_Static_assert(sizeof(struct sys_sigevent) == 64, "ABI");

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

static int fired;

RSEQ_DEFINE_SIGRETURN;

static void on_signal(int sig)
{
    (void)sig;
    sk_store_relaxed(&fired, 1);
}

static bool timer_arm(int timer, long delay_ns)
{
    struct itimerspec when = {.it_value = {.tv_nsec = delay_ns}};

    return !sys_failed(sys_call4(SYS_timer_settime, timer, 0, &when, NULL));
}

/* One section that the signal should end; MISS: the signal came too early or not at all. */
static enum rseq_result abort_once(struct plat_rseq *self, int timer, long delay_ns)
{
    sk_store_relaxed(&fired, 0);
    if (!timer_arm(timer, delay_ns) || sk_load_relaxed(&fired) != 0)
        return RSEQ_MISS;
    return rseq_spin(self, &fired, SPINS);
}

static enum rseq_verdict abort_with_timer(struct plat_rseq *self, int timer)
{
    enum rseq_verdict verdict = RSEQ_NOT_TESTED;
    long delay_ns = FIRST_DELAY_NS;

    for (unsigned i = 0; i < ABORT_TRIES && verdict != RSEQ_ABORTS; i++, delay_ns *= 4) {
        enum rseq_result r = abort_once(self, timer, delay_ns);

        if (r == RSEQ_ABORTED)
            verdict = RSEQ_ABORTS;
        else if (r == RSEQ_HIT)
            verdict = RSEQ_DOES_NOT_ABORT;
    }
    return verdict;
}

static enum rseq_verdict abort_with_signal(struct plat_rseq *self)
{
    struct sys_sigevent event = {.signo = SIGURG, .notify = SYS_SIGEV_TO_TID};
    enum rseq_verdict verdict;
    int timer;

    event.tid = (int)sys_call0(SYS_gettid);
    if (sys_failed(sys_call3(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer)))
        return RSEQ_NOT_TESTED;
    verdict = abort_with_timer(self, timer);
    sys_call1(SYS_timer_delete, timer);
    return verdict;
}

enum rseq_verdict rseq_test_abort(struct plat_rseq *self)
{
    struct sys_sigaction old_action, action = {.handler = on_signal,
                                               .flags = SA_RESTART | RSEQ_SIGRETURN_FLAGS,
                                               .restorer = RSEQ_SIGRETURN};
    uint64_t set = SIGURG_SET, old_set;
    enum rseq_verdict verdict;

    if (sys_failed(sys_call4(SYS_rt_sigaction, SIGURG, &action, &old_action, SYS_SIGSET_BYTES)))
        return RSEQ_NOT_TESTED;
    sys_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, &old_set, SYS_SIGSET_BYTES);
    verdict = abort_with_signal(self);
    sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &old_set, NULL, SYS_SIGSET_BYTES);
    sys_call4(SYS_rt_sigaction, SIGURG, &old_action, NULL, SYS_SIGSET_BYTES);
    return verdict;
}
