/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see patterns.h.
 * Below: the kernel's CPUs.
 * Owns: rings between CPUs, tables of live objects. An object says which CPU allocated it.
 */
#include "patterns.h"

#include "kernel/kernel.h"

#define RING        128u
#define BATCH       16u
#define BURST       4096u
#define BURST_LARGE 32768u /* more than a depot takes */
#define TABLE       512u
#define TABLE_TURNS 128u

struct object {
    void *link; /* the allocator's, while free */
    uint64_t tag;
    uint64_t cpu;
};

static const struct way *way;
static uint64_t wanted;
static bool over; /* atomic */
static unsigned running;

static struct {
    uint64_t frees, remote; /* by the CPU */
    uint64_t seed;
} SK_CACHE_ALIGNED cpus[KERN64_CPUS_MAX];

void (*pattern_halfway)(void), (*pattern_over)(void);
static uint64_t halfway, ended; /* atomic: its turn came */

static unsigned draw(unsigned cpu, unsigned below)
{
    cpus[cpu].seed = cpus[cpu].seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((cpus[cpu].seed >> 33) % below);
}

/* ---- allocate and free ------------------------------------------------------------------------------ */

static struct object *make(unsigned cpu)
{
    struct object *o = way->wy_alloc();

    if (o)
        o->cpu = cpu;
    else
        plat_panic("bench: no memory");
    return o;
}

static void drop(unsigned cpu, struct object *o)
{
    sk_count(&cpus[cpu].remote, o->cpu != cpu);
    sk_count(&cpus[cpu].frees, 1);
    way->wy_free(o);
}

uint64_t pattern_frees(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += sk_load_relaxed(&cpus[cpu].frees);
    return sum;
}

uint64_t pattern_frees_remote(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += sk_load_relaxed(&cpus[cpu].remote);
    return sum;
}

static void call_once(uint64_t *called, void (*fn)(void))
{
    uint64_t not_yet = 0;

    if (fn && sk_load_relaxed(called) == 0 && sk_cas_acquire(called, &not_yet, 1))
        fn();
}

/* Looked at by all, every batch. */
static bool goes_on(void)
{
    uint64_t sum = pattern_frees_remote();

    if (sum >= wanted / 2)
        call_once(&halfway, pattern_halfway);
    if (sum >= wanted) {
        call_once(&ended, pattern_over);
        sk_store_release(&over, true);
    }
    return !sk_load_acquire(&over);
}

/* All have left their loops: what is left is freed by whoever finds it, then. */
static void leave_together(void)
{
    sk_sub_relaxed(&running, 1);
    while (sk_load_acquire(&running))
        kern64_wait_turn();
}

/* ---- rings: one writer, one reader ------------------------------------------------------------------- */

struct ring {
    SK_CACHE_ALIGNED uint32_t written; /* atomic, by the writer */
    SK_CACHE_ALIGNED uint32_t read;    /* atomic, by the reader */
    struct object *cell[RING];
};

static struct ring *rings; /* [to * CPUs + from] */

static struct ring *ring(unsigned from, unsigned to)
{
    return &rings[to * plat_nslots() + from];
}

static void send(unsigned cpu, unsigned to, unsigned n)
{
    struct ring *r = ring(cpu, to);

    for (; n && r->written - sk_load_acquire(&r->read) < RING; n--) {
        r->cell[r->written % RING] = make(cpu);
        sk_store_release(&r->written, r->written + 1);
    }
}

static void receive(unsigned from, unsigned cpu, unsigned n)
{
    struct ring *r = ring(from, cpu);

    for (; n && r->read != sk_load_acquire(&r->written); n--) {
        struct object *o = r->cell[r->read % RING];

        sk_store_release(&r->read, r->read + 1);
        drop(cpu, o);
    }
}

static void receive_rest(unsigned cpu)
{
    leave_together();
    for (unsigned from = 0; from < plat_nslots(); from++)
        receive(from, cpu, RING);
}

/* ---- the patterns -------------------------------------------------------------------------------------- */

/* Each CPU passes all it allocates to the next. */
static void pipeline(void)
{
    unsigned cpu = plat_slot(), n = plat_nslots();

    while (goes_on()) {
        send(cpu, (cpu + 1) % n, BATCH);
        receive((cpu + n - 1) % n, cpu, BATCH);
    }
    receive_rest(cpu);
}

static void all_to_all(void)
{
    unsigned cpu = plat_slot(), n = plat_nslots();

    while (goes_on()) {
        unsigned to = draw(cpu, n - 1);

        send(cpu, to + (to >= cpu), BATCH);
        for (unsigned from = 0; from < n; from++)
            receive(from, cpu, BATCH);
    }
    receive_rest(cpu);
}

/* ---- burst: the first CPU allocates, then sleeps; the others free -------------------------------------- */

static struct object *burst[BURST_LARGE];
static uint64_t burst_round; /* atomic: rounds filled */
static unsigned burst_left;  /* atomic: CPUs that have not freed their share yet */

static void burst_owner(unsigned cpus_freeing, unsigned length)
{
    while (goes_on()) {
        for (unsigned i = 0; i < length; i++)
            burst[i] = make(0);
        sk_store_release(&burst_left, cpus_freeing);
        sk_store_release(&burst_round, burst_round + 1);
        while (sk_load_acquire(&burst_left))
            cpu_rest();
    }
}

static void burst_other(unsigned cpu, unsigned cpus_freeing, unsigned length)
{
    for (uint64_t round = 1;; round++) {
        while (sk_load_acquire(&burst_round) < round)
            if (sk_load_acquire(&over))
                return;
            else
                kern64_wait_turn();
        for (unsigned i = cpu - 1; i < length; i += cpus_freeing)
            drop(cpu, burst[i]);
        sk_sub_relaxed(&burst_left, 1);
    }
}

static void burst_of(unsigned length)
{
    unsigned cpu = plat_slot(), others = plat_nslots() - 1;

    if (cpu == 0)
        burst_owner(others, length);
    else
        burst_other(cpu, others, length);
}

static void burst_idle(void)
{
    burst_of(BURST);
}

static void burst_large(void)
{
    burst_of(BURST_LARGE);
}

/* ---- larson: tables of live objects change hands -------------------------------------------------------- */

struct table {
    struct object *o[TABLE];
};

/* Twice as many as CPUs: who gives one back finds others to take. */
static struct table *tables;
static struct table *free_table[2 * KERN64_CPUS_MAX]; /* atomic */

static unsigned ntables(void)
{
    return 2 * plat_nslots();
}

static struct table *table_take(unsigned cpu)
{
    unsigned n = ntables();

    for (unsigned i = draw(cpu, n);; i = (i + 1) % n) {
        struct table *t = sk_load_relaxed(&free_table[i])
                              ? sk_xchg_acq_rel(&free_table[i], (struct table *)NULL)
                              : NULL;

        if (t)
            return t;
    }
}

static void table_give(unsigned cpu, struct table *t)
{
    unsigned n = ntables();

    for (unsigned i = draw(cpu, n);; i = (i + 1) % n) {
        struct table *none = NULL;

        if (sk_cas_acq_rel(&free_table[i], &none, t))
            return;
    }
}

static void larson(void)
{
    unsigned cpu = plat_slot();

    while (goes_on()) {
        struct table *t = table_take(cpu);

        for (unsigned turn = 0; turn < TABLE_TURNS; turn++) {
            struct object **o = &t->o[draw(cpu, TABLE)];

            if (*o)
                drop(cpu, *o);
            *o = make(cpu);
        }
        table_give(cpu, t);
    }
    leave_together();
    for (unsigned i = 0; i < 2 * TABLE; i++)
        if (tables[2 * cpu + i / TABLE].o[i % TABLE])
            drop(cpu, tables[2 * cpu + i / TABLE].o[i % TABLE]);
}

const struct pattern patterns[PATTERNS] = {
    {"pipeline", pipeline},       {"all-to-all", all_to_all}, {"burst", burst_idle},
    {"burst-large", burst_large}, {"larson", larson},
};

/* ---- reset ------------------------------------------------------------------------------------------------ */

static void *pages(void *p, size_t bytes)
{
    if (!p)
        p = plat_map(sk_align_up(bytes, PLAT_PAGE_BYTES), PLAT_PAGE_BYTES);
    if (!p)
        plat_panic("bench: no memory");
    __builtin_memset(p, 0, bytes);
    return p;
}

void pattern_reset(const struct way *w, uint64_t frees_remote)
{
    unsigned n = plat_nslots();

    way = w;
    wanted = frees_remote;
    running = n;
    over = false;
    halfway = ended = burst_round = 0;
    burst_left = 0;
    rings = pages(rings, (size_t)n * n * sizeof(*rings));
    tables = pages(tables, ntables() * sizeof(*tables));
    for (unsigned i = 0; i < ntables(); i++)
        free_table[i] = &tables[i];
    for (unsigned cpu = 0; cpu < n; cpu++) {
        cpus[cpu].frees = cpus[cpu].remote = 0;
        cpus[cpu].seed = cpu + 1;
    }
}
