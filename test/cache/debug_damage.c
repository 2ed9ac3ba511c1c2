/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: every byte that a program can damage in or around an object is found, with its offset and
 *       its extent, and nothing else is.
 */
#include "debug_fixture.h"

static char told[4][MISUSE_LINE_BYTES];
static unsigned ntold;

static void note(const char *line)
{
    assert_true(ntold < SK_ARRAY_SIZE(told));
    assert_true(strlen(line) < sizeof(told[0]));
    strcpy(told[ntold++], line);
}

/* Faults that verify tells. */
static unsigned look(const struct bench *b, bool constructed)
{
    unsigned faults;

    ntold = 0;
    faults = kmem_debug_verify(&b->d, NAME, b->raw, constructed, note);
    assert_int_equal(faults, ntold);
    return faults;
}

#define expect_fault(b, constructed, ...)                                                          \
    do {                                                                                           \
        char want_[MISUSE_LINE_BYTES];                                                             \
        snprintf(want_, sizeof(want_), __VA_ARGS__);                                               \
        assert_int_equal(look(b, constructed), 1);                                                 \
        assert_string_equal(told[0], want_);                                                       \
    } while (0)

static void open_live(struct bench *b, size_t size, size_t align, unsigned flags)
{
    bench_open(b, size, align, flags);
    kmem_debug_made(&b->d, NAME, b->raw);
    kmem_debug_alloc(&b->d, NAME, b->raw, false, CALLER);
}

static void open_freed(struct bench *b, size_t size, size_t align, unsigned flags)
{
    open_live(b, size, align, flags);
    kmem_debug_free(&b->d, NAME, b->raw, false, CALLER);
}

/* ---- zones ---------------------------------------------------------------------------------------- */

static void test_each_byte_behind(void **state)
{
    struct bench b;

    (void)state;
    for (size_t size = 1; size < 40; size++) {
        open_live(&b, size, 32, KMEM_REDZONE);
        assert_int_equal(look(&b, false), 0);
        for (char *p = b.obj + size; p < b.raw + b.d.stride; p++) {
            *p ^= 1;
            expect_fault(
                &b, false,
                "overrun of %p, a %zu-byte object of shelf: 1 byte written from offset %td",
                (void *)b.obj, size, p - b.obj);
            *p ^= 1;
        }
        bench_close(&b);
    }
}

static void test_each_byte_before(void **state)
{
    struct bench b;

    (void)state;
    for (size_t align = 8; align <= 4096; align *= 8) {
        open_live(&b, 24, align, KMEM_REDZONE | KMEM_STORE_USER);
        for (char *p = b.raw + debug_head_bytes(&b.d); p < b.obj; p++) {
            *p ^= 1;
            expect_fault(
                &b, false,
                "underrun of %p, a 24-byte object of shelf: 1 byte written from offset %td",
                (void *)b.obj, p - b.obj);
            *p ^= 1;
        }
        bench_close(&b);
    }
}

static void test_extent(void **state)
{
    struct bench b;

    (void)state;
    open_live(&b, 24, 8, KMEM_REDZONE);
    memset(b.obj + 24, 0, 5);
    expect_fault(&b, false,
                 "overrun of %p, a 24-byte object of shelf: 5 bytes written from offset 24",
                 (void *)b.obj);
    memset(b.obj + 24, KMEM_DEBUG_ZONE, 5);
    b.obj[30] = 'x';
    b.obj[33] = 'y';
    expect_fault(&b, false,
                 "overrun of %p, a 24-byte object of shelf: 4 bytes written from offset 30",
                 (void *)b.obj);
    bench_close(&b);
}

/* All 24 bytes and both ends: two lines. */
static void test_both_sides(void **state)
{
    struct bench b;

    (void)state;
    open_live(&b, 24, 8, KMEM_REDZONE);
    memset(b.obj - 2, 0, 28);
    assert_int_equal(look(&b, false), 2);
    assert_non_null(strstr(told[0], "overrun"));
    assert_non_null(strstr(told[0], "2 bytes written from offset 24"));
    assert_non_null(strstr(told[1], "underrun"));
    assert_non_null(strstr(told[1], "2 bytes written from offset -2"));
    bench_close(&b);
}

/* The program's own bytes are its own. */
static void test_object_is_free_to_write(void **state)
{
    struct bench b;

    (void)state;
    open_live(&b, 100, 8, ALL);
    for (unsigned byte = 0; byte < 256; byte += 5) {
        memset(b.obj, (int)byte, 100);
        assert_int_equal(look(&b, false), 0);
    }
    bench_close(&b);
}

/* ---- poison ------------------------------------------------------------------------------------------ */

static void test_each_byte_of_a_freed_object(void **state)
{
    struct bench b;

    (void)state;
    for (size_t size = 1; size < 40; size++) {
        open_freed(&b, size, 8, KMEM_POISON);
        assert_int_equal(look(&b, false), 0);
        for (char *p = b.obj; p < b.obj + size; p++) {
            *p ^= 0x80;
            expect_fault(
                &b, false,
                "use after free of %p, a %zu-byte object of shelf: 1 byte written from offset %td",
                (void *)b.obj, size, p - b.obj);
            *p ^= 0x80;
        }
        bench_close(&b);
    }
}

static void test_extent_of_use(void **state)
{
    struct bench b;

    (void)state;
    open_freed(&b, 24, 8, KMEM_POISON);
    b.obj[5] = 1;
    b.obj[11] = 2;
    expect_fault(&b, false,
                 "use after free of %p, a 24-byte object of shelf: 7 bytes written from offset 5",
                 (void *)b.obj);
    b.obj[23] = 3;
    expect_fault(&b, false,
                 "use after free of %p, a 24-byte object of shelf: 19 bytes written from offset 5",
                 (void *)b.obj);
    bench_close(&b);
}

/* A new object is poisoned before it is first given out. */
static void test_use_before_alloc(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 24, 8, KMEM_POISON);
    kmem_debug_made(&b.d, NAME, b.raw);
    assert_int_equal(look(&b, false), 0);
    b.obj[0] = 0;
    assert_int_equal(look(&b, false), 1);
    bench_close(&b);
}

/* ---- constructed objects ------------------------------------------------------------------------ */

static void open_built(struct bench *b, size_t size)
{
    bench_open(b, size, 8, KMEM_POISON);
    kmem_debug_made(&b->d, NAME, b->raw);
    for (size_t i = 0; i < size; i++)
        b->obj[i] = (char)(i * 7);
    kmem_debug_constructed(&b->d, NAME, b->raw);
}

/* Flips each byte of the object in turn; each time the fault names a part that holds it. */
static void flip_each_byte(struct bench *b)
{
    size_t size = b->d.size;

    assert_int_equal(look(b, true), 0);
    for (size_t i = 0; i<size; i += size> 200 ? 61 : 1) {
        size_t bytes = 0, off = 0;
        char *words;

        b->obj[i] ^= 4;
        assert_int_equal(look(b, true), 1);
        words = strstr(told[0], "written within ");
        assert_non_null(words);
        assert_int_equal(sscanf(words, "written within %zu %*s from offset %zu", &bytes, &off), 2);
        assert_true(off <= i && i < off + bytes && off + bytes <= size);
        assert_true(bytes <= sk_align_up((size + 7) / 8, 8));
        b->obj[i] ^= 4;
    }
    assert_int_equal(look(b, true), 0);
}

static void test_constructed(void **state)
{
    static const size_t sizes[] = {2, 8, 9, 24, 64, 65, 100, 257, 5000};
    struct bench b;

    (void)state;
    for (unsigned s = 0; s < SK_ARRAY_SIZE(sizes); s++) {
        open_built(&b, sizes[s]);
        flip_each_byte(&b);
        kmem_debug_alloc(&b.d, NAME, b.raw, true, CALLER);
        b.obj[0] ^= 1;
        assert_int_equal(look(&b, true), 0);
        kmem_debug_free(&b.d, NAME, b.raw, true, CALLER);
        flip_each_byte(&b);
        bench_close(&b);
    }
}

/* An object is what its last user left, to the bit. */
static void test_constructed_is_kept(void **state)
{
    char before[100];
    struct bench b;

    (void)state;
    open_built(&b, sizeof(before));
    memcpy(before, b.obj, sizeof(before));
    for (unsigned round = 0; round < 3; round++) {
        kmem_debug_alloc(&b.d, NAME, b.raw, true, CALLER);
        assert_memory_equal(before, b.obj, sizeof(before));
        kmem_debug_free(&b.d, NAME, b.raw, true, CALLER);
    }
    assert_memory_equal(before, b.obj, sizeof(before));
    bench_close(&b);
}

/* ---- the record ------------------------------------------------------------------------------------ */

static void test_damaged_record(void **state)
{
    struct bench b;

    (void)state;
    open_live(&b, 24, 8, KMEM_CONSISTENCY);
    assert_true(kmem_debug_live(b.raw));
    debug_record(b.raw)->state ^= 1;
    expect_fault(&b, false,
                 "damage to the record of %p, a 24-byte object of shelf: written before it, or "
                 "beyond its neighbour's end",
                 (void *)b.obj);
    assert_false(kmem_debug_live(b.raw));
    bench_close(&b);
}

/* Another object's record, copied over this one's. */
static void test_displaced_record(void **state)
{
    struct bench a, b;

    (void)state;
    open_live(&a, 24, 8, KMEM_CONSISTENCY);
    open_live(&b, 24, 8, KMEM_CONSISTENCY);
    memcpy(b.raw, a.raw, sizeof(struct debug_record));
    assert_int_equal(look(&b, false), 1);
    assert_int_equal(look(&a, false), 0);
    bench_close(&a);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_byte_behind),
        cmocka_unit_test(test_each_byte_before),
        cmocka_unit_test(test_extent),
        cmocka_unit_test(test_both_sides),
        cmocka_unit_test(test_object_is_free_to_write),
        cmocka_unit_test(test_each_byte_of_a_freed_object),
        cmocka_unit_test(test_extent_of_use),
        cmocka_unit_test(test_use_before_alloc),
        cmocka_unit_test(test_constructed),
        cmocka_unit_test(test_constructed_is_kept),
        cmocka_unit_test(test_damaged_record),
        cmocka_unit_test(test_displaced_record),
    };
    return cmocka_run_group_tests(tests, start_region, NULL);
}
