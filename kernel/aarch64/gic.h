/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: what the interrupt controller says to trap.c. */
#ifndef SLABKIT_KERNEL_GIC_H
#define SLABKIT_KERNEL_GIC_H

#include "kernel/kernel.h"

/* The interrupt that is due, acknowledged and ended: the next may come when interrupts are on. */
enum interrupt gic_take(void);

#endif
