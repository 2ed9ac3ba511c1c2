/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: exceptions: interrupts to the controller, the rest ends the run.
 * Below: trap.S, gic.c.
 * Concurrency: handlers run with interrupts off, on the stack of what they interrupted, which finds
 *       ELR and SPSR as they were: nothing in a handler changes them.
 */
#include "gic.h"
#include "kernel/kernel.h"

extern const char trap_vectors[];

_Noreturn void trap_fault(unsigned kind);
void trap_interrupt(void);

void trap_init(void)
{
    cpu_write("vbar_el1", (uintptr_t)trap_vectors);
    cpu_sync();
}

_Noreturn void trap_fault(unsigned kind)
{
    console_text("kernel: exception ");
    console_number(kind, 10);
    console_text(" syndrome ");
    console_number(cpu_read("esr_el1"), 16);
    console_text(" at 0x");
    console_number(cpu_read("elr_el1"), 16);
    console_text(", address 0x");
    console_number(cpu_read("far_el1"), 16);
    console_text("\n");
    kernel_exit(KERNEL_ABORT + 1);
}

void trap_interrupt(void)
{
    enum interrupt what = gic_take();

    if (what != INTERRUPT_NONE)
        interrupt_handle(what);
}
