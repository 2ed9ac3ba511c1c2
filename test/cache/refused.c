/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the n-th call to the system for memory fails, for every n that a load of three caches reaches, once or from
 *       then on: what cannot be had is NULL, objects are constructed or not there, nothing is lost.
 * Why: a child for each n, so that each begins with nothing mapped.
 */
#include "fixture.h"

#include <sys/wait.h>

#define TABLE 900u
#define OPS   9000u

enum {
    CHILD_BROKEN = 1,
    CHILD_HIT = 10,
    CHILD_NOT_REACHED = 11
};

static struct kmem_cache *caches[3];
static void *table[TABLE];
static unsigned refused;

static void must(bool ok, const char *what)
{
    if (!ok) {
        print_error("%s\n", what);
        _exit(CHILD_BROKEN);
    }
}

static void step(unsigned at, int flags)
{
    struct kmem_cache *c = caches[at % 3];

    if (!c)
        return;
    if (table[at]) {
        must(at % 3 || is_constructed(table[at]), "an object lost its state");
        kmem_cache_free(c, table[at]);
        table[at] = NULL;
        return;
    }
    table[at] = kmem_cache_alloc(c, flags);
    refused += !table[at] && flags == M_WAITOK;
    must(!table[at] || at % 3 || is_constructed(table[at]), "an object was not constructed");
}

static void load(void)
{
    uint64_t seed = 9;

    caches[0] = counted_cache(100, 0);
    caches[1] = kmem_create("plain", 3000, NULL);
    caches[2] = kmem_create("large", 300000, &(struct kmem_cache_args){.reserve = 2});
    refused += !caches[0] + !caches[1] + !caches[2];
    for (unsigned op = 0; op < OPS; op++)
        step(draw(&seed, TABLE), op % 3 ? M_WAITOK : M_NOWAIT);
    for (unsigned at = 0; at < TABLE; at++)
        if (table[at])
            step(at, 0);
    for (unsigned i = 0; i < 3; i++) {
        must(!caches[i] || kmem_cache_verify(caches[i]) == 0, "faults");
        must(kmem_cache_destroy(caches[i]) == 0, "objects were lost");
    }
    must(counts.ctors == counts.dtors && counts.bad == 0, "constructions do not match");
}

static int child(int argc, char **argv, unsigned nth, bool sticky)
{
    uint64_t calls;
    size_t used;
    bool reached;

    start(argc, argv);
    used = balance_now().used;
    calls = plat_memory_calls();
    plat_fail_after(nth, sticky);
    load();
    reached = plat_memory_calls() - calls >= nth;
    plat_fail_after(0, false);
    must(reached || !refused, "refused without a cause");
    refused = 0;
    load();
    must(!refused, "refused though the system was not");
    must(balance_now().used == used && region_verify(), "pages did not come home");
    return reached ? CHILD_HIT : CHILD_NOT_REACHED;
}

static int arg_count;
static char **args;

static int run_child(unsigned nth, bool sticky)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        freopen("/dev/null", "w", stdout);
        _exit(child(arg_count, args, nth, sticky));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void fail_every_call(bool sticky)
{
    unsigned nth = 1;

    for (int how; (how = run_child(nth, sticky)) != CHILD_NOT_REACHED; nth++) {
        if (how == TEST_SKIPPED)
            exit(TEST_SKIPPED);
        assert_int_equal(how, CHILD_HIT);
    }
    assert_true(nth > 5);
}

static void test_once(void **state)
{
    (void)state;
    fail_every_call(false);
}

static void test_from_then_on(void **state)
{
    (void)state;
    fail_every_call(true);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_once),
                                       cmocka_unit_test(test_from_then_on)};

    arg_count = argc;
    args = argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
