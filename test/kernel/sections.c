/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the sections of the per-slot primitives: against interrupts of their own CPU that use the
 *       same arrays at random points, and against other CPUs that close them.
 * Owns: one array of slot 0, or of slot 1, with objects that are numbers; at the end each is in
 *       somebody's hands or in the array, once.
 *       usage: sections interrupts|credit|fence [passes]
 */
#include "engine.h"
#include "pcpu/hit.h"

#define IDX    3u
#define OBJS   24u
#define ROUNDS 4000u
#define FENCES 300u
#define MOMENT 2000u /* turns: longer than a section takes */

static void *array[OBJS + 2];

static void *number(uintptr_t i)
{
    return (void *)(i << 8);
}

static void array_fill(unsigned n)
{
    array[0] = NULL;
    array[OBJS + 1] = PLAT_MARK;
    for (uintptr_t i = 1; i <= n; i++)
        array[i] = number(i);
}

/* Every object from 1 to `all` is among those counted, once. */
static uint64_t seen;

static void see(void *const *objs, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t bit = 1ull << ((uintptr_t)objs[i] >> 8);

        assert_in_range((uintptr_t)objs[i] >> 8, 1, OBJS);
        assert_int_equal(seen & bit, 0);
        seen |= bit;
    }
}

static unsigned array_length(uintptr_t word)
{
    void **top = plat_word_top(word);

    assert_true(top >= array && top <= array + OBJS);
    return (unsigned)(top - array);
}

/* ---- interrupts of the same CPU -------------------------------------------------------------- */

static void *handler_holds[OBJS];
static unsigned handler_count;
static uint64_t handler_calls; /* atomic */
static uint64_t handler_seed = 9;

static void handler(void)
{
    bool pop = draw(&handler_seed, 2);
    void *p;

    sk_count(&handler_calls, 1);
    if (pop && handler_count < OBJS / 2 && (p = plat_slot_pop(IDX)) != NULL)
        handler_holds[handler_count++] = p;
    else if (!pop && handler_count &&
             plat_slot_push(PLAT_KIND(IDX, 0), handler_holds[handler_count - 1]))
        handler_count--;
}

static void turn(void **holds, unsigned *n, uint64_t *seed)
{
    void *some[4];
    unsigned k;

    switch (draw(seed, 4)) {
    case 0:
        if ((some[0] = plat_slot_pop(IDX)) != NULL)
            holds[(*n)++] = some[0];
        break;
    case 1:
        if (*n && plat_slot_push(PLAT_KIND(IDX, 0), holds[*n - 1]))
            --*n;
        break;
    case 2:
        k = plat_slot_pop_n(IDX, some, 4);
        memcpy(holds + *n, some, k * sizeof(*some));
        *n += k;
        break;
    default:
        k = plat_slot_push_n(IDX, holds, (unsigned)sk_min(*n, 3));
        *n -= k;
        memmove(holds, holds + k, *n * sizeof(*holds));
        break;
    }
}

/* Now and then everything is counted, with interrupts off. */
static void count_all(void *const *holds, unsigned n)
{
    irq_off();
    seen = 0;
    see(array + 1, array_length(*plat_slot_word(0, IDX)));
    see(holds, n);
    see(handler_holds, handler_count);
    irq_on();
    assert_int_equal(sk_popcount(seen), OBJS);
}

static void test_interrupts(void **state)
{
    void *holds[OBJS + 4];
    uint64_t seed = 1;
    unsigned n = 0;

    (void)state;
    array_fill(OBJS);
    plat_slot_open(0, IDX, plat_word_of(&array[OBJS]));
    timer_hook = handler;
    timer_every(1000, 30000);
    for (unsigned round = 0; round < ROUNDS || sk_load_relaxed(&handler_calls) < ROUNDS; round++) {
        turn(holds, &n, &seed);
        if (round % 8 == 0)
            count_all(holds, n);
    }
    timer_hook = NULL;
    count_all(holds, n);
}

/* ---- credit: one word, taken from by the same two ------------------------------------------------------ */

#define CREDIT 100000000u

static struct plat_credit cells[KERN64_CPUS_MAX];
static uint64_t taken_in_handler;

static void credit_handler(void)
{
    uint64_t amount = 1 + draw(&handler_seed, 50);

    sk_count(&handler_calls, 1);
    if (plat_credit_take(cells, amount))
        taken_in_handler += amount;
}

/* What was taken and what is left is what was given. */
static void test_credit(void **state)
{
    uint64_t seed = 3, taken = 0;

    (void)state;
    sk_store_relaxed(&handler_calls, 0);
    assert_false(plat_credit_take(cells, 1));
    assert_true(plat_credit_cas(cells, 0, 0, CREDIT));
    assert_false(plat_credit_cas(cells, 1, 0, CREDIT));
    timer_hook = credit_handler;
    timer_every(1000, 30000);
    while (sk_load_relaxed(&handler_calls) < ROUNDS) {
        uint64_t amount = 1 + draw(&seed, 50);

        taken += plat_credit_take(cells, amount) ? amount : 0;
    }
    timer_hook = NULL;
    plat_credit_stop(cells);
    assert_int_equal(cells[0].pc_stopped, CREDIT - taken - taken_in_handler);
    assert_int_equal(cells[0].pc_word, 0);
    assert_false(plat_credit_take(cells, 1));
}

/* ---- closing from another CPU ---------------------------------------------------------------- */

static bool over; /* atomic */
static uint64_t passes, enough = 100000;

static void *its[OBJS];
static unsigned nits;

/* Takes from its own array and gives back, as fast as it can; long sections, to be hit in. */
static void *user(void *arg)
{
    (void)arg;
    while (!sk_load_relaxed(&over)) {
        nits += plat_slot_pop_n(IDX, its + nits, OBJS - nits);
        nits -= plat_slot_push_n(IDX, its, nits);
        sk_count(&passes, 1);
    }
    return NULL;
}

static void test_fence(void **state)
{
    pthread_t thread;
    unsigned n;

    (void)state;
    array_fill(OBJS);
    plat_slot_open(1, IDX, plat_word_of(&array[OBJS]));
    pthread_create(&thread, NULL, user, NULL);
    for (unsigned round = 0; round < FENCES || sk_load_relaxed(&passes) < enough; round++) {
        uintptr_t word = plat_slot_stop(1, IDX);

        n = array_length(word);
        for (unsigned i = 0; i < MOMENT; i++)
            assert_int_equal(sk_load_relaxed(plat_slot_word(1, IDX)), 0);
        /* Nobody is inside: what is moved meanwhile stays where it is. */
        seen = 0;
        see(array + 1, n);
        for (unsigned i = 1; i <= n / 2; i++) {
            void *t = array[i];

            array[i] = array[n + 1 - i];
            array[n + 1 - i] = t;
        }
        plat_slot_open(1, IDX, word);
    }
    sk_store_release(&over, true);
    pthread_join(thread, NULL);
    n = array_length(*plat_slot_word(1, IDX));
    seen = 0;
    see(array + 1, n);
    see(its, nits);
    assert_int_equal(sk_popcount(seen), OBJS);
    assert_true(kern64_cpu[0].fences >= FENCES);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest interrupts[] = {cmocka_unit_test(test_interrupts)},
                            credit[] = {cmocka_unit_test(test_credit)};
    const struct CMUnitTest fence[] = {cmocka_unit_test(test_fence)};

    plat_init(&(struct plat_config){0});
    if (argc > 2)
        enough = strtoul(argv[2], NULL, 10);
    if (argc > 1 && strcmp(argv[1], "fence") == 0)
        return cmocka_run_group_tests(fence, NULL, NULL);
    if (argc > 1 && strcmp(argv[1], "credit") == 0)
        return cmocka_run_group_tests(credit, NULL, NULL);
    return cmocka_run_group_tests(interrupts, NULL, NULL);
}
