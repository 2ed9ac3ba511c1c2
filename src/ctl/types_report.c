/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit_types_write, and the types in the report at the end.
 * Below: types_format.h; memory from plat, not from the engine.
 * Why: a copy first, because a table is written in two passes that must see the same figures.
 */
#include "ctl/types_report.h"
#include "ctl/options.h"
#include "ctl/system.h"
#include "ctl/types_format.h"
#include "plat/plat.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A record is one write(2), so that those of several processes do not mix. */
#define RECORD_TYPES_MAX 4096u

struct copy {
    struct slabkit_types_record *record;
    size_t mapped;
};

/* Room for as many types as there are now, and for some that come meanwhile. */
static bool copy_make(struct copy *c)
{
    size_t room = slabkit_types(NULL, 0) + 16, bytes;

    bytes = sizeof(*c->record) + room * sizeof(c->record->types[0]);
    c->mapped = sk_align_up(bytes, plat_sys_page_bytes());
    c->record = plat_map(c->mapped, plat_sys_page_bytes());
    if (!c->record)
        return false;
    c->record->count = (uint32_t)sk_min(slabkit_types(c->record->types, room), room);
    return true;
}

static void copy_drop(struct copy *c)
{
    plat_release(c->record, c->mapped);
}

static void write_as(struct writer *w, struct copy *c, enum slabkit_format format)
{
    switch (format) {
    case SLABKIT_JSON:
        writer_str(w, "{\"types\":");
        types_json(w, c->record->types, c->record->count);
        writer_str(w, "}\n");
        break;
    case SLABKIT_PROMETHEUS:
        types_prometheus(w, c->record->types, c->record->count);
        break;
    default:
        types_text(w, c->record->types, c->record->count);
        break;
    }
}

SK_EXPORT int slabkit_types_write(int fd, enum slabkit_format format)
{
    struct copy c;
    struct writer w;
    char buf[1024];
    int rc;

    if (!copy_make(&c)) {
        errno = ENOMEM;
        return -1;
    }
    writer_init(&w, buf, sizeof(buf), fd);
    write_as(&w, &c, format);
    rc = writer_finish(&w);
    copy_drop(&c);
    return rc;
}

/* ---- at the end ------------------------------------------------------------------------------- */

static void add_to(struct malloc_type_stats *sum, const struct malloc_type_stats *s)
{
    sum->calls += s->calls;
    sum->inuse += s->inuse;
    sum->memuse += s->memuse;
    sum->failures += s->failures;
    sum->waits += s->waits;
    sum->sizes[0] |= s->sizes[0];
    sum->sizes[1] |= s->sizes[1];
}

/* Beyond so many the rest is one row, so that the sum stays. */
static void fold(struct slabkit_types_record *r)
{
    struct malloc_type_stats *last = &r->types[RECORD_TYPES_MAX - 1];
    struct malloc_type_stats rest = {.limit = KMALLOC_NO_LIMIT, .weight = 1, .name = "(others)"};

    if (r->count <= RECORD_TYPES_MAX)
        return;
    for (size_t i = RECORD_TYPES_MAX - 1; i < r->count; i++)
        if (!r->types[i].parent)
            add_to(&rest, &r->types[i]);
    *last = rest;
    r->count = RECORD_TYPES_MAX;
}

static void write_record(int fd, struct copy *c)
{
    struct slabkit_types_record *r = c->record;

    fold(r);
    r->version = SLABKIT_TYPES_VERSION;
    r->bytes = (uint32_t)(sizeof(*r) + r->count * sizeof(r->types[0]));
    r->pid = getpid();
    system_write(fd, r, r->bytes);
}

static void report_copy(int fd, unsigned report, struct copy *c)
{
    struct writer w;
    char buf[1024];

    if (report == OPTIONS_REPORT_BINARY) {
        write_record(fd, c);
        return;
    }
    writer_init(&w, buf, sizeof(buf), fd);
    if (report == OPTIONS_REPORT_TEXT)
        writer_char(&w, '\n');
    write_as(&w, c, report == OPTIONS_REPORT_JSON ? SLABKIT_JSON : SLABKIT_TEXT);
    writer_finish(&w);
}

void types_report(int fd, unsigned report)
{
    struct copy c;

    if (slabkit_types(NULL, 0) == 0 || !copy_make(&c))
        return;
    report_copy(fd, report, &c);
    copy_drop(&c);
}
