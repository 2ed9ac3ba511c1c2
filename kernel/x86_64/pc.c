/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a PC: the first serial port, the start of CPUs, the end of the run.
 * Below: io.h, apic.c, boot.S.
 */
#include "apic.h"
#include "kernel/kernel.h"

#define COM1       0x3f8
#define COM1_LINE  (COM1 + 5)
#define LINE_READY 0x20
#define DEBUG_EXIT 0xf4

extern char trampoline[], trampoline_end[];
extern uintptr_t trampoline_stack;

void serial_put(char c)
{
    while (!(in8(COM1_LINE) & LINE_READY))
        cpu_pause();
    out8(COM1, (uint8_t)c);
}

/* Its code begins below 1 MiB, where no memory of the page allocator is. */
void cpu_power_on(uint64_t id, uintptr_t stack_end)
{
    trampoline_stack = stack_end;
    __builtin_memcpy((void *)(uintptr_t)TRAMPOLINE, trampoline,
                     (size_t)(trampoline_end - trampoline));
    apic_start_cpu(id, TRAMPOLINE);
}

/* The device ends the emulator with twice what it is told, plus one. */
_Noreturn void machine_exit(unsigned status)
{
    for (;;)
        out8(DEBUG_EXIT, (uint8_t)(status / 2));
}
