/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a snapshot as tables for people, or as one JSON object.
 * Below: ctl/writer.h, ctl/table.h, the public snapshot structs.
 * Failure: as the writer's.
 * Why: apart from slabkit_snapshot_write, so that a tool can put a snapshot inside its own report.
 */
#ifndef SLABKIT_CTL_FORMAT_H
#define SLABKIT_CTL_FORMAT_H

#include "ctl/writer.h"
#include "slabkit/slabkit.h"

/* Classes that were never used are left out. */
void format_text(struct writer *w, const struct slabkit_snapshot *s);
/* Every field but the spare ones, every class that is filled; no newline behind. */
void format_json(struct writer *w, const struct slabkit_snapshot *s);

/* Allocations ever: of the classes, large and huge. */
uint64_t format_allocs(const struct slabkit_snapshot *s);

#endif
