/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: fork while other threads are anywhere in the layer: the child alone can do everything. */
#include "churn.h"

#include <sys/wait.h>
#include <unistd.h>

static void *churn(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    while (!sk_load_acquire(&stopping)) {
        size_t pages = 1 + below(&random, 20);
        char *p = region_alloc(pages, 1, NULL);
        if (p) {
            *p = 1;
            region_free(p, pages);
        }
        void *h = region_huge_alloc(PAGES(1), 1);
        if (h)
            region_huge_free(h);
        meta_free(meta_alloc(100), 100);
    }
    return NULL;
}

/* The child alone can do everything. */
static int in_child(void)
{
    alarm(20);
    if (!sound())
        return 1;
    char *p = region_alloc(8, 1, NULL);
    void *h = region_huge_alloc(PAGES(2), 1), *m = meta_alloc(64);
    if (!p || !h || !m)
        return 2;
    *p = 1;
    region_free(p, 8);
    meta_free(m, 64);
    if (!region_huge_free(h))
        return 3;
    region_reap(0, true);
    region_trim_excess();
    return stats().dirty_bytes == 0 && sound() ? 0 : 4;
}

static int fork_once(void)
{
    int status = -1;
    region_fork_prepare();
    meta_fork_prepare();
    pid_t pid = fork();
    if (pid == 0) {
        meta_fork_child();
        region_fork_child();
        _exit(in_child());
    }
    meta_fork_parent();
    region_fork_parent();
    if (pid > 0)
        waitpid(pid, &status, 0);
    return status;
}

static void test_fork_while_all_is_moving(void **state)
{
    (void)state;
    pthread_t thread[3];
    start(200, 20, 0);
    sk_store_release(&stopping, false);
    assert_int_equal(pthread_create(&thread[0], NULL, churn, (void *)7), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, churn, (void *)9), 0);
    assert_int_equal(pthread_create(&thread[2], NULL, purger, NULL), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(fork_once(), 0);
    sk_store_release(&stopping, true);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    assert_true(sound());
    assert_int_equal(stats().used_bytes, 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fork_while_all_is_moving)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
