/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a large live set of mixed sizes that turns over slowly while the sizes drift:
 *       fragmentation over time.
 * Owns: TURN_LIVE blocks, all live from the set-up on.
 * Why: memory held for sizes no longer asked for is what long-running programs die of; the live
 *      bytes stay about the same in every epoch, so growth of the peak is the allocator's own.
 */
#include "workloads.h"

#include <string.h>

#define TURN_LIVE   60000u
#define TURN_EPOCHS 12u
#define TURN_BLOCKS 120000u /* replaced in each epoch */

struct band {
    size_t bd_lo, bd_hi;
};

/* The bands drift up and back; means differ by less than a factor of two. */
static const struct band band_of_epoch[] = {
    {16, 2048}, {32, 1024}, {64, 1024}, {96, 768}, {128, 640}, {24, 1536},
};

static size_t turn_size(struct random *rn, unsigned epoch)
{
    const struct band *band = &band_of_epoch[epoch % 6];

    if (random_below(rn, 500) == 0)
        return random_size(rn, 2048, 32768);
    return random_size(rn, band->bd_lo, band->bd_hi);
}

static void *turn_block(struct random *rn, unsigned epoch)
{
    size_t bytes = turn_size(rn, epoch);
    void *p = work_alloc(bytes);

    memset(p, 0x5a, bytes);
    return p;
}

static void turn_epoch(void **block, struct random *rn, unsigned epoch, uint64_t replacements)
{
    for (uint64_t i = 0; i < replacements; i++) {
        void **one = &block[random_below(rn, TURN_LIVE)];

        free(*one);
        *one = turn_block(rn, epoch);
    }
}

static void turnover_run(const struct workload *wl, struct outcome *oc)
{
    void **block = work_pages(TURN_LIVE * sizeof(*block));
    uint64_t replacements = work_count(TURN_BLOCKS);
    struct random rn = {5};

    (void)wl;
    for (unsigned i = 0; i < TURN_LIVE; i++)
        block[i] = turn_block(&rn, 0);
    work_start(oc);
    for (unsigned epoch = 0; epoch < TURN_EPOCHS; epoch++)
        turn_epoch(block, &rn, epoch, replacements);
    work_stop(oc, TURN_EPOCHS * replacements);
}

const struct workload turnover_workloads[] = {
    {"turnover", "a live set of mixed, drifting sizes that turns over slowly", false, 1,
     turnover_run, 0, 0},
    {0},
};
