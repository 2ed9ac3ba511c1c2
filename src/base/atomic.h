/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: atomics named by their memory order, so that each use says what it publishes.
 * Below: nothing.
 * Why: the compiler's builtins rather than <stdatomic.h>: they work on plain fields, which
 *      lets owner-only code read the same field without a qualifier.
 */
#ifndef SLABKIT_BASE_ATOMIC_H
#define SLABKIT_BASE_ATOMIC_H

#define sk_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define sk_load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define sk_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define sk_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* Orders everything before it with everything after it, a store with a later load included. */
#define sk_fence() __sync_synchronize()

#define sk_xchg_acquire(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define sk_xchg_acq_rel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)

#define sk_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define sk_sub_relaxed(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED)

/* Compare and swap: true and stored, or false and *old is what was there. */
#define sk_cas_relaxed(p, old, new)                                                                \
    __atomic_compare_exchange_n((p), (old), (new), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define sk_cas_acquire(p, old, new)                                                                \
    __atomic_compare_exchange_n((p), (old), (new), false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define sk_cas_release(p, old, new)                                                                \
    __atomic_compare_exchange_n((p), (old), (new), false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define sk_cas_acq_rel(p, old, new)                                                                \
    __atomic_compare_exchange_n((p), (old), (new), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

/* A counter written by one holder at a time (under its lock) and read by anyone. */
#define sk_count(p, n) sk_store_relaxed((p), sk_load_relaxed(p) + (n))

#endif
