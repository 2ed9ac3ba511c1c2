/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: many threads on one node at once: arrays pass through the depot whole and each to one
 *       taker; slabs go from list to list, each adopted once.
 */
#include "fixture.h"

#include <pthread.h>

#define THREADS 4u
#define ROUNDS  60000u
#define SLABS   24u

static unsigned faults;

static void fault_if(bool bad)
{
    if (bad)
        sk_add_relaxed(&faults, 1);
}

/* Every entry of an array says whose it is; nobody else writes while one thread has it. */
static void stamp(struct parray *pa, uintptr_t v)
{
    for (unsigned i = 1; i <= pa->pa_cap; i++)
        pa->pa_a[i] = (void *)v;
}

static void check(const struct parray *pa)
{
    for (unsigned i = 2; i <= pa->pa_cap; i++)
        fault_if(pa->pa_a[i] != pa->pa_a[1]);
    fault_if(pa->pa_avail != pa->pa_cap);
}

static void put(uintptr_t v)
{
    struct parray *pa = node_get_empty(&node);

    if (!pa)
        pa = parray_make(sk_load_relaxed(&node.nd_cap));
    if (!pa)
        return;
    stamp(pa, v);
    pa->pa_avail = pa->pa_cap;
    for (pa = node_put_full(&node, pa); pa; pa = node_get_over(&node)) {
        check(pa);
        parray_unmake(pa);
    }
}

static void get(struct parray *pa)
{
    if (!pa)
        return;
    check(pa);
    node_put_empty(&node, pa);
}

static void *depot_worker(void *arg)
{
    uint64_t seed = (uintptr_t)arg;

    for (unsigned i = 0; i < ROUNDS; i++)
        switch (draw(&seed, 64)) {
        case 0:
            node_grow_arrays(&node, sk_load_relaxed(&node.nd_cap));
            break;
        case 1:
            node_reap_end(&node, true);
            break;
        case 2:
        case 3:
            get(node_reap_full(&node, seed & 1));
            break;
        default:
            if (seed & 1)
                put(seed | 1);
            else
                get(node_get_full(&node));
            break;
        }
    return NULL;
}

/* Each thread is a slot with a lock and a list of its own: here nobody else looks at it. */
static void *slab_worker(void *arg)
{
    unsigned slot = (unsigned)(uintptr_t)arg;
    uint64_t seed = slot;
    struct list mine;

    list_init(&mine);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct slab *s;

        if (draw(&seed, 16) == 0)
            node_settle_orphans(&node);
        if (draw(&seed, 2)) {
            s = node_adopt(&node, &mine, slot);
            fault_if(s && (s->sl_owner != slot || s->sl_state != SLAB_PARTIAL));
        } else if (!list_empty(&mine)) {
            s = SK_CONTAINER_OF(mine.prev, struct slab, sl_link);
            if (draw(&seed, 2) || !node_keep_idle(&node, s))
                node_orphan(&node, s);
        }
    }
    while (!list_empty(&mine))
        node_orphan(&node, SK_CONTAINER_OF(mine.next, struct slab, sl_link));
    return NULL;
}

static void run(void *(*fn)(void *))
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, fn, (void *)(i + 1));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void test_depot(void **state)
{
    struct parray *pa;

    (void)state;
    node_start(64, 16 * PARRAY_CAP_FIRST * 64);
    run(depot_worker);
    assert_true(node_sound());
    while ((pa = node_reap_full(&node, true)) != NULL)
        get(pa);
    assert_int_equal(faults, 0);
}

static void test_slabs(void **state)
{
    struct list mine;
    struct slab *s;

    (void)state;
    node_start(64, 0);
    list_init(&mine);
    for (unsigned i = 0; i < SLABS; i++) {
        s = node_grow(&node, 0);
        list_push(&mine, &s->sl_link);
        node_orphan(&node, s);
    }
    run(slab_worker);
    node_settle_orphans(&node);
    assert_true(node_sound());
    assert_int_equal(node.nd_nidle, SLABS);
    while ((s = node_reap_idle(&node, true)) != NULL)
        node_shrink(&node, s);
    assert_int_equal(node.nd_slabs, 0);
    assert_int_equal(used_bytes(), 0);
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_depot), cmocka_unit_test(test_slabs)};

    return cmocka_run_group_tests(tests, start_region, NULL);
}
