/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one thread allocates a batch of blocks, then frees it: newest first, oldest first, at
 *       random.
 * Why: a batch is larger than a small cache, so the order of the frees decides how well free
 *       blocks stay in cache and how often the slow path runs. The medium batches ask whether
 *       runs of pages are kept for a while or go back to the system with every batch.
 */
#include "workloads.h"

#define BATCH       1000u
#define BATCHES     15000u
#define MEDIUM      256u
#define MEDIUM_LO   (8u << 10)
#define MEDIUM_HI   (256u << 10)
#define MEDIUM_RUNS 3000u

enum batch_order {
    BATCH_LIFO,
    BATCH_FIFO,
    BATCH_RANDOM
};

static void order_fill(uint32_t *order, uint32_t count, enum batch_order how)
{
    struct random rn = {2};

    if (how == BATCH_RANDOM) {
        random_order(&rn, order, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        order[i] = how == BATCH_FIFO ? i : count - 1 - i;
}

static void batch_cycle(void **block, const uint32_t *order, size_t bytes)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        block[i] = work_alloc(bytes);
        work_touch(block[i]);
    }
    for (uint32_t i = 0; i < BATCH; i++)
        free(block[order[i]]);
}

static void batch_run(const struct workload *wl, struct outcome *oc)
{
    void **block = work_pages(BATCH * sizeof(*block));
    uint32_t *order = work_pages(BATCH * sizeof(*order));
    uint64_t batches = work_count(BATCHES);

    order_fill(order, BATCH, (enum batch_order)wl->wl_shape);
    work_start(oc);
    for (uint64_t i = 0; i < batches; i++)
        batch_cycle(block, order, wl->wl_bytes);
    work_stop(oc, batches * BATCH);
}

static void medium_cycle(void **block, const size_t *bytes)
{
    for (uint32_t i = 0; i < MEDIUM; i++) {
        block[i] = work_alloc(bytes[i]);
        work_touch(block[i]);
    }
    for (uint32_t i = 0; i < MEDIUM; i++)
        free(block[i]);
}

/* Sizes are drawn once: every batch asks for the same, so what was freed fits again. */
static void medium_run(const struct workload *wl, struct outcome *oc)
{
    void **block = work_pages(MEDIUM * sizeof(*block));
    size_t *bytes = work_pages(MEDIUM * sizeof(*bytes));
    uint64_t batches = work_count(MEDIUM_RUNS);
    struct random rn = {3};

    for (uint32_t i = 0; i < MEDIUM; i++)
        bytes[i] = wl->wl_bytes ? wl->wl_bytes : random_size(&rn, MEDIUM_LO, MEDIUM_HI);
    work_start(oc);
    for (uint64_t i = 0; i < batches; i++)
        medium_cycle(block, bytes);
    work_stop(oc, batches * MEDIUM);
}

#define ABOUT(order, size) "batches of 1000 blocks freed " order ", " size

const struct workload batch_workloads[] = {
    {"batch-lifo-16", ABOUT("newest first", "16 B"), false, 1, batch_run, 16, BATCH_LIFO},
    {"batch-lifo-256", ABOUT("newest first", "256 B"), false, 1, batch_run, 256, BATCH_LIFO},
    {"batch-fifo-16", ABOUT("oldest first", "16 B"), false, 1, batch_run, 16, BATCH_FIFO},
    {"batch-fifo-256", ABOUT("oldest first", "256 B"), false, 1, batch_run, 256, BATCH_FIFO},
    {"batch-random-16", ABOUT("at random", "16 B"), false, 1, batch_run, 16, BATCH_RANDOM},
    {"batch-random-256", ABOUT("at random", "256 B"), false, 1, batch_run, 256, BATCH_RANDOM},
    {"medium-8k", "batches of 256 blocks of 8 KiB", false, 1, medium_run, 8 << 10, 0},
    {"medium-mixed", "batches of 256 blocks of 8 to 256 KiB", false, 1, medium_run, 0, 0},
    {0},
};
