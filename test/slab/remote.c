/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the remote list's word, step by step: what a push returns from each of the three kinds
 *       of value, what a collection takes.
 */
#include "fixture.h"

static struct slab_geom geom;

/* Links objs[0..n-1] as a chain; objs[0] is its head. */
static void chain(void **objs, unsigned n)
{
    for (unsigned i = 0; i + 1 < n; i++)
        *slab_link(&geom, objs[i]) = objs[i + 1];
}

static void test_push_on_empty_and_on_a_chain(void **state)
{
    struct slab *s = slab_new(&geom, 0);
    void *out[10];

    (void)state;
    slab_take(s, out, 10);
    assert_false(slab_push_remote(s, out[0], out[0]));
    assert_ptr_equal(s->sl_remote, out[0]);
    chain(out + 1, 3);
    assert_false(slab_push_remote(s, out[1], out[3]));
    assert_ptr_equal(s->sl_remote, out[1]);
    assert_ptr_equal(*slab_link(&geom, out[3]), out[0]);
    assert_null(*slab_link(&geom, out[0]));
    assert_int_equal(s->sl_inuse, 10);
    assert_true(slab_verify(s));

    assert_int_equal(slab_collect(s), 4);
    assert_int_equal(s->sl_remote, SLAB_EMPTY);
    assert_int_equal(s->sl_inuse, 6);
    assert_int_equal(s->sl_free, 4);
    assert_int_equal(slab_collect(s), 0);
    assert_true(slab_verify(s));
}

/* The push that replaces AWAY, and no later one, has the duty to link the slab. */
static void test_push_on_away(void **state)
{
    struct slab *s;
    struct list list;
    void **out = calloc(geom.objs, sizeof(*out));

    (void)state;
    list_init(&list);
    s = slab_new_on(&geom, &list);
    assert_int_equal(slab_take(s, out, geom.objs), geom.objs);
    assert_true(slab_partial_to_away(s));
    assert_int_equal(slab_collect(s), 0);
    assert_int_equal(s->sl_remote, SLAB_AWAY);

    chain(out, 2);
    assert_true(slab_push_remote(s, out[0], out[1]));
    assert_null(*slab_link(&geom, out[1]));
    assert_false(slab_push_remote(s, out[2], out[2]));
    assert_int_equal(s->sl_state, SLAB_OFF);
    slab_returned_to_partial(s, &list);
    assert_int_equal(slab_collect(s), 3);
    assert_int_equal(s->sl_inuse, geom.objs - 3);
    assert_true(slab_verify(s));
    free(out);
}

/* Everything can be on its way home at once. */
static void test_all_objects_in_one_chain(void **state)
{
    struct slab *s = slab_new(&geom, 0);
    void **out = calloc(geom.objs, sizeof(*out));

    (void)state;
    assert_int_equal(slab_take(s, out, geom.objs), geom.objs);
    for (unsigned i = 0; i < geom.objs; i++)
        assert_false(slab_push_remote(s, out[i], out[i]));
    assert_int_equal(s->sl_inuse, geom.objs);
    assert_int_equal(slab_collect(s), geom.objs);
    assert_int_equal(s->sl_inuse, 0);
    assert_int_equal(s->sl_free, geom.objs);
    assert_true(slab_verify(s));
    assert_int_equal(slab_take(s, out, geom.objs), geom.objs);
    free(out);
}

static void test_link_offset_is_the_geometry_s(void **state)
{
    struct slab_geom g = geom;
    struct slab *s;
    void *out[2];

    (void)state;
    g.link_off = 48;
    s = slab_new(&g, 0);
    slab_take(s, out, 2);
    memset(out[0], 0x77, g.size);
    memset(out[1], 0x77, g.size);
    slab_push_remote(s, out[0], out[0]);
    slab_push_remote(s, out[1], out[1]);
    assert_int_equal(*(char *)out[1], 0x77);
    assert_ptr_equal(*(void **)((char *)out[1] + 48), out[0]);
    assert_int_equal(slab_collect(s), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_on_empty_and_on_a_chain),
        cmocka_unit_test(test_push_on_away),
        cmocka_unit_test(test_all_objects_in_one_chain),
        cmocka_unit_test(test_link_offset_is_the_geometry_s),
    };
    slab_geom_init(&geom, "remote", 128, 64, KIND);
    return cmocka_run_group_tests(tests, start_region, NULL);
}
