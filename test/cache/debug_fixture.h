/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the tests of debugging share: an object in plain memory, a world with known names, and reports without
 *       what changes from run to run.
 */
#ifndef SLABKIT_TEST_CACHE_DEBUG_FIXTURE_H
#define SLABKIT_TEST_CACHE_DEBUG_FIXTURE_H

#include "../slab/fixture.h"
#include "cache/debug_internal.h"

#define NAME   "shelf"
#define CALLER ((void *)0x1000)

#define ALL (KMEM_CONSISTENCY | KMEM_REDZONE | KMEM_POISON | KMEM_STORE_USER)

/* One raw object between bytes that are not its own. */
struct bench {
    struct kmem_debug d;
    char *raw, *obj;
    char *memory;
    size_t memory_bytes;
};

#define BENCH_MARGIN      64u
#define BENCH_MARGIN_BYTE 0x11

static inline void bench_open(struct bench *b, size_t size, size_t align, unsigned flags)
{
    size_t stride = kmem_debug_layout(&b->d, size, align, flags);
    size_t margin = sk_align_up(BENCH_MARGIN, align);

    b->memory_bytes = sk_align_up(stride + 2 * margin, align);
    b->memory = aligned_alloc(sk_max(align, sizeof(void *)), b->memory_bytes);
    assert_non_null(b->memory);
    memset(b->memory, BENCH_MARGIN_BYTE, b->memory_bytes);
    b->raw = b->memory + margin;
    b->obj = kmem_debug_object(&b->d, b->raw);
}

/* Nobody wrote outside of the raw object. */
static inline void bench_close(struct bench *b)
{
    for (char *p = b->memory; p < b->memory + b->memory_bytes; p++)
        if (p < b->raw || p >= b->raw + b->d.stride)
            assert_int_equal(*p, BENCH_MARGIN_BYTE);
    free(b->memory);
}

/* ---- a world with known names ---------------------------------------------------------------- */

static inline unsigned known_stack(void *caller, void **pcs, unsigned max)
{
    unsigned n = 0;

    for (; n < 3 && n < max; n++)
        pcs[n] = (char *)caller + n * 0x100;
    return n;
}

static inline void known_symbol(struct text *t, const void *pc)
{
    text_str(t, "fn+");
    text_number(t, (int64_t)(uintptr_t)pc);
}

static inline void known_ids(uint32_t *pid, uint32_t *tid)
{
    *pid = 11;
    *tid = 22;
}

static const struct kmem_debug_world known_world = {known_stack, known_symbol, known_ids};

/* ---- reports ------------------------------------------------------------------------------------ */

/* Digits behind `word` become one N. */
static inline void mask_digits(char *text, const char *word)
{
    for (char *p = text; (p = strstr(p, word)) != NULL;) {
        char *end;

        p += strlen(word);
        end = p + strspn(p, "0123456789.");
        *p++ = 'N';
        memmove(p, end, strlen(end) + 1);
    }
}

/* The report of a program that must die, with its slot and its times masked. */
static inline struct death report_of(void (*fn)(void *arg), void *arg)
{
    struct death d = die_in_child(fn, arg);
    char *age;

    assert_true(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGABRT);
    mask_digits(d.text, "slot ");
    while ((age = strstr(d.text, " s ago")) != NULL) {
        char *begin = age;

        while (begin > d.text && strchr("0123456789.", begin[-1]))
            begin--;
        memcpy(begin, "AGE", 3);
        memmove(begin + 3, age + 6, strlen(age + 6) + 1);
    }
    return d;
}

#define expect_report(fn, arg, ...)                                                                \
    do {                                                                                           \
        struct death report_ = report_of(fn, arg);                                                 \
        char want_[sizeof(report_.text)];                                                          \
        snprintf(want_, sizeof(want_), __VA_ARGS__);                                               \
        assert_string_equal(report_.text, want_);                                                  \
    } while (0)

/* The first line only. */
#define expect_first_line(fn, arg, ...)                                                            \
    do {                                                                                           \
        struct death report_ = report_of(fn, arg);                                                 \
        char want_[sizeof(report_.text)];                                                          \
        snprintf(want_, sizeof(want_), __VA_ARGS__);                                               \
        report_.text[strcspn(report_.text, "\n")] = 0;                                             \
        assert_string_equal(report_.text, want_);                                                  \
    } while (0)

#endif
