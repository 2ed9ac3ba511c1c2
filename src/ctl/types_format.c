/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see types_format.h.
 * Below: kmalloc.h for the sizes of classes, which are constants.
 */
#include "ctl/types_format.h"
#include "ctl/table.h"
#include "kmalloc/kmalloc.h"

#include <string.h>

/* ---- sizes ------------------------------------------------------------------------------------ */

#define SIZES_ROOM 44u /* leaves room in a cell for one more range and the dots */

static bool has_class(const struct malloc_type_stats *s, unsigned class)
{
    return class >= 1 && class <= KM_CACHES && (s->sizes[(class - 1) / 64] >> (class - 1) % 64 & 1);
}

static bool has_larger(const struct malloc_type_stats *s)
{
    return s->sizes[KM_CACHES / 64] >> KM_CACHES % 64 & 1;
}

/* Classes in a row as a range: 16,64-128. */
static unsigned write_range(struct writer *w, const struct malloc_type_stats *s, unsigned first)
{
    unsigned last = first;

    while (has_class(s, last + 1))
        last++;
    writer_u64(w, km_class_bytes(first));
    if (last > first) {
        writer_char(w, '-');
        writer_u64(w, km_class_bytes(last));
    }
    return last;
}

static void write_sizes(struct writer *w, const struct malloc_type_stats *s)
{
    bool any = false;

    for (unsigned i = 1; i <= KM_CACHES; i++) {
        if (!has_class(s, i))
            continue;
        writer_str(w, any ? "," : "");
        if (w->len > SIZES_ROOM) {
            writer_str(w, "...");
            return;
        }
        i = write_range(w, s, i);
        any = true;
    }
    if (has_larger(s))
        writer_str(w, any ? ",larger" : "larger");
}

/* ---- text ------------------------------------------------------------------------------------- */

static const struct malloc_type_stats *stats(const void *row)
{
    return row;
}

static void cell_name(struct writer *w, const void *row)
{
    writer_printable(w, stats(row)->name, sizeof(stats(row)->name));
}

static void cell_memuse(struct writer *w, const void *row)
{
    if (stats(row)->memuse < 0)
        writer_i64(w, stats(row)->memuse);
    else
        writer_human(w, (uint64_t)stats(row)->memuse);
}

static void cell_peak(struct writer *w, const void *row)
{
    if (stats(row)->peak < 0)
        writer_char(w, '-');
    else
        writer_human(w, (uint64_t)stats(row)->peak);
}

static void cell_limit(struct writer *w, const void *row)
{
    if (stats(row)->limit == KMALLOC_NO_LIMIT)
        writer_char(w, '-');
    else
        writer_human(w, stats(row)->limit);
}

static void cell_sizes(struct writer *w, const void *row)
{
    write_sizes(w, stats(row));
}

static void cell_inuse(struct writer *w, const void *row)
{
    writer_i64(w, stats(row)->inuse);
}

static void cell_calls(struct writer *w, const void *row)
{
    writer_u64(w, stats(row)->calls);
}

static void cell_failures(struct writer *w, const void *row)
{
    writer_u64(w, stats(row)->failures);
}

static const struct table_column columns[] = {
    {"type", true, cell_name},       {"in use", false, cell_inuse},
    {"memory", false, cell_memuse},  {"high use", false, cell_peak},
    {"requests", false, cell_calls}, {"failed", false, cell_failures},
    {"limit", false, cell_limit},    {"size(s)", true, cell_sizes},
};

struct rows {
    const struct malloc_type_stats *rows, *sum;
    size_t n;
};

static const void *row_at(void *data, unsigned i)
{
    const struct rows *r = data;

    return i < r->n ? &r->rows[i] : r->sum;
}

static bool before(const struct malloc_type_stats *a, const struct malloc_type_stats *b)
{
    return a->memuse != b->memuse ? a->memuse > b->memuse : a->calls > b->calls;
}

/* Shell's, with Knuth's gaps: the C library's may allocate. */
static void sort(struct malloc_type_stats *rows, size_t n)
{
    size_t gap = 1;

    while (gap < n / 3)
        gap = 3 * gap + 1;
    for (; gap; gap /= 3)
        for (size_t i = gap; i < n; i++) {
            struct malloc_type_stats row = rows[i];
            size_t at = i;

            for (; at >= gap && before(&row, &rows[at - gap]); at -= gap)
                rows[at] = rows[at - gap];
            rows[at] = row;
        }
}

/* The peaks of different types were not at one time: their sum says nothing. */
static void sum_up(struct malloc_type_stats *sum, const struct malloc_type_stats *rows, size_t n)
{
    *sum = (struct malloc_type_stats){.name = "all", .peak = -1, .limit = KMALLOC_NO_LIMIT};
    for (size_t i = 0; i < n; i++) {
        if (rows[i].parent)
            continue;
        sum->calls += rows[i].calls;
        sum->inuse += rows[i].inuse;
        sum->memuse += rows[i].memuse;
        sum->failures += rows[i].failures;
        sum->sizes[0] |= rows[i].sizes[0];
        sum->sizes[1] |= rows[i].sizes[1];
    }
}

void types_text(struct writer *w, struct malloc_type_stats *rows, size_t n)
{
    struct malloc_type_stats sum;
    struct rows data = {rows, &sum, n};
    struct table t = {columns, SK_ARRAY_SIZE(columns), (unsigned)n + 1, row_at, &data};

    sort(rows, n);
    sum_up(&sum, rows, n);
    table_write(w, &t);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static void json_i64(struct writer *w, const char *key, int64_t v)
{
    writer_json_key(w, key);
    writer_i64(w, v);
}

static void json_u64(struct writer *w, const char *key, uint64_t v)
{
    writer_json_key(w, key);
    writer_u64(w, v);
}

static void json_sizes(struct writer *w, const struct malloc_type_stats *s)
{
    writer_json_key(w, "sizes");
    writer_char(w, '[');
    for (unsigned i = 1; i <= KM_CACHES; i++) {
        if (!has_class(s, i))
            continue;
        writer_json_next(w);
        writer_u64(w, km_class_bytes(i));
    }
    writer_char(w, ']');
    writer_json_key(w, "larger");
    writer_str(w, has_larger(s) ? "true" : "false");
}

static void json_row(struct writer *w, const struct malloc_type_stats *s)
{
    writer_json_next(w);
    writer_char(w, '{');
    writer_json_key(w, "name");
    writer_json_str(w, s->name, sizeof(s->name));
    writer_json_key(w, "desc");
    writer_json_str(w, s->desc, sizeof(s->desc));
    json_u64(w, "id", s->id);
    json_u64(w, "parent", s->parent);
    json_u64(w, "weight", s->weight);
    json_u64(w, "calls", s->calls);
    json_i64(w, "inuse", s->inuse);
    json_i64(w, "memuse", s->memuse);
    json_i64(w, "peak", s->peak);
    json_u64(w, "failures", s->failures);
    json_u64(w, "waits", s->waits);
    writer_json_key(w, "limit");
    if (s->limit == KMALLOC_NO_LIMIT)
        writer_str(w, "null");
    else
        writer_u64(w, s->limit);
    json_sizes(w, s);
    writer_char(w, '}');
}

void types_json(struct writer *w, const struct malloc_type_stats *rows, size_t n)
{
    writer_char(w, '[');
    for (size_t i = 0; i < n; i++)
        json_row(w, &rows[i]);
    writer_char(w, ']');
}

/* ---- Prometheus ------------------------------------------------------------------------------- */

static int64_t limit_of(const struct malloc_type_stats *s)
{
    return s->limit == KMALLOC_NO_LIMIT ? -1 : (int64_t)s->limit;
}

static const struct metric {
    const char *name, *kind, *help;
    size_t offset;
} metrics[] = {
    {"slabkit_type_blocks", "gauge", "Blocks of the type in use.",
     offsetof(struct malloc_type_stats, inuse)},
    {"slabkit_type_bytes", "gauge", "Bytes of the type in use.",
     offsetof(struct malloc_type_stats, memuse)},
    {"slabkit_type_peak_bytes", "gauge", "Most bytes of the type ever seen in use.",
     offsetof(struct malloc_type_stats, peak)},
    {"slabkit_type_requests_total", "counter", "Blocks of the type allocated.",
     offsetof(struct malloc_type_stats, calls)},
    {"slabkit_type_failures_total", "counter", "Allocations of the type that failed.",
     offsetof(struct malloc_type_stats, failures)},
    {"slabkit_type_waits_total", "counter", "Allocations of the type that waited.",
     offsetof(struct malloc_type_stats, waits)},
};

static void write_label(struct writer *w, const char *s, size_t max)
{
    for (size_t i = 0; i < max && s[i]; i++) {
        if (s[i] == '"' || s[i] == '\\')
            writer_char(w, '\\');
        writer_printable(w, &s[i], 1);
    }
}

static void write_sample(struct writer *w, const char *metric, const struct malloc_type_stats *s,
                         int64_t v)
{
    writer_str(w, metric);
    writer_str(w, "{type=\"");
    write_label(w, s->name, sizeof(s->name));
    writer_str(w, "\",id=\"");
    writer_u64(w, s->id);
    writer_str(w, "\"} ");
    writer_i64(w, v);
    writer_char(w, '\n');
}

static void write_head(struct writer *w, const char *name, const char *kind, const char *help)
{
    const char *parts[] = {"# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"};

    for (size_t i = 0; i < SK_ARRAY_SIZE(parts); i++)
        writer_str(w, parts[i]);
}

void types_prometheus(struct writer *w, const struct malloc_type_stats *rows, size_t n)
{
    for (size_t m = 0; m < SK_ARRAY_SIZE(metrics); m++) {
        write_head(w, metrics[m].name, metrics[m].kind, metrics[m].help);
        for (size_t i = 0; i < n; i++)
            write_sample(
                w, metrics[m].name, &rows[i],
                *(const int64_t *)(const void *)((const char *)&rows[i] + metrics[m].offset));
    }
    write_head(w, "slabkit_type_limit_bytes", "gauge", "Limit of the type, where it has one.");
    for (size_t i = 0; i < n; i++)
        if (limit_of(&rows[i]) >= 0)
            write_sample(w, "slabkit_type_limit_bytes", &rows[i], limit_of(&rows[i]));
}
