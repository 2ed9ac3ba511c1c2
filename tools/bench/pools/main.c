/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit-pools: slabkit's object caches beside the pool allocators found when it was built, as
 *       a table. Usage: slabkit-pools [SCALE]
 * Failure: a pool that cannot run here is said and left out; wrong usage ends with status 2.
 * Why: pools have interfaces of their own, so no preload can bring them to one program; they are in
 *      one process and take turns, so that a slow moment of the machine falls on all.
 */
#include "pools.h"

#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS  31u
#define BATCHES 4000u /* of one pool and one way, in one round */

static const struct pool *const pools[] = {
    &pool_slabkit, &pool_malloc,
#ifdef POOLS_DPDK
    &pool_dpdk,
#endif
#ifdef POOLS_APR
    &pool_apr,
#endif
#ifdef POOLS_TALLOC
    &pool_talloc,
#endif
};

#define POOLS (sizeof(pools) / sizeof(pools[0]))

enum way {
    WAY_SINGLE,
    WAY_BULK,
    WAYS
};

static double samples[POOLS][WAYS][ROUNDS];
static bool there[POOLS];

_Noreturn void pool_die(const char *why)
{
    fprintf(stderr, "slabkit-pools: %s\n", why);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The last CPU of those allowed. */
static unsigned cpu_pin(void)
{
    cpu_set_t allowed, one;
    int cpu = CPU_SETSIZE;

    if (sched_getaffinity(0, sizeof(allowed), &allowed))
        pool_die("cannot read the CPU affinity");
    while (!CPU_ISSET(--cpu, &allowed))
        ;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        pool_die("cannot pin the thread");
    return (unsigned)cpu;
}

/* ---- measuring --------------------------------------------------------------------------------- */

static double batches_time(void (*way)(void **, unsigned), unsigned batches)
{
    void *objs[POOL_BATCH];
    uint64_t start_ns = now_ns();

    for (unsigned i = 0; i < batches; i++)
        way(objs, POOL_BATCH);
    return (double)(now_ns() - start_ns) / ((double)batches * POOL_BATCH);
}

static void pool_round(size_t i, unsigned round, unsigned batches)
{
    if (!there[i])
        return;
    samples[i][WAY_SINGLE][round] = batches_time(pools[i]->po_single, batches);
    if (pools[i]->po_bulk)
        samples[i][WAY_BULK][round] = batches_time(pools[i]->po_bulk, batches);
}

/* Who begins turns with each round; the first calls warm up and do not count. */
static void measure(unsigned batches)
{
    for (size_t i = 0; i < POOLS; i++)
        pool_round(i, 0, batches / 8 + 1);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < POOLS; i++)
            pool_round((i + round) % POOLS, round, batches);
}

static int double_compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

/* 0: not measured. */
static double median(size_t i, enum way way)
{
    qsort(samples[i][way], ROUNDS, sizeof(double), double_compare);
    return samples[i][way][ROUNDS / 2];
}

/* ---- the table --------------------------------------------------------------------------------- */

static void number_print(double value)
{
    if (value > 0)
        printf(" %9.2f", value);
    else
        printf(" %9s", "-");
}

static void ratio_print(double ours, double theirs)
{
    number_print(theirs > 0 ? ours / theirs : 0);
}

static void row_print(size_t i, const double *ours)
{
    double single = median(i, WAY_SINGLE), bulk = median(i, WAY_BULK);

    printf("%-20s", pools[i]->po_name);
    number_print(single);
    number_print(bulk);
    ratio_print(i ? ours[WAY_SINGLE] : 0, single);
    ratio_print(i ? ours[WAY_BULK] : 0, bulk);
    printf("   %s\n", pools[i]->po_calls);
}

static void table_print(void)
{
    const double ours[WAYS] = {median(0, WAY_SINGLE), median(0, WAY_BULK)};

    printf("Objects of %u bytes, batches of %u, one thread: ns an object, median of %u rounds\n\n",
           POOL_BYTES, POOL_BATCH, ROUNDS);
    printf("%-20s %9s %9s %19s\n", "", "ns", "ns", "slabkit's ratio");
    printf("%-20s %9s %9s %9s %9s\n", "", "single", "bulk", "single", "bulk");
    for (size_t i = 0; i < POOLS; i++)
        if (there[i])
            row_print(i, ours);
}

static void pools_open(unsigned cpu)
{
    for (size_t i = 0; i < POOLS; i++) {
        const char *why = "";

        there[i] = pools[i]->po_open(cpu, &why);
        if (!there[i])
            fprintf(stderr, "slabkit-pools: %s takes no part: %s\n", pools[i]->po_name, why);
    }
    if (!there[0])
        pool_die("there is nothing to compare with");
}

static void pools_close(void)
{
    for (size_t i = 0; i < POOLS; i++)
        if (there[i])
            pools[i]->po_close();
}

int main(int argc, char **argv)
{
    double scale = argc > 1 ? strtod(argv[1], NULL) : 1;

    if (argc > 2 || !isfinite(scale) || scale <= 0 || scale > 1000) {
        fputs("usage: slabkit-pools [SCALE]\n", stderr);
        return 2;
    }
    pools_open(cpu_pin());
    measure((unsigned)(BATCHES * scale) + 1);
    table_print();
    pools_close();
    return 0;
}
