/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: expectations of programs that cannot be cmocka's, because what they watch happens before
 *       main, after it, in a child, or under a limit: one line on stderr, then status 1.
 */
#ifndef TEST_FRONT_EXPECT_H
#define TEST_FRONT_EXPECT_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXPECT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            dprintf(STDERR_FILENO, "%s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, #cond,    \
                    errno);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* A pointer the compiler cannot reason about, so that no call is folded away. */
static inline void *opaque(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static inline void fill(void *p, size_t bytes, int value)
{
    memset(p, value, bytes);
    opaque(p);
}

#endif
