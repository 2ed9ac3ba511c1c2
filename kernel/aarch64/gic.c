/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the interrupt controller (GIC, version 3: more than eight CPUs), and each CPU's virtual timer.
 * Below: io.h.
 * Owns: software-generated interrupt n is enum interrupt n; the timer is private interrupt 27.
 * Concurrency: each CPU its own redistributor and registers.
 */
#include "gic.h"

#define DISTRIBUTOR   0x08000000u
#define REDISTRIBUTOR 0x080a0000u
#define REDIST_BYTES  0x20000u
#define SGI_PAGE      0x10000u

#define GICD_CTLR       0x0u
#define CTLR_GROUP1     2u
#define CTLR_AFFINITY   0x10u
#define GICR_TYPER_HIGH 0xcu
#define GICR_WAKER      0x14u
#define WAKER_SLEEP     2u
#define WAKER_ASLEEP    4u
#define GICR_IGROUPR0   (SGI_PAGE + 0x80)
#define GICR_ISENABLER0 (SGI_PAGE + 0x100)

#define ICC_SRE     "s3_0_c12_c12_5"
#define ICC_PMR     "s3_0_c4_c6_0"
#define ICC_IGRPEN1 "s3_0_c12_c12_7"
#define ICC_IAR1    "s3_0_c12_c12_0"
#define ICC_EOIR1   "s3_0_c12_c12_1"
#define ICC_SGI1R   "s3_0_c12_c11_5"

#define INTID_TIMER 27u
#define INTID_NONE  1020u /* and above */

/* Affinities as MPIDR has them: levels 0 to 2 in bits 0 to 23, level 3 from bit 32. */
#define MPIDR_AFFINITY 0xff00ffffffull

uint64_t interrupt_cpu_id(void)
{
    return cpu_read("mpidr_el1") & MPIDR_AFFINITY;
}

/* Redistributors say whose they are, level 3 in bits 24 to 31. */
static uintptr_t my_redistributor(void)
{
    uint64_t id = interrupt_cpu_id();
    uint32_t mine = (uint32_t)(id & 0xffffff) | (uint32_t)(id >> 32 << 24);
    uintptr_t at = REDISTRIBUTOR;

    while (*device(at + GICR_TYPER_HIGH) != mine)
        at += REDIST_BYTES;
    return at;
}

void interrupts_init(void)
{
    *device(DISTRIBUTOR + GICD_CTLR) = CTLR_AFFINITY | CTLR_GROUP1;
    interrupts_enable();
}

void interrupts_enable(void)
{
    uintptr_t own = my_redistributor();

    *device(own + GICR_WAKER) &= ~WAKER_SLEEP;
    while (*device(own + GICR_WAKER) & WAKER_ASLEEP)
        cpu_pause();
    *device(own + GICR_IGROUPR0) = ~0u;
    *device(own + GICR_ISENABLER0) = 0xffffu | 1u << INTID_TIMER;
    cpu_write(ICC_SRE, cpu_read(ICC_SRE) | 1);
    cpu_sync();
    cpu_write(ICC_PMR, 0xff);
    cpu_write(ICC_IGRPEN1, 1);
    cpu_sync();
}

/* The write of a system register is in no order with stores to memory: what was stored before is made
 * visible first, since the handler looks for it. */
void interrupt_send(uint64_t id, enum interrupt what)
{
    uint64_t levels = (id >> 32 & 0xff) << 48 | (id >> 16 & 0xff) << 32 | (id >> 8 & 0xff) << 16;

    __asm__ volatile("dsb ishst" : : : "memory");
    cpu_write(ICC_SGI1R, levels | (uint64_t)what << 24 | 1ull << (id & 0xf));
    cpu_sync();
}

enum interrupt gic_take(void)
{
    uint64_t intid = cpu_read(ICC_IAR1);

    if (intid >= INTID_NONE)
        return INTERRUPT_NONE;
    if (intid == INTID_TIMER)
        interrupt_after(0);
    __asm__ volatile("dsb sy" : : : "memory");
    cpu_write(ICC_EOIR1, intid);
    cpu_sync();
    return intid == INTID_TIMER ? INTERRUPT_TIMER : (enum interrupt)intid;
}

/* ---- timer ---------------------------------------------------------------------------------- */

void interrupt_after(uint64_t ns)
{
    uint64_t count = ns * (cpu_read("cntfrq_el0") / 1000) / 1000000;

    cpu_write("cntv_tval_el0", sk_min(sk_max(count, 1), INT32_MAX));
    cpu_write("cntv_ctl_el0", ns != 0);
    cpu_sync();
}
