/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: bit scans, logarithms and exact division by a constant size.
 * Below: base/attrs.h.
 */
#ifndef SLABKIT_BASE_BITS_H
#define SLABKIT_BASE_BITS_H

#include "base/attrs.h"

#define SK_WORD_BITS 64u

/* v != 0. */
SK_INLINE unsigned sk_log2_floor(uint64_t v)
{
    return 63u - (unsigned)__builtin_clzll(v);
}

/* v != 0. */
SK_INLINE unsigned sk_log2_ceil(uint64_t v)
{
    return v == 1 ? 0 : sk_log2_floor(v - 1) + 1;
}

/* v != 0. */
SK_INLINE unsigned sk_ctz(uint64_t v)
{
    return (unsigned)__builtin_ctzll(v);
}

/* Sums of pairs, of fours, of bytes. The builtin would be a call into the compiler's library. */
SK_INLINE unsigned sk_popcount(uint64_t v)
{
    v -= v >> 1 & 0x5555555555555555u;
    v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)(v * 0x0101010101010101u >> 56);
}

/*
 * x / size == (x * recip) >> 42 for every x < 2^22 and 8 <= size <= 2^19: recip = ceil(2^42 / size)
 * exceeds 2^42/size by e/size with e < size, so the product is too large by x*e/size; the floor is
 * exact while x*e < 2^42 (Granlund & Montgomery 1994, theorem 4.2), and x*recip < 2^61.
 */
#define SK_RECIP_SHIFT 42u

SK_INLINE uint64_t sk_recip(uint32_t size)
{
    return ((1ull << SK_RECIP_SHIFT) + size - 1) / size;
}

SK_INLINE uint32_t sk_div_recip(uint32_t x, uint64_t recip)
{
    return (uint32_t)((x * recip) >> SK_RECIP_SHIFT);
}

#endif
