/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see writer.h.
 */
#include "ctl/writer.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* ---- bytes ----------------------------------------------------------------------------------- */

void writer_init(struct writer *w, char *buf, size_t cap, int fd)
{
    *w = (struct writer){.buf = buf, .cap = cap, .fd = fd};
}

/* A descriptor shared with a program that made it non-blocking is waited for, as if it were not. */
static bool writer_may_retry(int fd, int error)
{
    struct pollfd pfd = {.fd = fd, .events = POLLOUT};
    if (error == EINTR)
        return true;
    if (error != EAGAIN)
        return false;
    return poll(&pfd, 1, -1) >= 0 || errno == EINTR;
}

static void writer_drain(struct writer *w)
{
    size_t done = 0;
    while (done < w->len && w->error == 0) {
        ssize_t n = write(w->fd, w->buf + done, w->len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (!writer_may_retry(w->fd, errno))
            w->error = errno;
    }
    w->len = 0;
}

int writer_finish(struct writer *w)
{
    if (w->fd != WRITER_NO_FD)
        writer_drain(w);
    if (w->error == 0)
        return 0;
    errno = w->error;
    return -1;
}

const char *writer_text(struct writer *w)
{
    w->buf[w->len] = '\0';
    return w->buf;
}

void writer_char(struct writer *w, char c)
{
    if (w->len + 1 == w->cap) {
        if (w->fd == WRITER_NO_FD)
            w->error = ENOSPC;
        else
            writer_drain(w);
    }
    if (w->error != 0)
        return;
    w->buf[w->len++] = c;
    w->last = c;
}

void writer_bytes(struct writer *w, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        writer_char(w, p[i]);
}

void writer_repeat(struct writer *w, char c, size_t n)
{
    while (n-- > 0)
        writer_char(w, c);
}

void writer_str(struct writer *w, const char *s)
{
    while (*s != '\0')
        writer_char(w, *s++);
}

void writer_printable(struct writer *w, const char *s, size_t max)
{
    for (size_t i = 0; i < max && s[i] != '\0'; i++)
        writer_char(w, s[i] >= ' ' && s[i] <= '~' ? s[i] : '?');
}

/* ---- numbers --------------------------------------------------------------------------------- */

void writer_fixed(struct writer *w, uint64_t v, unsigned digits)
{
    char text[24]; /* 20 digits, the point, and the zero before it */
    unsigned at = sizeof text, done = 0;
    while (v != 0 || done <= digits) {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
        if (++done == digits)
            text[--at] = '.';
    }
    writer_bytes(w, text + at, sizeof text - at);
}

void writer_u64(struct writer *w, uint64_t v)
{
    writer_fixed(w, v, 0);
}

void writer_i64(struct writer *w, int64_t v)
{
    if (v < 0)
        writer_char(w, '-');
    writer_u64(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void writer_size(struct writer *w, uint64_t bytes)
{
    static const char suffix[] = "\0kmgt";
    unsigned unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && suffix[unit + 1] != '\0') {
        bytes /= 1024;
        unit++;
    }
    writer_u64(w, bytes);
    if (unit > 0)
        writer_char(w, suffix[unit]);
}

void writer_human(struct writer *w, uint64_t bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    unsigned unit = 0;
    uint64_t tenths = bytes < 1024 ? bytes * 10 : 10240;
    /* bytes keeps ten more bits than the unit has, for the place after the point. */
    while (tenths >= 10240 && unit + 1 < SK_ARRAY_SIZE(units)) {
        bytes = unit++ == 0 ? bytes : bytes >> 10;
        tenths = bytes / 1024 * 10 + (bytes % 1024 * 10 + 512) / 1024;
    }
    if (unit == 0)
        writer_u64(w, bytes);
    else
        writer_fixed(w, tenths, 1);
    writer_str(w, units[unit]);
}

/* part * scale / whole, rounded down. Loses low bits rather than overflow. */
static uint64_t scaled_quotient(uint64_t part, uint64_t whole, uint64_t scale)
{
    while (part > UINT64_MAX / scale) {
        part >>= 1;
        whole >>= 1;
    }
    return part * scale / (whole == 0 ? 1 : whole);
}

void writer_percent(struct writer *w, uint64_t part, uint64_t whole)
{
    if (whole == 0) {
        writer_char(w, '-');
        return;
    }
    writer_fixed(w, scaled_quotient(part, whole, 1000), 1);
    writer_char(w, '%');
}

void writer_ratio(struct writer *w, uint64_t part, uint64_t whole)
{
    if (whole == 0)
        writer_char(w, '-');
    else
        writer_fixed(w, scaled_quotient(part, whole, 10), 1);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

void writer_json_next(struct writer *w)
{
    if (w->last != '{' && w->last != '[')
        writer_char(w, ',');
}

void writer_json_key(struct writer *w, const char *key)
{
    writer_json_next(w);
    writer_char(w, '"');
    writer_str(w, key);
    writer_str(w, "\":");
}

/* Bytes of the UTF-8 sequence that a lead byte opens; 0: it opens none. *min: its least code point.
 */
static unsigned utf8_lead(unsigned char c, uint32_t *code, uint32_t *min)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t min;
    } rows[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (unsigned i = 0; i < SK_ARRAY_SIZE(rows); i++) {
        if ((c & rows[i].mask) == rows[i].lead) {
            *code = c & (unsigned char)~rows[i].mask;
            *min = rows[i].min;
            return i + 1;
        }
    }
    return 0;
}

/* Length of the well-formed UTF-8 sequence at s (which has max bytes); 0 if there is none. */
static unsigned utf8_length(const char *s, size_t max)
{
    uint32_t code, min;
    unsigned len = utf8_lead((unsigned char)s[0], &code, &min);
    if (len == 0 || len > max)
        return 0;
    for (unsigned i = 1; i < len; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((unsigned char)s[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < min || code > 0x10ffff || surrogate ? 0 : len;
}

static void json_ascii(struct writer *w, char c)
{
    static const char hex[] = "0123456789abcdef";
    if (c == '"' || c == '\\') {
        writer_char(w, '\\');
        writer_char(w, c);
    } else if (c < ' ' || c == 0x7f) {
        writer_str(w, "\\u00");
        writer_char(w, hex[c >> 4]);
        writer_char(w, hex[c & 15]);
    } else {
        writer_char(w, c);
    }
}

void writer_json_str(struct writer *w, const char *s, size_t max)
{
    writer_char(w, '"');
    for (size_t i = 0; i < max && s[i] != '\0';) {
        unsigned len = utf8_length(s + i, max - i);
        if (len == 1)
            json_ascii(w, s[i]);
        else if (len > 1)
            writer_bytes(w, s + i, len);
        else
            writer_str(w, "\xef\xbf\xbd");
        i += len == 0 ? 1 : len;
    }
    writer_char(w, '"');
}
