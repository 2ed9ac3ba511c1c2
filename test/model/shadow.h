/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the plain model that malloc is held against: a sorted table of what is live, with what
 *       every block must contain.
 * Below: sequence.h.
 * Failure: the first difference is told in one line on stderr and ends the process with status 1.
 */
#ifndef TEST_MODEL_SHADOW_H
#define TEST_MODEL_SHADOW_H

#include "sequence.h"

/* Faults that can be put in on purpose, to see them found and shrunk. Each needs two operations:
 *   1: a malloc of 1000 bytes or more is said to overlap, while an aligned block is live
 *   2: a realloc to 5000 bytes or more overwrites a byte of the block in the slot below
 *   3: a free of a block of 60000 bytes or more kills the process
 *   4: a calloc after a trim gives a byte that is not zero
 */
#define SHADOW_FAULTS 4u

/* Runs the whole sequence, then frees everything; returns if no difference was seen. */
void shadow_run(const struct sequence *sq, unsigned fault);

#endif
