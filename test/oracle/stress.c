/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the stress test: rounds of one pattern; between rounds, when every thread has ended, the
 *       engine must be consistent and its figures must say exactly what is in our hands.
 * Failure: the first broken promise aborts with a line that names the block and the command.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

/* What libc itself may hold more or less of: its threads' vectors and the like. */
#define LIBC_SLACK (64 << 10)
#define WARMUP_OPS 200u

struct arguments {
    const struct pattern *ar_pattern;
    uint64_t ar_seed;
    unsigned ar_threads;
    unsigned ar_ops;
    unsigned ar_seconds; /* 0: one round */
    bool ar_verbose;
};

static const struct pattern *pattern_find(const char *name)
{
    const struct pattern *const tables[] = {patterns_threads, patterns_fork, patterns_signal};

    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct pattern *pt = tables[t]; pt->pt_name; pt++)
            if (!strcmp(pt->pt_name, name))
                return pt;
    return NULL;
}

static uint64_t held_bytes(const struct stress *st)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < st->st_threads; i++)
        for (unsigned j = 0; j < WORKER_SLOTS; j++)
            if (st->st_worker[i].wk_table[j].bl_p)
                sum += st->st_worker[i].wk_table[j].bl_usable;
    return sum;
}

/* No thread but ours runs: figures are exact. */
static void quiet_check(uint64_t base, uint64_t held)
{
    uint64_t live;
    int64_t off;

    if (engine_verify())
        stress_die("the engine is inconsistent");
    if (!engine_live(&live))
        return;
    off = (int64_t)(live - base - held);
    if (off < -LIBC_SLACK || off > LIBC_SLACK) {
        fprintf(stderr, "live %llu, at start %llu, held by the test %llu\n",
                (unsigned long long)live, (unsigned long long)base, (unsigned long long)held);
        stress_die("live bytes are not what the test holds");
    }
}

static void handlers_report(const struct stress *st)
{
    uint64_t made = 0, refused = 0;

    for (unsigned i = 0; i < st->st_threads; i++) {
        made += st->st_worker[i].wk_handler.hs_made;
        refused += st->st_worker[i].wk_handler.hs_refused;
    }
    if (made)
        printf("  in handlers: %llu allocated, %llu refused\n", (unsigned long long)made,
               (unsigned long long)refused);
}

static void round_run(const struct arguments *ar, uint64_t seed, unsigned ops, uint64_t *base)
{
    struct stress st = {.st_threads = ar->ar_threads};

    st.st_worker = workers_map(st.st_threads, seed, ops);
    ar->ar_pattern->pt_run(&st);
    if (ar->ar_verbose)
        handlers_report(&st);
    mailboxes_empty(&st.st_worker[0]);
    for (unsigned i = 0; i < st.st_threads; i++)
        worker_check(&st.st_worker[i]);
    if (base)
        quiet_check(*base, held_bytes(&st));
    for (unsigned i = 0; i < st.st_threads; i++)
        worker_empty(&st.st_worker[i]);
    if (base)
        quiet_check(*base, 0);
    workers_unmap(st.st_worker, st.st_threads);
}

static void round_describe(const struct arguments *ar, uint64_t seed, unsigned ops)
{
    static char how[256];

    snprintf(how, sizeof(how), "%s --pattern %s --seed %llu --threads %u --ops %u",
             program_invocation_name, ar->ar_pattern->pt_name, (unsigned long long)seed,
             ar->ar_threads, ops);
    block_describe(how);
    if (ar->ar_verbose)
        printf("slots %s: %s\n", engine_mode(), how);
    fflush(stdout);
}

/* The first, short round makes libc allocate what it keeps. */
static void rounds_run(const struct arguments *ar)
{
    time_t end = time(NULL) + ar->ar_seconds;
    uint64_t seed = ar->ar_seed;
    uint64_t base = 0;

    round_describe(ar, seed, WARMUP_OPS);
    round_run(ar, seed, WARMUP_OPS, NULL);
    engine_live(&base);
    do {
        round_describe(ar, seed, ar->ar_ops);
        round_run(ar, seed++, ar->ar_ops, &base);
    } while (time(NULL) < end);
}

static _Noreturn void usage(void)
{
    fprintf(stderr,
            "usage: stress --pattern NAME [--seed N] [--threads N] [--ops N] [--seconds N] [-v]\n"
            "The seed may also be given in SLABKIT_SEED.\n"
            "patterns: multi prodcons prodcons-n churn birthdeath fork signals\n");
    exit(2);
}

static void argument_take(struct arguments *ar, int option, const char *value)
{
    switch (option) {
    case 'p':
        ar->ar_pattern = pattern_find(value);
        break;
    case 's':
        ar->ar_seed = strtoull(value, NULL, 0);
        break;
    case 't':
        ar->ar_threads = (unsigned)strtoul(value, NULL, 0);
        break;
    case 'o':
        ar->ar_ops = (unsigned)strtoul(value, NULL, 0);
        break;
    case 'S':
        ar->ar_seconds = (unsigned)strtoul(value, NULL, 0);
        break;
    case 'v':
        ar->ar_verbose = true;
        break;
    default:
        usage();
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pattern", 1, NULL, 'p'}, {"seed", 1, NULL, 's'},    {"threads", 1, NULL, 't'},
        {"ops", 1, NULL, 'o'},     {"seconds", 1, NULL, 'S'}, {0},
    };
    const char *seed = getenv("SLABKIT_SEED");
    struct arguments ar = {
        .ar_seed = seed ? strtoull(seed, NULL, 0) : 1, .ar_threads = 8, .ar_ops = 40000};
    int option;

    while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1)
        argument_take(&ar, option, optarg);
    if (!ar.ar_pattern || optind != argc || ar.ar_threads < 2 || ar.ar_threads > THREADS_MAX)
        usage();
    engine_find();
    if (ar.ar_pattern->pt_needs_slabkit && !engine.en_present) {
        fprintf(stderr, "pattern %s needs slabkit\n", ar.ar_pattern->pt_name);
        return TEST_SKIPPED;
    }
    rounds_run(&ar);
    return 0;
}
