/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the buddy allocator alone, hosted and in the kernel: what split and merge leave, zones, holes,
 *       and a plain model of who has which unit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "plat/kern64/buddy.h"

#define UNITS 1000u
#define HOLE  300u /* two units that are not there */

static struct buddy b;
static struct buddy_unit unit[UNITS];
static uint8_t owner[UNITS]; /* model: 0 free or absent, else whose */

static int start(void **state)
{
    (void)state;
    memset(owner, 0, sizeof(owner));
    buddy_init(&b, unit, UNITS);
    return 0;
}

static void add_all(void)
{
    buddy_add(&b, 1, HOLE - 1, 0);
    buddy_add(&b, HOLE + 2, UNITS - HOLE - 2, 0);
}

static void test_add_makes_the_largest_blocks(void **state)
{
    (void)state;
    add_all();
    assert_true(buddy_verify(&b));
    assert_int_equal(b.bd_free, UNITS - 3);
    /* 512..767 and so on: the largest block that fits between its boundaries. */
    assert_int_equal(buddy_alloc(&b, 8, 0), 512);
    assert_int_equal(buddy_alloc(&b, 9, 0), BUDDY_NONE);
    assert_true(buddy_verify(&b));
}

static void test_split_and_merge(void **state)
{
    uint32_t first, second;

    (void)state;
    buddy_add(&b, 64, 64, 0);
    first = buddy_alloc(&b, 0, 0);
    second = buddy_alloc(&b, 0, 0);
    assert_int_equal(first ^ second, 1);
    assert_int_equal(b.bd_free, 62);
    assert_int_equal(buddy_alloc(&b, 6, 0), BUDDY_NONE);
    assert_true(buddy_free(&b, first));
    assert_int_equal(buddy_alloc(&b, 6, 0), BUDDY_NONE);
    assert_true(buddy_free(&b, second));
    assert_int_equal(buddy_alloc(&b, 6, 0), 64);
    assert_int_equal(b.bd_free, 0);
}

static void test_refuses_what_was_not_given_out(void **state)
{
    uint32_t at;

    (void)state;
    buddy_add(&b, 64, 64, 0);
    at = buddy_alloc(&b, 2, 0);
    assert_false(buddy_free(&b, at + 1));
    assert_false(buddy_free(&b, 0));
    assert_false(buddy_free(&b, UNITS));
    assert_true(buddy_free(&b, at));
    assert_false(buddy_free(&b, at));
    assert_true(buddy_verify(&b));
}

/* Neighbours of different zones do not merge, and each serves its own only. */
static void test_zones(void **state)
{
    uint32_t at;

    (void)state;
    buddy_add(&b, 0, 64, 0);
    buddy_add(&b, 64, 64, 1);
    assert_int_equal(b.bd_zone_free[0], 64);
    assert_int_equal(b.bd_zone_free[1], 64);
    assert_int_equal(buddy_alloc(&b, 7, 0), BUDDY_NONE);
    at = buddy_alloc(&b, 3, 1);
    assert_true(at >= 64);
    for (unsigned i = 0; i < 7; i++)
        assert_true(buddy_alloc(&b, 3, 1) >= 64);
    assert_int_equal(buddy_alloc(&b, 0, 1), BUDDY_NONE);
    assert_int_equal(b.bd_zone_free[0], 64);
    assert_true(buddy_verify(&b));
}

static uint64_t seed = 7;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % below);
}

static void take(uint32_t *block, unsigned *order)
{
    *order = draw(draw(4) ? 3 : 7);
    *block = buddy_alloc(&b, *order, 0);
    if (*block == BUDDY_NONE)
        return;
    assert_int_equal(*block % (1u << *order), 0);
    for (uint32_t i = 0; i < 1u << *order; i++) {
        assert_int_equal(owner[*block + i], 0);
        assert_true(*block + i != 0 && *block + i != HOLE && *block + i != HOLE + 1);
        owner[*block + i] = 1;
    }
}

static void give(uint32_t block, unsigned order)
{
    memset(owner + block, 0, 1u << order);
    assert_true(buddy_free(&b, block));
}

static void test_model(void **state)
{
    static uint32_t block[200];
    static unsigned order[200];

    (void)state;
    add_all();
    memset(block, 0xff, sizeof(block));
    for (unsigned round = 0; round < 20000; round++) {
        unsigned i = draw(200);

        if (block[i] == BUDDY_NONE) {
            take(&block[i], &order[i]);
        } else {
            give(block[i], order[i]);
            block[i] = BUDDY_NONE;
        }
        if (round % 500 == 0)
            assert_true(buddy_verify(&b));
    }
    for (unsigned i = 0; i < 200; i++)
        if (block[i] != BUDDY_NONE)
            give(block[i], order[i]);
    assert_true(buddy_verify(&b));
    assert_int_equal(b.bd_free, UNITS - 3);
    assert_int_equal(buddy_alloc(&b, 8, 0), 512);
}

static void test_verify_sees(void **state)
{
    (void)state;
    buddy_add(&b, 64, 64, 0);
    buddy_alloc(&b, 0, 0);
    b.bd_free++;
    assert_false(buddy_verify(&b));
    b.bd_free--;
    unit[b.bd_head[0][3]].order = 2;
    assert_false(buddy_verify(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_add_makes_the_largest_blocks, start),
        cmocka_unit_test_setup(test_split_and_merge, start),
        cmocka_unit_test_setup(test_refuses_what_was_not_given_out, start),
        cmocka_unit_test_setup(test_zones, start),
        cmocka_unit_test_setup(test_model, start),
        cmocka_unit_test_setup(test_verify_sees, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
