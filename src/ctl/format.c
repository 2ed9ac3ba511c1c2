/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see format.h.
 */
#include "ctl/format.h"

#include "ctl/table.h"

#include <string.h>

/* A snapshot may come from a file: its count of classes is not trusted. */
static unsigned classes_filled(const struct slabkit_snapshot *s)
{
    return s->classes < SLABKIT_SNAPSHOT_CLASSES ? s->classes : SLABKIT_SNAPSHOT_CLASSES;
}

uint64_t format_allocs(const struct slabkit_snapshot *s)
{
    uint64_t sum = s->large_allocs + s->huge_allocs;
    for (unsigned i = 0; i < classes_filled(s); i++)
        sum += s->class_[i].allocs;
    return sum;
}

/* ---- text: head ------------------------------------------------------------------------------ */

static void label(struct writer *w, const char *name)
{
    writer_str(w, "  ");
    writer_str(w, name);
    writer_repeat(w, ' ', 12 - strlen(name));
}

static void line_bytes(struct writer *w, const char *name, uint64_t bytes, const char *what)
{
    char buf[TABLE_CELL_BYTES];
    struct writer cell;
    writer_init(&cell, buf, sizeof buf, WRITER_NO_FD);
    writer_human(&cell, bytes);
    label(w, name);
    writer_repeat(w, ' ', cell.len < 12 ? 12 - cell.len : 0);
    writer_bytes(w, buf, cell.len);
    writer_str(w, "  ");
    writer_str(w, what);
}

static void line_plain(struct writer *w, const char *name, uint64_t bytes, const char *what)
{
    line_bytes(w, name, bytes, what);
    writer_char(w, '\n');
}

static void line_blocks(struct writer *w, const char *name, uint64_t bytes, uint64_t live,
                        uint64_t allocs)
{
    line_bytes(w, name, bytes, "in ");
    writer_u64(w, live);
    writer_str(w, " live of ");
    writer_u64(w, allocs);
    writer_str(w, " ever\n");
}

static void count(struct writer *w, uint64_t n, const char *one, const char *many)
{
    writer_u64(w, n);
    writer_char(w, ' ');
    writer_str(w, n == 1 ? one : many);
}

static void line_slots(struct writer *w, const struct slabkit_snapshot *s)
{
    label(w, "slots");
    writer_printable(w, s->slots_mode, sizeof s->slots_mode);
    writer_str(w, " (");
    writer_printable(w, s->slots_reason, sizeof s->slots_reason);
    writer_str(w, "), ");
    count(w, s->slots, "slot", "slots");
    writer_str(w, " on ");
    count(w, s->nodes, "node\n", "nodes\n");
}

static void line_reaper(struct writer *w, const struct slabkit_snapshot *s)
{
    label(w, "reaper");
    writer_str(w, s->reaper ? "runs, " : "does not run, ");
    count(w, s->reaps, "reap, ", "reaps, ");
    count(w, s->trims, "trim\n", "trims\n");
}

static void line_signals(struct writer *w, const struct slabkit_snapshot *s)
{
    if (s->nested_allocs == 0 && s->deferred_frees == 0)
        return;
    label(w, "signals");
    count(w, s->nested_allocs, "nested allocation, ", "nested allocations, ");
    count(w, s->deferred_frees, "deferred free\n", "deferred frees\n");
}

static void text_head(struct writer *w, const struct slabkit_snapshot *s)
{
    writer_str(w, "slabkit: ");
    writer_printable(w, s->process, sizeof s->process);
    writer_str(w, " (pid ");
    writer_i64(w, s->pid);
    writer_str(w, ")\n");
    line_plain(w, "live", s->live_bytes, "in the program's hands");
    line_plain(w, "peak", s->peak_bytes, "most ever mapped for objects");
    line_plain(w, "mapped", s->mapped_bytes, "slabs, large and huge blocks, free pages kept");
    line_plain(w, "dirty", s->dirty_bytes, "of it: free pages kept");
    line_plain(w, "returned", s->returned_bytes, "given back to the system, in sum");
    line_plain(w, "arrays", s->array_bytes, "objects free in arrays and depots");
    line_plain(w, "meta", s->meta_bytes, "slabkit's own descriptors and arrays");
    line_plain(w, "reserved", s->reserved_bytes, "address space");
    line_blocks(w, "large", s->large_bytes, s->large_live, s->large_allocs);
    line_blocks(w, "huge", s->huge_bytes, s->huge_live, s->huge_allocs);
    line_slots(w, s);
    line_reaper(w, s);
    line_signals(w, s);
}

/* ---- text: classes --------------------------------------------------------------------------- */

/* One class, or the sum of all; bytes apart, because in a sum they are not objects times one size.
 */
struct row {
    const struct slabkit_class *k;
    bool sum;
    uint64_t live_bytes, room_bytes;
};

static uint64_t room_objs(const struct slabkit_class *k)
{
    return k->slabs * k->slab_objs;
}

static void cell_name(struct writer *w, const void *row)
{
    const struct slabkit_class *k = ((const struct row *)row)->k;
    writer_printable(w, k->name, sizeof k->name);
}

static void cell_size(struct writer *w, const void *row)
{
    const struct row *r = row;
    if (!r->sum)
        writer_u64(w, r->k->object_bytes);
}

static void cell_fill(struct writer *w, const void *row)
{
    const struct row *r = row;
    writer_percent(w, r->live_bytes, r->room_bytes);
}

/* Misses can exceed allocations: one that fails is a miss, and figures are read while they move. */
static void cell_hits(struct writer *w, const void *row)
{
    const struct slabkit_class *k = ((const struct row *)row)->k;
    uint64_t hits = k->allocs > k->alloc_misses ? k->allocs - k->alloc_misses : 0;
    writer_percent(w, hits, k->allocs);
}

static void cell_depot(struct writer *w, const void *row)
{
    const struct slabkit_class *k = ((const struct row *)row)->k;
    writer_percent(w, k->depot_gets, k->alloc_misses);
}

static void cell_chain(struct writer *w, const void *row)
{
    const struct slabkit_class *k = ((const struct row *)row)->k;
    writer_ratio(w, k->remote_objs, k->remote_chains);
}

#define CELL_U64(fn, field)                                                                        \
    static void fn(struct writer *w, const void *row)                                              \
    {                                                                                              \
        writer_u64(w, ((const struct row *)row)->k->field);                                        \
    }

CELL_U64(cell_live, live_objs)
CELL_U64(cell_allocs, allocs)
CELL_U64(cell_slabs, slabs)
CELL_U64(cell_remote, remote_objs)
CELL_U64(cell_chains, remote_chains)
CELL_U64(cell_tells, tells)

static const struct table_column class_columns[] = {
    {"class", true, cell_name},        {"size", false, cell_size},
    {"live", false, cell_live},        {"allocated", false, cell_allocs},
    {"slabs", false, cell_slabs},      {"fill", false, cell_fill},
    {"array hits", false, cell_hits},  {"depot hits", false, cell_depot},
    {"remote", false, cell_remote},    {"chains", false, cell_chains},
    {"objs/chain", false, cell_chain}, {"tells", false, cell_tells},
};

struct class_rows {
    const struct slabkit_snapshot *s;
    struct row one; /* the row last asked for */
    struct row sum;
    struct slabkit_class sum_class;
};

static bool class_used(const struct slabkit_class *k)
{
    return (k->allocs | k->live_objs | k->slabs | k->grows | k->failures) != 0;
}

static const void *class_row(void *data, unsigned i)
{
    struct class_rows *rows = data;
    if (i == classes_filled(rows->s))
        return &rows->sum;
    const struct slabkit_class *k = &rows->s->class_[i];
    if (!class_used(k))
        return NULL;
    rows->one =
        (struct row){k, false, k->live_objs * k->object_bytes, room_objs(k) * k->object_bytes};
    return &rows->one;
}

static void class_add(struct class_rows *rows, const struct slabkit_class *k)
{
    struct slabkit_class *sum = &rows->sum_class;
    sum->live_objs += k->live_objs;
    sum->allocs += k->allocs;
    sum->alloc_misses += k->alloc_misses;
    sum->slabs += k->slabs;
    sum->depot_gets += k->depot_gets;
    sum->remote_objs += k->remote_objs;
    sum->remote_chains += k->remote_chains;
    sum->tells += k->tells;
    sum->failures += k->failures;
    rows->sum.live_bytes += k->live_objs * k->object_bytes;
    rows->sum.room_bytes += room_objs(k) * k->object_bytes;
}

static void class_rows_init(struct class_rows *rows, const struct slabkit_snapshot *s)
{
    *rows = (struct class_rows){.s = s, .sum_class = {.name = "all"}};
    rows->sum = (struct row){.k = &rows->sum_class, .sum = true};
    for (unsigned i = 0; i < classes_filled(s); i++)
        class_add(rows, &s->class_[i]);
}

static void text_classes(struct writer *w, const struct slabkit_snapshot *s)
{
    struct class_rows rows;
    class_rows_init(&rows, s);
    struct table t = {class_columns, SK_ARRAY_SIZE(class_columns), classes_filled(s) + 1, class_row,
                      &rows};
    table_write(w, &t);
    if (!s->allocs_exact)
        writer_str(w,
                   "  'allocated' and 'array hits' are bounds from below: hits are not counted\n");
    if (rows.sum_class.failures != 0) {
        writer_str(w, "  allocations that failed: ");
        writer_u64(w, rows.sum_class.failures);
        writer_char(w, '\n');
    }
}

/* ---- text: object caches --------------------------------------------------------------------- */

static void cache_name(struct writer *w, const void *row)
{
    const struct slabkit_class *k = row;
    writer_printable(w, k->name, sizeof k->name);
}

static void cache_ctor(struct writer *w, const void *row)
{
    const struct slabkit_class *k = row;
    writer_printable(w, k->ctor[0] ? k->ctor : "-", sizeof k->ctor);
}

#define CACHE_U64(fn, field)                                                                       \
    static void fn(struct writer *w, const void *row)                                              \
    {                                                                                              \
        writer_u64(w, ((const struct slabkit_class *)row)->field);                                 \
    }

CACHE_U64(cache_size, size)
CACHE_U64(cache_align, align)
CACHE_U64(cache_stride, object_bytes)
CACHE_U64(cache_objs, slab_objs)
CACHE_U64(cache_bytes, slab_bytes)
CACHE_U64(cache_colours, colours)
CACHE_U64(cache_limit, array_limit)
CACHE_U64(cache_reserve, reserve)

static const struct table_column cache_columns[] = {
    {"cache", true, cache_name},       {"asked", false, cache_size},
    {"align", false, cache_align},     {"stride", false, cache_stride},
    {"objs/slab", false, cache_objs},  {"slab bytes", false, cache_bytes},
    {"colours", false, cache_colours}, {"array", false, cache_limit},
    {"reserve", false, cache_reserve}, {"constructor", true, cache_ctor},
};

static const void *cache_row(void *data, unsigned i)
{
    const struct slabkit_snapshot *s = data;
    const struct slabkit_class *k = &s->class_[i];
    return k->cache && class_used(k) ? k : NULL;
}

static void text_caches(struct writer *w, const struct slabkit_snapshot *s)
{
    struct table t = {cache_columns, SK_ARRAY_SIZE(cache_columns), classes_filled(s), cache_row,
                      (void *)(uintptr_t)s};
    bool some = false;
    for (unsigned i = 0; i < classes_filled(s) && !some; i++)
        some = cache_row(t.data, i) != NULL;
    if (!some)
        return;
    writer_char(w, '\n');
    table_write(w, &t);
}

void format_text(struct writer *w, const struct slabkit_snapshot *s)
{
    text_head(w, s);
    writer_char(w, '\n');
    text_classes(w, s);
    text_caches(w, s);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

enum field_kind {
    FIELD_U32,
    FIELD_I32,
    FIELD_U64,
    FIELD_BOOL32,
    FIELD_BOOL64,
    FIELD_STR
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset, bytes;
};

#define FIELD(type, kind, name)                                                                    \
    {                                                                                              \
#name, kind, offsetof(struct type, name), sizeof(((struct type *)0)->name)                 \
    }
#define SNAP(kind, name)  FIELD(slabkit_snapshot, kind, name)
#define CLASS(kind, name) FIELD(slabkit_class, kind, name)

static const struct field snapshot_fields[] = {
    SNAP(FIELD_U32, version),
    SNAP(FIELD_U32, bytes),
    SNAP(FIELD_I32, pid),
    SNAP(FIELD_I32, ppid),
    SNAP(FIELD_STR, process),
    SNAP(FIELD_STR, slots_mode),
    SNAP(FIELD_STR, slots_reason),
    SNAP(FIELD_U32, slots),
    SNAP(FIELD_U32, nodes),
    SNAP(FIELD_BOOL32, reaper),
    SNAP(FIELD_U64, live_bytes),
    SNAP(FIELD_U64, peak_bytes),
    SNAP(FIELD_U64, mapped_bytes),
    SNAP(FIELD_U64, dirty_bytes),
    SNAP(FIELD_U64, returned_bytes),
    SNAP(FIELD_U64, reserved_bytes),
    SNAP(FIELD_U64, meta_bytes),
    SNAP(FIELD_U64, array_bytes),
    SNAP(FIELD_U64, large_bytes),
    SNAP(FIELD_U64, huge_bytes),
    SNAP(FIELD_U64, large_allocs),
    SNAP(FIELD_U64, large_frees),
    SNAP(FIELD_U64, large_live),
    SNAP(FIELD_U64, huge_allocs),
    SNAP(FIELD_U64, huge_frees),
    SNAP(FIELD_U64, huge_live),
    SNAP(FIELD_U64, reaps),
    SNAP(FIELD_U64, trims),
    SNAP(FIELD_U64, nested_allocs),
    SNAP(FIELD_U64, deferred_frees),
    SNAP(FIELD_BOOL64, allocs_exact),
};

static const struct field class_fields[] = {
    CLASS(FIELD_STR, name),          CLASS(FIELD_STR, ctor),
    CLASS(FIELD_BOOL32, cache),      CLASS(FIELD_U32, size),
    CLASS(FIELD_U32, align),         CLASS(FIELD_U32, colours),
    CLASS(FIELD_U32, object_bytes),  CLASS(FIELD_U32, slab_bytes),
    CLASS(FIELD_U32, slab_objs),     CLASS(FIELD_U32, array_limit),
    CLASS(FIELD_U64, live_objs),     CLASS(FIELD_U64, array_objs),
    CLASS(FIELD_U64, depot_objs),    CLASS(FIELD_U64, slab_free_objs),
    CLASS(FIELD_U64, slabs),         CLASS(FIELD_U64, slabs_partial),
    CLASS(FIELD_U64, slabs_away),    CLASS(FIELD_U64, slabs_free),
    CLASS(FIELD_U64, allocs),        CLASS(FIELD_U64, alloc_misses),
    CLASS(FIELD_U64, free_misses),   CLASS(FIELD_U64, depot_gets),
    CLASS(FIELD_U64, depot_puts),    CLASS(FIELD_U64, refills),
    CLASS(FIELD_U64, refill_objs),   CLASS(FIELD_U64, flushes),
    CLASS(FIELD_U64, flush_objs),    CLASS(FIELD_U64, remote_objs),
    CLASS(FIELD_U64, remote_chains), CLASS(FIELD_U64, tells),
    CLASS(FIELD_U64, grows),         CLASS(FIELD_U64, shrinks),
    CLASS(FIELD_U64, adoptions),     CLASS(FIELD_U64, array_resizes),
    CLASS(FIELD_U64, failures),      CLASS(FIELD_U64, reserve),
    CLASS(FIELD_U64, deferred),
};

static void json_value(struct writer *w, const struct field *f, const char *at)
{
    switch (f->kind) {
    case FIELD_U32:
        writer_u64(w, *(const uint32_t *)at);
        break;
    case FIELD_I32:
        writer_i64(w, *(const int32_t *)at);
        break;
    case FIELD_U64:
        writer_u64(w, *(const uint64_t *)at);
        break;
    case FIELD_BOOL32:
        writer_str(w, *(const uint32_t *)at ? "true" : "false");
        break;
    case FIELD_BOOL64:
        writer_str(w, *(const uint64_t *)at ? "true" : "false");
        break;
    case FIELD_STR:
        writer_json_str(w, at, f->bytes);
        break;
    }
}

static void json_fields(struct writer *w, const struct field *fields, size_t n, const void *base)
{
    for (size_t i = 0; i < n; i++) {
        writer_json_key(w, fields[i].key);
        json_value(w, &fields[i], (const char *)base + fields[i].offset);
    }
}

void format_json(struct writer *w, const struct slabkit_snapshot *s)
{
    writer_char(w, '{');
    json_fields(w, snapshot_fields, SK_ARRAY_SIZE(snapshot_fields), s);
    writer_json_key(w, "classes");
    writer_char(w, '[');
    for (unsigned i = 0; i < classes_filled(s); i++) {
        writer_json_next(w);
        writer_char(w, '{');
        json_fields(w, class_fields, SK_ARRAY_SIZE(class_fields), &s->class_[i]);
        writer_char(w, '}');
    }
    writer_str(w, "]}");
}

/* ---- public ---------------------------------------------------------------------------------- */

SK_EXPORT int slabkit_snapshot_write(const struct slabkit_snapshot *s, int fd,
                                     enum slabkit_format format)
{
    char buf[1024];
    struct writer w;
    writer_init(&w, buf, sizeof buf, fd);
    if (format == SLABKIT_JSON) {
        format_json(&w, s);
        writer_char(&w, '\n');
    } else {
        format_text(&w, s);
    }
    return writer_finish(&w);
}
