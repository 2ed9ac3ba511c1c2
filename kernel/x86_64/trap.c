/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the table of exceptions and interrupts.
 * Below: trap.S, apic.c.
 * Concurrency: handlers run with interrupts off, on the stack of what they interrupted.
 */
#include "apic.h"
#include "kernel/kernel.h"

#define VECTORS    256u
#define GATE_CODE  8u
#define GATE_IRQ   0x8e00u
#define PIC_1_DATA 0x21
#define PIC_2_DATA 0xa1
#define EXCEPTIONS 32u
#define FAULT_PAGE 14u

struct trap_frame {
    uint64_t error, rip, cs, flags, rsp, ss;
};

struct gate {
    uint16_t low, code, kind, middle;
    uint32_t high, zero;
};

extern const uintptr_t trap_entry[VECTORS];
static struct gate gates[VECTORS];

void trap_handle(unsigned vector, const struct trap_frame *frame);

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

void trap_handle(unsigned vector, const struct trap_frame *frame)
{
    if (vector < EXCEPTIONS)
        fault(vector, frame);
    if (vector == VECTOR_SPURIOUS)
        return;
    apic_end_of_interrupt();
    interrupt_handle((enum interrupt)(vector - VECTOR_FIRST));
}
