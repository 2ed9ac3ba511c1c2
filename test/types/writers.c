/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what slabkit_types_write writes of types with hard names, read by a JSON parser that is not ours and, for the
 *       metrics, by lines; both against malloc_type_stats.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <slabkit/kmalloc.h>

#define NAME "a \"quoted\\name\"\n\x01"
#define IN_METRICS                                                                                 \
    "a \\\"quoted\\\\name\\\"??" /* the format has no word for other control characters */

static char text[1 << 16];

static struct malloc_type *types[3];
static void *blocks[3][10];

static int setup(void **state)
{
    static const char *const names[] = {"plain", NAME, ""};

    (void)state;
    for (unsigned t = 0; t < 3; t++) {
        types[t] = malloc_type_create(names[t], "described \"so\"", 0);
        if (!types[t])
            return -1;
        for (unsigned i = 0; i < 10; i++)
            blocks[t][i] = kmalloc(100 * (t + 1) + 10000 * i, types[t], M_WAITOK);
        for (unsigned i = 0; i < t; i++)
            kfree(blocks[t][i], types[t]);
    }
    kmalloc_raise_limit(types[1], 5u << 20);
    return kmalloc(6u << 20, types[1], M_WAITOK | M_NULLOK) == NULL ? 0 : -1;
}

static void written(enum slabkit_format format)
{
    FILE *f = tmpfile();
    size_t n;

    assert_non_null(f);
    assert_int_equal(slabkit_types_write(fileno(f), format), 0);
    rewind(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = 0;
    fclose(f);
}

static struct malloc_type_stats stats(unsigned t)
{
    struct malloc_type_stats s;

    malloc_type_stats(types[t], &s);
    return s;
}

static json_t *find(json_t *list, const char *name)
{
    size_t i;
    json_t *o;

    json_array_foreach(
        list, i, o) if (strcmp(json_string_value(json_object_get(o, "name")), name) == 0) return o;
    return NULL;
}

static int64_t number(json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);

    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

static void check_object(json_t *o, const struct malloc_type_stats *s)
{
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "desc")), "described \"so\"");
    assert_int_equal(number(o, "calls"), s->calls);
    assert_int_equal(number(o, "inuse"), s->inuse);
    assert_int_equal(number(o, "memuse"), s->memuse);
    assert_int_equal(number(o, "peak"), s->peak);
    assert_int_equal(number(o, "failures"), s->failures);
    if (s->limit == KMALLOC_NO_LIMIT)
        assert_true(json_is_null(json_object_get(o, "limit")));
    else
        assert_int_equal(number(o, "limit"), s->limit);
}

static void test_json(void **state)
{
    static const char *const names[] = {"plain", NAME, ""};
    json_error_t error;
    json_t *root, *list;

    (void)state;
    written(SLABKIT_JSON);
    root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    list = json_object_get(root, "types");
    for (unsigned t = 0; t < 3; t++) {
        struct malloc_type_stats s = stats(t);

        assert_int_equal(s.inuse, 10 - t);
        check_object(find(list, names[t]), &s);
    }
    assert_int_equal(stats(1).failures, 1);
    json_decref(root);
}

/* The value of a metric of a type, by its label as it must be escaped. */
static long long metric(const char *name, const char *label)
{
    char head[256], *at;

    snprintf(head, sizeof(head), "\n%s{type=\"%s\",id=\"", name, label);
    at = strstr(text, head);
    assert_non_null(at);
    at = strstr(at, "} ");
    assert_non_null(at);
    return strtoll(at + 2, NULL, 10);
}

static bool is_known_line(const char *line)
{
    return strncmp(line, "# HELP slabkit_type_", 20) == 0 ||
           strncmp(line, "# TYPE slabkit_type_", 20) == 0 ||
           (strncmp(line, "slabkit_type_", 13) == 0 && strstr(line, "} ") != NULL);
}

static void test_metrics(void **state)
{
    char copy[sizeof(text)], *rest = copy;
    unsigned lines = 0;

    (void)state;
    written(SLABKIT_PROMETHEUS);
    assert_int_equal(metric("slabkit_type_blocks", "plain"), stats(0).inuse);
    assert_int_equal(metric("slabkit_type_bytes", "plain"), stats(0).memuse);
    assert_int_equal(metric("slabkit_type_failures_total", IN_METRICS), 1);
    assert_int_equal(metric("slabkit_type_limit_bytes", IN_METRICS), 5 << 20);
    assert_null(strstr(text, "slabkit_type_limit_bytes{type=\"plain\""));
    memcpy(copy, text, sizeof(copy));
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line; lines++)
        assert_true(is_known_line(line));
    assert_true(lines > 7 * 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_metrics),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
