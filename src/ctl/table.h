/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a table for people: columns as wide as their widest cell.
 * Below: ctl/writer.h.
 * Why: cells are made twice, once to measure and once to write, so that nothing is stored.
 */
#ifndef SLABKIT_CTL_TABLE_H
#define SLABKIT_CTL_TABLE_H

#include "ctl/writer.h"

#define TABLE_COLUMNS_MAX 16u
#define TABLE_CELL_BYTES  64u

struct table_column {
    const char *head;
    bool left; /* aligned left; numbers are right */
    void (*cell)(struct writer *w, const void *row);
};

struct table {
    const struct table_column *columns;
    unsigned ncolumns; /* <= TABLE_COLUMNS_MAX */
    unsigned nrows;
    const void *(*row)(void *data,
                       unsigned i); /* valid until the next call; NULL: leave row i out */
    void *data;
};

void table_write(struct writer *w, const struct table *t);

#endif
