/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the part of cmocka's interface that our tests use, for machines we cross compile for
 *       and whose cmocka cannot be had from the distribution.
 * Failure: the first failed assertion ends the program with status 1.
 * Why: installing packages of a foreign architecture changes the developer's machine; this
 *       does not.
 */
#ifndef SLABKIT_TEST_CROSS_CMOCKA_H
#define SLABKIT_TEST_CROSS_CMOCKA_H

#include <inttypes.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uintmax_t LargestIntegralType;
typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func;
    CMFixtureFunction teardown_func;
    void *initial_state;
};

#define cmocka_unit_test_prestate_setup_teardown(f, s, t, p)                                       \
    {                                                                                              \
#f, f, s, t, p                                                                             \
    }
#define cmocka_unit_test_prestate(f, p) cmocka_unit_test_prestate_setup_teardown(f, NULL, NULL, p)
#define cmocka_unit_test_setup_teardown(f, s, t)                                                   \
    cmocka_unit_test_prestate_setup_teardown(f, s, t, NULL)
#define cmocka_unit_test_setup(f, s)    cmocka_unit_test_setup_teardown(f, s, NULL)
#define cmocka_unit_test_teardown(f, t) cmocka_unit_test_setup_teardown(f, NULL, t)
#define cmocka_unit_test(f)             cmocka_unit_test_setup_teardown(f, NULL, NULL)

#define print_message(...) ((void)printf(__VA_ARGS__))
#define print_error(...)   ((void)fprintf(stderr, __VA_ARGS__))

static jmp_buf cross_skip_to;

__attribute__((noreturn, unused)) static void cross_fail(const char *what, const char *file,
                                                         int line)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: error: %s\n", file, line, what);
    exit(1);
}

#define cross_check(cond, what)                                                                    \
    do {                                                                                           \
        if (!(cond))                                                                               \
            cross_fail(what, __FILE__, __LINE__);                                                  \
    } while (0)
#define cross_integer(v) ((LargestIntegralType)(uintptr_t)(v))

#define fail() cross_fail("failed", __FILE__, __LINE__)
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
        fail();                                                                                    \
    } while (0)
#define skip() longjmp(cross_skip_to, 1)

#define assert_true(c)                   cross_check(c, "not true: " #c)
#define assert_false(c)                  cross_check(!(c), "not false: " #c)
#define assert_null(p)                   cross_check((p) == NULL, "not NULL: " #p)
#define assert_non_null(p)               cross_check((p) != NULL, "NULL: " #p)
#define assert_ptr_equal(a, b)           cross_check((const void *)(a) == (const void *)(b), #a " != " #b)
#define assert_ptr_not_equal(a, b)       cross_check((const void *)(a) != (const void *)(b), #a " == " #b)
#define assert_int_equal(a, b)           cross_check(cross_integer(a) == cross_integer(b), #a " != " #b)
#define assert_int_not_equal(a, b)       cross_check(cross_integer(a) != cross_integer(b), #a " == " #b)
#define assert_string_equal(a, b)        cross_check(strcmp(a, b) == 0, #a " != " #b)
#define assert_string_not_equal(a, b)    cross_check(strcmp(a, b) != 0, #a " == " #b)
#define assert_memory_equal(a, b, n)     cross_check(memcmp(a, b, n) == 0, "bytes of " #a " != " #b)
#define assert_memory_not_equal(a, b, n) cross_check(memcmp(a, b, n) != 0, "bytes of " #a " == " #b)
#define assert_return_code(rc, error)    cross_check((rc) >= 0, "failed: " #rc)
#define assert_in_range(v, lo, hi)                                                                 \
    cross_check(cross_integer(v) >= cross_integer(lo) && cross_integer(v) <= cross_integer(hi),    \
                #v " not in " #lo ".." #hi)
#define assert_not_in_range(v, lo, hi)                                                             \
    cross_check(cross_integer(v) < cross_integer(lo) || cross_integer(v) > cross_integer(hi),      \
                #v " in " #lo ".." #hi)

static inline void cross_run_one(const struct CMUnitTest *t, void *group_state)
{
    void *state = t->initial_state ? t->initial_state : group_state;
    printf("[ RUN      ] %s\n", t->name);
    fflush(stdout);
    cross_check(!t->setup_func || t->setup_func(&state) == 0, "set-up of the test failed");
    if (setjmp(cross_skip_to) == 0) {
        t->test_func(&state);
        printf("[       OK ] %s\n", t->name);
    } else {
        printf("[  SKIPPED ] %s\n", t->name);
    }
    cross_check(!t->teardown_func || t->teardown_func(&state) == 0, "clean-up of the test failed");
}

static inline int cross_run_group(const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
                                  CMFixtureFunction teardown)
{
    void *state = NULL;
    cross_check(!setup || setup(&state) == 0, "set-up of the group failed");
    for (size_t i = 0; i < n; i++)
        cross_run_one(&tests[i], state);
    cross_check(!teardown || teardown(&state) == 0, "clean-up of the group failed");
    printf("[  PASSED  ] %zu test(s).\n", n);
    return 0;
}

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    cross_run_group(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
    cmocka_run_group_tests(tests, setup, teardown)

#endif
