/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: puts words and numbers into a buffer of the caller's, cut where it ends.
 * Below: base/attrs.h.
 * Invariants: begin <= at <= last; *last is kept for the terminator.
 * Concurrency: none; the buffer is the caller's.
 * Why: no printf: a report must not allocate, may come before libc is ready, and a kernel has none.
 */
#ifndef SLABKIT_BASE_TEXT_H
#define SLABKIT_BASE_TEXT_H

#include "base/attrs.h"

struct text {
    char *begin, *at, *last;
};

/* bytes >= 1. */
void text_init(struct text *t, char *buf, size_t bytes);
/* What was put so far, terminated. */
const char *text_end(struct text *t);

void text_char(struct text *t, char c);
void text_str(struct text *t, const char *s);
/* With zeros in front up to `width` digits. radix 2..16. */
void text_digits(struct text *t, uint64_t v, unsigned radix, unsigned width);
void text_number(struct text *t, int64_t v);
/* 0x... */
void text_address(struct text *t, const void *p);
/* Spaces until `column` characters stand behind `from`, a position of t->at. */
void text_pad(struct text *t, const char *from, unsigned column);

SK_INLINE size_t text_len(const struct text *t)
{
    return (size_t)(t->at - t->begin);
}

#endif
