/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the port's pages: what plat.h promises of reserve, commit, decommit, discard, map and remap;
 *       that nothing is lost when a commit is refused in the middle; that no CPU goes on seeing memory
 *       that was given back.
 */
#include "engine.h"

#define PAGE PLAT_PAGE_BYTES

static size_t frames(void)
{
    return kern64_frames_free_bytes(KERN64_ALL_NODES) / PAGE;
}

static bool reads_zero(const char *p, size_t bytes)
{
    return is_zero(p, bytes);
}

/* Page tables come once and stay: the second time costs the pages alone. */
static void touch_tables(char *p, size_t bytes)
{
    assert_true(plat_commit(p, bytes));
    plat_decommit(p, bytes);
}

static void test_commit_and_decommit(void **state)
{
    char *p = plat_reserve(64 * PAGE, 16 * PAGE);
    size_t before;

    (void)state;
    assert_int_equal((uintptr_t)p % (16 * PAGE), 0);
    touch_tables(p, 64 * PAGE);
    before = frames();
    assert_true(plat_commit(p + PAGE, 10 * PAGE));
    assert_int_equal(frames(), before - 10);
    assert_true(reads_zero(p + PAGE, 10 * PAGE));
    memset(p + PAGE, 0x33, 10 * PAGE);
    /* What is committed stays as it is. */
    assert_true(plat_commit(p, 12 * PAGE));
    assert_int_equal(frames(), before - 12);
    assert_int_equal(p[PAGE], 0x33);
    assert_true(reads_zero(p, PAGE));
    plat_discard(p, 5 * PAGE);
    assert_true(reads_zero(p, 5 * PAGE));
    assert_int_equal(p[5 * PAGE], 0x33);
    plat_decommit(p, 6 * PAGE);
    assert_int_equal(frames(), before - 6);
    assert_false(kern64_is_backed(p + 5 * PAGE));
    assert_true(kern64_is_backed(p + 6 * PAGE));
    assert_true(plat_commit(p, 6 * PAGE));
    assert_true(reads_zero(p, 6 * PAGE));
    plat_release(p, 64 * PAGE);
    assert_int_equal(frames(), before);
}

/* Every frame but a few is taken: a larger commit takes none at all. */
static void test_refused_commit_changes_nothing(void **state)
{
    size_t many = frames(), left;
    char *p = plat_reserve(2 * many * PAGE, PAGE);

    (void)state;
    assert_non_null(p);
    assert_false(plat_commit(p, 2 * many * PAGE));
    left = frames();
    assert_true(left > many / 2);
    assert_false(plat_commit(p, 2 * many * PAGE));
    assert_int_equal(frames(), left);
    for (size_t i = 0; i < 2 * many; i += 97)
        assert_false(kern64_is_backed(p + i * PAGE));
    assert_true(plat_commit(p, left * PAGE));
    assert_int_equal(frames(), 0);
    assert_null(plat_map(PAGE, PAGE));
    assert_false(plat_commit(p + left * PAGE, PAGE));
    /* Among pages that are there already: those stay. */
    assert_false(plat_commit(p + (left - 4) * PAGE, 8 * PAGE));
    assert_true(kern64_is_backed(p + (left - 1) * PAGE));
    plat_release(p, 2 * many * PAGE);
    assert_int_equal(frames(), left);
    assert_true(kern64_frames_verify());
}

static void test_map_and_remap(void **state)
{
    char *p = plat_map(3 * PAGE, PAGE), *q, *other;
    size_t before;

    (void)state;
    assert_non_null(p);
    assert_true(reads_zero(p, 3 * PAGE));
    stamp(p, 3 * PAGE, 1);
    before = frames();
    q = plat_remap(p, 3 * PAGE, 100 * PAGE); /* more than its piece of address space */
    assert_non_null(q);
    assert_ptr_not_equal(q, p);
    assert_true(prefix_holds(q, 3 * PAGE, 3 * PAGE, 1));
    assert_true(reads_zero(q + 3 * PAGE, 97 * PAGE));
    assert_false(kern64_is_backed(p));
    assert_true(frames() >= before - 97 - 4);
    other = plat_map(PAGE, PAGE); /* where p was, maybe */
    assert_true(reads_zero(other, PAGE));
    assert_ptr_equal(plat_remap(q, 100 * PAGE, 5 * PAGE), q);
    assert_true(prefix_holds(q, 3 * PAGE, 3 * PAGE, 1));
    assert_int_equal((uintptr_t)plat_map(PAGE, (size_t)1 << 20) % ((size_t)1 << 20), 0);
    assert_null(plat_map(SIZE_MAX / 2, PAGE));
    assert_null(plat_reserve((size_t)1 << 50, PAGE));
    plat_release(q, 5 * PAGE);
    plat_release(other, PAGE);
}

/* ---- what other CPUs see ------------------------------------------------------------------------------- */

static char *shared;
static unsigned turn; /* atomic: odd: the others read; even: this CPU changes */
static unsigned readers, wrong;

#define TURNS 200u

static void *reader(void *arg)
{
    (void)arg;
    for (unsigned t = 1; t < 2 * TURNS; t += 2) {
        while (sk_load_acquire(&turn) != t)
            kern64_wait_turn();
        /* Its translation of before names another frame, which holds 0xee by now. */
        if (sk_load_relaxed((uint64_t *)shared) != t)
            sk_add_relaxed(&wrong, 1);
        sk_sub_relaxed(&readers, 1);
    }
    return NULL;
}

/* Another frame each time: the old one is taken, and filled, before the page is committed again. */
static void test_no_stale_translation(void **state)
{
    pthread_t thread[3];
    char *taken[TURNS];

    (void)state;
    shared = plat_map(PAGE, PAGE);
    for (unsigned i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, reader, NULL);
    for (unsigned t = 1; t < 2 * TURNS; t += 2) {
        *(uint64_t *)shared = t;
        sk_store_relaxed(&readers, 3u);
        sk_store_release(&turn, t);
        while (sk_load_acquire(&readers))
            kern64_wait_turn();
        plat_decommit(shared, PAGE);
        taken[t / 2] = plat_map(PAGE, PAGE);
        memset(taken[t / 2], 0xee, PAGE);
        assert_true(plat_commit(shared, PAGE));
    }
    for (unsigned i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(wrong, 0);
    for (unsigned i = 0; i < TURNS; i++)
        plat_release(taken[i], PAGE);
    plat_release(shared, PAGE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commit_and_decommit),
        cmocka_unit_test(test_refused_commit_changes_nothing),
        cmocka_unit_test(test_map_and_remap),
        cmocka_unit_test(test_no_stale_translation),
    };

    (void)argc;
    (void)argv;
    plat_init(&(struct plat_config){0});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
