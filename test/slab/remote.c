/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the remote list's word, step by step: what a push returns from each of the three kinds
 *       of value, what a collection takes; with the links in the objects and beside the slab.
 */
#include "fixture.h"

static struct slab_geom geom;

/* Links objs[0..n-1] as a chain; objs[0] is its head. */
static void chain(struct slab *s, void **objs, unsigned n)
{
    for (unsigned i = 0; i + 1 < n; i++)
        slab_chain(s, objs[i], objs[i + 1]);
}

static void test_push_on_empty_and_on_a_chain(void **state)
{
    struct slab *s = slab_new(&geom, 0);
    void *out[10];

    (void)state;
    slab_take(s, out, 10);
    assert_false(slab_push_remote(s, out[0], out[0]));
    assert_ptr_equal(s->sl_remote, out[0]);
    chain(s, out + 1, 3);
    assert_false(slab_push_remote(s, out[1], out[3]));
    assert_ptr_equal(s->sl_remote, out[1]);
    assert_ptr_equal(slab_chained(s, out[3]), out[0]);
    assert_null(slab_chained(s, out[0]));
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

    chain(s, out, 2);
    assert_true(slab_push_remote(s, out[0], out[1]));
    assert_null(slab_chained(s, out[1]));
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

static int links_inside(void **state)
{
    geom.link_beside = false;
    return start_region(state);
}

static int links_beside(void **state)
{
    geom.link_beside = true;
    return start_region(state);
}

static bool all_bytes_are(const void *p, size_t bytes, unsigned char want)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < bytes; i++)
        if (b[i] != want)
            return false;
    return true;
}

/* All the way home and back nothing but the program writes to an object; in chains of every shape. */
static void check_contents_stay(size_t size)
{
    struct slab_geom g;
    struct slab *s;
    void **out;

    slab_geom_init(&g, "beside", size, 8, KIND);
    g.link_beside = true;
    s = slab_new(&g, 0);
    out = calloc(g.objs, sizeof(*out));
    assert_int_equal(slab_take(s, out, g.objs), g.objs);
    for (unsigned i = 0; i < g.objs; i++)
        memset(out[i], (int)(i % 255 + 1), g.size);
    for (unsigned i = 0, n; i < g.objs; i += n) {
        n = (unsigned)sk_min(1 + i % 7, g.objs - i);
        chain(s, out + i, n);
        slab_push_remote(s, out[i], out[i + n - 1]);
    }
    assert_int_equal(slab_collect(s), g.objs);
    assert_int_equal(s->sl_inuse, 0);
    assert_true(slab_verify(s));
    assert_int_equal(slab_take(s, out, g.objs), g.objs);
    for (unsigned i = 0; i < g.objs; i++)
        assert_true(all_bytes_are(object(s, i), g.size, (unsigned char)(i % 255 + 1)));
    free(out);
}

static void test_contents_stay(void **state)
{
    static const size_t sizes[] = {8, 24, 64, 100, 1000, 32768, 100000, (size_t)3 << 20};

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++)
        check_contents_stay(sizes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_on_empty_and_on_a_chain),
        cmocka_unit_test(test_push_on_away),
        cmocka_unit_test(test_all_objects_in_one_chain),
        cmocka_unit_test(test_contents_stay),
    };
    slab_geom_init(&geom, "remote", 128, 64, KIND);
    return cmocka_run_group_tests_name("inside", tests, links_inside, NULL) +
           cmocka_run_group_tests_name("beside", tests, links_beside, NULL);
}
