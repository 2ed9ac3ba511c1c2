/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: what the local APIC does for trap.c and pc.c. */
#ifndef SLABKIT_KERNEL_APIC_H
#define SLABKIT_KERNEL_APIC_H

#include "kernel/kernel.h"

/* Vectors of enum interrupt begin here. */
#define VECTOR_FIRST    0x40u
#define VECTOR_SPURIOUS 0xffu

void apic_start_cpu(uint64_t id, uintptr_t trampoline);
void apic_end_of_interrupt(void);

#endif
