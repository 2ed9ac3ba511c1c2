/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what a workload is, and the few helpers that all of them share.
 * Owns: nothing; the table is in main.c, each family's entries in the family's file.
 * Why: bookkeeping (arrays of pointers, rings) comes from mmap, so that the allocator under test
 *      serves the workload's blocks and nothing else.
 */
#ifndef SLABKIT_BENCH_WORKLOADS_H
#define SLABKIT_BENCH_WORKLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What a workload found. Times cover the work section only, never process start or set-up. */
struct outcome {
    uint64_t oc_ns;    /* duration of the work section */
    uint64_t oc_ops;   /* operations done in it */
    long oc_start_kib; /* RSS before the work; negative: not measured */
    long oc_end_kib;   /* RSS after the work, when idle; negative: not measured */
    bool oc_cache;     /* the objects came from an object cache */
    /* NULL: done. Otherwise why this allocator takes no part; then nothing else counts. */
    const char *oc_absent;
    /* The same work done another way in the same process; NULL: no second way. */
    const char *oc_versus; /* "this way / other way" */
    uint64_t oc_versus_ns; /* what oc_ops took the other way */
};

struct workload {
    const char *wl_name;
    const char *wl_about;  /* one line, for --list */
    bool wl_all_cpus;      /* false: the driver pins the process to one CPU */
    unsigned wl_processes; /* processes in one sample; above 1 the driver takes the time */
    void (*wl_run)(const struct workload *wl, struct outcome *oc);
    size_t wl_bytes; /* block size, where one workload has one */
    int wl_shape;    /* the family's own variant */
};

/* Each family ends with an entry whose wl_name is NULL. */
extern const struct workload pair_workloads[];
extern const struct workload batch_workloads[];
extern const struct workload ring_workloads[];
extern const struct workload server_workloads[];
extern const struct workload sharing_workloads[];
extern const struct workload turnover_workloads[];
extern const struct workload phase_workloads[];
extern const struct workload idle_workloads[];
extern const struct workload realloc_workloads[];
extern const struct workload large_workloads[];
extern const struct workload object_workloads[];
extern const struct workload typed_workloads[];
extern const struct workload colour_workloads[];
extern const struct workload empty_workloads[];

/* Repetitions after --scale: at least 1. */
uint64_t work_count(uint64_t full);
void work_set_scale(double scale);

uint64_t work_now_ns(void);
void work_start(struct outcome *oc);
void work_stop(struct outcome *oc, uint64_t ops);

/* One piece of work and two ways to do it. */
struct two_ways {
    const char *tw_versus; /* "one way / other way" */
    void (*tw_one)(void *arg);
    void (*tw_other)(void *arg);
    void *tw_arg;
    uint64_t tw_calls; /* of each, before --scale */
    uint64_t tw_ops;   /* operations in a call */
};
/* Both, in short turns, so that a slow moment of the machine falls on both. */
void work_two_ways(struct outcome *oc, const struct two_ways *tw);

long work_rss_kib(void);
long work_peak_rss_kib(void);

/* Zeroed pages from the system; never returned. */
void *work_pages(size_t bytes);
void work_sleep_ms(unsigned ms);

_Noreturn void work_die(const char *why);

/* CPUs this process may use, and how to keep the calling thread on the i-th of them (modulo). */
unsigned work_cpus(void);
void work_pin(unsigned i);

/* Seeded generator, one state word for each user: the same sequence in every process. */
struct random {
    uint64_t rn_state;
};

/* splitmix64, after Steele, Lea and Flood (2014). */
static inline uint64_t random_next(struct random *rn)
{
    uint64_t z = rn->rn_state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 .. below-1; below is under 2^32. */
static inline uint64_t random_below(struct random *rn, uint64_t below)
{
    return ((random_next(rn) >> 32) * below) >> 32;
}

static inline uint64_t random_between(struct random *rn, uint64_t lo, uint64_t hi)
{
    return lo + random_below(rn, hi - lo + 1);
}

/* lo .. hi with every doubling equally likely, as sizes in real programs roughly are. */
size_t random_size(struct random *rn, size_t lo, size_t hi);
void random_order(struct random *rn, uint32_t *order, uint32_t count);

static inline void *work_alloc(size_t bytes)
{
    void *p = malloc(bytes);

    if (!p)
        work_die("malloc returned NULL");
    return p;
}

/* A store the compiler must make: the block is used, and the pair cannot be folded away. */
static inline void work_touch(void *p)
{
    *(volatile unsigned char *)p = 1;
}

/* One store to each 4 KiB, so that the block is resident. */
static inline void work_touch_all(void *p, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 4096)
        ((volatile unsigned char *)p)[at] = 1;
}

#endif
