/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see typed.h.
 * Below: origin.c for the type, kmalloc's tagged blocks.
 * Owns: each thread's countdown to the next allocation that is counted, where not all are.
 * Failure: where a type is not to be had the block has none; it is in no table then.
 */
#include "front/typed.h"
#include "ctl/start.h"
#include "front/origin.h"

static SK_TLS uint32_t countdown, seed;

/* Every call comes by here, not only those that miss: now and then is enough. */
#define CALLS_A_POKE 64u

static void poke(void)
{
    static SK_TLS unsigned calls;

    if (SK_UNLIKELY(++calls % CALLS_A_POKE == 0))
        ctl_poke();
}

/* Intervals are random, 1 .. 2 n - 1, so that no pattern of the program hides from them. */
static uint32_t next_interval(uint32_t n)
{
    if (!seed)
        seed = (uint32_t)(uintptr_t)&seed | 1;
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % (2 * n - 1);
}

static bool passed_over(void)
{
    uint32_t n = ctl_options()->types_sample;

    if (SK_LIKELY(n == 1) || ctl_types != OPTIONS_TYPES_SITE)
        return false;
    if (countdown-- != 0)
        return true;
    countdown = next_interval(n);
    return false;
}

static struct type *type_by(struct typed_by by)
{
    if (passed_over())
        return NULL;
    if (ctl_types != OPTIONS_TYPES_TOKEN)
        return origin_of_site(by.site);
    return !by.site ? origin_of_token(by.token) : origin_without_token();
}

static void *untyped(size_t size, size_t align, bool zero)
{
    if (zero)
        return km_zalloc(size);
    return align > 1 ? km_alloc_aligned(size, align) : km_alloc(size);
}

void *typed_alloc(size_t size, size_t align, bool zero, struct typed_by by)
{
    struct type *t = type_by(by);

    poke();
    if (SK_UNLIKELY(!t))
        return untyped(size, align, zero);
    return tagged_alloc(t, size, align, zero ? M_RNOWAIT | M_ZERO : M_RNOWAIT);
}

void typed_free(void *p)
{
    if (p)
        tagged_free(p);
    poke();
}

void *typed_realloc(void *p, size_t size, struct typed_by by)
{
    return tagged_realloc(type_by(by), p, size);
}
