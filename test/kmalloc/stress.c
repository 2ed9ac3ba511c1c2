/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: threads with stamped blocks of all sizes: each on its own, from one to another, born and
 *       dying, while a reaper gives back what is idle. No block is lost, doubled or written by
 *       two.
 *       usage: kmalloc_stress [portable [rounds]]
 */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>

#define THREADS 4u
#define TABLE   300u
#define CELLS   256u

static unsigned rounds = 6, faults;
static bool over;

struct block {
    unsigned char *p;
    size_t size;
    uint64_t v;
};

static void fault_if(bool bad)
{
    if (bad)
        sk_add_relaxed(&faults, 1);
}

/* Mostly small, now and then large. */
static size_t draw_size(uint64_t *seed)
{
    unsigned kind = draw(seed, 256);

    if (kind == 0)
        return draw(seed, 600000);
    return kind < 16 ? draw(seed, 40000) : draw(seed, 1u << (4 + draw(seed, 7)));
}

static void block_make(struct block *b, uint64_t *seed)
{
    b->size = draw_size(seed);
    b->v = *seed;
    b->p = draw(seed, 8) ? km_alloc(b->size) : km_zalloc(b->size);
    fault_if(!b->p);
    if (b->p)
        stamp(b->p, b->size, b->v);
}

static void block_resize(struct block *b, uint64_t *seed)
{
    size_t size = draw_size(seed) + 1;
    void *p = km_realloc(b->p, size);

    fault_if(!p || !prefix_holds(p, sk_min(size, b->size), b->size, b->v));
    if (!p)
        return;
    b->p = p;
    b->size = size;
    stamp(p, size, b->v);
}

static void block_drop(struct block *b)
{
    fault_if(!stamp_holds(b->p, b->size, b->v));
    km_free(b->p);
    b->p = NULL;
}

static void table_step(struct block *table, uint64_t *seed)
{
    struct block *b = &table[draw(seed, TABLE)];

    if (!b->p)
        block_make(b, seed);
    else if (draw(seed, 4) == 0)
        block_resize(b, seed);
    else
        block_drop(b);
}

static void *on_its_own(void *arg)
{
    struct block table[TABLE] = {{0}};
    uint64_t seed = (uintptr_t)arg;

    for (unsigned i = 0; i < 15000 * rounds; i++)
        table_step(table, &seed);
    for (unsigned i = 0; i < TABLE; i++)
        if (table[i].p)
            block_drop(&table[i]);
    return NULL;
}

/* ---- from one to another -------------------------------------------------------- */

/* In a cell a block carries its own description. */
static void *cells[CELLS];

static void cell_put_in(struct block *b)
{
    struct block old;

    if (b->p)
        memcpy(b->p, &(struct block){NULL, b->size, b->v}, sizeof(*b));
    old.p = sk_xchg_acq_rel(&cells[b->v % CELLS], (void *)b->p);
    if (!old.p)
        return;
    memcpy(&old.size, old.p + offsetof(struct block, size), sizeof(old.size));
    memcpy(&old.v, old.p + offsetof(struct block, v), sizeof(old.v));
    for (size_t i = sizeof(old); i < old.size; i++)
        fault_if(stamp_step(old.size) == 1 && old.p[i] != stamp_byte(old.v, i));
    km_free(old.p);
}

static void *to_another(void *arg)
{
    uint64_t seed = (uintptr_t)arg;

    for (unsigned i = 0; i < 15000 * rounds; i++) {
        struct block b = {NULL, sizeof(struct block) + draw(&seed, 500), seed};

        if (draw(&seed, 4)) {
            b.p = km_alloc(b.size);
            fault_if(!b.p);
        }
        if (b.p)
            stamp(b.p, b.size, b.v);
        cell_put_in(&b);
    }
    return NULL;
}

static void cells_empty(void)
{
    for (unsigned i = 0; i < CELLS; i++) {
        struct block b = {NULL, 0, i};

        cell_put_in(&b);
    }
}

/* ---- born and dying ------------------------------------------------------------- */

static void *short_life(void *arg)
{
    struct block table[TABLE] = {{0}};
    uint64_t seed = (uintptr_t)arg;

    for (unsigned i = 0; i < 200; i++)
        table_step(table, &seed);
    for (unsigned i = 0; i < TABLE; i++)
        if (table[i].p)
            block_drop(&table[i]);
    return NULL;
}

static void *parent_of_short_lives(void *arg)
{
    for (uintptr_t i = 0; i < 40 * rounds; i++) {
        pthread_t child;

        if (pthread_create(&child, NULL, short_life, (void *)((uintptr_t)arg * 1000 + i)) == 0)
            pthread_join(child, NULL);
    }
    return NULL;
}

/* ---- beside --------------------------------------------------------------------- */

static void *reaper(void *arg)
{
    uint64_t seed = 5;

    (void)arg;
    while (!sk_load_acquire(&over)) {
        if (draw(&seed, 4)) {
            plat_enter();
            pcpu_reap();
            region_reap(0, false);
            plat_leave();
        } else {
            km_trim(draw(&seed, 2) * 64 * KIB);
        }
        sched_yield();
    }
    return NULL;
}

static void run(void *(*fn)(void *))
{
    pthread_t threads[THREADS], reaping;

    sk_store_relaxed(&over, false);
    pthread_create(&reaping, NULL, reaper, NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, fn, (void *)(i + 1));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    sk_store_release(&over, true);
    pthread_join(reaping, NULL);
    assert_int_equal(faults, 0);
}

static void test_on_their_own(void **state)
{
    (void)state;
    run(on_its_own);
    expect_all_free();
}

static void test_from_one_to_another(void **state)
{
    (void)state;
    run(to_another);
    cells_empty();
    assert_int_equal(faults, 0);
    expect_all_free();
}

static void test_born_and_dying(void **state)
{
    (void)state;
    run(parent_of_short_lives);
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_their_own),
        cmocka_unit_test(test_from_one_to_another),
        cmocka_unit_test(test_born_and_dying),
    };
    start_kmalloc(argc, argv);
    if (argc > 2)
        rounds = (unsigned)sk_max(strtoul(argv[2], NULL, 10), 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
