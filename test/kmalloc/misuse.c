/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: each misuse at this level ends the program by SIGABRT with exactly one line. */
#include "fixture.h"

struct shot {
    void *p;
    size_t size, align;
};

static void free_it(void *arg)
{
    km_free(((struct shot *)arg)->p);
    km_trim(0);
}

static void free_it_twice(void *arg)
{
    km_free(((struct shot *)arg)->p);
    km_free(((struct shot *)arg)->p);
    km_trim(0);
}

static void ask_usable(void *arg)
{
    km_usable(((struct shot *)arg)->p, "looking");
}

static void resize(void *arg)
{
    km_realloc(((struct shot *)arg)->p, 100);
}

static void check_sized(void *arg)
{
    struct shot *shot = arg;

    km_check_sized(shot->p, shot->size, shot->align);
}

static void test_foreign(void **state)
{
    long local[4];
    struct shot shot = {.p = &local[1]};

    (void)state;
    expect_death(free_it, &shot, "slabkit: free of %p, which slabkit never gave out\n", shot.p);
    expect_death(resize, &shot, "slabkit: realloc of %p, which is no live block of slabkit's\n",
                 shot.p);
    expect_death(ask_usable, &shot, "slabkit: looking of %p, which is no live block of slabkit's\n",
                 shot.p);
    shot.p = (void *)16;
    expect_death(free_it, &shot, "slabkit: free of 0x10, which slabkit never gave out\n");
}

static void test_small(void **state)
{
    struct shot shot = {.p = km_alloc(100)};
    char *p = shot.p;

    (void)state;
    expect_death(free_it_twice, &shot,
                 "slabkit: double free of %p, a 112-byte object of malloc-112\n", p);
    shot.p = p + 16;
    expect_death(free_it, &shot,
                 "slabkit: free of %p, which points inside a 112-byte object of malloc-112\n",
                 shot.p);
    expect_death(resize, &shot, "slabkit: realloc of %p, which is no live block of slabkit's\n",
                 shot.p);
    shot.p =
        (char *)region_info(p)->slab->sl_first + (size_t)112 * (region_info(p)->slab->sl_objs - 1);
    expect_death(
        free_it, &shot,
        "slabkit: free of %p, an object of malloc-112 (112 bytes) that was never allocated\n",
        shot.p);
    shot.p = (char *)region_info(p)->slab->sl_first + (size_t)112 * region_info(p)->slab->sl_objs;
    expect_death(free_it, &shot,
                 "slabkit: free of %p, which lies outside of the objects of its slab of malloc-112 "
                 "(112 bytes each)\n",
                 shot.p);
    km_free(p);
    expect_all_free();
}

static void test_large(void **state)
{
    struct shot shot = {.p = km_alloc(1 * MIB)};
    char *p = shot.p;

    (void)state;
    expect_death(free_it_twice, &shot,
                 "slabkit: free of %p, which is not allocated (freed already?)\n", p);
    shot.p = p + 16;
    expect_death(free_it, &shot,
                 "slabkit: free of %p, which points inside a large block of 1048576 bytes\n",
                 shot.p);
    shot.p = p + 5 * PLAT_PAGE_BYTES;
    expect_death(free_it, &shot,
                 "slabkit: free of %p, which points inside a large block of 1048576 bytes\n",
                 shot.p);
    km_free(p);
    shot.p = p;
    expect_death(free_it, &shot, "slabkit: free of %p, which is not allocated (freed already?)\n",
                 p);
    expect_death(ask_usable, &shot, "slabkit: looking of %p, which is no live block of slabkit's\n",
                 p);
    expect_all_free();
}

static void test_huge(void **state)
{
    struct shot shot = {.p = km_alloc(KM_HUGE_MIN)};
    char *p = shot.p;

    (void)state;
    expect_death(free_it_twice, &shot, "slabkit: free of %p, which slabkit never gave out\n", p);
    shot.p = p + 5 * MIB;
    expect_death(free_it, &shot,
                 "slabkit: free of %p, which points inside a huge block of 33554432 bytes\n",
                 shot.p);
    km_free(p);
    expect_all_free();
}

/* Blocks of the arena: a handler's, freed later. */
static void test_nested(void **state)
{
    struct shot shot;
    char *p;

    (void)state;
    assert_true(plat_enter());
    p = nested_alloc(200, 1, 0);
    plat_leave();
    memset(p, 0x10, 200);
    shot.p = p;
    expect_death(free_it_twice, &shot,
                 "slabkit: free of %p, which is not allocated (freed already?)\n", p);
    shot.p = p + 32;
    expect_death(free_it, &shot, "slabkit: free of %p, which is not allocated (freed already?)\n",
                 shot.p);
    shot.p = p + 1;
    expect_death(resize, &shot, "slabkit: realloc of %p, which is no live block of slabkit's\n",
                 shot.p);
    shot.p = p - 16; /* the arena's begin: it was empty */
    expect_death(free_it, &shot, "slabkit: free of %p, which is not allocated (freed already?)\n",
                 shot.p);
    km_free(p);
    expect_all_free();
}

static void test_sized(void **state)
{
    struct shot shot = {.p = km_alloc(100), .size = 113};
    void *small = shot.p, *large = km_alloc(300000);

    (void)state;
    expect_death(
        check_sized, &shot,
        "slabkit: sized free of %p with 113 bytes, more than its block of malloc-112 has\n", small);
    shot = (struct shot){.p = small, .size = 100, .align = 65536};
    if ((uintptr_t)small % 65536)
        expect_death(check_sized, &shot,
                     "slabkit: aligned free of %p, which is not aligned to 65536 bytes\n", small);
    shot = (struct shot){.p = large, .size = 400000};
    expect_death(check_sized, &shot,
                 "slabkit: sized free of %p with 400000 bytes, more than its block of large blocks "
                 "has\n",
                 large);
    km_free(small);
    km_free(large);
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign), cmocka_unit_test(test_small),  cmocka_unit_test(test_large),
        cmocka_unit_test(test_huge),    cmocka_unit_test(test_nested), cmocka_unit_test(test_sized),
    };
    start_kmalloc(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
