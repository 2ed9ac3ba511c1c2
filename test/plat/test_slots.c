/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: each per-slot primitive alone, one thread, the same for every mode.
 * Why: the thread is pinned so that its slot stays; an inline primitive may miss at any time
 *      (an abort), so hits are asked for with the retrying forms or more than once.
 */
#define _GNU_SOURCE
#include "arrays.h"

#include <sched.h>

#define IDX 7u
#define CAP 4u

static struct array arr;
static int objs[ARRAY_CAP];

static void *obj(unsigned i)
{
    return &objs[i];
}

static uintptr_t word_now(void)
{
    return sk_load_acquire(plat_slot_word(plat_slot(), IDX));
}

static void open_with(unsigned k)
{
    array_init(&arr, CAP);
    for (unsigned i = 1; i <= k; i++)
        arr.a[i] = obj(i);
    plat_slot_open(plat_slot(), IDX, array_word(&arr, k));
}

static int pin(void **state)
{
    cpu_set_t set;

    (void)state;
    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    return sched_setaffinity(0, sizeof(set), &set);
}

static int close_array(void **state)
{
    (void)state;
    plat_slot_stop(plat_slot(), IDX);
    return 0;
}

static void test_a_closed_array_misses(void **state)
{
    void *out[2], *in[2] = {obj(1), obj(2)};

    (void)state;
    assert_null(plat_slot_pop(IDX));
    assert_null(plat_slot_pop_retry(IDX));
    assert_false(plat_slot_push(PLAT_KIND(IDX, plat_slot()), obj(1)));
    assert_false(plat_slot_push(PLAT_KIND(IDX, plat_slot() + 1), obj(1)));
    assert_false(plat_slot_push_retry(IDX, obj(1)));
    assert_int_equal(plat_slot_pop_n(IDX, out, 2), 0);
    assert_int_equal(plat_slot_push_n(IDX, in, 2), 0);
    assert_int_equal(word_now(), 0);
}

static void test_push_fills_to_the_mark_and_pop_empties(void **state)
{
    (void)state;
    open_with(0);
    for (unsigned i = 1; i <= CAP; i++)
        assert_true(plat_slot_push_retry(IDX, obj(i)));
    assert_int_equal(word_now(), array_word(&arr, CAP));
    assert_false(plat_slot_push_retry(IDX, obj(0)));
    assert_false(plat_slot_push(PLAT_KIND(IDX, plat_slot()), obj(0)));
    assert_ptr_equal(arr.a[CAP + 1], PLAT_MARK);
    for (unsigned i = CAP; i >= 1; i--)
        assert_ptr_equal(plat_slot_pop_retry(IDX), obj(i));
    assert_null(plat_slot_pop_retry(IDX));
    assert_null(plat_slot_pop(IDX));
    assert_int_equal(word_now(), array_word(&arr, 0));
}

static void test_capacity_zero_is_empty_and_full(void **state)
{
    (void)state;
    array_init(&arr, 0);
    plat_slot_open(plat_slot(), IDX, array_word(&arr, 0));
    assert_false(plat_slot_push_retry(IDX, obj(1)));
    assert_null(plat_slot_pop_retry(IDX));
    assert_ptr_equal(arr.a[1], PLAT_MARK);
}

static bool push_within(unsigned tries, uint32_t kind, void *o)
{
    while (tries--)
        if (plat_slot_push(kind, o))
            return true;
    return false;
}

/* The inline push misses for ever where the mode is not the one that it was built for. */
static void test_push_parts_own_from_foreign(void **state)
{
    static struct array foreign;
    uint32_t own = PLAT_KIND(IDX, plat_slot()), others = PLAT_KIND(IDX, plat_slot() + 1);
    bool hits;

    (void)state;
    open_with(0);
    array_init(&foreign, CAP);
    plat_slot_open(plat_slot(), PLAT_FOREIGN + IDX, array_word(&foreign, 0));
    hits = push_within(100, own, obj(1));
    assert_int_equal(push_within(100, others, obj(2)), hits);
    assert_int_equal(word_now(), array_word(&arr, hits));
    assert_int_equal(plat_slot_stop(plat_slot(), PLAT_FOREIGN + IDX), array_word(&foreign, hits));
    if (hits) {
        assert_ptr_equal(arr.a[1], obj(1));
        assert_ptr_equal(foreign.a[1], obj(2));
    }
}

static void test_pop_n_gives_what_there_is_top_first(void **state)
{
    void *out[CAP + 1] = {NULL};

    (void)state;
    open_with(3);
    assert_int_equal(plat_slot_pop_n(IDX, out, 2), 2);
    assert_ptr_equal(out[0], obj(3));
    assert_ptr_equal(out[1], obj(2));
    assert_null(out[2]);
    assert_int_equal(plat_slot_pop_n(IDX, out, 0), 0);
    assert_int_equal(word_now(), array_word(&arr, 1));
    assert_int_equal(plat_slot_pop_n(IDX, out, CAP + 1), 1);
    assert_ptr_equal(out[0], obj(1));
    assert_int_equal(plat_slot_pop_n(IDX, out, 1), 0);
}

static void test_push_n_takes_what_fits_from_the_first(void **state)
{
    void *in[CAP + 1];

    (void)state;
    for (unsigned i = 0; i <= CAP; i++)
        in[i] = obj(10 + i);
    open_with(1);
    assert_int_equal(plat_slot_push_n(IDX, in, 0), 0);
    assert_int_equal(plat_slot_push_n(IDX, in, CAP + 1), CAP - 1);
    for (unsigned i = 0; i < CAP - 1; i++)
        assert_ptr_equal(arr.a[2 + i], in[i]);
    assert_ptr_equal(arr.a[CAP + 1], PLAT_MARK);
    assert_int_equal(plat_slot_push_n(IDX, in, 1), 0);
    assert_int_equal(word_now(), array_word(&arr, CAP));
}

static void test_cas_stores_only_over_what_it_expects(void **state)
{
    unsigned slot = plat_slot();

    (void)state;
    open_with(2);
    assert_false(plat_slot_cas(slot, IDX, array_word(&arr, 1), array_word(&arr, 0)));
    assert_int_equal(word_now(), array_word(&arr, 2));
    assert_true(plat_slot_cas(slot, IDX, array_word(&arr, 2), array_word(&arr, 1)));
    assert_int_equal(word_now(), array_word(&arr, 1));
    assert_ptr_equal(plat_slot_pop_retry(IDX), obj(1));
}

/* By locks any slot can be had; by sections only the one the thread runs on. */
static void test_cas_on_another_slot(void **state)
{
    unsigned other = (plat_slot() + 1) % plat_nslots();
    bool here = plat_mode() == PLAT_MODE_PORTABLE;
    struct array away;

    (void)state;
    if (plat_nslots() == 1)
        skip();
    array_init(&away, CAP);
    plat_slot_open(other, IDX, array_word(&away, 0));
    assert_int_equal(plat_slot_cas(other, IDX, array_word(&away, 0), array_word(&away, 1)), here);
    assert_int_equal(plat_slot_stop(other, IDX), array_word(&away, here ? 1 : 0));
}

static void test_stop_returns_the_word_and_closes(void **state)
{
    (void)state;
    open_with(3);
    assert_int_equal(plat_slot_stop(plat_slot(), IDX), array_word(&arr, 3));
    assert_int_equal(word_now(), 0);
    assert_null(plat_slot_pop_retry(IDX));
    assert_int_equal(plat_slot_stop(plat_slot(), IDX), 0);
}

/* On every slot, so that all but one of them take the fence. */
static void test_stop_many_on_every_slot(void **state)
{
    unsigned idx[3] = {1, 500, PLAT_SLOT_ARRAYS - 1};
    uintptr_t words[3];
    struct array r[2];

    (void)state;
    array_init(&r[0], CAP);
    array_init(&r[1], CAP);
    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        plat_slot_open(slot, idx[0], array_word(&r[0], 2));
        plat_slot_open(slot, idx[2], array_word(&r[1], 4));
        plat_slot_stop_many(slot, idx, words, 3);
        assert_int_equal(words[0], array_word(&r[0], 2));
        assert_int_equal(words[1], 0);
        assert_int_equal(words[2], array_word(&r[1], 4));
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(*plat_slot_word(slot, idx[i]), 0);
    }
}

static void test_slots_and_nodes_are_in_range(void **state)
{
    (void)state;
    assert_in_range(plat_nslots(), 1, 65536);
    assert_true(plat_slot() < plat_nslots());
    assert_in_range(plat_nnodes(), 1, PLAT_NODES_MAX);
    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        assert_true(plat_slot_node(slot) < plat_nnodes());
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_closed_array_misses),
        cmocka_unit_test_teardown(test_push_fills_to_the_mark_and_pop_empties, close_array),
        cmocka_unit_test_teardown(test_capacity_zero_is_empty_and_full, close_array),
        cmocka_unit_test_teardown(test_push_parts_own_from_foreign, close_array),
        cmocka_unit_test_teardown(test_pop_n_gives_what_there_is_top_first, close_array),
        cmocka_unit_test_teardown(test_push_n_takes_what_fits_from_the_first, close_array),
        cmocka_unit_test_teardown(test_cas_stores_only_over_what_it_expects, close_array),
        cmocka_unit_test(test_cas_on_another_slot),
        cmocka_unit_test(test_stop_returns_the_word_and_closes),
        cmocka_unit_test(test_stop_many_on_every_slot),
        cmocka_unit_test(test_slots_and_nodes_are_in_range),
    };

    start_plat(argc, argv);
    return cmocka_run_group_tests(tests, pin, NULL);
}
