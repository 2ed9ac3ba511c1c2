/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: questions between CPUs, and waiting: locks, nesting, tell.
 * Below: kern64.h.
 * Concurrency: whoever waits, for a lock or for an answer, answers meanwhile: also with interrupts
 *       off, since it looks at the questions itself. So a wait ends whatever the others wait for:
 *       the holder of a lock that asks a CPU which spins on that lock gets its answer.
 *       An answer is given outside of sections: an interrupt cannot come into one, and no wait is
 *       inside one.
 */
#include "plat/kern64/kern64.h"

struct kern64_cpu kern64_cpu[KERN64_CPUS_MAX];

/* ---- answering ----------------------------------------------------------------------------- */

static bool is_asked(struct kern64_question *q, uint64_t *asked)
{
    /* Acquire: what the asker did before it asked; partner: the addition in kern64_ask. */
    *asked = sk_load_acquire(&q->asked);
    return *asked != q->answered;
}

/* Release: what this CPU did before the answer; partner: the load in kern64_ask. */
void kern64_answer(void)
{
    struct kern64_cpu *self = kern64_self();
    uint64_t asked;

    if (!CPU_FLUSHES_ALL && is_asked(&self->flush, &asked)) {
        cpu_flush_translations();
        sk_store_release(&self->flush.answered, asked);
    }
    if (is_asked(&self->fence, &asked))
        sk_store_release(&self->fence.answered, asked);
}

void kern64_wait_turn(void)
{
    uint64_t flags = cpu_irq_save();

    kern64_answer();
    cpu_irq_restore(flags);
    cpu_pause();
}

/* ---- asking -------------------------------------------------------------------------------- */

static uint64_t ask_begin(unsigned cpu, struct kern64_question *q)
{
    uint64_t number = __atomic_add_fetch(&q->asked, 1, __ATOMIC_ACQ_REL);

    kern64_hook_ipi(cpu, KERN64_IPI_ASKED);
    return number;
}

static void ask_wait(const struct kern64_question *q, uint64_t number)
{
    while (sk_load_acquire(&q->answered) < number)
        kern64_wait_turn();
}

/* A CPU that is not online yet runs no section and has no old translation. The fence: either we see
 * that it is, or all it does sees what we did before; partner: the fence in kern64_online. */
static bool must_ask(unsigned cpu)
{
    sk_fence();
    return sk_load_acquire(&kern64_cpu[cpu].online);
}

void kern64_ask(unsigned cpu, struct kern64_question *q)
{
    if (must_ask(cpu))
        ask_wait(q, ask_begin(cpu, q));
}

static void ask_others_to_flush(void)
{
    uint64_t number[KERN64_CPUS_MAX] = {0};
    unsigned self = plat_slot(), cpus = plat_nslots();

    for (unsigned cpu = 0; cpu < cpus; cpu++)
        if (cpu != self && must_ask(cpu)) {
            sk_count(&kern64_cpu[self].flushes, 1);
            number[cpu] = ask_begin(cpu, &kern64_cpu[cpu].flush);
        }
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        ask_wait(&kern64_cpu[cpu].flush, number[cpu]);
}

void kern64_flush_all(void)
{
    cpu_flush_translations();
    if (!CPU_FLUSHES_ALL)
        ask_others_to_flush();
}

/* ---- tell ---------------------------------------------------------------------------------- */

/*
 * A CPU that runs looks by itself: at the returned slabs when it refills, at `told` before it sleeps. So only one that
 * sleeps is interrupted, and once: it clears `told` when it looks.
 *     teller:  told = 1;      read asleep        sleeper:  asleep = 1;   read told
 * Both orders are sequentially consistent: at least one of the two sees the other's store.
 */
void plat_tell(unsigned slot)
{
    struct kern64_cpu *to = &kern64_cpu[slot];

    if (__atomic_exchange_n(&to->told, 1u, __ATOMIC_SEQ_CST) != 0 ||
        !__atomic_load_n(&to->asleep, __ATOMIC_SEQ_CST))
        return;
    sk_count(&kern64_self()->tells, 1);
    kern64_hook_ipi(slot, KERN64_IPI_TOLD);
}

bool kern64_fall_asleep(void)
{
    struct kern64_cpu *self = kern64_self();

    __atomic_store_n(&self->asleep, true, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&self->told, __ATOMIC_SEQ_CST) == 0;
}

void kern64_wake_up(void)
{
    sk_store_relaxed(&kern64_self()->asleep, false);
}

bool kern64_was_told(void)
{
    struct kern64_cpu *self = kern64_self();

    return sk_load_relaxed(&self->told) && sk_xchg_acquire(&self->told, 0u);
}

/* ---- locks, nesting ------------------------------------------------------------------------ */

void plat_lock_slow(struct plat_lock *l)
{
    while (!plat_trylock(l))
        kern64_wait_turn();
}

/* Nobody sleeps for a lock, so nobody is to be woken. */
void plat_unlock_slow(struct plat_lock *l)
{
    (void)l;
}

struct plat_request *plat_request(void)
{
    return &kern64_self()->request;
}

int *plat_errno(void)
{
    return &kern64_self()->error;
}

void plat_yield(void)
{
    kern64_wait_turn();
}

/* An interrupt between the test and the store leaves the count as it found it. */
bool plat_enter(void)
{
    struct kern64_cpu *self = kern64_self();

    if (self->nesting != 0)
        return false;
    self->nesting = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return true;
}

void plat_leave(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    kern64_self()->nesting = 0;
}
