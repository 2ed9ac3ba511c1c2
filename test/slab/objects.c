/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: objects of one slab by its owner: what is taken in which order, what is counted, what is
 *       never touched; colours; the slab's life from run to run.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include <sys/mman.h>

#define MODEL_OBJS 2048u
#define MODEL_OPS  20000u

static struct slab_geom geom(size_t size, size_t align)
{
    struct slab_geom g;

    slab_geom_init(&g, "objects", size, align, KIND);
    return g;
}

static void drop(struct slab *s)
{
    list_del(&s->sl_link);
    slab_unmake(s);
}

/* ---- order ---------------------------------------------------------------------- */

static void test_fresh_objects_in_order(void **state)
{
    struct slab_geom g = geom(192, 8);
    struct slab *s = slab_new(&g, 0);
    void *out[5];

    (void)state;
    for (unsigned i = 0; i + 5 <= g.objs; i += 5) {
        assert_int_equal(slab_take(s, out, 5), 5);
        for (unsigned k = 0; k < 5; k++)
            assert_ptr_equal(out[k], object(s, i + k));
        assert_int_equal(s->sl_inuse, i + 5);
        assert_int_equal(s->sl_fresh, i + 5);
        assert_int_equal(slab_avail(s), g.objs - i - 5);
        assert_true(slab_verify(s));
    }
}

static void test_returned_before_fresh_lowest_first(void **state)
{
    static const unsigned back[] = {70, 3, 199, 64, 0, 63};
    static const unsigned want[] = {0, 3, 63, 64, 70, 199, 200, 201};
    struct slab_geom g = geom(64, 8);
    struct slab *s = slab_new(&g, 0);
    void *out[200];

    (void)state;
    assert_int_equal(slab_take(s, out, 200), 200);
    for (unsigned i = 0; i < SK_ARRAY_SIZE(back); i++)
        assert_int_equal(slab_put(s, object(s, back[i])), MISUSE_KINDS);
    assert_int_equal(s->sl_free, SK_ARRAY_SIZE(back));
    assert_true(slab_verify(s));
    assert_int_equal(slab_take(s, out, SK_ARRAY_SIZE(want)), SK_ARRAY_SIZE(want));
    for (unsigned i = 0; i < SK_ARRAY_SIZE(want); i++)
        assert_ptr_equal(out[i], object(s, want[i]));
    assert_true(slab_verify(s));
}

static void test_takes_what_there_is(void **state)
{
    struct slab_geom g = geom(5000, 8);
    struct slab *s = slab_new(&g, 0);
    void *out[100];

    (void)state;
    assert_true(g.objs < 100);
    assert_int_equal(slab_take(s, out, 0), 0);
    assert_int_equal(slab_take(s, out, 100), g.objs);
    assert_int_equal(slab_take(s, out, 100), 0);
    assert_int_equal(slab_avail(s), 0);
    assert_int_equal(slab_put(s, out[4]), MISUSE_KINDS);
    assert_int_equal(slab_take(s, out, 100), 1);
    assert_ptr_equal(out[0], object(s, 4));
    assert_true(slab_verify(s));
}

/* ---- against a model ------------------------------------------------------------ */

struct model {
    struct slab *s;
    bool out[MODEL_OBJS];
    unsigned nout;
    uint64_t seed;
};

static void model_take(struct model *m)
{
    const struct slab_geom *g = m->s->sl_geom;
    void *out[40];
    unsigned want = draw(&m->seed, 40), got = slab_take(m->s, out, want);

    assert_int_equal(got, sk_min(want, g->objs - m->nout));
    for (unsigned k = 0; k < got; k++) {
        size_t off = (size_t)((char *)out[k] - m->s->sl_first);

        assert_int_equal(off % g->size, 0);
        assert_true(off / g->size < g->objs && !m->out[off / g->size]);
        m->out[off / g->size] = true;
    }
    m->nout += got;
}

static void model_put(struct model *m)
{
    unsigned objs = m->s->sl_objs;

    for (unsigned tries = draw(&m->seed, 40); tries; tries--) {
        unsigned i = draw(&m->seed, objs);

        if (!m->out[i])
            continue;
        assert_int_equal(slab_put(m->s, object(m->s, i)), MISUSE_KINDS);
        m->out[i] = false;
        m->nout--;
    }
}

static void run_model(size_t size, size_t align)
{
    struct slab_geom g = geom(size, align);
    struct model m = {.s = slab_new(&g, 3), .seed = size};

    assert_true(g.objs <= MODEL_OBJS);
    for (unsigned op = 0; op < MODEL_OPS; op++) {
        if (draw(&m.seed, 2))
            model_take(&m);
        else
            model_put(&m);
        assert_int_equal(m.s->sl_inuse, m.nout);
        assert_int_equal(slab_avail(m.s), g.objs - m.nout);
        assert_true(slab_verify(m.s));
    }
    for (unsigned i = 0; i < g.objs; i++)
        if (m.out[i])
            assert_int_equal(slab_put(m.s, object(m.s, i)), MISUSE_KINDS);
    drop(m.s);
}

static void test_model(void **state)
{
    (void)state;
    run_model(32, 32);
    run_model(48, 16);
    run_model(1000, 8);
    run_model(32768, 32768);
    run_model(SLAB_OBJ_MAX / 4, 8);
    run_model(SLAB_OBJ_MAX, 8);
}

/* ---- what is never touched ------------------------------------------------------ */

static size_t resident(void *p, size_t bytes)
{
    static unsigned char in_core[1024];
    size_t pages = bytes / plat_sys_page_bytes(), n = 0;

    assert_true(pages <= sizeof(in_core));
    assert_int_equal(mincore(p, bytes, in_core), 0);
    for (size_t i = 0; i < pages; i++)
        n += in_core[i] & 1;
    return n;
}

/* Making, taking and putting touch no object: no page of the run becomes resident. */
static void test_objects_are_never_touched(void **state)
{
    struct slab_geom g = geom(2048, 8);
    struct slab *s = slab_new(&g, 0);
    void *out[64];
    size_t bytes = g.pages * PLAT_PAGE_BYTES;

    (void)state;
    if (!PLAT_DECOMMIT_KEEPS)
        skip(); /* pages have their memory before they are touched */
    plat_discard(s->sl_run, bytes);
    assert_int_equal(resident(s->sl_run, bytes), 0);
    for (unsigned n; (n = slab_take(s, out, 7)) != 0;)
        for (unsigned k = 0; k < n; k++)
            if (k % 2)
                slab_put(s, out[k]);
    for (unsigned i = 0; i < g.objs; i++)
        if (slab_put(s, object(s, i)) == MISUSE_KINDS)
            assert_true(slab_verify(s));
    assert_int_equal(s->sl_inuse, 0);
    assert_int_equal(resident(s->sl_run, bytes), 0);
    *object(s, 0) = 1;
    assert_int_equal(resident(s->sl_run, bytes), 1);
    drop(s);
    region_reap(0, true);
}

/* A chain's link is in the object sent home, and nowhere else. */
static void test_a_push_touches_only_what_is_sent(void **state)
{
    struct slab_geom g = geom(4096, 4096);
    struct slab *s = slab_new(&g, 0);
    void *out[8];
    char pattern[4096 - sizeof(void *)];

    (void)state;
    memset(pattern, 0x5a, sizeof(pattern));
    memset(s->sl_run, 0x5a, g.pages * PLAT_PAGE_BYTES);
    assert_int_equal(slab_take(s, out, 8), 8);
    slab_push_remote(s, out[2], out[2]);
    assert_int_equal(slab_collect(s), 1);
    for (unsigned i = 0; i < g.objs; i++)
        assert_memory_equal(object(s, i) + sizeof(void *), pattern, sizeof(pattern));
    for (unsigned i = 0; i < g.objs; i++)
        if (i != 2)
            assert_memory_equal(object(s, i), pattern, sizeof(void *));
}

/* ---- colours, life -------------------------------------------------------------- */

static void test_colours_go_round(void **state)
{
    struct slab_geom g = geom(3904, 8);
    char *end;

    (void)state;
    assert_true(g.colours > 2);
    for (unsigned colour = 0; colour < 2 * g.colours + 1; colour++) {
        struct slab *s = slab_new(&g, colour);

        end = s->sl_run + g.pages * PLAT_PAGE_BYTES;
        assert_int_equal(s->sl_first - s->sl_run, colour % g.colours * g.colour_off);
        assert_true(object(s, g.objs - 1) + g.size <= end);
        assert_int_equal((uintptr_t)s->sl_first % SK_CACHE_LINE, 0);
        drop(s);
    }
}

static void test_make_and_unmake(void **state)
{
    struct slab_geom g = geom(20000, 8);
    size_t used = used_bytes(), meta = meta_used_bytes();
    struct slab *s = slab_new(&g, 0);
    char *run = s->sl_run;

    (void)state;
    assert_true(g.pages > 1);
    for (unsigned page = 0; page < g.pages; page++) {
        assert_int_equal(region_index(run + page * PLAT_PAGE_BYTES), KIND);
        assert_ptr_equal(region_info(run + page * PLAT_PAGE_BYTES)->slab, s);
    }
    assert_int_equal(s->sl_state, SLAB_PARTIAL);
    assert_int_equal(s->sl_owner, SLOT);
    assert_int_equal(slab_avail(s), g.objs);
    assert_int_equal(used_bytes(), used + g.pages * PLAT_PAGE_BYTES);
    drop(s);
    assert_int_equal(region_index(run), 0);
    assert_int_equal(used_bytes(), used);
    assert_int_equal(meta_used_bytes(), meta);
}

/* The descriptor is outside of the range that holds objects. */
static void test_descriptor_is_off_slab(void **state)
{
    struct slab_geom g = geom(64, 8);
    struct slab *s = slab_new(&g, 0);

    (void)state;
    assert_null(region_info(s));
    assert_int_equal((uintptr_t)&s->sl_remote % SK_CACHE_LINE, 0);
    assert_int_equal((uintptr_t)s->sl_bits % SK_CACHE_LINE, 0);
    drop(s);
}

/* ---- verify tells --------------------------------------------------------------- */

static void test_verify_sees_wrong_counts(void **state)
{
    struct slab_geom g = geom(64, 8);
    struct slab *s = slab_new(&g, 0);
    uint32_t *fields[] = {&s->sl_inuse, &s->sl_fresh, &s->sl_free};
    void *out[100];

    (void)state;
    slab_take(s, out, 100);
    slab_put(s, out[80]);
    assert_true(slab_verify(s));
    for (unsigned i = 0; i < SK_ARRAY_SIZE(fields); i++) {
        ++*fields[i];
        assert_false(slab_verify(s));
        --*fields[i];
    }
    s->sl_hint = 2;
    assert_false(slab_verify(s));
    s->sl_hint = 1;
    s->sl_bits[1] ^= 1;
    assert_false(slab_verify(s));
    s->sl_bits[1] ^= 1;
    s->sl_bits[3] |= 1;
    assert_false(slab_verify(s));
    s->sl_bits[3] = 0;
    s->sl_remote = SLAB_AWAY;
    assert_false(slab_verify(s));
    s->sl_remote = SLAB_EMPTY;
    assert_true(slab_verify(s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fresh_objects_in_order),
        cmocka_unit_test(test_returned_before_fresh_lowest_first),
        cmocka_unit_test(test_takes_what_there_is),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_objects_are_never_touched),
        cmocka_unit_test(test_a_push_touches_only_what_is_sent),
        cmocka_unit_test(test_colours_go_round),
        cmocka_unit_test(test_make_and_unmake),
        cmocka_unit_test(test_descriptor_is_off_slab),
        cmocka_unit_test(test_verify_sees_wrong_counts),
    };
    return cmocka_run_group_tests(tests, start_region, NULL);
}
