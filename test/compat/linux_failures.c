/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: GFP flags when there is no memory: what is tried again, what is said, what is never NULL, and that GFP_NOWAIT
 *       makes no system call.
 */
#include "../slab/fixture.h"
#include "unit.h"

#include <linux/slab.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static struct kmem_cache *cache;

static int make_cache(void **state)
{
    (void)state;
    cache = kmem_cache_create("failing", 200, 0, 0, NULL);
    return cache == NULL;
}

static int drop_cache(void **state)
{
    struct kmem_cache_fail none = {0};

    (void)state;
    kmem_cache_fail(cache, &none);
    kmem_cache_destroy(cache);
    return 0;
}

static void fail_next(long times)
{
    struct kmem_cache_fail all = {.rate = 1, .times = times};

    assert_int_equal(kmem_cache_fail(cache, &all), 0);
}

static bool succeeds(long failures, gfp_t gfp)
{
    void *p;

    fail_next(failures);
    p = kmem_cache_alloc(cache, gfp);
    fail_next(0);
    kmem_cache_free(cache, p);
    return p != NULL;
}

static void test_attempts(void **state)
{
    (void)state;
    assert_true(succeeds(0, GFP_NOWAIT) || succeeds(0, GFP_KERNEL));
    assert_false(succeeds(1, GFP_NOWAIT));
    assert_false(succeeds(1, GFP_ATOMIC | __GFP_NOWARN | __GFP_RETRY_MAYFAIL));
    assert_false(succeeds(1, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY));
    assert_true(succeeds(4, GFP_KERNEL | __GFP_RETRY_MAYFAIL));
    assert_false(succeeds(5, GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN));
    assert_true(succeeds(6, GFP_KERNEL | __GFP_NOFAIL));
}

static void test_bulk_attempts(void **state)
{
    void *objs[10];

    (void)state;
    fail_next(1);
    assert_int_equal(kmem_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_NOWARN, 10, objs), 0);
    fail_next(3);
    assert_int_equal(kmem_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_NOFAIL, 10, objs), 10);
    kmem_cache_free_bulk(cache, 10, objs);
}

/* ---- what is said ------------------------------------------------------------------------------ */

static void fail_many(void *gfp)
{
    fail_next(-1);
    for (unsigned i = 0; i < 30; i++)
        if (kmem_cache_alloc(cache, *(gfp_t *)gfp))
            _exit(1);
}

static unsigned lines_said(gfp_t gfp, const char *line)
{
    struct death d = die_in_child(fail_many, &gfp);
    unsigned n = 0;

    assert_int_equal(d.status, 0);
    for (char *at = d.text; *at; at += strlen(line), n++)
        assert_memory_equal(at, line, strlen(line));
    return n;
}

static void test_ten_lines(void **state)
{
    char line[100];

    (void)state;
    snprintf(line, sizeof(line), "slabkit: no memory: 200 bytes of failing, gfp 0x%x\n", GFP_NOFS);
    assert_int_equal(lines_said(GFP_NOFS, line), 10);
    assert_int_equal(lines_said(GFP_KERNEL | __GFP_NOWARN, line), 0);
    assert_int_equal(lines_said(GFP_NOWAIT, line), 0);
    assert_int_equal(lines_said(0, line), 0);
}

/* ---- never NULL ---------------------------------------------------------------------------------- */

static void nofail_in_vain(void *arg)
{
    (void)arg;
    fail_next(-1);
    kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL);
}

static void test_nofail_ends_with_a_line(void **state)
{
    (void)state;
    expect_death(nofail_in_vain, NULL,
                 "slabkit: an allocation of 200 bytes from failing must not fail, and did\n");
}

static enum malloc_full give_up(struct malloc_type *type, size_t size, void *arg)
{
    (void)type;
    (void)size;
    (void)arg;
    return MALLOC_FULL_NULL;
}

static void block_in_vain(void *fn)
{
    kmalloc_on_full(M_LINUX, 20, *(malloc_full_fn **)fn, NULL);
    kmalloc_raise_limit(M_LINUX, 0);
    kzalloc(100, GFP_KERNEL | __GFP_NOFAIL);
}

static void test_nofail_of_blocks(void **state)
{
    malloc_full_fn *none = NULL, *null = give_up;

    (void)state;
    expect_death(block_in_vain, &none,
                 "slabkit: type linux: an allocation of 100 bytes waited in vain\n");
    expect_death(block_in_vain, &null,
                 "slabkit: an allocation of 100 bytes from linux must not fail, and did\n");
}

static void *blocked_alloc(void *got)
{
    __atomic_store_n((void **)got, kmalloc(1000, GFP_NOFS | __GFP_NOFAIL), __ATOMIC_RELEASE);
    return NULL;
}

/* At the limit, an allocation that must not fail waits for another thread's free. */
static void test_nofail_waits(void **state)
{
    struct malloc_type_stats before, stats;
    void *first, *got = NULL;
    pthread_t thread;

    (void)state;
    malloc_type_stats(M_LINUX, &before);
    first = kmalloc(1000, GFP_KERNEL);
    malloc_type_stats(M_LINUX, &stats);
    kmalloc_raise_limit(M_LINUX, (size_t)stats.memuse);
    assert_null(kmalloc(1000, GFP_KERNEL | __GFP_NOWARN));
    assert_int_equal(pthread_create(&thread, NULL, blocked_alloc, &got), 0);
    do
        malloc_type_stats(M_LINUX, &stats);
    while (stats.waits == before.waits);
    assert_null(__atomic_load_n(&got, __ATOMIC_ACQUIRE));
    kfree(first);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_non_null(got);
    kfree(got);
    kmalloc_raise_limit(M_LINUX, KMALLOC_NO_LIMIT);
}

static void create_in_vain(void *arg)
{
    (void)arg;
    kmem_cache_create("impossible", 64, 3, SLAB_PANIC, NULL);
}

static void test_panic(void **state)
{
    (void)state;
    expect_death(create_in_vain, NULL,
                 "slabkit: a cache that must be there cannot be created: impossible, objects of 64 "
                 "bytes\n");
}

/* ---- no system calls ----------------------------------------------------------------------------- */

#define ALLOW(nr)                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static bool forbid_system_calls(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(__NR_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Not by _exit, where sanitizers look for leaks. */
static void end(int status)
{
    syscall(SYS_exit_group, status);
}

#define HELD 5000u

/* Until nothing is at hand any more, and again. */
static void allocate_without_waiting(void *arg)
{
    static void *held[HELD];
    unsigned n = 0, failures = 0;

    (void)arg;
    if (!forbid_system_calls())
        end(77);
    while (n < HELD && failures < 100) {
        void *p = n % 2 ? kmem_cache_alloc(cache, GFP_NOWAIT) : kmalloc(20000, GFP_NOWAIT);

        if (p)
            held[n++] = p;
        else
            failures++;
        if (!p && n)
            kfree(held[--n]);
    }
    end(failures ? 0 : 1);
}

/* The thread sanitizer makes calls of its own, at any time. */
#ifdef SLABKIT_TSAN
#define TSAN 1
#else
#define TSAN 0
#endif

static void test_nowait_makes_no_system_call(void **state)
{
    void *p[20];
    struct death d;

    (void)state;
#if TSAN
    skip();
#endif
    for (unsigned i = 0; i < 20; i++)
        p[i] = i % 2 ? kmem_cache_alloc(cache, GFP_KERNEL) : kmalloc(20000, GFP_KERNEL);
    for (unsigned i = 0; i < 20; i++)
        kfree(p[i]);
    d = die_in_child(allocate_without_waiting, NULL);
    if (WIFEXITED(d.status) && WEXITSTATUS(d.status) == 77)
        skip();
    assert_int_equal(d.status, 0);
}

#define WITH_CACHE(test) cmocka_unit_test_setup_teardown(test, make_cache, drop_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CACHE(test_attempts),
        WITH_CACHE(test_bulk_attempts),
        WITH_CACHE(test_ten_lines),
        WITH_CACHE(test_nofail_ends_with_a_line),
        cmocka_unit_test(test_nofail_of_blocks),
        cmocka_unit_test(test_nofail_waits),
        cmocka_unit_test(test_panic),
        WITH_CACHE(test_nowait_makes_no_system_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
