/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: reader sections, and grace periods that end when every section open at their begin has ended.
 * Below: plat's slots.
 * Owns: for each slot how many sections of phase 0 and 1 began and ended there. Only sums count: a section may end on
 *       another slot than it began on.
 * Invariants: sum of began[p] - sum of ended[p] = open sections of phase p, at rest
 *       a period ends no earlier than every section that was open when it began
 * Concurrency: readers: one addition at each end, no lock. Periods: grace.lock, a step at a time; nobody waits under it.
 * Why: counters per slot, as Linux's SRCU has them (Lai Jiangshan; kernel/rcu/srcutree.c), because threads need not be
 *       registered and may end at any time.
 *
 *     reader                               period
 *       p = phase                            A: wait until phase !p has no section
 *       began[p]++, fence                    phase flips: new sections are of !p
 *       ...                                  B: wait until phase p has none
 *       ended[p]++ (release)
 *
 * Proof: docs/cache.md.
 */
#include "cache/internal.h"
#include "region/meta.h"

struct cell {
    SK_CACHE_ALIGNED uint64_t began[2]; /* atomic */
    uint64_t ended[2];                  /* atomic */
};

enum step {
    GRACE_IDLE,
    GRACE_A,
    GRACE_B
};

static struct {
    struct cell early;    /* before the start, and without memory for the others */
    struct cell *cells;   /* by slot; set once, with release */
    unsigned phase;       /* atomic, stored under lock: its lowest bit is p */
    unsigned used;        /* atomic: the program's own would come too late */
    void (*custom)(void); /* atomic: set before anything is deferred */
    struct plat_lock lock;
    /* Under lock. */
    enum step at;
    uint64_t done;   /* periods that have ended */
    uint64_t wanted; /* the highest ticket */
} grace;

SK_START void kmem_grace_init(void)
{
    sk_store_release(&grace.cells, meta_alloc(plat_nslots() * sizeof(*grace.cells)));
}

/* ---- readers ----------------------------------------------------------------------------------- */

/* A thread's sections as one word: a READER for each, and the phase of the outermost. A handler that comes before the word
 * is stored, or after it is 0, counts a section of its own; one that comes between is inside of the thread's. */
#define READER 2u

static struct cell *cell_here(void)
{
    struct cell *cells = sk_load_acquire(&grace.cells);

    return SK_LIKELY(cells != NULL) ? &cells[plat_slot()] : &grace.early;
}

SK_EXPORT void kmem_read_lock(void)
{
    struct plat_request *rq = plat_request();

    unsigned p;

    if (rq->readers != 0) {
        rq->readers += READER;
        return;
    }
    p = sk_load_relaxed(&grace.phase) & 1;
    sk_add_relaxed(&cell_here()->began[p], 1);
    /* With the fence in quiet(): the period sees this section, or this section what was before the period. */
    sk_fence();
    rq->readers = READER | p;
}

SK_EXPORT void kmem_read_unlock(void)
{
    struct plat_request *rq = plat_request();

    unsigned was = rq->readers;

    SK_REQUIRE(was >= READER);
    rq->readers = was < 2 * READER ? 0 : was - READER;
    /* Release: to the acquire in sum(); what the section read was read before it is reused. */
    if (rq->readers == 0)
        __atomic_fetch_add(&cell_here()->ended[was & 1], 1, __ATOMIC_RELEASE);
}

bool kmem_reading(void)
{
    return plat_request()->readers != 0;
}

/* ---- periods ------------------------------------------------------------------------------------- */

static uint64_t sum(bool ended, unsigned p)
{
    struct cell *cells = sk_load_acquire(&grace.cells);
    uint64_t n = sk_load_acquire(ended ? &grace.early.ended[p] : &grace.early.began[p]);

    for (unsigned slot = 0; cells && slot < plat_nslots(); slot++)
        n += sk_load_acquire(ended ? &cells[slot].ended[p] : &cells[slot].began[p]);
    return n;
}

/* Ended first: a section is not seen to end without having been seen to begin. */
static bool quiet(unsigned p)
{
    uint64_t ended = sum(true, p);

    sk_fence();
    return sum(false, p) == ended;
}

/* One step, if it can be made. */
static bool step_locked(void)
{
    unsigned p = grace.phase & 1;

    if (grace.at == GRACE_IDLE) {
        if (grace.wanted <= grace.done)
            return false;
        sk_fence();
        grace.at = GRACE_A;
        return true;
    }
    if (!quiet(!p))
        return false;
    if (grace.at == GRACE_A) {
        sk_store_relaxed(&grace.phase, grace.phase + 1);
        sk_fence();
        grace.at = GRACE_B;
    } else {
        grace.done++;
        grace.at = GRACE_IDLE;
    }
    return true;
}

uint64_t kmem_grace_ticket(void)
{
    uint64_t ticket;

    plat_lock(&grace.lock);
    ticket = grace.done + 1 + (grace.at != GRACE_IDLE);
    grace.wanted = sk_max(grace.wanted, ticket);
    plat_unlock(&grace.lock);
    return ticket;
}

SK_COLD bool kmem_grace_over(uint64_t ticket)
{
    bool over;

    plat_lock(&grace.lock);
    while (grace.done < ticket && step_locked())
        ;
    over = grace.done >= ticket;
    plat_unlock(&grace.lock);
    return over;
}

/* ---- the program's own --------------------------------------------------------------------------- */

void kmem_grace_use(void)
{
    sk_store_relaxed(&grace.used, 1);
}

bool kmem_grace_used(void)
{
    return sk_load_relaxed(&grace.used) != 0;
}

void (*kmem_grace_custom(void))(void)
{
    return sk_load_acquire(&grace.custom);
}

SK_EXPORT SK_COLD int kmem_set_grace_period(void (*synchronize)(void))
{
    if (kmem_grace_used())
        return EBUSY;
    sk_store_release(&grace.custom, synchronize);
    return 0;
}

/* ---- fork ---------------------------------------------------------------------------------------- */

SK_COLD void kmem_grace_fork(void (*fn)(struct plat_lock *l))
{
    fn(&grace.lock);
}

/* Sections of threads that are not in the child would never end; this thread's goes on. */
SK_COLD void kmem_grace_fork_child(void)
{
    struct plat_request *rq = plat_request();

    if (grace.cells)
        __builtin_memset(grace.cells, 0, plat_nslots() * sizeof(*grace.cells));
    grace.early = (struct cell){0};
    if (rq->readers)
        grace.early.began[rq->readers & 1] = 1;
}
