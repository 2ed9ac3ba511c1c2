/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: compiler attributes and the few arithmetic helpers every layer uses.
 * Below: nothing.
 */
#ifndef SLABKIT_BASE_ATTRS_H
#define SLABKIT_BASE_ATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SK_LIKELY(x)   __builtin_expect(!!(x), 1)
#define SK_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SK_NOINLINE    __attribute__((noinline))
/*
 * Runs seldom: when something begins or ends, when memory grows or is given back, when something is
 * looked at or fails. Compiled for size, and apart from what runs often (cmake/seldom.ld).
 */
#ifdef __clang__
#define SK_COLD __attribute__((cold, noinline, minsize))
#else
#define SK_COLD __attribute__((cold, noinline))
#endif
/* What every process runs, at its start or seldom later: beside what runs often. gcc would move calls of cold functions
 * away. */
#ifdef __clang__
#define SK_START SK_COLD __attribute__((section(".text.startup")))
#else
#define SK_START __attribute__((noinline, section(".text.startup")))
#endif
/* Before a loop of few rounds: one copy of its body. */
#ifdef __clang__
#define SK_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define SK_ROLLED
#endif
/* Variables of several pages that an ordinary run never touches, apart from the others. */
#if defined(__x86_64__) && __STDC_HOSTED__
#define SK_SELDOM_BSS __attribute__((section(".lbss")))
#else
#define SK_SELDOM_BSS
#endif
#define SK_INLINE       static inline __attribute__((always_inline))
#define SK_EXPORT       __attribute__((visibility("default")))
#define SK_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define SK_TLS          __thread __attribute__((tls_model("initial-exec")))

#define SK_CACHE_LINE    64
#define SK_CACHE_ALIGNED __attribute__((aligned(SK_CACHE_LINE)))

#define SK_ARRAY_SIZE(a)              (sizeof(a) / sizeof((a)[0]))
#define SK_CONTAINER_OF(p, type, mem) ((type *)((char *)(p)-offsetof(type, mem)))

/* Both take a power of two as alignment. */
SK_INLINE uintptr_t sk_align_up(uintptr_t v, uintptr_t align)
{
    return (v + align - 1) & ~(align - 1);
}

SK_INLINE uintptr_t sk_align_down(uintptr_t v, uintptr_t align)
{
    return v & ~(align - 1);
}

SK_INLINE bool sk_is_pow2(uintptr_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

SK_INLINE size_t sk_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

SK_INLINE size_t sk_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
