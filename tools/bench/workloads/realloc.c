/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: buffers that grow by realloc: many vectors side by side, and one log that grows long.
 * Why: growth in place, copying, and for large blocks remapping are told apart by nothing else.
 */
#include "workloads.h"

#include <string.h>

#define VECTORS       64u
#define VECTOR_FIRST  16u
#define VECTOR_LAST   (256u << 10)
#define VECTOR_ROUNDS 40u

#define LOG_STEP   (48u << 10)
#define LOG_BYTES  (32u << 20)
#define LOG_ROUNDS 4u

/* Returns the block, its new part written. */
static void *grow(void *p, size_t from, size_t to)
{
    unsigned char *grown = realloc(p, to);

    if (!grown)
        work_die("realloc returned NULL");
    if (from && grown[from - 1] != 0x5a)
        work_die("realloc lost the contents");
    memset(grown + from, 0x5a, to - from);
    return grown;
}

/* All vectors take a step before any takes the next: none is alone at the end of the heap. */
static uint64_t vectors_round(void **vector)
{
    uint64_t ops = 0;
    size_t bytes = 0;

    for (size_t next = VECTOR_FIRST; next <= VECTOR_LAST; next += next / 2) {
        for (unsigned i = 0; i < VECTORS; i++)
            vector[i] = grow(vector[i], bytes, next);
        bytes = next;
        ops += VECTORS;
    }
    for (unsigned i = 0; i < VECTORS; i++) {
        free(vector[i]);
        vector[i] = NULL;
    }
    return ops;
}

static void vectors_run(const struct workload *wl, struct outcome *oc)
{
    void **vector = work_pages(VECTORS * sizeof(*vector));
    uint64_t rounds = work_count(VECTOR_ROUNDS);
    uint64_t ops = 0;

    (void)wl;
    work_start(oc);
    for (uint64_t i = 0; i < rounds; i++)
        ops += vectors_round(vector);
    work_stop(oc, ops);
}

static uint64_t log_round(void)
{
    void *log = NULL;
    uint64_t ops = 0;

    for (size_t bytes = 0; bytes < LOG_BYTES; bytes += LOG_STEP, ops++)
        log = grow(log, bytes, bytes + LOG_STEP);
    free(log);
    return ops;
}

static void log_run(const struct workload *wl, struct outcome *oc)
{
    uint64_t rounds = work_count(LOG_ROUNDS);
    uint64_t ops = 0;

    (void)wl;
    work_start(oc);
    for (uint64_t i = 0; i < rounds; i++)
        ops += log_round();
    work_stop(oc, ops);
}

const struct workload realloc_workloads[] = {
    {"realloc-vectors", "64 vectors growing by half from 16 B to 256 KiB", false, 1, vectors_run, 0,
     0},
    {"realloc-log", "one buffer growing by 48 KiB at a time to 32 MiB", false, 1, log_run, 0, 0},
    {0},
};
