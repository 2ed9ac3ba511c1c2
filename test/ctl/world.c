/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what debug reports know of a hosted process: the program's own calls in order, names, ids, and that
 *       finding out allocates nothing.
 */
#define _GNU_SOURCE
#include "../slab/fixture.h"

#include "cache/debug_internal.h"
#include "ctl/world.h"

#include <malloc.h>
#include <pthread.h>

static struct kmem_debug d;
static _Alignas(16) char raw[1024];

static int start_world(void **state)
{
    plat_init(&(struct plat_config){0});
    world_install();
    kmem_debug_layout(&d, 24, 8, KMEM_STORE_USER);
    kmem_debug_made(&d, "shelf", raw);
    (void)state;
    return 0;
}

/* Exported, so that the loader knows their names. Something stays to be done after each call. */
SK_EXPORT SK_NOINLINE unsigned world_inner(unsigned depth);
SK_EXPORT SK_NOINLINE unsigned world_outer(unsigned depth);

static SK_NOINLINE void library_call(void)
{
    kmem_debug_alloc(&d, "shelf", raw, false, __builtin_return_address(0));
    __asm__ volatile("");
}

unsigned world_inner(unsigned depth)
{
    unsigned n = 1;

    if (depth)
        n += world_inner(depth - 1);
    else
        library_call();
    __asm__ volatile("" : "+r"(n));
    return n;
}

unsigned world_outer(unsigned depth)
{
    unsigned n = world_inner(depth);

    __asm__ volatile("" : "+r"(n));
    return n;
}

static const struct debug_track *track(void)
{
    return &debug_history(raw)->alloc;
}

static const char *place(unsigned i)
{
    static char line[256];
    struct text t;

    text_init(&t, line, sizeof(line));
    debug_word_place(&t, track()->pcs[i]);
    return text_end(&t);
}

static void test_stack_in_order(void **state)
{
    (void)state;
    world_outer(2);
    assert_true(track()->depth >= 5);
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(strstr(place(i), " world_inner+0x"));
    assert_non_null(strstr(place(3), " world_outer+0x"));
}

static void test_stack_is_bounded(void **state)
{
    (void)state;
    world_outer(100);
    assert_int_equal(track()->depth, KMEM_DEBUG_STACK);
    assert_non_null(strstr(place(KMEM_DEBUG_STACK - 1), " world_inner+0x"));
}

/* "0x1234 world_inner+0x10 (ctl_world+0x1234)" */
static void test_place(void **state)
{
    char want[256], *file;
    unsigned long at, in_function, in_file;

    (void)state;
    world_outer(0);
    assert_int_equal(
        sscanf(place(0), "0x%lx world_inner+0x%lx (ctl_world+0x%lx)", &at, &in_function, &in_file),
        3);
    assert_int_equal(at, (uintptr_t)track()->pcs[0]);
    assert_int_equal(at - in_function, (uintptr_t)world_inner);
    snprintf(want, sizeof(want), "(ctl_world+0x%lx)", in_file);
    file = strchr(place(0), '(');
    assert_string_equal(file, want);
}

/* Where nothing is loaded there is no name. */
static void test_no_place(void **state)
{
    struct text t;
    char line[64];

    (void)state;
    text_init(&t, line, sizeof(line));
    debug_word_place(&t, (void *)0x10);
    assert_string_equal(text_end(&t), "0x10");
}

/* A caller that is on no stack of this thread is all there is. */
static void test_unknown_caller(void **state)
{
    (void)state;
    kmem_debug_alloc(&d, "shelf", raw, false, (void *)0x1234);
    assert_int_equal(track()->depth, 1);
    assert_ptr_equal(track()->pcs[0], (void *)0x1234);
}

static void test_ids(void **state)
{
    (void)state;
    world_outer(0);
    assert_int_equal(track()->pid, getpid());
    assert_int_equal(track()->tid, gettid());
}

static void *note_in_thread(void *out)
{
    world_outer(0);
    *(pid_t *)out = gettid();
    return NULL;
}

static void test_ids_of_a_thread(void **state)
{
    pthread_t thread;
    pid_t tid = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, note_in_thread, &tid), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_not_equal(tid, gettid());
    assert_int_equal(track()->tid, tid);
    assert_int_equal(track()->pid, getpid());
}

static void test_ids_of_a_child(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    world_outer(0);
    pid = fork();
    if (pid == 0) {
        world_fork_child();
        world_outer(0);
        _exit(track()->pid == (uint32_t)getpid() && track()->tid == (uint32_t)getpid() ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_nothing_is_allocated(void **state)
{
    struct mallinfo2 before, after;

    (void)state;
    world_outer(0);
    before = mallinfo2();
    for (unsigned i = 0; i < 100; i++)
        world_outer(i % 20);
    after = mallinfo2();
    assert_int_equal(after.uordblks, before.uordblks);
    assert_int_equal(after.arena, before.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack_in_order),
        cmocka_unit_test(test_stack_is_bounded),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_unknown_caller),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_ids_of_a_thread),
        cmocka_unit_test(test_ids_of_a_child),
        cmocka_unit_test(test_nothing_is_allocated),
    };
    return cmocka_run_group_tests(tests, start_world, NULL);
}
