/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: repeatable random numbers for tests (Vigna's splitmix64), and sizes as programs ask for
 *       them: mostly small, all classes reached, now and then large.
 */
#ifndef TEST_ORACLE_RANDOM_H
#define TEST_ORACLE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t rn_state;
};

static inline uint64_t mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t random_next(struct random *rn)
{
    return mix64(rn->rn_state += 0x9e3779b97f4a7c15u);
}

/* 0 <= result < n; n > 0. */
static inline uint64_t random_below(struct random *rn, uint64_t n)
{
    return random_next(rn) % n;
}

/* Every doubling below 1 << bits is as likely as any other. */
static inline size_t random_log_size(struct random *rn, unsigned bits)
{
    return (size_t)random_below(rn, (uint64_t)1 << (1 + random_below(rn, bits)));
}

/* In 5000: 4050 below 1 KiB, 750 below 32 KiB, 180 below 512 KiB, 19 below 4 MiB, 1 below 64 MiB.
 */
static inline size_t random_size(struct random *rn)
{
    uint64_t draw = random_below(rn, 5000);

    if (draw < 4050)
        return random_log_size(rn, 10);
    if (draw < 4800)
        return random_log_size(rn, 15);
    if (draw < 4980)
        return random_log_size(rn, 19);
    return random_log_size(rn, draw < 4999 ? 22 : 26);
}

#endif
