/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the geometry of every size there may be: the run, what is left over, colours, the exact
 *       division.
 */
#include "fixture.h"

static const size_t aligns[] = {1, 8, 16, 64, 256, 4096, SLAB_ALIGN_MAX};

static size_t run_bytes(const struct slab_geom *g)
{
    return g->pages * PLAT_PAGE_BYTES;
}

static size_t left_over(const struct slab_geom *g)
{
    return run_bytes(g) - (size_t)g->objs * g->size;
}

/* Would this many pages satisfy the rule of slab.h? */
static bool rule(size_t size, size_t pages)
{
    size_t bytes = pages * PLAT_PAGE_BYTES, objs = bytes / size;

    return objs >= (size <= 32768 ? 8 : 1) && (bytes - objs * size) * 8 <= bytes;
}

static bool tight(size_t size, size_t pages)
{
    size_t bytes = pages * PLAT_PAGE_BYTES;

    return bytes >= SLAB_BYTES_MIN && bytes <= 65536 && rule(size, pages) &&
           bytes % size * 64 <= bytes;
}

/* A tight run would have been chosen before all others. */
static bool any_tight(size_t size)
{
    for (size_t pages = 1; pages * PLAT_PAGE_BYTES <= 65536; pages++)
        if (tight(size, pages))
            return true;
    return false;
}

static void check_size(const struct slab_geom *g, size_t size, size_t align)
{
    size_t step = align < 8 ? 8 : align;

    assert_true(g->size >= size && g->size < size + step);
    assert_int_equal(g->size % step, 0);
    assert_int_equal(g->align, align);
}

static void check_run(const struct slab_geom *g)
{
    bool must_be_tight = any_tight(g->size);

    assert_true(rule(g->size, g->pages));
    assert_true(!must_be_tight || tight(g->size, g->pages));
    for (size_t fewer = 1; fewer < g->pages; fewer++)
        assert_false(must_be_tight
                         ? tight(g->size, fewer)
                         : rule(g->size, fewer) && fewer * PLAT_PAGE_BYTES >= SLAB_BYTES_MIN);
    assert_true(run_bytes(g) >= SLAB_BYTES_MIN);
    assert_true(g->run_align * PLAT_PAGE_BYTES >= g->align);
    assert_true(g->pages <= SLAB_PAGES_MAX);
    assert_int_equal(g->objs, run_bytes(g) / g->size);
}

static void check_colours(const struct slab_geom *g)
{
    assert_true(g->colours >= 1 && g->colour_off >= SK_CACHE_LINE);
    assert_int_equal(g->colour_off % g->align, 0);
    assert_true((size_t)(g->colours - 1) * g->colour_off <= left_over(g));
    assert_true((size_t)g->colours * g->colour_off > left_over(g));
}

/* Every size to 70000, then ever fewer. */
static size_t next_size(size_t size)
{
    return size < 70000 ? size + 1 : size + 61 + (size >> 12);
}

static void check_all(size_t size, size_t align)
{
    struct slab_geom g;

    slab_geom_init(&g, "g", size, align, KIND);
    check_size(&g, size, align);
    check_run(&g);
    check_colours(&g);
}

static void test_every_size(void **state)
{
    (void)state;
    for (size_t size = 1; size <= SLAB_OBJ_MAX; size = next_size(size))
        check_all(size, 1);
}

static void test_every_alignment(void **state)
{
    (void)state;
    for (unsigned a = 0; a < SK_ARRAY_SIZE(aligns); a++)
        for (size_t size = 1; size <= SLAB_OBJ_MAX; size += 1 + size / 7)
            check_all(size, aligns[a]);
}

/* Whole pages: one object, nothing left over. */
static void test_multiples_of_a_page(void **state)
{
    struct slab_geom g;

    (void)state;
    for (unsigned pages = (unsigned)(SLAB_MANY_MAX / PLAT_PAGE_BYTES) + 1; pages <= SLAB_PAGES_MAX;
         pages++) {
        slab_geom_init(&g, "g", pages * PLAT_PAGE_BYTES, 1, KIND);
        assert_int_equal(g.objs, 1);
        assert_int_equal(g.pages, pages);
        assert_int_equal(g.colours, 1);
    }
}

static void test_largest(void **state)
{
    struct slab_geom g;

    (void)state;
    for (unsigned a = 0; a < SK_ARRAY_SIZE(aligns); a++) {
        slab_geom_init(&g, "g", SLAB_OBJ_MAX, aligns[a], KIND);
        assert_int_equal(g.size, SLAB_OBJ_MAX);
        assert_int_equal(g.objs, 1);
        assert_int_equal(g.pages, SLAB_PAGES_MAX);
        assert_int_equal(left_over(&g), 0);
        assert_int_equal(g.colours, 1);
    }
}

/* The quotient does not fall as the offset grows, so that the two ends of every object decide for
 * all offsets between them. */
static bool exact_at_ends(const struct slab_geom *g)
{
    for (uint32_t k = 0; k < g->objs; k++)
        if (sk_div_recip(k * g->size, g->recip) != k ||
            sk_div_recip((k + 1) * g->size - 1, g->recip) != k)
            return false;
    return true;
}

/* And at what is left over behind the last object. */
static bool exact_at_run_end(const struct slab_geom *g)
{
    uint32_t last = (uint32_t)run_bytes(g) - 1;

    return sk_div_recip(last, g->recip) == last / g->size;
}

static void test_division_is_exact(void **state)
{
    struct slab_geom g;

    (void)state;
    for (size_t size = 8; size <= SLAB_OBJ_MAX; size += size < 1u << 20 ? 8 : 4096 + 8) {
        slab_geom_init(&g, "g", size, 1, KIND);
        assert_true(exact_at_ends(&g));
        assert_true(g.objs == 1 || exact_at_run_end(&g));
    }
}

static void refuse_align(void *arg)
{
    struct slab_geom g;

    slab_geom_init(&g, "g", 64, *(size_t *)arg, KIND);
}

static void refuse_size(void *arg)
{
    struct slab_geom g;

    slab_geom_init(&g, "g", *(size_t *)arg, 8, KIND);
}

static bool dies(void (*fn)(void *), size_t value)
{
    struct death d = die_in_child(fn, &value);

    return WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGABRT &&
           strstr(d.text, "slabkit: internal error: ") == d.text;
}

static void test_refuses_what_has_no_geometry(void **state)
{
    (void)state;
    assert_true(dies(refuse_align, 24));
    assert_true(dies(refuse_align, 0));
    assert_true(dies(refuse_align, SLAB_ALIGN_MAX * 2));
    assert_false(dies(refuse_align, SLAB_ALIGN_MAX));
    assert_true(dies(refuse_size, SLAB_OBJ_MAX + 1));
    assert_false(dies(refuse_size, SLAB_OBJ_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_every_alignment),
        cmocka_unit_test(test_multiples_of_a_page),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_division_is_exact),
        cmocka_unit_test(test_refuses_what_has_no_geometry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
