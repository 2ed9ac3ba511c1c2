/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: work for the allocator, and atfork handlers that do it, for processes.c and its library.
 */
#ifndef TEST_FRONT_ATFORK_H
#define TEST_FRONT_ATFORK_H

#include <stdlib.h>

#include "expect.h"

#define BLOCKS     200u
#define BLOCKS_FEW 20u /* in a handler that may run while the allocator is at a stop */

struct atfork_calls {
    int ac_prepare, ac_parent, ac_child;
};
extern __attribute__((visibility("default"))) struct atfork_calls atfork_calls;

static inline void churn(unsigned seed, unsigned blocks)
{
    static __thread void *block[BLOCKS];

    for (unsigned i = 0; i < blocks; i++) {
        size_t size = 1 + (size_t)(i * i + seed) * 17 % 40000;

        block[i] = malloc(size);
        EXPECT(block[i] != NULL);
        fill(block[i], size, 1);
    }
    for (unsigned i = 0; i < blocks; i++)
        free(block[i]);
    free(opaque(malloc(300000)));
}

#endif
