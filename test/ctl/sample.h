/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a snapshot whose every figure is known.
 */
#ifndef SLABKIT_TEST_CTL_SAMPLE_H
#define SLABKIT_TEST_CTL_SAMPLE_H

#include "slabkit/slabkit.h"

/* Three classes are filled; the second was never used. */
void sample_snapshot(struct slabkit_snapshot *s);

#endif
