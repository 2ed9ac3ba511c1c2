/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what early_lib.c leaves behind for early.c: its n-th block is full of n.
 */
#ifndef TEST_FRONT_EARLY_H
#define TEST_FRONT_EARLY_H

#include <stdlib.h>

#include "expect.h"

#define EARLY_BLOCKS 5

struct early_block {
    unsigned char *eb_p;
    size_t eb_bytes;
};
extern __attribute__((visibility("default"))) struct early_block early_block[EARLY_BLOCKS];
extern __attribute__((visibility("default"))) unsigned early_blocks;

#endif
