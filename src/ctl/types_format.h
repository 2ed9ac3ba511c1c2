/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: figures of types as a table for people, as JSON, or as metrics.
 * Below: ctl/writer.h, ctl/table.h, the public structs.
 */
#ifndef SLABKIT_CTL_TYPES_FORMAT_H
#define SLABKIT_CTL_TYPES_FORMAT_H

#include "ctl/writer.h"
#include <slabkit/kmalloc.h>

/* A table in the shape of vmstat -m, most memory first, the sum of all last. Sorts the rows. */
void types_text(struct writer *w, struct malloc_type_stats *rows, size_t n);
/* A list; no newline behind. */
void types_json(struct writer *w, const struct malloc_type_stats *rows, size_t n);
void types_prometheus(struct writer *w, const struct malloc_type_stats *rows, size_t n);

#endif
