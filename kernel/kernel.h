/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the small kernel's own interface: what its files and the programs that run in it use.
 * Below: the port (plat/kern64).
 * Owns: the CPUs, the console, the timers.
 */
#ifndef SLABKIT_KERNEL_KERNEL_H
#define SLABKIT_KERNEL_KERNEL_H

#include "base/attrs.h"
#include "plat/kern64/cpu.h"
#include "plat/kern64/kern64.h"

#define CPU_STACK_ORDER 4u /* 64 KiB */

/* ---- console, end ---------------------------------------------------------------------------- */

/* One write is not broken up by another CPU's. Any context. */
void console_write(const char *text, size_t len);
void console_text(const char *text);
void console_number(uint64_t v, unsigned radix);
/* The exit status of the emulator is (KERNEL_EXIT + code) * 2 + 1. */
#define KERNEL_EXIT  32
#define KERNEL_ABORT 6
_Noreturn void kernel_exit(int code);
/* Called first when the engine panics; may jump away. */
extern void (*kernel_die_hook)(void);
/* Gets what the engine writes; true: took it. */
extern bool (*kernel_write_hook)(const char *text, size_t len);

/* ---- the program ----------------------------------------------------------------------------- */

/* What runs on the first CPU when all are up. Words of the command line behind " -- ". */
int main(int argc, char **argv);
/* From the words before it: the number behind "name=", or `otherwise`. */
unsigned kernel_option(const char *name, unsigned otherwise);

/* ---- CPUs ------------------------------------------------------------------------------------ */

void cpus_start(void);
/* Runs fn on an idle CPU other than the first. false: there is none. */
bool cpu_run(void (*fn)(void *arg), void *arg, unsigned *cpu);
/* The same, on that CPU. */
bool cpu_run_on(unsigned cpu, void (*fn)(void *arg), void *arg);
bool cpu_is_idle(unsigned cpu);
/* Called by a CPU that the engine told (plat_tell), when it is idle. NULL: nothing. */
extern void (*cpu_told_hook)(void);
/* Waits for an interrupt, unless one of these came meanwhile: work, or a tell. */
void cpu_rest(void);

/* ---- interrupts ------------------------------------------------------------------------------ */

enum vector {
    VECTOR_TIMER = 0x40,
    VECTOR_ASKED,
    VECTOR_TOLD,
    VECTOR_WAKE,
    VECTOR_MESSAGE,
    VECTOR_SPURIOUS = 0xff
};

struct trap_frame {
    uint64_t error, rip, cs, flags, rsp, ss;
};

void trap_init(void);
void trap_handle(unsigned vector, struct trap_frame *frame);
/* By each CPU: interrupts that other CPUs sent; several sent may come as one. */
extern uint64_t ipis_handled[KERN64_CPUS_MAX];
/* In the handler of the timer and of messages, with interrupts off. NULL: nothing. */
extern void (*timer_hook)(void);
extern void (*message_hook)(void);
void message_send(unsigned cpu);
/* For tests of late interrupts: while held, tells to that CPU are kept back; let go, one is sent if
 * any was. */
void ipi_hold(unsigned cpu, bool hold);
bool ipi_held(unsigned cpu);

/* ---- local APIC ------------------------------------------------------------------------------ */

/* Of the first CPU; measures the timer. */
void apic_init(void);
/* On each CPU. */
void apic_enable(void);
unsigned apic_id(void);
void apic_send(unsigned id, enum vector vector);
void apic_start_cpu(unsigned id, uintptr_t trampoline);
void apic_end_of_interrupt(void);
/* One interrupt on this CPU, so much later; 0: none. */
void apic_timer(uint64_t ns);
void delay_us(unsigned us);

/* This CPU's timer interrupts from now on at intervals between the two, drawn anew each time; 0, 0:
 * no more. On the first CPU they also drive the clock. */
void timer_every(uint64_t min_ns, uint64_t max_ns);
/* As after the start: the first CPU's ticks, no other's. */
void timer_usual(void);
void timer_handle(void);
uint64_t timer_clock_ns(void);

/* ---- firmware -------------------------------------------------------------------------------- */

struct memory_range {
    uint64_t at, bytes;
    unsigned node;
};

#define MEMORY_RANGES 32u

/* The loader's structure. */
void firmware_init(const void *start_info);
extern char firmware_command_line[512];
/* Usable memory above the kernel, split by node. */
unsigned firmware_memory(struct memory_range *out);
/* Local APIC ids and nodes of the CPUs, this one first; how many. */
unsigned firmware_cpus(unsigned char *id, unsigned *node, unsigned *nodes);

/* Memory kept aside from the page allocator (option aside=MiB), at the end of what there is. */
extern struct memory_range memory_aside;
/* The kernel, its data and the page allocator's entries end here. */
extern uintptr_t memory_static_end;
void memory_start(void);

#endif
