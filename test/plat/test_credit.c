/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: credit is conserved: what threads took, and what is left, is what was given, while others
 *       take, compare and stop; and waiting for a word ends.
 * Why: more threads than CPUs, so that threads are preempted inside primitives.
 */
#include "arrays.h"

#include <pthread.h>

#define THREADS 6u
#define ROUNDS  200000u
#define GRANT   1000u
#define STOPS   400u

/* Words of slots -2 on, for any number of slots. */
static char *memory;
static struct plat_lock lock;
static uint64_t given; /* by the holder of lock */
static uint64_t took;  /* atomic */
static bool over;

static struct plat_credit *cells(void)
{
    return (struct plat_credit *)(void *)(memory + 2 * PLAT_CREDIT_BYTES);
}

static int make_cells(void **state)
{
    (void)state;
    memory = calloc(plat_nslots() + 2, PLAT_CREDIT_BYTES);
    given = took = 0;
    over = false;
    return memory == NULL;
}

static int drop_cells(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

/* Adds to the credit of the slot we run on, as long as we run there. */
static void give(void)
{
    unsigned slot = plat_slot();
    uint64_t old = sk_load_relaxed(&plat_credit_of(cells(), slot)->pc_word);

    if (plat_credit_cas(cells(), slot, old, old + GRANT))
        given += GRANT;
}

static void *taker(void *arg)
{
    uint64_t mine = 0, seed = (uintptr_t)arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t amount = 1 + (seed = seed * 6364136223846793005ull + 1) % 7;

        if (plat_credit_take(cells(), amount) || plat_credit_take_retry(cells(), amount)) {
            mine += amount;
            continue;
        }
        plat_lock(&lock);
        give();
        plat_unlock(&lock);
    }
    sk_add_relaxed(&took, mine);
    return NULL;
}

/* What is stopped was not taken. */
static void stop(void)
{
    plat_lock(&lock);
    plat_credit_stop(cells());
    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        given -= plat_credit_of(cells(), slot)->pc_stopped;
    plat_unlock(&lock);
}

static void *stopper(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < STOPS || !sk_load_acquire(&over); i++) {
        stop();
        sched_yield();
    }
    return NULL;
}

static void test_credit_is_conserved(void **state)
{
    pthread_t threads[THREADS], stopping;

    (void)state;
    pthread_create(&stopping, NULL, stopper, NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, taker, (void *)(i + 1));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    sk_store_release(&over, true);
    pthread_join(stopping, NULL);
    stop();
    assert_true(took > 0);
    assert_int_equal(given, took);
}

static void test_one_is_always_left(void **state)
{
    unsigned slot = plat_slot();

    (void)state;
    assert_false(plat_credit_take_retry(cells(), 1));
    for (unsigned i = 0; i < plat_nslots(); i++)
        plat_credit_of(cells(), i)->pc_word = 8;
    assert_false(plat_credit_take_retry(cells(), 8));
    assert_true(plat_credit_take_retry(cells(), 7));
    plat_credit_stop(cells());
    for (unsigned i = 0; i < plat_nslots(); i++) {
        uint64_t left = plat_credit_of(cells(), i)->pc_stopped;

        assert_int_equal(plat_credit_of(cells(), i)->pc_word, 0);
        assert_true(left == 8 || left == 1);
        took += left;
    }
    assert_int_equal(took, 8 * plat_nslots() - 7);
    plat_credit_stop(cells());
    assert_int_equal(plat_credit_of(cells(), slot)->pc_stopped, 0);
}

/* ---- waiting ---------------------------------------------------------------------------------- */

static uint32_t word;

static void *waker(void *arg)
{
    (void)arg;
    sk_store_release(&word, 1);
    plat_wake(&word);
    return NULL;
}

static void test_a_wait_ends(void **state)
{
    pthread_t thread;

    (void)state;
    plat_wait(&word, 1, 1000000);
    plat_wait(&word, 0, 1);
    pthread_create(&thread, NULL, waker, NULL);
    while (sk_load_acquire(&word) == 0)
        plat_wait(&word, 0, 1000000);
    pthread_join(thread, NULL);
    assert_int_equal(word, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_credit_is_conserved, make_cells, drop_cells),
        cmocka_unit_test_setup_teardown(test_one_is_always_left, make_cells, drop_cells),
        cmocka_unit_test(test_a_wait_ends),
    };

    start_plat(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
