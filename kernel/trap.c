/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the table of interrupts and what is done for each.
 * Below: trap.S, apic.c.
 * Concurrency: handlers run with interrupts off, on the stack of what they interrupted.
 */
#include "kernel/io.h"
#include "kernel/kernel.h"

#define VECTORS    256u
#define GATE_CODE  8u
#define GATE_IRQ   0x8e00u
#define PIC_1_DATA 0x21
#define PIC_2_DATA 0xa1
#define EXCEPTIONS 32u
#define FAULT_PAGE 14u
#define FAULT_NMI  2u

struct gate {
    uint16_t low, code, kind, middle;
    uint32_t high, zero;
};

extern const uintptr_t trap_entry[VECTORS];
static struct gate gates[VECTORS];

uint64_t ipis_handled[KERN64_CPUS_MAX];
void (*timer_hook)(void);
void (*message_hook)(void);

static void gates_fill(void)
{
    for (unsigned i = 0; i < VECTORS; i++) {
        uintptr_t at = trap_entry[i];

        gates[i] = (struct gate){.low = (uint16_t)at,
                                 .code = GATE_CODE,
                                 .kind = GATE_IRQ,
                                 .middle = (uint16_t)(at >> 16),
                                 .high = (uint32_t)(at >> 32)};
    }
}

void trap_init(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        const void *at;
    } pointer = {sizeof(gates) - 1, gates};

    if (!gates[0].kind) {
        gates_fill();
        out8(PIC_1_DATA, 0xff);
        out8(PIC_2_DATA, 0xff);
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static _Noreturn void fault(unsigned vector, const struct trap_frame *frame)
{
    uint64_t address = 0;

    if (vector == FAULT_PAGE)
        __asm__ volatile("movq %%cr2, %0" : "=r"(address));
    console_text("kernel: exception ");
    console_number(vector, 10);
    console_text(" error ");
    console_number(frame->error, 16);
    console_text(" at 0x");
    console_number(frame->rip, 16);
    console_text(", address 0x");
    console_number(address, 16);
    console_text("\n");
    kernel_exit(KERNEL_ABORT + 1);
}

static void hook_call(void (*hook)(void))
{
    if (hook)
        hook();
}

void trap_handle(unsigned vector, struct trap_frame *frame)
{
    if (vector < EXCEPTIONS)
        fault(vector, frame);
    if (vector == VECTOR_SPURIOUS)
        return;
    apic_end_of_interrupt();
    if (vector != VECTOR_TIMER && vector != VECTOR_WAKE)
        sk_count(&ipis_handled[plat_slot()], 1);
    switch (vector) {
    case VECTOR_TIMER:
        timer_handle();
        hook_call(sk_load_acquire(&timer_hook));
        break;
    case VECTOR_ASKED:
        kern64_answer();
        break;
    case VECTOR_MESSAGE:
        hook_call(sk_load_acquire(&message_hook));
        break;
    default: /* woke this CPU, which looks for itself */
        break;
    }
}
