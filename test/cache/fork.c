/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: fork amid threads that make, use and end caches: the child finds all caches whole, and goes on. */
#include "fixture.h"

#include <sys/wait.h>

static bool over;
static void *objs[100];

static void *worker(void *arg)
{
    void *mine[30];

    while (!sk_load_relaxed(&over)) {
        struct kmem_cache *c = kmem_create("forked", 72, NULL);

        kmem_cache_alloc_bulk(arg, M_WAITOK, 30, mine);
        kmem_cache_free_bulk(arg, 30, mine);
        kmem_cache_destroy(c);
        kmem_cache_shrink(arg);
    }
    return NULL;
}

static int child(struct kmem_cache *c)
{
    struct kmem_cache *mine;

    for (unsigned i = 0; i < 100; i++)
        if (!(objs[i] = kmem_cache_alloc(c, M_WAITOK)) || !is_constructed(objs[i]))
            return 1;
    kmem_cache_free_bulk(c, 100, objs);
    kmem_cache_reap();
    mine = kmem_create("child", 500, NULL);
    if (!mine || kmem_cache_destroy(mine) != 0)
        return 2;
    return kmem_cache_verify(c) == 0 ? 0 : 3;
}

static void test_fork_amid_threads(void **state)
{
    struct kmem_cache *c = counted_cache(128, 0);
    pthread_t threads[3];

    (void)state;
    over = false;
    for (unsigned i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, worker, c);
    for (unsigned i = 0; i < 30; i++) {
        int status;
        pid_t pid;

        fork_begins();
        pid = fork();
        fork_ends(pid == 0);
        if (pid == 0)
            _exit(child(c));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    sk_store_relaxed(&over, true);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fork_amid_threads)};

    start(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
