/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: builds text in a small buffer, and drains the buffer to a descriptor when it has one.
 * Below: base; write(2) and poll(2).
 * Owns: struct writer. len < cap always, so that the text can be terminated in place. Once error is
 *       set nothing more is written.
 * Failure: a buffer without descriptor that is full drops what does not fit (error = ENOSPC);
 *       a failing write(2) leaves its errno in error.
 * Why: not stdio: reports are written where nothing may allocate and no locale may interfere.
 */
#ifndef SLABKIT_CTL_WRITER_H
#define SLABKIT_CTL_WRITER_H

#include "base/attrs.h"

#define WRITER_NO_FD (-1)

struct writer {
    char *buf;
    size_t cap, len;
    int fd;    /* WRITER_NO_FD: the text stays in buf */
    int error; /* 0, or the first errno */
    char last; /* last byte put; '\0' before the first */
};

/* cap >= 1. */
void writer_init(struct writer *w, char *buf, size_t cap, int fd);
/* Drains the buffer. 0, or -1 with errno. */
int writer_finish(struct writer *w);
/* The text so far, terminated. For a writer without descriptor. */
const char *writer_text(struct writer *w);

void writer_bytes(struct writer *w, const char *p, size_t n);
void writer_char(struct writer *w, char c);
void writer_repeat(struct writer *w, char c, size_t n);
void writer_str(struct writer *w, const char *s);
/* At most max bytes of s; bytes outside of printable ASCII become '?'. */
void writer_printable(struct writer *w, const char *s, size_t max);

void writer_u64(struct writer *w, uint64_t v);
void writer_i64(struct writer *w, int64_t v);
/* v with `digits` places after the point: 1234, 3 gives 1.234. */
void writer_fixed(struct writer *w, uint64_t v, unsigned digits);
/* Exact, with the largest suffix that divides it: 64m, 1t, 1000. */
void writer_size(struct writer *w, uint64_t bytes);
/* For people, to one place: 512 B, 1.5 KiB. */
void writer_human(struct writer *w, uint64_t bytes);
/* part/whole rounded down, 99.9%; "-" when whole is 0. */
void writer_percent(struct writer *w, uint64_t part, uint64_t whole);
/* part/whole to one place, "-" when whole is 0. */
void writer_ratio(struct writer *w, uint64_t part, uint64_t whole);

/* The comma of a JSON list or object, unless nothing stands between it and the bracket. */
void writer_json_next(struct writer *w);
/* writer_json_next and "key": */
void writer_json_key(struct writer *w, const char *key);
/* A string of at most max bytes, quoted. What is not UTF-8 becomes U+FFFD. */
void writer_json_str(struct writer *w, const char *s, size_t max);

#endif
