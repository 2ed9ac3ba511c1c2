/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see table.h.
 */
#include "ctl/table.h"

#include <string.h>

static size_t cell_length(const struct table_column *col, const void *row)
{
    char buf[TABLE_CELL_BYTES];
    struct writer cell;
    writer_init(&cell, buf, sizeof buf, WRITER_NO_FD);
    col->cell(&cell, row);
    return cell.len;
}

static size_t column_width(const struct table *t, const struct table_column *col)
{
    size_t width = strlen(col->head);
    for (unsigned i = 0; i < t->nrows; i++) {
        const void *row = t->row(t->data, i);
        if (row != NULL)
            width = sk_max(width, cell_length(col, row));
    }
    return width;
}

static void write_cell(struct writer *w, const struct table_column *col, const char *text,
                       size_t len, size_t width, bool last)
{
    writer_str(w, "  ");
    if (!col->left)
        writer_repeat(w, ' ', width - len);
    writer_bytes(w, text, len);
    if (col->left && !last)
        writer_repeat(w, ' ', width - len);
}

static void write_head(struct writer *w, const struct table *t, const size_t *widths)
{
    for (unsigned c = 0; c < t->ncolumns; c++) {
        const struct table_column *col = &t->columns[c];
        write_cell(w, col, col->head, strlen(col->head), widths[c], c + 1 == t->ncolumns);
    }
    writer_char(w, '\n');
}

static void write_row(struct writer *w, const struct table *t, const size_t *widths,
                      const void *row)
{
    for (unsigned c = 0; c < t->ncolumns; c++) {
        char buf[TABLE_CELL_BYTES];
        struct writer cell;
        writer_init(&cell, buf, sizeof buf, WRITER_NO_FD);
        t->columns[c].cell(&cell, row);
        write_cell(w, &t->columns[c], buf, cell.len, widths[c], c + 1 == t->ncolumns);
    }
    writer_char(w, '\n');
}

void table_write(struct writer *w, const struct table *t)
{
    size_t widths[TABLE_COLUMNS_MAX];
    for (unsigned c = 0; c < t->ncolumns; c++)
        widths[c] = column_width(t, &t->columns[c]);
    write_head(w, t, widths);
    for (unsigned i = 0; i < t->nrows; i++) {
        const void *row = t->row(t->data, i);
        if (row != NULL)
            write_row(w, t, widths, row);
    }
}
