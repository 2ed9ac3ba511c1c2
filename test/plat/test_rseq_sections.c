/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what each restartable section does when nothing aborts it, on any kernel: the ids come
 *       from a struct of the test, and plat_init is not called. So this runs under an emulator
 *       that has no restartable sequences.
 */
#include "arrays.h"

#define IDX  1u
#define SLOT 2u
#define CAP  4u

/* Areas -2 to 3 around a base, as plat_init would map them. */
static char areas[6 << PLAT_SLOT_SHIFT] __attribute__((aligned(64)));
static SK_TLS struct plat_rseq faked;
static struct array arr, other;
static int things[8];

static uintptr_t *word(void)
{
    return plat_slot_word(SLOT, IDX);
}

static int open_three(void **state)
{
    (void)state;
    array_init(&arr, CAP);
    for (unsigned i = 1; i <= 3; i++)
        arr.a[i] = &things[i];
    *word() = array_word(&arr, 3);
    faked.mm_cid = SLOT;
    faked.cpu_id = SLOT + 1;
    plat_id_delta = RSEQ_DELTA_CID;
    return 0;
}

static void test_pop(void **state)
{
    void *obj;

    (void)state;
    for (unsigned i = 3; i >= 1; i--) {
        assert_int_equal(rseq_pop(IDX, &obj), RSEQ_HIT);
        assert_ptr_equal(obj, &things[i]);
    }
    assert_int_equal(rseq_pop(IDX, &obj), RSEQ_MISS);
    assert_int_equal(*word(), array_word(&arr, 0));
}

static void test_push(void **state)
{
    (void)state;
    assert_int_equal(rseq_push(PLAT_KIND(IDX, SLOT), &things[4]), RSEQ_HIT);
    assert_ptr_equal(arr.a[4], &things[4]);
    assert_int_equal(rseq_push(PLAT_KIND(IDX, SLOT), &things[5]), RSEQ_MISS);
    assert_ptr_equal(arr.a[5], PLAT_MARK);
    assert_int_equal(*word(), array_word(&arr, 4));
}

/* What belongs to another slot goes to the other array of this one. */
static void test_push_of_another_slot(void **state)
{
    uintptr_t *foreign = plat_slot_word(SLOT, PLAT_FOREIGN + IDX), before = *word();

    (void)state;
    assert_int_equal(rseq_push(PLAT_KIND(IDX, SLOT + 1), &things[4]), RSEQ_MISS);
    array_init(&other, CAP);
    *foreign = array_word(&other, 0);
    assert_int_equal(rseq_push(PLAT_KIND(IDX, SLOT + 1), &things[4]), RSEQ_HIT);
    assert_int_equal(rseq_push(PLAT_KIND(IDX, 0xffff), &things[5]), RSEQ_HIT);
    assert_int_equal(*foreign, array_word(&other, 2));
    assert_ptr_equal(other.a[1], &things[4]);
    assert_ptr_equal(other.a[2], &things[5]);
    assert_int_equal(*word(), before);
    *foreign = 0;
}

static void test_pop_n(void **state)
{
    void *out[5];
    unsigned n = 0;

    (void)state;
    assert_int_equal(rseq_pop_n(IDX, out, 2, &n), RSEQ_HIT);
    assert_int_equal(n, 2);
    assert_ptr_equal(out[0], &things[3]);
    assert_ptr_equal(out[1], &things[2]);
    assert_int_equal(rseq_pop_n(IDX, out, 0, &n), RSEQ_MISS);
    assert_int_equal(rseq_pop_n(IDX, out, 5, &n), RSEQ_HIT);
    assert_int_equal(n, 1);
    assert_ptr_equal(out[0], &things[1]);
    assert_int_equal(rseq_pop_n(IDX, out, 5, &n), RSEQ_MISS);
}

static void test_push_n(void **state)
{
    void *in[2] = {&things[4], &things[5]};
    unsigned n = 0;

    (void)state;
    *word() = array_word(&arr, 1);
    assert_int_equal(rseq_push_n(IDX, in, 2, &n), RSEQ_HIT);
    assert_int_equal(n, 2);
    assert_ptr_equal(arr.a[2], &things[4]);
    assert_ptr_equal(arr.a[3], &things[5]);
    assert_int_equal(rseq_push_n(IDX, in, 2, &n), RSEQ_HIT);
    assert_int_equal(n, 1);
    assert_int_equal(rseq_push_n(IDX, in, 2, &n), RSEQ_MISS);
    assert_ptr_equal(arr.a[5], PLAT_MARK);
}

static void test_cas(void **state)
{
    uintptr_t three = array_word(&arr, 3), one = array_word(&arr, 1);

    (void)state;
    assert_int_equal(rseq_cas(SLOT + 1, IDX, three, one), RSEQ_MISS);
    assert_int_equal(rseq_cas(SLOT, IDX, one, three), RSEQ_MISS);
    assert_int_equal(*word(), three);
    assert_int_equal(rseq_cas(SLOT, IDX, three, one), RSEQ_HIT);
    assert_int_equal(*word(), one);
}

/* Words of slots -2 to 3. */
static struct {
    struct plat_credit c;
    char rest[PLAT_CREDIT_BYTES - sizeof(struct plat_credit)];
} credits[6];
static struct plat_credit *const cells = &credits[2].c;

static void test_credit(void **state)
{
    uint64_t *credit = &plat_credit_of(cells, SLOT)->pc_word;

    (void)state;
    *credit = 10;
    assert_int_equal(rseq_credit_take(cells, 4), RSEQ_HIT);
    assert_int_equal(*credit, 6);
    assert_int_equal(rseq_credit_take(cells, 6), RSEQ_MISS);
    assert_int_equal(rseq_credit_take(cells, 7), RSEQ_MISS);
    assert_int_equal(rseq_credit_take(cells, UINT64_MAX), RSEQ_MISS);
    assert_int_equal(rseq_credit_take(cells, 5), RSEQ_HIT);
    assert_int_equal(*credit, 1);
    *credit = UINT64_MAX;
    assert_int_equal(rseq_credit_take(cells, UINT64_MAX - 1), RSEQ_HIT);
    assert_int_equal(*credit, 1);
}

static void test_credit_cas(void **state)
{
    uint64_t *credit = &plat_credit_of(cells, SLOT)->pc_word;

    (void)state;
    *credit = 0;
    assert_int_equal(rseq_credit_cas(cells, SLOT + 1, 0, 5), RSEQ_MISS);
    assert_int_equal(rseq_credit_cas(cells, SLOT, 1, 5), RSEQ_MISS);
    assert_int_equal(*credit, 0);
    assert_int_equal(rseq_credit_cas(cells, SLOT, 0, 5), RSEQ_HIT);
    assert_int_equal(*credit, 5);
    for (unsigned slot = 0; slot < 4; slot++)
        assert_int_equal(plat_credit_of(cells, slot)->pc_word, slot == SLOT ? 5 : 0);
}

static void test_no_credit_without_a_slot(void **state)
{
    (void)state;
    for (unsigned slot = 0; slot < 4; slot++)
        plat_credit_of(cells, slot)->pc_word = 100;
    faked.mm_cid = -1;
    assert_int_equal(rseq_credit_take(cells, 1), RSEQ_MISS);
    faked.mm_cid = -2;
    assert_int_equal(rseq_credit_take(cells, 1), RSEQ_MISS);
    faked.mm_cid = SLOT;
    plat_credit_of(cells, SLOT)->pc_word = 0;
    assert_int_equal(rseq_credit_take(cells, 1), RSEQ_MISS);
    assert_int_equal(plat_credit_of(cells, SLOT)->pc_word, 0);
    assert_int_equal(credits[0].c.pc_word | credits[1].c.pc_word, 0);
}

/* Every way for a section to find nothing open, and none of them is changed by it. */
static void all_miss(void)
{
    void *obj = NULL, *out[2];
    unsigned n;

    assert_int_equal(rseq_pop(IDX, &obj), RSEQ_MISS);
    assert_int_equal(rseq_push(PLAT_KIND(IDX, SLOT), &things[1]), RSEQ_MISS);
    assert_int_equal(rseq_push(PLAT_KIND(IDX, SLOT + 1), &things[1]), RSEQ_MISS);
    assert_int_equal(rseq_pop_n(IDX, out, 2, &n), RSEQ_MISS);
    assert_int_equal(rseq_push_n(IDX, out, 2, &n), RSEQ_MISS);
}

static void test_negative_ids_and_closed_words_miss(void **state)
{
    (void)state;
    faked.mm_cid = -1;
    all_miss();
    faked.mm_cid = -2;
    all_miss();
    assert_int_equal(*word(), array_word(&arr, 3));
    faked.mm_cid = SLOT;
    *word() = 0;
    all_miss();
    assert_int_equal(*word(), 0);
}

static void test_the_cpu_can_be_the_id(void **state)
{
    (void)state;
    plat_id_delta = RSEQ_DELTA_CPU;
    all_miss();
    faked.cpu_id = SLOT;
    test_pop(state);
}

static void test_the_section_is_announced(void **state)
{
    void *obj;

    (void)state;
    faked.rseq_cs = 0;
    rseq_pop(IDX, &obj);
    assert_true(faked.rseq_cs != 0);
    assert_int_equal(faked.rseq_cs % 32, 0);
}

/* Out of line: the difference of two thread offsets in one instruction is beyond the linker. */
SK_NOINLINE static char *closed(void)
{
    return (char *)&plat_closed_rseq;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pop, open_three),
        cmocka_unit_test_setup(test_push, open_three),
        cmocka_unit_test_setup(test_push_of_another_slot, open_three),
        cmocka_unit_test_setup(test_pop_n, open_three),
        cmocka_unit_test_setup(test_push_n, open_three),
        cmocka_unit_test_setup(test_cas, open_three),
        cmocka_unit_test_setup(test_credit, open_three),
        cmocka_unit_test_setup(test_credit_cas, open_three),
        cmocka_unit_test_setup(test_no_credit_without_a_slot, open_three),
        cmocka_unit_test_setup(test_negative_ids_and_closed_words_miss, open_three),
        cmocka_unit_test_setup(test_the_cpu_can_be_the_id, open_three),
        cmocka_unit_test_setup(test_the_section_is_announced, open_three),
    };

    plat_base = areas + (1 << PLAT_SLOT_SHIFT) - 16;
    ((void **)plat_base)[1] = PLAT_MARK;
    plat_slot_base = plat_base;
    plat_rseq_delta = (char *)&faked - closed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
