/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: slabs that no slot runs: made, unmade, kept idle, orphaned, settled, adopted, reaped. */
#include "fixture.h"

#define SIZE 3904u

static struct list mine;
static size_t meta_before, used_before;

static int start(void **state)
{
    (void)state;
    list_init(&mine);
    node_start(SIZE, 1u << 20);
    meta_before = meta_used_bytes();
    used_before = used_bytes();
    return 0;
}

static struct slab *grow(void)
{
    struct slab *s = node_grow(&node, 2);

    assert_non_null(s);
    list_push(&mine, &s->sl_link);
    return s;
}

/* Off every list and back to the region. */
static void shrink(struct slab *s)
{
    list_del(&s->sl_link);
    node_shrink(&node, s);
}

static void expect_all_given_back(void)
{
    assert_true(node_sound());
    assert_int_equal(node.nd_slabs, 0);
    assert_int_equal(meta_used_bytes(), meta_before);
    assert_int_equal(used_bytes(), used_before);
}

static void test_grow_and_shrink(void **state)
{
    struct slab *s[10];

    (void)state;
    assert_true(node_geom.colours > 2);
    for (unsigned i = 0; i < 10; i++) {
        s[i] = grow();
        assert_int_equal(s[i]->sl_node, 1);
        assert_int_equal(s[i]->sl_owner, 2);
        assert_int_equal(s[i]->sl_first - s[i]->sl_run,
                         (node_geom.kind + 1 + i) % node_geom.colours * node_geom.colour_off);
    }
    assert_int_equal(node.nd_slabs, 10);
    assert_int_equal(node.nd_grows, 10);
    for (unsigned i = 0; i < 10; i++)
        shrink(s[i]);
    assert_int_equal(node.nd_shrinks, 10);
    expect_all_given_back();
}

static void test_idle_limit(void **state)
{
    struct slab *over = NULL;
    unsigned kept = 0;

    (void)state;
    assert_true(node.nd_idle_limit >= 1);
    for (; !over; kept++) {
        struct slab *s = grow();

        if (!node_keep_idle(&node, s))
            over = s;
        assert_true(node_sound());
    }
    assert_int_equal(kept - 1, node.nd_idle_limit);
    assert_int_equal(node.nd_nidle, node.nd_idle_limit);
    assert_true(alone_on(over, &mine));
    assert_int_equal(over->sl_state, SLAB_PARTIAL);
    shrink(over);
    for (struct slab *s; (s = node_reap_idle(&node, true)) != NULL;)
        node_shrink(&node, s);
    expect_all_given_back();
}

static void test_idle_is_adopted(void **state)
{
    struct slab *s = grow();

    (void)state;
    assert_null(node_adopt(&node, &mine, 6));
    assert_true(node_keep_idle(&node, s));
    assert_ptr_equal(node_adopt(&node, &mine, 6), s);
    assert_true(alone_on(s, &mine));
    assert_int_equal(s->sl_owner, 6);
    assert_int_equal(node.nd_nidle, 0);
    assert_int_equal(node.nd_adoptions, 0);
    shrink(s);
    expect_all_given_back();
}

/* Something of each slab stays out, so that it can be neither idle nor away. */
static struct slab *grow_in_use(void **obj)
{
    struct slab *s = grow();

    assert_int_equal(slab_take(s, obj, 1), 1);
    return s;
}

static void test_orphans_first(void **state)
{
    struct slab *free_one = grow(), *orphan;
    void *obj;

    (void)state;
    assert_true(node_keep_idle(&node, free_one));
    orphan = grow_in_use(&obj);
    node_orphan(&node, orphan);
    assert_int_equal(node.nd_norphans, 1);
    assert_true(node_sound());

    assert_ptr_equal(node_adopt(&node, &mine, 4), orphan);
    assert_int_equal(orphan->sl_owner, 4);
    assert_int_equal(node.nd_adoptions, 1);
    assert_ptr_equal(node_adopt(&node, &mine, 4), free_one);
    assert_int_equal(node.nd_adoptions, 1);
    assert_null(node_adopt(&node, &mine, 4));
    assert_int_equal(list_length(&mine), 2);
    assert_int_equal(slab_put(orphan, obj), MISUSE_KINDS);
    shrink(orphan);
    shrink(free_one);
    expect_all_given_back();
}

/* Chains wait on orphans until somebody settles them: partly back stays, all back is idle. */
static void test_settle(void **state)
{
    struct slab *s[6];
    void *obj[6][2];

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        s[i] = grow();
        assert_int_equal(slab_take(s[i], obj[i], 2), 2);
        node_orphan(&node, s[i]);
    }
    for (unsigned i = 0; i < 6; i++) {
        assert_false(slab_push_remote(s[i], obj[i][0], obj[i][0]));
        if (i % 2)
            assert_false(slab_push_remote(s[i], obj[i][1], obj[i][1]));
    }
    node_settle_orphans(&node);
    assert_int_equal(node.nd_norphans, 3);
    assert_int_equal(node.nd_nidle, 3);
    assert_true(node_sound());
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(s[i]->sl_state, i % 2 ? SLAB_IDLE : SLAB_ORPHAN);
        assert_int_equal(s[i]->sl_inuse, i % 2 ? 0 : 1);
        assert_int_equal(s[i]->sl_remote, SLAB_EMPTY);
    }
    for (unsigned i = 0; i < 6; i += 2)
        slab_push_remote(s[i], obj[i][1], obj[i][1]);
    node_settle_orphans(&node);
    assert_int_equal(node.nd_norphans, 0);
    assert_int_equal(node.nd_nidle, 6);
    for (struct slab *t; (t = node_reap_idle(&node, true)) != NULL;)
        node_shrink(&node, t);
    expect_all_given_back();
}

static unsigned reap(bool all)
{
    unsigned n = 0;

    for (struct slab *s; (s = node_reap_idle(&node, all)) != NULL; n++) {
        assert_true(node_sound());
        node_shrink(&node, s);
    }
    return n;
}

static void keep(unsigned n)
{
    node.nd_idle_limit = 10;
    while (n--)
        assert_true(node_keep_idle(&node, grow()));
}

static void test_idle_low_mark(void **state)
{
    struct slab *s;

    (void)state;
    keep(5);
    assert_int_equal(reap(false), 0);
    node_reap_end(&node, false);
    s = node_adopt(&node, &mine, 1);
    assert_true(node_keep_idle(&node, s));
    assert_int_equal(node.nd_idle_low, 4);
    assert_int_equal(reap(false), 4);
    assert_int_equal(reap(false), 0);
    assert_int_equal(node.nd_nidle, 1);
    node_reap_end(&node, false);
    assert_int_equal(reap(false), 1);
    assert_int_equal(reap(false), 0);

    keep(4);
    node_reap_end(&node, false);
    assert_int_equal(reap(true), 4);
    assert_int_equal(node.nd_idle_low, 0);
    keep(3);
    assert_int_equal(reap(false), 0);
    assert_int_equal(reap(true), 3);
    expect_all_given_back();
}

/* ---- hooks ------------------------------------------------------------------------- */

static struct {
    unsigned made, unmade;
    bool refuse, put_off;
} seen;

static bool on_made(struct slab *s)
{
    assert_int_equal(region_index(s->sl_run), KIND);
    assert_int_equal(s->sl_inuse, 0);
    seen.made++;
    return !seen.refuse;
}

static bool on_unmade(struct slab *s)
{
    assert_int_equal(s->sl_inuse, 0);
    seen.unmade++;
    return !seen.put_off;
}

static void test_hooks(void **state)
{
    static const struct slab_hooks hooks = {on_made, on_unmade};
    struct slab *s;

    (void)state;
    seen = (typeof(seen)){0};
    node_geom.hooks = &hooks;
    s = grow();
    assert_int_equal(seen.made, 1);
    seen.put_off = true;
    shrink(s);
    assert_int_equal(seen.unmade, 1);
    assert_int_equal(node.nd_slabs, 1);
    assert_ptr_equal(node.nd_all.next, &s->sl_all);
    node_unmake(&node, s);
    assert_int_equal(seen.unmade, 1);
    expect_all_given_back();

    seen.put_off = false;
    shrink(grow());
    assert_int_equal(seen.unmade, 2);
    expect_all_given_back();

    seen.refuse = true;
    assert_null(node_grow(&node, 2));
    assert_int_equal(seen.made, 3);
    assert_int_equal(seen.unmade, 2);
    expect_all_given_back();
    node_geom.hooks = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_grow_and_shrink, start),
        cmocka_unit_test_setup(test_hooks, start),
        cmocka_unit_test_setup(test_idle_limit, start),
        cmocka_unit_test_setup(test_idle_is_adopted, start),
        cmocka_unit_test_setup(test_orphans_first, start),
        cmocka_unit_test_setup(test_settle, start),
        cmocka_unit_test_setup(test_idle_low_mark, start),
    };
    return cmocka_run_group_tests(tests, start_region, NULL);
}
