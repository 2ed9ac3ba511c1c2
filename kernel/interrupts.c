/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what is done for each interrupt, whatever the machine.
 * Below: the port, timer.c.
 * Concurrency: handlers run with interrupts off, on the stack of what they interrupted.
 */
#include "kernel/kernel.h"

uint64_t ipis_handled[KERN64_CPUS_MAX];
void (*timer_hook)(void);
void (*message_hook)(void);

static void hook_call(void (*hook)(void))
{
    if (hook)
        hook();
}

void interrupt_handle(enum interrupt what)
{
    if (what != INTERRUPT_TIMER && what != INTERRUPT_WAKE)
        sk_count(&ipis_handled[plat_slot()], 1);
    switch (what) {
    case INTERRUPT_TIMER:
        timer_handle();
        hook_call(sk_load_acquire(&timer_hook));
        break;
    case INTERRUPT_ASKED:
        kern64_answer();
        break;
    case INTERRUPT_MESSAGE:
        hook_call(sk_load_acquire(&message_hook));
        break;
    default: /* woke this CPU, which looks for itself */
        break;
    }
}
