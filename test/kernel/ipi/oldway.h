/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: how kernels freed other CPUs' objects before: each slab belongs to a CPU, and whoever frees an
 *       object of another's sends it home as a message of its own, with an interrupt. What slabkit is
 *       compared with, over the same slabs.
 * Below: slab, region; the kernel's message interrupt.
 * Owns: for each CPU its slabs and an inbox of messages.
 * Concurrency: a CPU's slabs are its own, with interrupts off; an inbox is a lock-free list.
 * Why: the message is the freed object: its first word links, its second says for which cache it was sent,
 *      so that the receiver can check the two against the page map.
 */
#ifndef SLABKIT_TEST_KERNEL_IPI_OLDWAY_H
#define SLABKIT_TEST_KERNEL_IPI_OLDWAY_H

#include "slab/slab.h"

#define OLDWAY_IDX 250u /* no other cache has this index */

void oldway_start(size_t size);
void *oldway_alloc(void);
void oldway_free(void *p);
/* Waits for the messages under way; all slabs without objects in use go back. By one CPU. */
void oldway_end(void);

/* The message alone, whatever p is; its memory must be there. */
void oldway_post(unsigned cpu, void *p);
/* This CPU's slabs without objects in use go back. */
void oldway_unmake_idle(void);

/* While held, messages to a CPU stay in its inbox, and no interrupt is sent. Release sends one. */
void oldway_hold(unsigned cpu);
void oldway_release(unsigned cpu);

struct oldway_figures {
    uint64_t sent;    /* messages, each with its interrupt */
    uint64_t came;    /* messages looked at */
    uint64_t swaps;   /* compare-and-swaps on inboxes */
    uint64_t gone;    /* messages for a slab that is not there any more */
    uint64_t refused; /* messages for an object that is not in use */
    uint64_t slabs;   /* there now */
};
struct oldway_figures oldway_figures(void);

#endif
