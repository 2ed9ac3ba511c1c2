/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what malloc says about itself: mallinfo, mallinfo2, malloc_stats, malloc_info, mallopt.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

#include "expect.h"
#include "../oracle/engine.h"

#define MIB   ((size_t)1 << 20)
#define COUNT 8192u
#define SMALL 1000u
#define DEPTH 16

static void *held[COUNT];

static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static size_t hold(size_t size)
{
    size_t sum = 0;

    for (unsigned i = 0; i < COUNT; i++) {
        assert_non_null(held[i] = malloc(size));
        sum += malloc_usable_size(held[i]);
    }
    return sum;
}

static void let_go(void)
{
    for (unsigned i = 0; i < COUNT; i++)
        free(held[i]);
}

static bool is_near(size_t value, size_t target)
{
    size_t off = value > target ? value - target : target - value;

    return off <= target / 20 + 65536;
}

static void test_mallinfo2_follows_small_blocks(void **state)
{
    size_t before = in_use();
    size_t sum = hold(SMALL);

    (void)state;
    assert_true(is_near(in_use() - before, sum));
    let_go();
    assert_true(is_near(in_use(), before));
}

static void test_mallinfo2_follows_large_blocks(void **state)
{
    static const size_t size[] = {200000, 3 * MIB, 100 * MIB};

    (void)state;
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        size_t before = in_use();
        void *p = opaque(malloc(size[i]));

        assert_non_null(p);
        assert_true(is_near(in_use() - before, size[i]));
        free(p);
        assert_true(is_near(in_use(), before));
    }
}

static void test_mallinfo2_adds_up(void **state)
{
    struct mallinfo2 info;

    (void)state;
    hold(SMALL);
    info = mallinfo2();
    assert_true(info.uordblks >= (size_t)COUNT * SMALL);
    assert_int_equal(info.uordblks + info.fordblks, info.arena);
    let_go();
}

static void test_mallinfo_is_mallinfo2_cut(void **state)
{
    struct mallinfo2 wide;
    struct mallinfo narrow;

    (void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    narrow = mallinfo();
#pragma GCC diagnostic pop
    wide = mallinfo2();
    assert_int_equal(narrow.arena, (int)wide.arena);
    assert_int_equal(narrow.uordblks, (int)wide.uordblks);
    assert_int_equal(narrow.fordblks, (int)wide.fordblks);
    assert_int_equal(narrow.hblkhd, (int)wide.hblkhd);
}

/* What fd 2 gets while `call` runs. */
static size_t stderr_of(void (*call)(void), char *text, size_t bytes)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    ssize_t got;

    assert_non_null(file);
    assert_true(saved >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    call();
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    got = pread(fileno(file), text, bytes - 1, 0);
    fclose(file);
    assert_true(got >= 0);
    text[got] = '\0';
    return (size_t)got;
}

static void test_malloc_stats_goes_to_stderr(void **state)
{
    static char text[1 << 16];

    (void)state;
    assert_true(stderr_of(malloc_stats, text, sizeof(text)) > 0);
    assert_non_null(strpbrk(text, "123456789"));
    assert_int_equal(text[strlen(text) - 1], '\n');
}

/* ---- malloc_info ---------------------------------------------------------------------------- */

static char *info_text(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);

    assert_non_null(file);
    assert_int_equal(malloc_info(0, file), 0);
    assert_int_equal(fclose(file), 0);
    assert_true(bytes > 0);
    return text;
}

/* name="value" name="value" ...; returns what follows the last. */
static const char *attributes_pass(const char *s)
{
    for (s += strspn(s, " \n"); *s != '>' && *s != '/'; s += strspn(s, " \n")) {
        size_t name = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

        assert_true(name > 0 && s[name] == '=' && s[name + 1] == '"');
        s += name + 2;
        s += strcspn(s, "\"<>&");
        assert_int_equal(*s++, '"');
    }
    return s;
}

struct open_tag {
    const char *name;
    size_t length;
};

/* One tag from its '<' on; keeps the stack of open ones. */
static const char *tag_pass(const char *s, struct open_tag *stack, int *depth)
{
    bool closing = s[1] == '/';
    const char *name = s + 1 + closing;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz_");

    assert_true(length > 0);
    s = attributes_pass(name + length);
    if (closing) {
        assert_true(*depth > 0);
        --*depth;
        assert_true(stack[*depth].length == length && !memcmp(stack[*depth].name, name, length));
    } else if (*s != '/') {
        assert_true(*depth < DEPTH);
        stack[(*depth)++] = (struct open_tag){name, length};
    }
    s += *s == '/';
    assert_int_equal(*s, '>');
    return s + 1;
}

static void test_malloc_info_is_well_formed(void **state)
{
    struct open_tag stack[DEPTH];
    char *text = info_text();
    int depth = 0, roots = 0;

    (void)state;
    for (const char *s = text; *s;) {
        assert_true(*s == '<' || (*s != '>' && *s != '&'));
        if (*s != '<') {
            assert_true(depth > 0 || *s == '\n');
            s++;
            continue;
        }
        roots += depth == 0;
        s = tag_pass(s, stack, &depth);
    }
    assert_int_equal(depth, 0);
    assert_int_equal(roots, 1);
    free(text);
}

/* The number in attribute `name` of the last element that starts with `element`. */
static unsigned long long info_number(const char *text, const char *element, const char *name)
{
    const char *at = NULL;

    for (const char *s = strstr(text, element); s; s = strstr(s + 1, element))
        at = s;
    assert_non_null(at);
    at = strstr(at, name);
    assert_non_null(at);
    return strtoull(at + strlen(name) + 2, NULL, 10);
}

static void test_malloc_info_has_glibc_shape(void **state)
{
    char *text = info_text();

    (void)state;
    assert_true(!strncmp(text, "<malloc version=\"1\">\n", 21));
    assert_non_null(strstr(text, "<heap nr=\"0\">"));
    assert_non_null(strstr(text, "</heap>"));
    assert_non_null(strstr(text, "<total type=\"fast\" count=\""));
    assert_non_null(strstr(text, "<total type=\"rest\" count=\""));
    assert_non_null(strstr(text, "<total type=\"mmap\" count=\""));
    assert_non_null(strstr(text, "<system type=\"current\" size=\""));
    assert_non_null(strstr(text, "<system type=\"max\" size=\""));
    assert_non_null(strstr(text, "<aspace type=\"total\" size=\""));
    assert_non_null(strstr(text, "<aspace type=\"mprotect\" size=\""));
    assert_true(info_number(text, "<system type=\"max\"", "size") >=
                info_number(text, "<system type=\"current\"", "size"));
    free(text);
}

static void test_malloc_info_counts(void **state)
{
    char *text;

    (void)state;
    hold(SMALL);
    text = info_text();
    assert_true(info_number(text, "<system type=\"current\"", "size") >= (size_t)COUNT * SMALL);
    free(text);
    let_go();
}

static void test_malloc_info_refuses_options(void **state)
{
    FILE *file = tmpfile();

    (void)state;
    assert_non_null(file);
    errno = 0;
    assert_true(malloc_info(1, file) != 0);
    fclose(file);
}

/* ---- mallopt -------------------------------------------------------------------------------- */

static void test_mallopt(void **state)
{
    (void)state;
    assert_int_equal(mallopt(M_TRIM_THRESHOLD, 1 << 20), 1);
    assert_int_equal(mallopt(M_MMAP_THRESHOLD, 1 << 20), 1);
    assert_int_equal(mallopt(M_TOP_PAD, 1 << 16), 1);
    assert_int_equal(mallopt(M_ARENA_MAX, 2), 1);
    if (engine.en_present)
        assert_int_equal(mallopt(12345, 1), 0);
}

static int engine_setup(void **state)
{
    (void)state;
    engine_find();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mallinfo2_follows_small_blocks),
        cmocka_unit_test(test_mallinfo2_follows_large_blocks),
        cmocka_unit_test(test_mallinfo2_adds_up),
        cmocka_unit_test(test_mallinfo_is_mallinfo2_cut),
        cmocka_unit_test(test_malloc_stats_goes_to_stderr),
        cmocka_unit_test(test_malloc_info_is_well_formed),
        cmocka_unit_test(test_malloc_info_has_glibc_shape),
        cmocka_unit_test(test_malloc_info_counts),
        cmocka_unit_test(test_malloc_info_refuses_options),
        cmocka_unit_test(test_mallopt),
    };

    return cmocka_run_group_tests(tests, engine_setup, NULL);
}
