/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one owner and several pushers of one slab, the protocol of the remote list at full
 *       speed: no object is lost or doubled, what a pusher wrote is what the owner reads, and
 *       each time the slab is away exactly one side takes it back.
 * Owns: a mailbox per pusher; `due`, what the returned list would be: the slab, when a pusher
 *       linked it.
 */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>

#define PUSHERS    3u
#define BOX_CELLS  8u
#define OWNER_OBJS 40000u

static struct slab_geom geom;

struct box {
    SK_CACHE_ALIGNED void
        *cells[BOX_CELLS]; /* atomic: NULL, or an object on its way to the pusher */
};

static struct world {
    struct slab *s;
    struct list list;
    struct slab *due; /* atomic */
    bool over;        /* atomic */
    uint64_t links;   /* atomic: pushes that replaced AWAY */
    uint64_t faults;  /* atomic */
    struct box box[PUSHERS];
} w;

/* ---- pushers -------------------------------------------------------------------- */

static unsigned box_empty(struct box *box, void **objs)
{
    unsigned n = 0;

    for (unsigned i = 0; i < BOX_CELLS; i++) {
        void *p = sk_load_relaxed(&box->cells[i]) ? sk_xchg_acquire(&box->cells[i], NULL) : NULL;

        if (p)
            objs[n++] = p;
    }
    return n;
}

static void link_due(struct slab *s)
{
    sk_add_relaxed(&w.links, 1);
    s->sl_ret_next = NULL;
    if (__atomic_exchange_n(&w.due, s, __ATOMIC_RELEASE) != NULL)
        sk_add_relaxed(&w.faults, 1);
}

static void send(void **objs, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ((uint64_t *)objs[i])[1] = ~(uint64_t)(uintptr_t)objs[i];
        if (i + 1 < n)
            slab_chain(w.s, objs[i], objs[i + 1]);
    }
    if (n && slab_push_remote(w.s, objs[0], objs[n - 1]))
        link_due(w.s);
}

static void *pusher(void *arg)
{
    void *objs[BOX_CELLS];

    while (!sk_load_acquire(&w.over)) {
        unsigned n = box_empty(arg, objs);

        send(objs, n);
        if (!n)
            sched_yield();
    }
    send(objs, box_empty(arg, objs));
    return NULL;
}

/* ---- the owner ------------------------------------------------------------------ */

static uint64_t owner_backs;

static void take_due(void)
{
    struct slab *s = sk_load_relaxed(&w.due) ? sk_xchg_acquire(&w.due, NULL) : NULL;

    if (!s)
        return;
    slab_returned_to_partial(s, &w.list);
    if (slab_collect(s) == 0)
        sk_add_relaxed(&w.faults, 1);
}

/* What a pusher wrote last is still there. 0: taken for the first time. */
static void check_stamp(void *p)
{
    uint64_t *word = p;

    if (word[1] != 0 && word[1] != ~(uint64_t)(uintptr_t)p)
        sk_add_relaxed(&w.faults, 1);
    word[1] = 1;
}

static bool post(void *p, uint64_t *seed)
{
    void **cell = &w.box[draw(seed, PUSHERS)].cells[draw(seed, BOX_CELLS)];

    if (sk_load_relaxed(cell))
        return false;
    sk_store_release(cell, p);
    return true;
}

/* The owner's own free. */
static void put_back(void *p)
{
    ((uint64_t *)p)[1] = ~(uint64_t)(uintptr_t)p;
    if (w.s->sl_state == SLAB_OFF) {
        if (!slab_away_to_partial(w.s, &w.list)) {
            assert_false(slab_push_remote(w.s, p, p));
            return;
        }
        owner_backs++;
    }
    assert_int_equal(slab_put(w.s, p), MISUSE_KINDS);
}

/* What the owner keeps of its own objects for a while. */
static void *kept[4];
static unsigned nkept;

static void give(void *p, uint64_t *seed)
{
    check_stamp(p);
    if (nkept < SK_ARRAY_SIZE(kept) && draw(seed, 4) == 0)
        kept[nkept++] = p;
    else if (!post(p, seed))
        put_back(p);
}

static uint64_t owner_turn(uint64_t *seed, unsigned *given)
{
    void *p;

    take_due();
    if (nkept && draw(seed, 4) == 0)
        put_back(kept[--nkept]);
    if (w.s->sl_state == SLAB_OFF) {
        sched_yield();
        return 0;
    }
    slab_collect(w.s);
    if (slab_take(w.s, &p, 1)) {
        give(p, seed);
        ++*given;
    }
    assert_true(slab_verify(w.s));
    return slab_avail(w.s) == 0 && slab_partial_to_away(w.s);
}

static uint64_t owner(void)
{
    uint64_t seed = 1, aways = 0;

    for (unsigned given = 0; given < OWNER_OBJS;)
        aways += owner_turn(&seed, &given);
    return aways;
}

static void test_owner_and_pushers(void **state)
{
    pthread_t threads[PUSHERS];
    uint64_t aways;

    (void)state;
    list_init(&w.list);
    w.s = slab_new_on(&geom, &w.list);
    for (unsigned i = 0; i < PUSHERS; i++)
        pthread_create(&threads[i], NULL, pusher, &w.box[i]);
    aways = owner();
    sk_store_release(&w.over, true);
    for (unsigned i = 0; i < PUSHERS; i++)
        pthread_join(threads[i], NULL);
    while (nkept)
        put_back(kept[--nkept]);
    take_due();
    if (w.s->sl_state == SLAB_OFF && slab_away_to_partial(w.s, &w.list))
        owner_backs++;
    slab_collect(w.s);

    assert_int_equal(w.faults, 0);
    assert_int_equal(w.s->sl_state, SLAB_PARTIAL);
    assert_int_equal(w.s->sl_inuse, 0);
    assert_true(slab_verify(w.s));
    assert_int_equal(aways, w.links + owner_backs);
    assert_true(w.links > 0 && owner_backs > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_owner_and_pushers)};

    slab_geom_init(&geom, "threads", 8192, 64, KIND);
    return cmocka_run_group_tests(tests, start_region, NULL);
}
