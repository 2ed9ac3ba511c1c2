/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the small kernel's own interface: what its files and the programs that run in it use.
 * Below: the port (plat/kern64); the machine (the folder of its name; io.h is found there).
 * Owns: the CPUs, the console, the timers.
 */
#ifndef SLABKIT_KERNEL_KERNEL_H
#define SLABKIT_KERNEL_KERNEL_H

#include "base/attrs.h"
#include "io.h"
#include "plat/kern64/kern64.h"

#define CPU_STACK_ORDER 4u /* 64 KiB */

/* ---- console, end ---------------------------------------------------------------------------- */

/* One write is not broken up by another CPU's. Any context. */
void console_write(const char *text, size_t len);
void console_text(const char *text);
void console_number(uint64_t v, unsigned radix);
/* The exit status of the emulator is (KERNEL_EXIT + code) * 2 + 1: none of its own. */
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

/* First of all on a CPU. */
void cpu_begin(unsigned cpu);
void cpus_start(void);
_Noreturn void cpu_main(void);
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

enum interrupt {
    INTERRUPT_TIMER,
    INTERRUPT_ASKED,
    INTERRUPT_TOLD,
    INTERRUPT_WAKE,
    INTERRUPT_MESSAGE,
    INTERRUPT_NONE
};

/* By the machine: acknowledged, interrupts off. */
void interrupt_handle(enum interrupt what);
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

/* This CPU's timer interrupts from now on at intervals between the two, drawn anew each time; 0, 0:
 * no more. On the first CPU they also drive the clock. */
void timer_every(uint64_t min_ns, uint64_t max_ns);
/* As after the start: the first CPU's ticks, no other's. */
void timer_usual(void);
void timer_handle(void);
uint64_t timer_clock_ns(void);

/* ---- memory ---------------------------------------------------------------------------------- */

struct memory_range {
    uint64_t at, bytes;
    unsigned node;
};

/* Memory kept aside from the page allocator (option aside=MiB), at the end of what there is. */
extern struct memory_range memory_aside;
/* The kernel, its data and the page allocator's entries end here. */
extern uintptr_t memory_static_end;
void memory_start(void);

/* ---- supplied by the machine ----------------------------------------------------------------- */

/* What the loader left: the argument of kernel_start. */
void firmware_init(const void *boot_info);
extern char firmware_command_line[512];
#define MEMORY_RANGES 32u
/* Usable memory above the kernel, split by node. */
unsigned firmware_memory(struct memory_range *out);
/* Ids of the CPUs, as interrupt_send wants them, and nodes; this one first; how many. */
unsigned firmware_cpus(uint64_t *id, unsigned *node, unsigned *nodes);

/* Exceptions of this CPU. */
void trap_init(void);
/* On the first CPU, and on each other. */
void interrupts_init(void);
void interrupts_enable(void);
uint64_t interrupt_cpu_id(void);
void interrupt_send(uint64_t id, enum interrupt what);
/* The timer's, once, on this CPU, so much later; 0: none. */
void interrupt_after(uint64_t ns);

/* The CPU begins in cpu_main, on that stack. */
void cpu_power_on(uint64_t id, uintptr_t stack_end);
void serial_put(char c);
_Noreturn void machine_exit(unsigned status);

#endif
