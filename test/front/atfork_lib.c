/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a library that registers atfork handlers when it is loaded, as libraries do: usually before
 *       the constructor of a preloaded malloc runs. The handlers allocate and free.
 */
#include <pthread.h>

#include "atfork.h"

struct atfork_calls atfork_calls;

static void at_prepare(void)
{
    churn(5, BLOCKS_FEW);
    atfork_calls.ac_prepare++;
}

static void at_parent(void)
{
    churn(6, BLOCKS_FEW);
    atfork_calls.ac_parent++;
}

static void at_child(void)
{
    churn(7, BLOCKS_FEW);
    atfork_calls.ac_child++;
}

__attribute__((constructor)) static void handlers_register(void)
{
    EXPECT(pthread_atfork(at_prepare, at_parent, at_child) == 0);
}
