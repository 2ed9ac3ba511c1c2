/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: frees that cross nodes go home, in chains, and nothing grows: in rounds and in streams, counted.
 */
#include "fixture.h"

#define ROUNDS  20u
#define WARM_UP 4u
#define RING    256u
#define STREAM  20000u
#define PER_CAS                                                                                    \
    16u /* objects that go home by one compare-and-swap, at least: or most of a slab's */

/* ---- frees go home ------------------------------------------------------------------------------ */

static bool list_is_of_node(const struct list *lists, unsigned node)
{
    const struct list *l;
    bool ok = true;

    list_for_each (l, lists)
        ok &= SK_CONTAINER_OF(l, struct slab, sl_link)->sl_node == node;
    return ok;
}

static bool lists_are_of_their_node(struct pcpu_cache *c)
{
    bool ok = true;

    for (unsigned node = 0; node < plat_nnodes(); node++) {
        const struct node_cache *nd = c->pc_node[node];

        if (nd)
            ok &= list_is_of_node(&nd->nd_orphans, node) && list_is_of_node(&nd->nd_idle, node);
    }
    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        const struct slot_cache *sc = pcpu_slot_cache(slot, c->pc_geom.kind);

        if (sc)
            ok &= list_is_of_node(&sc->sc_partial, plat_slot_node(slot));
    }
    return ok;
}

struct counts {
    uint64_t objs, chains, tells, slabs;
};

static struct counts count(struct pcpu_cache *c)
{
    return (struct counts){SUM_OVER_SLOTS(c, sc_remote_objs), SUM_OVER_SLOTS(c, sc_remote_chains),
                           SUM_OVER_SLOTS(c, sc_tells), SUM_OVER_NODES(c, nd_slabs)};
}

/* What came since `before`, but slabs: how many there are. */
static struct counts count_since(struct pcpu_cache *c, const struct counts *before)
{
    struct counts n = count(c);

    n.objs -= before->objs;
    n.chains -= before->chains;
    n.tells -= before->tells;
    return n;
}

static void print_counts(const char *what, const struct counts *n)
{
    print_message("%s: %llu objects went home by %llu CAS (%llu each), %llu tells, %llu slabs\n",
                  what, (unsigned long long)n->objs, (unsigned long long)n->chains,
                  (unsigned long long)(n->chains ? n->objs / n->chains : 0),
                  (unsigned long long)n->tells, (unsigned long long)n->slabs);
}

/* A concurrency id may pass from who allocated to who frees: then it is no other slot's. */
static void expect_home(const struct pcpu_cache *c, const struct counts *n, uint64_t at_least)
{
    uint64_t per_cas = sk_min(PER_CAS, c->pc_geom.objs * 3 / 4);

    assert_true(n->objs >= at_least || plat_mode() == PLAT_MODE_RSEQ_CID);
    assert_true(n->objs >= per_cas * n->chains);
}

/*
 * Slabs that so many live objects can need: a slot makes one when its own have nothing left, so the
 * free objects are in its two arrays and in what it has begun. Not by concurrency ids: a slot that
 * nobody runs keeps what came home to it until the reaper looks.
 */
static bool few_slabs(const struct pcpu_cache *c, uint64_t slabs, uint64_t live)
{
    uint64_t most = (live + cpus * 2 * PARRAY_CAP_MAX) / c->pc_geom.objs + 2 * cpus;

    return slabs <= most || plat_mode() == PLAT_MODE_RSEQ_CID;
}

/* Everybody allocates, then everybody frees what a CPU of another node has. */
static struct counts round_across(struct pcpu_cache *c)
{
    struct counts before, n;

    on_all(alloc_job, c, 0);
    assert_true(at_rest(c, (uint64_t)cpus * EACH));
    if (plat_mode() == PLAT_MODE_RSEQ_CPU)
        on_all(check_slab_job, c, 0);
    before = count(c);
    on_all(free_job, c, shift_across());
    n = count_since(c, &before);
    assert_int_equal(faults, 0);
    assert_true(at_rest(c, 0));
    assert_true(lists_are_of_their_node(c));
    return n;
}

/*
 * Nobody allocates in the second half of a round, so nobody looks at what was returned: an owner is
 * told once. What does not go home stays in the arrays of who freed it.
 */
static void test_frees_cross_nodes(void **state)
{
    struct pcpu_cache *c = &caches[1];
    struct counts all = count(c);
    uint64_t most = 0;

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct counts n = round_across(c);

        expect_home(c, &n, (uint64_t)cpus * EACH / 2);
        assert_true(n.tells <= plat_nslots());
        assert_true(few_slabs(c, n.slabs, (uint64_t)cpus * EACH));
        if (plat_mode() == PLAT_MODE_RSEQ_CPU)
            assert_true(round < WARM_UP || n.slabs <= most);
        most = sk_max(most, n.slabs);
    }
    all = count_since(c, &all);
    print_counts("rounds", &all);
    expect_empty();
}

/* ---- a stream from node to node --------------------------------------------------------------- */

/* One writer, one reader. */
static struct ring {
    SK_CACHE_ALIGNED unsigned put;
    SK_CACHE_ALIGNED unsigned got;
    void *slot[RING];
} rings[CPUS_MAX];

static bool ring_put(struct ring *r, struct pcpu_cache *c)
{
    unsigned put = r->put;
    void *p;

    if (put == STREAM || put - sk_load_acquire(&r->got) == RING)
        return false;
    p = cache_alloc(c);
    expect(p != NULL);
    *(uintptr_t *)p = (uintptr_t)p ^ put;
    r->slot[put % RING] = p;
    sk_store_release(&r->put, put + 1);
    return true;
}

static bool ring_get(struct ring *r, struct pcpu_cache *c)
{
    unsigned got = r->got;
    void *p;

    if (sk_load_acquire(&r->put) == got)
        return false;
    p = r->slot[got % RING];
    expect(*(uintptr_t *)p == ((uintptr_t)p ^ got));
    cache_free(c, p);
    sk_store_release(&r->got, got + 1);
    return true;
}

/* CPUs in turn consume from a CPU of another node, or produce. */
static bool consumes(unsigned cpu)
{
    return cpu / shift_across() % 2 == 0 && cpu + shift_across() < cpus;
}

static unsigned producers(void)
{
    unsigned n = 0;

    for (unsigned cpu = 0; cpu < cpus; cpu++)
        n += consumes(cpu);
    return n;
}

static void stream_job(struct job *job)
{
    bool consumer = consumes(job->cpu);
    struct ring *r = &rings[consumer ? job->from : job->cpu];

    if (!consumer && (job->cpu < shift_across() || !consumes(job->cpu - shift_across())))
        return;
    while (consumer ? r->got != STREAM : r->put != STREAM)
        if (!(consumer ? ring_get(r, job->c) : ring_put(r, job->c)))
            usleep(50);
}

static void stream(struct pcpu_cache *c)
{
    struct counts before = count(c), n;

    memset(rings, 0, sizeof(rings));
    on_all(stream_job, c, shift_across());
    n = count_since(c, &before);
    print_counts("stream", &n);
    assert_int_equal(faults, 0);
    assert_true(at_rest(c, 0));
    assert_true(lists_are_of_their_node(c));
    expect_home(c, &n, (uint64_t)producers() * STREAM * 3 / 4);
    assert_true(few_slabs(c, n.slabs, producers() * RING));
}

static void test_streams_cross_nodes(void **state)
{
    (void)state;
    stream(&caches[1]);
    stream(&caches[3]);
    expect_empty();
}
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frees_cross_nodes),
        cmocka_unit_test(test_streams_cross_nodes),
    };

    start_guest(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
