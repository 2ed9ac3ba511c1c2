/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: how deep this thread is inside code that holds locks.
 * Owns: plat_nesting: 0 outside; a signal handler that finds it > 0 must take no lock.
 * Concurrency: this thread and its signal handlers, which leave it as they found it.
 */
#ifndef SLABKIT_PLAT_PORTABLE_NESTING_H
#define SLABKIT_PLAT_PORTABLE_NESTING_H

#include "plat/plat.h"

extern SK_TLS PLAT_HIDDEN unsigned plat_nesting;

/* The signal fences keep what is bracketed inside the bracket, as a handler sees it. */
SK_INLINE void nesting_in(void)
{
    plat_nesting++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

SK_INLINE void nesting_out(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    plat_nesting--;
}

#endif
