/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the guest's own tests share: as many threads as CPUs, each bound to one; how many CPUs and nodes
 *       there are is said by whoever made the machine, in GUEST_CPUS and GUEST_NODES.
 * Owns: a table of objects for each CPU, filled and emptied in phases.
 * Concurrency: one phase at a time; a phase is one thread on each CPU.
 * Why: without depots, so that all that leaves an array goes home; and again with them (argv[2]), since nothing
 *       of another node may pass through one.
 */
#ifndef SLABKIT_TEST_GUEST_FIXTURE_H
#define SLABKIT_TEST_GUEST_FIXTURE_H

#include <stddef.h>

static size_t depots_budget;
#define DEPOTS_BUDGET depots_budget
#include "../pcpu/fixture.h"

#define CPUS_MAX 64u
#define EACH     2000u

static unsigned cpus, nodes;
static unsigned faults;
static void *objs[CPUS_MAX][EACH + PARRAY_CAP_MAX];
static unsigned nobjs[CPUS_MAX];

struct job {
    struct pcpu_cache *c;
    unsigned cpu;  /* where it runs */
    unsigned from; /* whose objects it frees */
    uint64_t hits; /* answer of hits_job */
};

static inline void expect(bool right)
{
    if (!right)
        sk_add_relaxed(&faults, 1);
}

/* ---- phases --------------------------------------------------------------------------------- */

struct phase {
    void (*fn)(struct job *job);
    struct job job;
};

static inline void *phase_thread(void *arg)
{
    struct phase *ph = arg;

    expect(pin(ph->job.cpu));
    ph->fn(&ph->job);
    return NULL;
}

/* On every CPU; CPU i frees what CPU i + shift allocated. Returns the sum of the answers. */
static inline uint64_t on_all(void (*fn)(struct job *job), struct pcpu_cache *c, unsigned shift)
{
    struct phase phases[CPUS_MAX];
    pthread_t threads[CPUS_MAX];
    uint64_t sum = 0;

    for (unsigned i = 0; i < cpus; i++) {
        phases[i] = (struct phase){fn, {c, i, (i + shift) % cpus, 0}};
        assert_int_equal(pthread_create(&threads[i], NULL, phase_thread, &phases[i]), 0);
    }
    for (unsigned i = 0; i < cpus; i++) {
        pthread_join(threads[i], NULL);
        sum += phases[i].job.hits;
    }
    return sum;
}

static inline struct slab *slab_at(const void *p)
{
    return region_info(p)->slab;
}

static inline void keep(const struct job *job, void *p)
{
    expect(p != NULL);
    if (!p)
        return;
    stamp_object(p, job->c->pc_geom.size, job->cpu);
    objs[job->cpu][nobjs[job->cpu]++] = p;
}

static inline void alloc_job(struct job *job)
{
    while (nobjs[job->cpu] < EACH)
        keep(job, cache_alloc(job->c));
}

static inline void free_job(struct job *job)
{
    for (unsigned i = 0; i < nobjs[job->from]; i++) {
        void *p = objs[job->from][i];

        expect(stamp_holds(p, job->c->pc_geom.size, job->from));
        cache_free(job->c, p);
    }
    nobjs[job->from] = 0;
}

/* The least shift that brings every CPU's objects to another node; 1 where there is one node only. */
static inline unsigned shift_across(void)
{
    for (unsigned shift = 1; shift < cpus; shift++) {
        bool across = true;

        for (unsigned i = 0; i < cpus; i++)
            across &= plat_slot_node(i) != plat_slot_node((i + shift) % cpus);
        if (across)
            return shift;
    }
    assert_int_equal(plat_nnodes(), 1);
    return 1;
}
/* ---- start ---------------------------------------------------------------------------------- */

static inline unsigned from_env(const char *name)
{
    const char *value = getenv(name);
    unsigned n = value ? (unsigned)strtoul(value, NULL, 10) : 0;

    if (n == 0 || n > CPUS_MAX) {
        fprintf(stderr, "%s is missing\n", name);
        exit(1);
    }
    return n;
}
static inline void start_guest(int argc, char **argv)
{
    cpus = from_env("GUEST_CPUS");
    nodes = from_env("GUEST_NODES");
    depots_budget = argc > 2 ? 4 * DEPOT_BUDGET : 0;
    start(argc, argv, 0, depots_budget / 4);
}

/* Of rseq-cpu only: what a CPU holds is of its node's slabs. */
static inline void check_slab_job(struct job *job)
{
    for (unsigned i = 0; i < nobjs[job->cpu]; i++) {
        const struct slab *s = slab_at(objs[job->cpu][i]);

        expect(s->sl_node == plat_slot_node(job->cpu));
        expect(s->sl_owner == SLAB_NO_OWNER || plat_slot_node(s->sl_owner) == s->sl_node);
    }
}

#endif
