/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what start-up asks of the slot implementation that was built in.
 * Below: plat.h.
 */
#ifndef SLABKIT_PLAT_PORTABLE_SLOTS_H
#define SLABKIT_PLAT_PORTABLE_SLOTS_H

#include "plat/plat.h"

struct slots_choice {
    enum plat_mode mode;
    const char *reason;
};

/* The base words and area -1 for the first indices: all that a thread without a slot can reach. */
struct slots_boot {
    uintptr_t empty, full;
    uintptr_t area[PLAT_BOOT_INDICES];
};

extern PLAT_HIDDEN struct slots_boot plat_boot;

/* Which mode this process can have, given how many CPU ids and nodes there are. Tests it. */
struct slots_choice slots_choose(enum plat_mode force, unsigned cpus, unsigned nodes);

/* Lets the primitives at the areas around plat_base; `closed` is a base without open arrays, with
 * as many areas, or for the portable mode with area -1 at least. Not undone. */
void slots_publish(enum plat_mode mode, char *closed);

#endif
