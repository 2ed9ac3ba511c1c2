/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: plat inside a static program, a preloaded library and an opened one, with nothing of a
 *       test framework around it. 0, or the number of the step that failed.
 */
#include "plat_slot.h"

SK_EXPORT int probe_run(void);

static int things[4];
static void *array[6];

static bool misses(unsigned idx)
{
    return plat_slot_pop(idx) == NULL && !plat_slot_push(PLAT_KIND_NONE, things);
}

int probe_run(void)
{
    struct plat_config cfg = {PLAT_MODE_NONE, 0};

    for (unsigned idx = 0; idx < PLAT_BOOT_INDICES; idx++)
        if (!misses(idx))
            return 1;
    if (plat_init(&cfg) == PLAT_MODE_NONE)
        return 2;
    if (!misses(0))
        return 3;
    array[5] = PLAT_MARK;
    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        plat_slot_open(slot, 2, slot == plat_slot() ? plat_word_of(array) : 0);
    for (unsigned i = 0; i < 4; i++)
        if (!plat_slot_push_retry(2, &things[i]))
            return 4;
    for (unsigned i = 4; i-- > 0;)
        if (plat_slot_pop_retry(2) != &things[i])
            return 5;
    return 0;
}
