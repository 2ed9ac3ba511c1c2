/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what this port keeps for each CPU, what the kernel around it must call, and the four
 *       functions it must supply.
 * Below: plat.h.
 * Owns: kern64_cpu[]; on CPU i the register that cpu.h reads (x86-64: gs base; 64-bit ARM:
 *       TPIDR_EL1) is &kern64_cpu[i] whenever C code of a kernel runs.
 * Concurrency: fields say who writes them.
 *
 * Order at start:
 *     register of the first CPU        kern64_cpu_init(0), then its register: pop and push miss
 *                                      from here
 *     kern64_memory_init, _add         frames: the page allocator is up
 *     kern64_topology                  how many CPUs, their nodes
 *     plat_init, region_init, ...      the engine
 *     each further CPU                 kern64_cpu_init(i), its register, kern64_online()
 */
#ifndef SLABKIT_PLAT_KERN64_KERN64_H
#define SLABKIT_PLAT_KERN64_KERN64_H

#include "plat/plat.h"
#include "cpu.h"

#define KERN64_CPUS_MAX 64u

/* A question to a CPU: asked counts the askings, answered is the last asking that was answered.
 */
struct kern64_question {
    SK_CACHE_ALIGNED uint64_t asked; /* atomic, by anyone */
    uint64_t answered;               /* by its CPU, interrupts off; atomic: read by who asked */
};

struct kern64_cpu {
    /* At fixed offsets, that cpu.h knows. */
    struct kern64_cpu *self; /* 0 */
    uintptr_t *area;  /* 8: word 0 of the slot; until plat_init that of a closed area. Atomic */
    uint32_t slot;    /* 16: constant */
    uint32_t nesting; /* 20: this CPU only: inside a slow path */

    uint32_t node;                /* constant after kern64_topology */
    bool online;                  /* atomic: answers; set by its CPU, for good */
    uint32_t told;                /* atomic: plat_tell came and was not answered yet */
    bool asleep;                  /* atomic, by its CPU: halted, or about to be */
    struct kern64_question fence; /* no section that began before is under way */
    struct kern64_question flush; /* no translation older than the question is in use */

    /* This CPU's, as plat.h says of a thread's. */
    struct plat_request request;
    int error;

    /* Figures: interprocessor interrupts this CPU asked for; atomic. */
    uint64_t tells, fences, flushes;
};
extern struct kern64_cpu kern64_cpu[KERN64_CPUS_MAX];

SK_INLINE struct kern64_cpu *kern64_self(void)
{
    return cpu_self();
}

/* ---- called by the kernel -------------------------------------------------------------------- */

/* Before its register is set, and not while another CPU is in plat_init. */
void kern64_cpu_init(unsigned cpu);
/* On each CPU, when it takes interrupts, and before it uses the engine. */
void kern64_online(void);

/* Frames of [begin, end), physical addresses, may be told of. The allocator's own entries, a 300th
 * of the memory, are at `entries`, of kern64_memory_bytes(begin, end) bytes. */
size_t kern64_memory_bytes(uint64_t begin, uint64_t end);
/* direct: where physical address 0 is mapped; root: physical address of the window's top page table.
 */
void kern64_memory_init(uint64_t begin, uint64_t end, void *entries, char *direct, uint64_t root);
/* Whole free pages of [at, at + bytes), of a node. */
void kern64_memory_add(uint64_t at, uint64_t bytes, unsigned node);
/* The address space for the engine, a power of two of bytes, at most 512 GiB, aligned to that. */
void kern64_window(uintptr_t at, uint64_t bytes);
void kern64_topology(unsigned cpus, unsigned nodes);

/* From the handler of either interrupt, interrupts off. The kernel acknowledges the interrupt. */
void kern64_answer(void);
/* At an opportunity, e.g. in the idle loop or at the end of an interrupt: true if this CPU was told
 * (plat_tell) since the last call. The caller then lets the engine look (pcpu_settle). */
bool kern64_was_told(void);
/* Before and after a halt, interrupts off before: a tell sends an interrupt only to a CPU that is asleep. false: it was
 * told already, and should look first. */
bool kern64_fall_asleep(void);
void kern64_wake_up(void);

/* Contiguous memory for the kernel's own use: 2^order pages of a node, or any node's; not zeroed;
 * aligned to its size if `begin` is; its physical address, 0 if there is none. Any context. */
uint64_t kern64_frames_alloc(unsigned order, unsigned node);
void kern64_frames_free(uint64_t at);
uint64_t kern64_frames_free_bytes(unsigned node); /* KERN64_ALL_NODES: in sum */
#define KERN64_ALL_NODES (~0u)
bool kern64_frames_verify(void);
/* Every block that somebody has. Nobody may allocate meanwhile. */
void kern64_frames_each_used(void (*fn)(uint64_t at, uint64_t bytes));

/* Has this page of the window memory? Of which node? */
bool kern64_is_backed(const void *p);
unsigned kern64_node_of(const void *p);

/* ---- supplied by the kernel ------------------------------------------------------------------ */

enum kern64_ipi {
    KERN64_IPI_ASKED, /* its handler calls kern64_answer */
    KERN64_IPI_TOLD,  /* passive: wakes the CPU if it sleeps; kern64_was_told says so later */
};

/* The handler sees what was stored before the call: where sending is not ordered behind stores to
 * memory, it is made so here (64-bit ARM: DSB ISHST). */
void kern64_hook_ipi(unsigned cpu, enum kern64_ipi what);
void kern64_hook_write(const char *text, size_t len);
_Noreturn void kern64_hook_die(void);
uint64_t kern64_hook_clock_ns(void);

/* ---- between the files of the port ----------------------------------------------------------- */

/* Every CPU but this one answers, while this one answers others. */
void kern64_ask(unsigned cpu, struct kern64_question *q);
void kern64_flush_all(void);
/* One turn of a wait. */
void kern64_wait_turn(void);
/* 0: none. Zeroed. */
uint64_t frame_zeroed(void);
uint64_t frame_zeroed_of(unsigned node); /* of no other */
unsigned frame_node(uint64_t at);
char *frame_address(uint64_t at);
uint64_t frame_root(void);

#endif
