/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: every misuse inside the kernel: the cases of test/die, unchanged, one child each, which must die with the line
 *       that their list says.
 * Owns: the list, as the linker found it.
 * Why: cases_main is the main of the file of cases; it takes a case's name, and knows all that the list has.
 */
#include "engine.h"
#include "../die/compat.h"

#include <dlfcn.h>
#include <slabkit/kmalloc.h>
#include <slabkit/kmem_cache.h>

/* DIE_LIST is the path of the list. */
__asm__(".section .rodata\n"
        "list_begin: .incbin \"" DIE_LIST "\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char list_begin[];

int cases_main(int argc, char **argv);

void *dlsym(void *of, const char *name)
{
    static const struct {
        const char *name;
        void *at;
    } known[] = {
        {"kmem_cache_create", kmem_cache_create},
        {"kmem_cache_alloc", kmem_cache_alloc},
        {"kmem_cache_free", kmem_cache_free},
        {"malloc_type_create", malloc_type_create},
        {"kmalloc", kmalloc},
        {"kfree", kfree},
        {"kmalloc_raise_limit", kmalloc_raise_limit},
        {"kmalloc_on_full", kmalloc_on_full},
    };

    (void)of;
    for (size_t i = 0; i < SK_ARRAY_SIZE(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].at;
    return NULL;
}

/* ---- one line of the list ---------------------------------------------------------------------------- */

struct row {
    char name[48], parts[8], line[256]; /* parts: "" in a list without them */
};

/* The next word of at most `bytes`, or the rest of the line. */
static const char *word_read(const char *text, const char *ends, char *word, size_t bytes)
{
    size_t len = strcspn(text, ends);

    assert_true(len < bytes);
    memcpy(word, text, len);
    word[len] = 0;
    return text[len] == ' ' ? text + len + 1 : text + len;
}

/* NAME [PARTS] MESSAGE LINE */
static void row_read(const char *text, bool has_parts, struct row *r)
{
    char message[48];

    *r->parts = 0;
    text = word_read(text, " \n", r->name, sizeof(r->name));
    if (has_parts)
        text = word_read(text, " \n", r->parts, sizeof(r->parts));
    text = word_read(text, " \n", message, sizeof(message));
    word_read(text, "\n", r->line, sizeof(r->line));
}

/* NULL behind the last. */
static const char *row_next(const char *at)
{
    at = strchr(at, '\n');
    while (at && *++at == '#')
        at = strchr(at, '\n');
    return at && *at ? at : NULL;
}

static const char *row_first(void)
{
    return *list_begin == '#' ? row_next(list_begin) : list_begin;
}

/* ---- what a case said ---------------------------------------------------------------------------------- */

/* Addresses become 0xHEX. */
static void mask_addresses(char *text)
{
    static char masked[sizeof(((struct death *)0)->text)];
    size_t n = 0;

    for (const char *p = text; *p && n + 8 < sizeof(masked);)
        if (strncmp(p, "0x", 2) == 0) {
            memcpy(masked + n, "0xHEX", 5);
            n += 5;
            p += 2 + strspn(p + 2, "0123456789abcdef");
        } else {
            masked[n++] = *p++;
        }
    masked[n] = 0;
    strcpy(text, masked);
}

/* Lines that begin with a blank are a report's details; else there is one line. */
static void expect_one_line(const char *text, const char *line)
{
    size_t len = strcspn(text, "\n");

    if (len != strlen(line) || strncmp(text, line, len) != 0)
        fail_msg("said '%s', expected '%s'", text, line);
    for (text += len; *text; text += strcspn(text, "\n"))
        if (*++text && *text != ' ')
            fail_msg("said more than a line: '%s'", text);
}

/* A part of a report is there if and only if its letter is in the list. */
static void expect_part(const struct row *r, const char *text, char part, const char *begin)
{
    bool has = strstr(text, begin) != NULL, wants = strchr(r->parts, part) != NULL;

    if (has != wants)
        fail_msg("'%s' in the report: %d, expected: %d", begin, has, wants);
}

static void run_case(void *name)
{
    char *args[] = {NULL, name, NULL};

    args[0] = args[1];
    exit(cases_main(2, args));
}

static void expect_row(const struct row *r)
{
    struct death d = die_in_child(run_case, (void *)r->name);

    printf("%s\n", r->name);
    if (!(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGABRT))
        fail_msg("ended with status %d and said '%s'", d.status, d.text);
    mask_addresses(d.text);
    expect_one_line(d.text, r->line);
    if (!*r->parts)
        return;
    expect_part(r, d.text, 'P', "\n  bytes by offset from the object's begin, ! the damage:\n");
    expect_part(r, d.text, 'H', "\n  last allocated: slot ");
    expect_part(r, d.text, 'S', "\n  found: slot ");
}

/* ---- all ------------------------------------------------------------------------------------------------ */

static bool has_parts;
static unsigned rows;

/* The doors for code of umem and Linux are hosted. */
static bool is_left_out(const char *name)
{
    return strncmp(name, "compat-", 7) == 0;
}

void compat_nofail(void)
{
    fail();
}

void compat_slab_panic(void)
{
    fail();
}

void compat_umem_size(void)
{
    fail();
}

static void test_all(void **state)
{
    struct row r;

    (void)state;
    for (const char *at = row_first(); at; at = row_next(at)) {
        row_read(at, has_parts, &r);
        if (!is_left_out(r.name)) {
            expect_row(&r);
            rows++;
        }
    }
    assert_true(rows >= 20);
}

/* usage: die [parts] */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

    has_parts = argc > 1 && strcmp(argv[1], "parts") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
