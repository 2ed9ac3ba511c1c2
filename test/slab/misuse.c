/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: whatever is no object in use is answered by its code with nothing changed, or, where it
 *       can only be an earlier misuse, by one line and the end of the program.
 */
#include "fixture.h"

static struct slab_geom geom;

static struct slab *new_slab(unsigned colour)
{
    return slab_new(&geom, colour);
}

static size_t desc_bytes(void)
{
    return sizeof(struct slab) + (geom.objs + 63) / 64 * sizeof(uint64_t);
}

/* slab_put gives this answer and leaves the descriptor as it was. */
static void expect_put(struct slab *s, const void *p, enum misuse want)
{
    char before[1024];

    assert_true(desc_bytes() <= sizeof(before));
    memcpy(before, s, desc_bytes());
    assert_int_equal(slab_put(s, (void *)(uintptr_t)p), want);
    assert_memory_equal(before, s, desc_bytes());
    assert_true(slab_verify(s));
}

static void test_outside(void **state)
{
    struct slab *s = new_slab(1);
    void *out[4];

    (void)state;
    slab_take(s, out, 4);
    assert_true(s->sl_first > s->sl_run);
    expect_put(s, s->sl_run, MISUSE_OUTSIDE);
    expect_put(s, s->sl_first - 1, MISUSE_OUTSIDE);
    expect_put(s, object(s, geom.objs), MISUSE_OUTSIDE);
    expect_put(s, s->sl_run + geom.pages * PLAT_PAGE_BYTES - 1, MISUSE_OUTSIDE);
    assert_int_equal(slab_check(s, s->sl_run), MISUSE_OUTSIDE);
}

static void test_interior(void **state)
{
    struct slab *s = new_slab(0);
    void *out[4];

    (void)state;
    slab_take(s, out, 4);
    for (unsigned off = 1; off < geom.size; off++) {
        expect_put(s, object(s, 1) + off, MISUSE_INTERIOR);
        assert_int_equal(slab_check(s, object(s, geom.objs - 1) + off), MISUSE_INTERIOR);
    }
}

static void test_never(void **state)
{
    struct slab *s = new_slab(0);
    void *out[4];

    (void)state;
    slab_take(s, out, 4);
    expect_put(s, object(s, 4), MISUSE_NEVER);
    expect_put(s, object(s, geom.objs - 1), MISUSE_NEVER);
    assert_int_equal(slab_check(s, object(s, 4)), MISUSE_KINDS);
}

static void test_double(void **state)
{
    struct slab *s = new_slab(0);
    void *out[4];

    (void)state;
    slab_take(s, out, 4);
    assert_int_equal(slab_put(s, out[2]), MISUSE_KINDS);
    expect_put(s, out[2], MISUSE_DOUBLE);
    assert_int_equal(slab_take(s, out, 1), 1);
    assert_int_equal(slab_put(s, out[0]), MISUSE_KINDS);
}

/* ---- the line ------------------------------------------------------------------- */

struct shot {
    struct slab *s;
    void *p, *q;
    enum misuse what;
};

static void say(void *arg)
{
    struct shot *shot = arg;

    slab_misuse(shot->what, &geom, shot->p);
}

static void push_and_collect(void *arg)
{
    struct shot *shot = arg;

    slab_push_remote(shot->s, shot->p, shot->p);
    slab_collect(shot->s);
}

static void test_lines(void **state)
{
    struct shot shot = {.p = (void *)0xabc0};

    (void)state;
    shot.what = MISUSE_DOUBLE;
    expect_death(say, &shot, "slabkit: double free of 0xabc0, a 200-byte object of shelf\n");
    shot.what = MISUSE_NEVER;
    expect_death(
        say, &shot,
        "slabkit: free of 0xabc0, an object of shelf (200 bytes) that was never allocated\n");
    shot.what = MISUSE_INTERIOR;
    expect_death(say, &shot,
                 "slabkit: free of 0xabc0, which points inside a 200-byte object of shelf\n");
    shot.what = MISUSE_OUTSIDE;
    expect_death(
        say, &shot,
        "slabkit: free of 0xabc0, which lies outside of the objects of its slab of shelf (200 "
        "bytes each)\n");
    shot.what = MISUSE_FREED;
    expect_death(say, &shot, "slabkit: free of 0xabc0, which is not allocated (freed already?)\n");
}

/* Sent home twice: the second link overwrote the first, and the chain says it twice. */
static void test_collect_of_a_double(void **state)
{
    struct slab *s = new_slab(0);
    void *out[4];
    struct shot shot = {.s = s};

    (void)state;
    slab_take(s, out, 4);
    shot.p = out[1];
    slab_put(s, out[1]);
    expect_death(push_and_collect, &shot,
                 "slabkit: double free of %p, a 200-byte object of shelf\n", out[1]);
    slab_take(s, out, 1);
    slab_push_remote(s, out[1], out[1]);
    shot.p = out[1];
    expect_death(push_and_collect, &shot,
                 "slabkit: double free of %p, a 200-byte object of shelf\n", out[1]);
}

static void damage_and_collect(void *arg)
{
    struct shot *shot = arg;

    slab_push_remote(shot->s, shot->p, shot->p);
    slab_chain(shot->s, shot->p, shot->q);
    slab_collect(shot->s);
}

/* Written to after it was freed. */
static void test_collect_of_a_damaged_link(void **state)
{
    struct slab *s = new_slab(0);
    struct shot shot = {.s = s};
    void *out[4];

    (void)state;
    slab_take(s, out, 4);
    shot.p = out[0];
    shot.q = (void *)0x10;
    expect_death(
        damage_and_collect, &shot,
        "slabkit: free of 0x10, which lies outside of the objects of its slab of shelf (200 "
        "bytes each)\n");
    shot.q = (void *)~(uintptr_t)0;
    expect_death(damage_and_collect, &shot,
                 "slabkit: free of %p, which lies outside of the objects of its slab of shelf (200 "
                 "bytes each)\n",
                 shot.q);
    shot.q = (char *)out[1] + 3;
    expect_death(damage_and_collect, &shot,
                 "slabkit: free of %p, which points inside a 200-byte object of shelf\n", shot.q);
    /* The same offset, 4 GiB further. */
    shot.q = (char *)out[1] + (1ull << 32);
    expect_death(damage_and_collect, &shot,
                 "slabkit: free of %p, which lies outside of the objects of its slab of shelf (200 "
                 "bytes each)\n",
                 shot.q);
    shot.q = object(s, 4);
    expect_death(damage_and_collect, &shot,
                 "slabkit: free of %p, an object of shelf (200 bytes) that was never allocated\n",
                 shot.q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_interior),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_double),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_collect_of_a_double),
        cmocka_unit_test(test_collect_of_a_damaged_link),
    };
    slab_geom_init(&geom, "shelf", 200, 8, KIND);
    return cmocka_run_group_tests(tests, start_region, NULL);
}
