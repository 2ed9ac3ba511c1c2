/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: cmocka, as the tests here include it.
 */
#ifndef TEST_COMPAT_UNIT_H
#define TEST_COMPAT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static inline bool all_are(const void *p, size_t n, unsigned char value)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < n; i++)
        if (b[i] != value)
            return false;
    return true;
}

#endif
