/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the report: one exact first line, a picture of the damage, who allocated, who freed, who found out; then the
 *       end.
 * Below: debug_internal.h, base/misuse.h.
 * Owns: the one buffer of a report, under a lock that is never given back: it ends with the process.
 * Failure: what does not fit the buffer is cut off at its end.
 */
#include "cache/debug_internal.h"

#define REPORT_BYTES  8192u
#define PICTURE_WIDTH 16
#define PICTURE_ROWS  8
#define OFFSET_WIDTH  10u

/* ---- the first line ----------------------------------------------------------------------------- */

static const char *const fault_text[DEBUG_FAULTS] = {
#define DEBUG_FAULT(id, text) [DEBUG_##id] = text,
#include "cache/debug.def"
#undef DEBUG_FAULT
};

static void word_bytes(struct text *t, size_t bytes)
{
    text_digits(t, bytes, 10, 1);
    text_str(t, bytes == 1 ? " byte" : " bytes");
}

void debug_word_damage(struct text *t, const struct kmem_debug *d, const char *name,
                       const void *raw, const struct debug_damage *damage)
{
    for (const char *m = fault_text[damage->what]; *m; m++) {
        if (*m != '%') {
            text_char(t, *m);
            continue;
        }
        switch (*++m) {
        case 'p':
            text_address(t, kmem_debug_object(d, raw));
            break;
        case 's':
            text_digits(t, d->size, 10, 1);
            break;
        case 'b':
            word_bytes(t, damage->bytes);
            break;
        case 'o':
            text_number(t, damage->off);
            break;
        default:
            text_str(t, name);
            break;
        }
    }
}

/* ---- the picture ---------------------------------------------------------------------------------- */

/* Offsets from the object's begin. */
struct picture {
    const unsigned char *obj;
    ptrdiff_t begin, end;         /* shown, whole rows */
    ptrdiff_t first, last;        /* what may be shown: zones and object */
    ptrdiff_t bad_begin, bad_end; /* marked */
};

static bool in_picture(const struct picture *p, ptrdiff_t off)
{
    return off >= p->first && off < p->last;
}

static void draw_hex(struct text *t, const struct picture *p, ptrdiff_t off)
{
    text_char(t, off >= p->bad_begin && off < p->bad_end ? '!' : ' ');
    if (in_picture(p, off))
        text_digits(t, p->obj[off], 16, 2);
    else
        text_str(t, "  ");
}

static void draw_char(struct text *t, const struct picture *p, ptrdiff_t off)
{
    char c = in_picture(p, off) ? (char)p->obj[off] : ' ';

    text_char(t, c >= ' ' && c <= '~' ? c : '.');
}

static void draw_row(struct text *t, const struct picture *p, ptrdiff_t row)
{
    const char *from = t->at;
    char number[OFFSET_WIDTH + 1];
    struct text n;

    text_init(&n, number, sizeof(number));
    text_number(&n, row);
    text_pad(t, from, OFFSET_WIDTH - (unsigned)text_len(&n));
    text_str(t, text_end(&n));
    text_char(t, ':');
    for (int i = 0; i < PICTURE_WIDTH; i++)
        draw_hex(t, p, row + i);
    text_str(t, "  |");
    for (int i = 0; i < PICTURE_WIDTH; i++)
        draw_char(t, p, row + i);
    text_str(t, "|\n");
}

static ptrdiff_t row_of(ptrdiff_t off)
{
    return off & -(ptrdiff_t)PICTURE_WIDTH;
}

/* The damage and a row on either side. */
static void draw_damage(struct text *t, const struct debug_scene *s,
                        const struct debug_damage *damage)
{
    const struct kmem_debug *d = s->d;
    struct picture p = {
        .obj = kmem_debug_object(d, s->raw),
        .first = (ptrdiff_t)debug_head_bytes(d) - (ptrdiff_t)d->object_off,
        .last = (ptrdiff_t)(d->stride - d->object_off),
        .bad_begin = damage->off,
        .bad_end = damage->off + (ptrdiff_t)damage->bytes,
    };

    if (!damage->bytes)
        return;
    p.begin = row_of(damage->off) - PICTURE_WIDTH;
    p.end = row_of(p.bad_end - 1) + 2 * PICTURE_WIDTH;
    if (p.begin < row_of(p.first))
        p.begin = row_of(p.first);
    if (p.end > p.last)
        p.end = p.last;
    text_str(t, "  bytes by offset from the object's begin, ! the damage:\n");
    for (ptrdiff_t row = p.begin; row < p.end; row += PICTURE_WIDTH) {
        if (row >= p.begin + PICTURE_ROWS * PICTURE_WIDTH) {
            text_str(t, "  ...\n");
            break;
        }
        draw_row(t, &p, row);
    }
}

/* ---- history --------------------------------------------------------------------------------------- */

static void put_event(struct text *t, const char *what, const struct debug_track *track)
{
    text_str(t, "  ");
    text_str(t, what);
    if (!track->depth) {
        text_str(t, ": never\n");
        return;
    }
    text_str(t, ": ");
    debug_word_track(t, track);
    text_char(t, '\n');
    debug_word_stack(t, track);
}

static void put_history(struct text *t, const struct debug_scene *s)
{
    if (!(s->d->flags & KMEM_STORE_USER)) {
        text_str(t, "  who allocated and freed it: not remembered (debug flag U)\n");
        return;
    }
    put_event(t, "last allocated", &debug_history(s->raw)->alloc);
    put_event(t, "last freed", &debug_history(s->raw)->free);
}

static void put_finder(struct text *t, void *caller)
{
    struct debug_track now;

    if (!caller)
        return;
    debug_track_now(&now, caller);
    put_event(t, "found", &now);
}

/* ---- the end --------------------------------------------------------------------------------------- */

static struct plat_lock report_lock;
static SK_SELDOM_BSS char report_buf[REPORT_BYTES];

/* Of several threads the first has the word; the others wait for the end. */
static void report_begin(struct text *t)
{
    plat_lock(&report_lock);
    text_init(t, report_buf, sizeof(report_buf));
}

_Noreturn void debug_die_damaged(const struct debug_scene *s, const struct debug_damage *damage)
{
    struct text t;

    report_begin(&t);
    text_str(&t, "slabkit: ");
    debug_word_damage(&t, s->d, s->name, s->raw, damage);
    text_char(&t, '\n');
    draw_damage(&t, s, damage);
    put_history(&t, s);
    put_finder(&t, s->caller);
    plat_panic(text_end(&t));
}

static void put_misuse(struct text *t, enum misuse what, const void *p, size_t bytes,
                       const char *name)
{
    char line[MISUSE_LINE_BYTES];

    misuse_format(line, what, p, bytes, name);
    text_str(t, line);
    text_char(t, '\n');
}

_Noreturn void debug_die_misused(const struct debug_scene *s, enum misuse what, const void *p)
{
    struct text t;

    report_begin(&t);
    put_misuse(&t, what, p, s->d->size, s->name);
    if (s->raw)
        put_history(&t, s);
    put_finder(&t, s->caller);
    plat_panic(text_end(&t));
}
