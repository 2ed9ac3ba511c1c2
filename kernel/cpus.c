/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: brings up the other CPUs; gives them work; lets them sleep when they have none.
 * Below: the machine.
 * Owns: one piece of work for each CPU.
 * Concurrency: busy is set by who gives work, by compare-and-swap, and cleared by the CPU itself.
 */
#include "kernel/kernel.h"

static struct {
    bool busy;  /* atomic */
    bool given; /* atomic: fn and arg are there */
    void (*fn)(void *arg);
    void *arg;
} SK_CACHE_ALIGNED work[KERN64_CPUS_MAX];

static uint64_t ids[KERN64_CPUS_MAX];
static unsigned next_cpu; /* the one that is being started */
void (*cpu_told_hook)(void);

/* Tells kept back: held by a test; waiting: one came meanwhile. Atomic. */
static struct {
    bool held, waiting;
} late[KERN64_CPUS_MAX];

void kern64_hook_ipi(unsigned cpu, enum kern64_ipi what)
{
    if (what == KERN64_IPI_ASKED)
        interrupt_send(ids[cpu], INTERRUPT_ASKED);
    else if (sk_load_acquire(&late[cpu].held))
        sk_store_release(&late[cpu].waiting, true);
    else
        interrupt_send(ids[cpu], INTERRUPT_TOLD);
}

void ipi_hold(unsigned cpu, bool hold)
{
    sk_store_release(&late[cpu].held, hold);
    if (!hold && __atomic_exchange_n(&late[cpu].waiting, false, __ATOMIC_ACQ_REL))
        interrupt_send(ids[cpu], INTERRUPT_TOLD);
}

bool ipi_held(unsigned cpu)
{
    return sk_load_acquire(&late[cpu].waiting);
}

void message_send(unsigned cpu)
{
    interrupt_send(ids[cpu], INTERRUPT_MESSAGE);
}

/* ---- work ---------------------------------------------------------------------------------- */

bool cpu_is_idle(unsigned cpu)
{
    return !sk_load_acquire(&work[cpu].busy);
}

bool cpu_run_on(unsigned cpu, void (*fn)(void *arg), void *arg)
{
    bool idle = false;

    if (!sk_load_acquire(&kern64_cpu[cpu].online) || !sk_cas_acquire(&work[cpu].busy, &idle, true))
        return false;
    work[cpu].fn = fn;
    work[cpu].arg = arg;
    sk_store_release(&work[cpu].given, true);
    interrupt_send(ids[cpu], INTERRUPT_WAKE);
    return true;
}

bool cpu_run(void (*fn)(void *arg), void *arg, unsigned *cpu)
{
    for (*cpu = 1; *cpu < plat_nslots(); ++*cpu)
        if (cpu_run_on(*cpu, fn, arg))
            return true;
    return false;
}

static void look_if_told(void)
{
    if (kern64_was_told() && cpu_told_hook)
        cpu_told_hook();
}

/* Work given or a tell after the look wakes the CPU: its interrupt waits for the halt. */
void cpu_rest(void)
{
    unsigned cpu = plat_slot();

    irq_off();
    if (!kern64_fall_asleep() || sk_load_acquire(&work[cpu].given))
        irq_on();
    else
        irq_on_and_halt();
    kern64_wake_up();
    look_if_told();
}

static _Noreturn void cpu_idle(unsigned cpu)
{
    for (;;) {
        cpu_rest();
        if (!sk_load_acquire(&work[cpu].given))
            continue;
        sk_store_relaxed(&work[cpu].given, false);
        work[cpu].fn(work[cpu].arg);
        sk_store_release(&work[cpu].busy, false);
    }
}

/* ---- start --------------------------------------------------------------------------------- */

void cpu_begin(unsigned cpu)
{
    kern64_cpu_init(cpu);
    cpu_self_set(&kern64_cpu[cpu]);
    trap_init();
}

_Noreturn void cpu_main(void)
{
    unsigned cpu = sk_load_acquire(&next_cpu);

    cpu_begin(cpu);
    interrupts_enable();
    kern64_online();
    cpu_idle(cpu);
}

static void start_one(unsigned cpu)
{
    uint64_t stack = kern64_frames_alloc(CPU_STACK_ORDER, kern64_cpu[cpu].node);

    if (!stack)
        plat_panic("kernel: no memory for a stack");
    sk_store_release(&next_cpu, cpu);
    cpu_power_on(ids[cpu], stack + (PLAT_PAGE_BYTES << CPU_STACK_ORDER));
    while (!sk_load_acquire(&kern64_cpu[cpu].online))
        cpu_pause();
}

void cpus_start(void)
{
    unsigned node[KERN64_CPUS_MAX], nodes, cpus = firmware_cpus(ids, node, &nodes);

    cpus = (unsigned)sk_min(cpus, kernel_option("cpus", KERN64_CPUS_MAX));
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        kern64_cpu[cpu].node = node[cpu];
    kern64_topology(cpus, nodes);
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        start_one(cpu);
}
