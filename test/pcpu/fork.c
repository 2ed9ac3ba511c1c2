/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: fork in the middle of everything: with the hooks of all layers in their order the child
 *       finds every structure whole and every lock free, and goes on allocating; so does the
 *       parent.
 */
#include "comers.h"

#define WORKERS 3u
#define FORKS   25u
#define KEPT    500u

static unsigned faults;

static void prepare(void)
{
    plat_enter();
    pcpu_fork_prepare();
    region_fork_prepare();
    meta_fork_prepare();
    plat_fork_prepare();
}

static void in_parent(void)
{
    plat_fork_parent();
    meta_fork_parent();
    region_fork_parent();
    pcpu_fork_parent();
    plat_leave();
}

static void in_child(void)
{
    plat_fork_child();
    meta_fork_child();
    region_fork_child();
    pcpu_fork_child();
    plat_leave();
}

static void *worker(void *arg)
{
    uint64_t seed = (uintptr_t)arg;
    void *held[64] = {0};
    unsigned k[64] = {0};

    while (!sk_load_acquire(&over)) {
        unsigned i = draw(&seed, 64);

        if (held[i]) {
            cache_free(&caches[k[i]], held[i]);
            held[i] = NULL;
        } else {
            k[i] = draw(&seed, 4);
            held[i] = cache_alloc(&caches[k[i]]);
            memset(held[i], (int)i, caches[k[i]].pc_geom.size);
        }
    }
    for (unsigned i = 0; i < 64; i++)
        if (held[i])
            cache_free(&caches[k[i]], held[i]);
    return NULL;
}

static void *kept[KEPT];

static bool kept_whole(void)
{
    for (unsigned i = 0; i < KEPT; i++)
        if (!stamp_holds(kept[i], caches[1].pc_geom.size, i))
            return false;
    return true;
}

/* Exit status; each is another thing that is wrong. */
static int child(void)
{
    void *own[2000];

    for (unsigned k = 0; k < CACHES; k++)
        if (pcpu_verify(&caches[k], print_fault) != 0)
            return 1;
    if (!region_verify())
        return 2;
    for (unsigned i = 0; i < 2000; i++) {
        own[i] = cache_alloc(&caches[1]);
        if (!own[i])
            return 3;
        stamp_object(own[i], caches[1].pc_geom.size, 77);
    }
    if (!kept_whole())
        return 4;
    for (unsigned i = 0; i < 2000; i++)
        cache_free(&caches[1], own[i]);
    for (unsigned i = 0; i < KEPT; i++)
        cache_free(&caches[1], kept[i]);
    drain_all();
    for (unsigned pass = 0; pass < 6; pass++)
        reap();
    for (unsigned k = 0; k < CACHES; k++)
        if (!(pcpu_verify(&caches[k], print_fault) == 0 && in_arrays(&caches[k]) == 0))
            return 5;
    return 0;
}

static void fork_once(void)
{
    int status;
    pid_t pid;

    prepare();
    pid = fork();
    if (pid == 0) {
        in_child();
        alarm(60);
        _exit(child());
    }
    in_parent();
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_fork_with_threads(void **state)
{
    pthread_t threads[WORKERS];

    (void)state;
    for (unsigned i = 0; i < KEPT; i++) {
        kept[i] = cache_alloc(&caches[1]);
        stamp_object(kept[i], caches[1].pc_geom.size, i);
    }
    for (uintptr_t i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], NULL, worker, (void *)(i + 1));
    for (unsigned i = 0; i < FORKS; i++)
        fork_once();
    sk_store_release(&over, true);
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(faults, 0);
    assert_true(kept_whole());
    assert_true(at_rest(&caches[1], KEPT));
    for (unsigned i = 0; i < KEPT; i++)
        cache_free(&caches[1], kept[i]);
    expect_empty();
}

/* ---- caches that come and go ------------------------------------------------------------------- */

/* What the walker had in its hands at the fork is lost to the child: an object then counts as out. */
static void end_in_child(struct pcpu_cache *c)
{
    pcpu_cache_hide(c);
    drain(c);
    plat_enter();
    if (pcpu_objs_out(c) == 0)
        pcpu_cache_close(c);
    plat_leave();
}

/* A walker may be at a cache when another thread forks: the child can end that cache. */
static void test_fork_beside_a_walker(void **state)
{
    struct pcpu_cache *c = make(64, PCPU_ARRAYS);
    pthread_t thread;

    (void)state;
    over = false;
    use(c, OBJS);
    pthread_create(&thread, NULL, walker, NULL);
    for (unsigned i = 0; i < 40; i++) {
        pid_t pid;
        int status;

        prepare();
        pid = fork();
        if (pid == 0) {
            in_child();
            use(c, 100);
            end_in_child(c);
            _exit(region_verify() ? 0 : 1);
        }
        in_parent();
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    sk_store_relaxed(&over, true);
    pthread_join(thread, NULL);
    end(c);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_with_threads),
        cmocka_unit_test(test_fork_beside_a_walker),
    };

    start(argc, argv, 0, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
