/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: metadata: aligned, zero also when recycled, apart from its neighbours, small, and given
 * back. */
#include "fixture.h"

static size_t expected_align(size_t bytes)
{
    size_t align = 1;
    while (align < bytes && align < 64)
        align *= 2;
    return align;
}

static bool all_bytes(const unsigned char *p, size_t bytes, unsigned char value)
{
    for (size_t i = 0; i < bytes; i++)
        if (p[i] != value)
            return false;
    return true;
}

static void test_every_size(void **state)
{
    (void)state;
    size_t used = meta_used_bytes();
    for (size_t bytes = 1; bytes <= 70000; bytes += bytes < 600 ? 1 : 97) {
        for (int again = 0; again < 2; again++) {
            unsigned char *p = meta_alloc(bytes);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % expected_align(bytes), 0);
            assert_true(all_bytes(p, bytes, 0));
            memset(p, 0xff, bytes);
            assert_true(meta_used_bytes() - used >= bytes);
            meta_free(p, bytes);
        }
    }
    assert_int_equal(meta_used_bytes(), used);
    assert_true(meta_mapped_bytes() >= used);
    meta_free(NULL, 100);
}

/* Pieces of all sizes at once, each filled with its own byte: none overlaps another. */
static void test_no_overlap(void **state)
{
    (void)state;
    static unsigned char *piece[2000];
    static size_t size[2000];
    for (size_t i = 0; i < 2000; i++) {
        size[i] = 1 + i * i % 3001;
        piece[i] = meta_alloc(size[i]);
        assert_non_null(piece[i]);
        memset(piece[i], (int)(i % 251), size[i]);
    }
    for (size_t i = 0; i < 2000; i++)
        assert_true(all_bytes(piece[i], size[i], (unsigned char)(i % 251)));
    for (size_t i = 0; i < 2000; i++)
        meta_free(piece[i], size[i]);
}

static void test_recycled_not_mapped_anew(void **state)
{
    (void)state;
    void *p = meta_alloc(500);
    meta_free(p, 500);
    size_t mapped = meta_mapped_bytes();
    for (int i = 0; i < 10000; i++) {
        p = meta_alloc(500);
        meta_free(p, 500);
    }
    assert_int_equal(meta_mapped_bytes(), mapped);
}

static void test_large_goes_back(void **state)
{
    (void)state;
    size_t mapped = meta_mapped_bytes();
    char *p = meta_alloc((size_t)10 << 20);
    assert_non_null(p);
    p[((size_t)10 << 20) - 1] = 1;
    assert_int_equal(meta_mapped_bytes(), mapped + ((size_t)10 << 20));
    meta_free(p, (size_t)10 << 20);
    assert_int_equal(meta_mapped_bytes(), mapped);
    assert_null(meta_alloc(SIZE_MAX));
    assert_null(meta_alloc((size_t)PTRDIFF_MAX));
    assert_int_equal(meta_mapped_bytes(), mapped);
}

/* Fresh pieces touch no page beyond those they lie on. */
static void test_only_used_pages_are_touched(void **state)
{
    (void)state;
    size_t sys = plat_sys_page_bytes();
    char *p;
    if (!memory_is_lazy())
        skip();
    size_t mapped = meta_mapped_bytes();
    do
        p = meta_alloc(16384);
    while (p && meta_mapped_bytes() == mapped);
    assert_non_null(p);
    /* The first piece of a new chunk. */
    assert_int_equal((uintptr_t)p % sys, 0);
    assert_int_equal(resident(p, (size_t)256 << 10), 0);
    *p = 1;
    assert_int_equal(resident(p, (size_t)256 << 10), 1);
}

/* ---- giving back ------------------------------------------------------------------------ */

#define PIECES      8000
#define PIECE_BYTES 704

static unsigned char *piece[PIECES];

static void fill_pieces(void)
{
    for (size_t i = 0; i < PIECES; i++) {
        piece[i] = meta_alloc(PIECE_BYTES);
        assert_non_null(piece[i]);
        assert_true(all_bytes(piece[i], PIECE_BYTES, 0));
        memset(piece[i], (int)(i % 251) + 1, PIECE_BYTES);
    }
}

static unsigned char *sys_page_of(const void *p)
{
    return (unsigned char *)sk_align_down((uintptr_t)p, plat_sys_page_bytes());
}

/* System pages that hold any of the pieces and are resident. */
static size_t resident_under_pieces(void)
{
    size_t sum = 0;
    unsigned char *last = NULL;
    for (size_t i = 0; i < PIECES; i++)
        if (sys_page_of(piece[i]) != last) {
            last = sys_page_of(piece[i]);
            sum += resident(last, plat_sys_page_bytes());
        }
    return sum;
}

static void test_trim_gives_all_back(void **state)
{
    (void)state;
    meta_trim();
    assert_int_equal(meta_trim(), 0);
    fill_pieces();
    size_t mapped = meta_mapped_bytes(), full = resident_under_pieces();
    assert_true(full >= PIECES * PIECE_BYTES / plat_sys_page_bytes());
    for (size_t i = 0; i < PIECES; i++)
        meta_free(piece[i], PIECE_BYTES);
    assert_true(meta_verify());
    assert_true(meta_trim() >= (full - 16) * plat_sys_page_bytes());
    assert_true(meta_verify());
    /* But the pages of headers and of what was in use before. */
    assert_true(resident_under_pieces() <= 16 || !memory_is_lazy());
    assert_int_equal(meta_trim(), 0);
    fill_pieces();
    assert_int_equal(meta_mapped_bytes(), mapped);
    for (size_t i = 0; i < PIECES; i++)
        meta_free(piece[i], PIECE_BYTES);
}

/* What is still in use stays as it is, and only its pages stay. */
static void test_trim_around_pieces_in_use(void **state)
{
    (void)state;
    fill_pieces();
    for (size_t i = 0; i < PIECES; i++)
        if (i % 100)
            meta_free(piece[i], PIECE_BYTES);
    assert_true(meta_trim() > 0);
    assert_true(meta_verify());
    assert_true(resident_under_pieces() <= PIECES / 100 * 2 + 16 || !memory_is_lazy());
    for (size_t i = 0; i < PIECES; i += 100)
        assert_true(all_bytes(piece[i], PIECE_BYTES, (unsigned char)(i % 251 + 1)));
    for (size_t i = 0; i < PIECES; i += 100)
        meta_free(piece[i], PIECE_BYTES);
    assert_true(meta_verify());
}

/* Pieces gather in the pages that others of any size hold already, so that the rest drains. */
static void test_gaps_are_filled_first(void **state)
{
    (void)state;
    fill_pieces();
    for (size_t i = 0; i < PIECES; i += 2)
        meta_free(piece[i], PIECE_BYTES);
    size_t mapped = meta_mapped_bytes();
    for (size_t i = 0; i < PIECES; i += 2) {
        unsigned char *small = meta_alloc(PIECE_BYTES / 2), *other = meta_alloc(PIECE_BYTES / 2);
        assert_non_null(small);
        assert_true(all_bytes(other, PIECE_BYTES / 2, 0));
        meta_free(other, PIECE_BYTES / 2);
        meta_free(small, PIECE_BYTES / 2);
        piece[i] = meta_alloc(PIECE_BYTES);
    }
    assert_int_equal(meta_mapped_bytes(), mapped);
    for (size_t i = 0; i < PIECES; i++)
        meta_free(piece[i], PIECE_BYTES);
}

/* More than a group of chunks. */
static void test_many_chunks(void **state)
{
    (void)state;
    enum {
        FRAMES = 9000,
        FRAME = 16384
    };
    static unsigned char *frame[FRAMES];
    size_t used = meta_used_bytes();
    for (size_t i = 0; i < FRAMES; i++) {
        frame[i] = meta_alloc(FRAME);
        assert_non_null(frame[i]);
        if (i % 64 == 0)
            frame[i][0] = 1;
    }
    assert_true(meta_verify());
    assert_int_equal(meta_used_bytes(), used + (size_t)FRAMES * FRAME);
    for (size_t i = 0; i < FRAMES; i++)
        meta_free(frame[i], FRAME);
    assert_true(meta_trim() > 0);
    assert_true(meta_verify());
    size_t mapped = meta_mapped_bytes();
    for (size_t i = 0; i < FRAMES; i++) {
        frame[i] = meta_alloc(FRAME);
        assert_int_equal(frame[i][0], 0);
    }
    assert_int_equal(meta_mapped_bytes(), mapped);
    for (size_t i = 0; i < FRAMES; i++)
        meta_free(frame[i], FRAME);
    meta_trim();
    assert_true(meta_verify());
    assert_int_equal(meta_used_bytes(), used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_no_overlap),
        cmocka_unit_test(test_recycled_not_mapped_anew),
        cmocka_unit_test(test_large_goes_back),
        cmocka_unit_test(test_only_used_pages_are_touched),
        cmocka_unit_test(test_trim_gives_all_back),
        cmocka_unit_test(test_trim_around_pieces_in_use),
        cmocka_unit_test(test_gaps_are_filled_first),
        cmocka_unit_test(test_many_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
