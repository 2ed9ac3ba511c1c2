/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: refuses the n-th call to the system for memory, for every n that a load reaches, once or from then on.
 *       main calls every_call_main with the load, which says whether its call was reached.
 * Why: a child for each n, so that each begins with nothing mapped.
 */
#ifndef SLABKIT_TEST_SLAB_EVERY_CALL_H
#define SLABKIT_TEST_SLAB_EVERY_CALL_H

#include "fixture.h"

enum {
    CHILD_BROKEN = 1,
    CHILD_HIT = 10,
    CHILD_NOT_REACHED = 11
};

/* In the child; CHILD_HIT, CHILD_NOT_REACHED, or what went wrong. */
typedef int every_call_fn(unsigned nth, bool sticky);

static every_call_fn *every_call_load;

static inline void must(bool ok, const char *what)
{
    if (!ok) {
        print_error("%s\n", what);
        _exit(CHILD_BROKEN);
    }
}

static inline int every_call_child(unsigned nth, bool sticky)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        freopen("/dev/null", "w", stdout);
        _exit(every_call_load(nth, sticky));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline void every_call_fails(bool sticky)
{
    unsigned nth = 1;

    for (int how; (how = every_call_child(nth, sticky)) != CHILD_NOT_REACHED; nth++) {
        if (how == TEST_SKIPPED)
            exit(TEST_SKIPPED);
        assert_int_equal(how, CHILD_HIT);
    }
    assert_true(nth > 5);
}

static inline void test_once(void **state)
{
    (void)state;
    every_call_fails(false);
}

static inline void test_from_then_on(void **state)
{
    (void)state;
    every_call_fails(true);
}

static inline int every_call_main(every_call_fn *load)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_once),
                                       cmocka_unit_test(test_from_then_on)};

    every_call_load = load;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
