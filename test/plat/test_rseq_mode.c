/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: which implementation runs. With restartable sequences the inline primitives hit and no
 *       slot lock is ever taken; in the portable mode they always miss and the locks do the work.
 *       argv[1]: the mode; argv[2] "own": libc must not have registered.
 */
#define _GNU_SOURCE
#include "arrays.h"
#include "plat/portable/slot_locks.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDX    3u
#define CAP    8u
#define PAIRS  10000u
#define ENOUGH (PAIRS / 2)

static struct array arr[64];
static int thing;
static unsigned hits_before_start;
static bool want_own;

static bool by_sections(void)
{
    return plat_mode() != PLAT_MODE_PORTABLE;
}

/* Asks for no slot: that would register the thread. */
static unsigned slot_0(void)
{
    return 0;
}

static unsigned inline_pairs(unsigned (*slot)(void))
{
    unsigned hits = 0;

    for (unsigned i = 0; i < PAIRS; i++)
        if (plat_slot_push(PLAT_KIND(IDX, slot()), &thing))
            hits += plat_slot_pop(IDX) == &thing || plat_slot_pop_retry(IDX) == &thing;
    return hits;
}

static void open_all(void)
{
    for (unsigned slot = 0; slot < plat_nslots() && slot < SK_ARRAY_SIZE(arr); slot++) {
        array_init(&arr[slot], CAP);
        plat_slot_open(slot, IDX, array_word(&arr[slot], 0));
    }
}

static void close_all(void)
{
    for (unsigned slot = 0; slot < plat_nslots() && slot < SK_ARRAY_SIZE(arr); slot++)
        plat_slot_stop(slot, IDX);
}

/* First of all tests: nothing has been opened yet. */
static void test_only_the_base_words_are_resident(void **state)
{
    size_t bytes = ((size_t)plat_nslots() + 2) << PLAT_SLOT_SHIFT;
    char *areas = plat_base + 16 - (1 << PLAT_SLOT_SHIFT);
    unsigned char *in = calloc(1, bytes / 4096);
    size_t n = 0;

    (void)state;
    assert_true(((uintptr_t)areas & 0xffff) == 0);
    assert_int_equal(mincore(areas, bytes, in), 0);
    for (size_t i = 0; i < bytes / 4096; i++)
        n += in[i] & 1;
    free(in);
    assert_int_equal(n, 1);
}

static void test_everything_misses_before_the_start(void **state)
{
    (void)state;
    assert_int_equal(hits_before_start, 0);
}

static void test_the_mode_decides_what_runs(void **state)
{
    uint64_t locked = portable_sections();
    unsigned hits;

    (void)state;
    open_all();
    hits = inline_pairs(plat_slot);
    if (by_sections()) {
        assert_true(hits >= ENOUGH);
        assert_int_equal(portable_sections(), 0);
    } else {
        assert_int_equal(hits, 0);
        assert_int_equal(portable_sections(), locked);
        assert_true(plat_slot_push_retry(IDX, &thing));
        assert_ptr_equal(plat_slot_pop_retry(IDX), &thing);
        assert_int_equal(portable_sections(), locked + 2);
    }
    close_all();
}

static void test_who_registered(void **state)
{
    static const char own[] = "own registration";

    (void)state;
    if (want_own)
        assert_memory_equal(plat_mode_reason(), own, sizeof(own) - 1);
    else if (by_sections())
        assert_memory_not_equal(plat_mode_reason(), own, sizeof(own) - 1);
}

struct seen {
    unsigned before, after;
};

static void *run_in_thread(void *arg)
{
    struct seen *seen = arg;

    seen->before = inline_pairs(want_own ? slot_0 : plat_slot);
    plat_slot();
    seen->after = inline_pairs(plat_slot);
    return NULL;
}

/* A thread that nobody registered misses until it first asks for its slot. */
static void test_a_new_thread_is_registered_on_demand(void **state)
{
    struct seen seen = {0, 0};
    pthread_t t;

    (void)state;
    open_all();
    assert_int_equal(pthread_create(&t, NULL, run_in_thread, &seen), 0);
    pthread_join(t, NULL);
    close_all();
    if (!by_sections()) {
        assert_int_equal(seen.before + seen.after, 0);
        return;
    }
    if (want_own)
        assert_int_equal(seen.before, 0);
    else
        assert_true(seen.before >= ENOUGH);
    assert_true(seen.after >= ENOUGH);
}

static int in_child(void)
{
    unsigned hits;

    plat_fork_child();
    hits = inline_pairs(plat_slot);
    close_all();
    if (by_sections())
        return hits < ENOUGH || inline_pairs(plat_slot) != 0;
    return hits != 0;
}

static void test_fork_keeps_the_mode(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    open_all();
    plat_fork_prepare();
    if (by_sections())
        assert_int_equal(inline_pairs(plat_slot), 0);
    pid = fork();
    if (pid == 0)
        _exit(in_child());
    plat_fork_parent();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(inline_pairs(plat_slot) >= (by_sections() ? ENOUGH : 0));
    close_all();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_base_words_are_resident),
        cmocka_unit_test(test_everything_misses_before_the_start),
        cmocka_unit_test(test_the_mode_decides_what_runs),
        cmocka_unit_test(test_who_registered),
        cmocka_unit_test(test_a_new_thread_is_registered_on_demand),
        cmocka_unit_test(test_fork_keeps_the_mode),
    };

    want_own = argc > 2 && strcmp(argv[2], "own") == 0;
    for (unsigned i = 0; i < PLAT_BOOT_INDICES; i++)
        hits_before_start += plat_slot_pop(i) != NULL || plat_slot_push(PLAT_KIND_NONE, &thing);
    start_plat(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
