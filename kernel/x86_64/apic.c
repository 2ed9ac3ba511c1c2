/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the local APIC: interrupts between CPUs, the start of CPUs, one timer each.
 * Below: io.h; the interval timer (8254) as the measure of the APIC's.
 * Concurrency: each CPU has its own registers at the same address.
 */
#include "apic.h"

#define APIC_BASE 0xfee00000u

enum apic_register {
    APIC_ID = 0x20,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_COMMAND = 0x300,
    APIC_TARGET = 0x310,
    APIC_TIMER = 0x320,
    APIC_TIMER_COUNT = 0x380,
    APIC_TIMER_LEFT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0
};

#define APIC_ON          0x100u
#define APIC_PENDING     0x1000u
#define APIC_MASKED      0x10000u
#define APIC_DIVIDE_BY_1 0xbu
#define COMMAND_INIT     0x4500u
#define COMMAND_START    0x4600u

#define PIT_HZ      1193182u
#define PIT_COUNT_2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE    0x61

static uint64_t timer_hz;

static volatile uint32_t *apic(enum apic_register r)
{
    return (volatile uint32_t *)(uintptr_t)(APIC_BASE + (uint32_t)r);
}

uint64_t interrupt_cpu_id(void)
{
    return *apic(APIC_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
    *apic(APIC_EOI) = 0;
}

/* Counter 2 of the interval timer, from ticks down to 0. */
static void pit_wait(uint16_t ticks)
{
    uint8_t gate = in8(PIT_GATE) & 0xfc;

    out8(PIT_GATE, gate);
    out8(PIT_COMMAND, 0xb0);
    out8(PIT_COUNT_2, (uint8_t)ticks);
    out8(PIT_COUNT_2, (uint8_t)(ticks >> 8));
    out8(PIT_GATE, gate | 1);
    while (!(in8(PIT_GATE) & 0x20))
        cpu_pause();
}

static void delay_us(unsigned us)
{
    pit_wait((uint16_t)((uint64_t)us * PIT_HZ / 1000000));
}

#define MEASURE_US 10000u

void interrupts_init(void)
{
    uint32_t left;

    interrupts_enable();
    *apic(APIC_TIMER_COUNT) = UINT32_MAX;
    delay_us(MEASURE_US);
    left = *apic(APIC_TIMER_LEFT);
    *apic(APIC_TIMER_COUNT) = 0;
    timer_hz = (uint64_t)(UINT32_MAX - left) * (1000000 / MEASURE_US);
}

void interrupts_enable(void)
{
    *apic(APIC_SPURIOUS) = APIC_ON | VECTOR_SPURIOUS;
    *apic(APIC_TIMER) = VECTOR_FIRST + INTERRUPT_TIMER;
    *apic(APIC_TIMER_DIVIDE) = APIC_DIVIDE_BY_1;
}

void interrupt_after(uint64_t ns)
{
    uint64_t count = ns * (timer_hz / 1000) / 1000000;

    *apic(APIC_TIMER_COUNT) = (uint32_t)sk_min(ns ? sk_max(count, 1) : 0, UINT32_MAX);
}

/* Two writes: nothing else of this CPU may come between. */
static void command(uint64_t id, uint32_t what)
{
    uint64_t flags = cpu_irq_save();

    while (*apic(APIC_COMMAND) & APIC_PENDING)
        cpu_pause();
    *apic(APIC_TARGET) = (uint32_t)id << 24;
    *apic(APIC_COMMAND) = what;
    cpu_irq_restore(flags);
}

/* The write of a device's register comes after all stores before it. */
void interrupt_send(uint64_t id, enum interrupt what)
{
    command(id, VECTOR_FIRST + what);
}

void apic_start_cpu(uint64_t id, uintptr_t trampoline)
{
    command(id, COMMAND_INIT);
    delay_us(200);
    command(id, COMMAND_START | (uint32_t)(trampoline >> 12));
    delay_us(200);
    command(id, COMMAND_START | (uint32_t)(trampoline >> 12));
}
