/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: every change of a slab's state: the lists it leaves and joins, its owner, both ways to
 *       fail.
 */
#include "fixture.h"

static struct slab_geom geom;
static struct list mine, orphans, idle;
static struct slab *s;
static void *out[4096];

static int set_up(void **state)
{
    (void)state;
    list_init(&mine);
    list_init(&orphans);
    list_init(&idle);
    s = slab_new_on(&geom, &mine);
    return 0;
}

static void take_all(void)
{
    assert_int_equal(slab_take(s, out, 4096), geom.objs);
}

static void test_partial_to_away_and_back(void **state)
{
    (void)state;
    take_all();
    assert_true(slab_partial_to_away(s));
    assert_true(list_empty(&mine));
    assert_int_equal(s->sl_state, SLAB_OFF);
    assert_int_equal(s->sl_remote, SLAB_AWAY);
    assert_true(slab_verify(s));

    assert_true(slab_away_to_partial(s, &mine));
    assert_true(alone_on(s, &mine));
    assert_int_equal(s->sl_state, SLAB_PARTIAL);
    assert_int_equal(s->sl_remote, SLAB_EMPTY);
    assert_int_equal(slab_put(s, out[5]), MISUSE_KINDS);
    assert_true(slab_verify(s));
}

/* A chain came between the last take and the step: the slab stays where it is. */
static void test_partial_to_away_fails_on_a_chain(void **state)
{
    (void)state;
    take_all();
    assert_false(slab_push_remote(s, out[1], out[1]));
    assert_false(slab_partial_to_away(s));
    assert_true(alone_on(s, &mine));
    assert_int_equal(s->sl_state, SLAB_PARTIAL);
    assert_ptr_equal(s->sl_remote, out[1]);
    assert_int_equal(slab_collect(s), 1);
    assert_int_equal(slab_avail(s), 1);
    assert_int_equal(slab_take(s, out, 2), 1);
    assert_true(slab_partial_to_away(s));
}

/* A pusher was first: the slab is its to link, and the owner's object goes through the word. */
static void test_away_to_partial_fails_after_a_pusher(void **state)
{
    (void)state;
    take_all();
    assert_true(slab_partial_to_away(s));
    assert_true(slab_push_remote(s, out[1], out[1]));
    assert_false(slab_away_to_partial(s, &mine));
    assert_true(list_empty(&mine));
    assert_int_equal(s->sl_state, SLAB_OFF);
    assert_ptr_equal(s->sl_remote, out[1]);
    assert_false(slab_push_remote(s, out[2], out[2]));

    slab_returned_to_partial(s, &mine);
    assert_true(alone_on(s, &mine));
    assert_int_equal(s->sl_state, SLAB_PARTIAL);
    assert_int_equal(slab_collect(s), 2);
    assert_true(slab_verify(s));
}

static void test_orphan_is_adopted_with_its_chain(void **state)
{
    (void)state;
    assert_int_equal(slab_take(s, out, 3), 3);
    slab_partial_to_orphan(s, &orphans);
    assert_true(list_empty(&mine) && alone_on(s, &orphans));
    assert_int_equal(s->sl_state, SLAB_ORPHAN);
    assert_int_equal(s->sl_owner, SLAB_NO_OWNER);
    assert_false(slab_push_remote(s, out[0], out[0]));

    slab_orphan_to_partial(s, &mine, 5);
    assert_true(list_empty(&orphans) && alone_on(s, &mine));
    assert_int_equal(s->sl_state, SLAB_PARTIAL);
    assert_int_equal(s->sl_owner, 5);
    assert_int_equal(slab_collect(s), 1);
    assert_int_equal(s->sl_inuse, 2);
}

static void test_orphan_becomes_idle(void **state)
{
    (void)state;
    assert_int_equal(slab_take(s, out, 2), 2);
    slab_partial_to_orphan(s, &orphans);
    slab_push_remote(s, out[0], out[0]);
    slab_push_remote(s, out[1], out[1]);
    assert_int_equal(slab_collect(s), 2);
    slab_orphan_to_idle(s, &idle);
    assert_true(list_empty(&orphans) && alone_on(s, &idle));
    assert_int_equal(s->sl_state, SLAB_IDLE);
    assert_int_equal(s->sl_owner, SLAB_NO_OWNER);
}

static void test_idle_is_used_again(void **state)
{
    (void)state;
    slab_partial_to_idle(s, &idle);
    assert_true(list_empty(&mine) && alone_on(s, &idle));
    assert_int_equal(s->sl_state, SLAB_IDLE);
    assert_int_equal(s->sl_owner, SLAB_NO_OWNER);
    slab_idle_to_partial(s, &mine, 9);
    assert_true(list_empty(&idle) && alone_on(s, &mine));
    assert_int_equal(s->sl_state, SLAB_PARTIAL);
    assert_int_equal(s->sl_owner, 9);
    take_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_partial_to_away_and_back, set_up),
        cmocka_unit_test_setup(test_partial_to_away_fails_on_a_chain, set_up),
        cmocka_unit_test_setup(test_away_to_partial_fails_after_a_pusher, set_up),
        cmocka_unit_test_setup(test_orphan_is_adopted_with_its_chain, set_up),
        cmocka_unit_test_setup(test_orphan_becomes_idle, set_up),
        cmocka_unit_test_setup(test_idle_is_used_again, set_up),
    };
    slab_geom_init(&geom, "states", 64, 8, KIND);
    return cmocka_run_group_tests(tests, start_region, NULL);
}
