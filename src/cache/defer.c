/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what waits for a grace period: objects freed deferred, in batches of a slot, and slabs of typesafe caches.
 * Below: grace.c, park.c; alloc.c, objects.c.
 * Owns: the batch that each slot fills; two rounds of batches and slabs: those that came since a period was asked for, and those
 *       that wait for it.
 * Invariants: an object or slab that waits is parked (park.c), in a slot's batch, in `coming`, in `waiting`, or in `over`, which is
 *       the one thread's that has `busy`, or in its hands
 *       kc_deferred, kc_late = a cache's objects, slabs in any of these
 *       rounds end in the order in which they began: ended <= begun <= ended + 2
 * Concurrency: a slot's batch under its lock; the rounds under defer.lock; all inside plat_enter. Lock order: a slot's, defer's,
 *       grace's. Frees and destructors run without any of them.
 * Failure: without memory for a batch the caller waits for a period itself; inside of a section, where that would be for ever, the
 *       object stays as it is, for good; so does one that a nested call defers when it cannot be parked.
 * Why: by rounds, not a ticket for each batch: one period serves all that came before it, however much that was.
 */
#include "cache/internal.h"
#include "region/meta.h"

#define BATCH_OBJS 62u

/* Half a kilobyte. */
struct batch {
    struct batch *next;
    size_t n;
    void *objs[BATCH_OBJS];
};

struct filling {
    SK_CACHE_ALIGNED struct plat_lock lock;
    struct batch *batch; /* under lock */
};

struct round {
    struct batch *batches;
    struct list slabs;
};

static struct {
    struct filling *filling; /* by slot; NULL without memory */
    uint64_t bytes;          /* atomic: that wait */
    struct plat_lock lock;
    /* Under lock. */
    struct round coming, waiting;
    bool some_wait;
    bool busy; /* a thread frees what is in `over` */
    struct round over;
    uint64_t ticket;       /* of `waiting` */
    uint64_t begun, ended; /* rounds that began to wait, and that were freed */
} defer;

SK_START void kmem_defer_init(void)
{
    list_init(&defer.coming.slabs);
    list_init(&defer.waiting.slabs);
    list_init(&defer.over.slabs);
    kmem_park_init();
    defer.filling = meta_alloc(plat_nslots() * sizeof(*defer.filling));
}

SK_START size_t kmem_waiting_bytes(void)
{
    return sk_load_relaxed(&defer.bytes);
}

static size_t slab_bytes(const struct slab *s)
{
    return s->sl_geom->pages * PLAT_PAGE_BYTES;
}

/* Nested calls that may come this far end before. */
static void enter(void)
{
    if (SK_UNLIKELY(!plat_enter()))
        kmem_die_nested("deferred frees");
}

static void defer_lock(void)
{
    enter();
    plat_lock(&defer.lock);
}

static void defer_unlock(void)
{
    plat_unlock(&defer.lock);
    plat_leave();
}

/* ---- the end of a round ------------------------------------------------------------------------ */

static void free_now(void *obj)
{
    struct pcpu_cache *pc = pcpu_cache_at(region_index(obj));
    struct kmem_cache *c = kmem_of_pcpu(pc);

    sk_sub_relaxed(&defer.bytes, pc->pc_geom.size);
    kmem_cache_free(c, obj);
    /* Release: kmem_defer_wait's caller may end the cache now. */
    __atomic_fetch_sub(&c->kc_deferred, 1, __ATOMIC_RELEASE);
}

static void batch_unmake(struct batch *b)
{
    bool entered = plat_enter();

    meta_free(b, sizeof(*b));
    if (entered)
        plat_leave();
}

static SK_COLD void slab_free(struct slab *s)
{
    struct pcpu_cache *pc = SK_CONTAINER_OF(s->sl_geom, struct pcpu_cache, pc_geom);
    struct kmem_cache *c = kmem_of_pcpu(pc);

    kmem_enter(c);
    sk_sub_relaxed(&defer.bytes, slab_bytes(s));
    kmem_objects_end(c, s);
    if (node_unmake(pc->pc_node[s->sl_node], s))
        region_trim_excess();
    kmem_leave();
    /* Release: as above. */
    __atomic_fetch_sub(&c->kc_late, 1, __ATOMIC_RELEASE);
}

static struct slab *over_pop_slab(void)
{
    struct list *l;

    defer_lock();
    l = list_pop(&defer.over.slabs);
    defer_unlock();
    return l ? SK_CONTAINER_OF(l, struct slab, sl_link) : NULL;
}

#define HANDFUL 8u

/* Under the lock, which a fork holds: what a child finds in a batch was not freed yet. */
static unsigned over_pop_objs(void **out)
{
    struct batch *b, *empty = NULL;
    unsigned n = 0;

    defer_lock();
    b = defer.over.batches;
    while (b && b->n && n < HANDFUL)
        out[n++] = b->objs[--b->n];
    if (b && b->n == 0) {
        defer.over.batches = b->next;
        empty = b;
    }
    defer_unlock();
    if (empty)
        batch_unmake(empty);
    return n;
}

/* By the thread that has `busy`. */
static SK_COLD void over_free(void)
{
    void *objs[HANDFUL];
    struct slab *s;

    for (unsigned n; (n = over_pop_objs(objs)) != 0;)
        for (unsigned i = 0; i < n; i++)
            free_now(objs[i]);
    while ((s = over_pop_slab()) != NULL)
        slab_free(s);
    defer_lock();
    defer.busy = false;
    defer.ended++;
    defer_unlock();
}

/* ---- rounds ---------------------------------------------------------------------------------------- */

static bool round_empty(const struct round *r)
{
    return !r->batches && list_empty(&r->slabs);
}

static SK_NOINLINE void round_move(struct round *to, struct round *from)
{
    struct batch **last = &to->batches;
    struct list *l;

    while (*last)
        last = &(*last)->next;
    *last = from->batches;
    from->batches = NULL;
    while ((l = list_pop(&from->slabs)) != NULL)
        list_push(&to->slabs, l);
}

/* What came begins to wait. */
static void begin_locked(void)
{
    if (defer.some_wait || round_empty(&defer.coming))
        return;
    round_move(&defer.waiting, &defer.coming);
    defer.some_wait = true;
    defer.begun++;
    defer.ticket = kmem_grace_ticket();
}

/* true: what waited is over, and this thread's to free. */
static bool take_locked(void)
{
    if (!defer.some_wait || defer.busy || !kmem_grace_over(defer.ticket))
        return false;
    round_move(&defer.over, &defer.waiting);
    defer.some_wait = false;
    defer.busy = true;
    return true;
}

/* Without waiting. */
static SK_COLD void rounds_go_on(void)
{
    bool mine;

    do {
        defer_lock();
        begin_locked();
        mine = take_locked();
        begin_locked();
        defer_unlock();
        if (mine)
            over_free();
    } while (mine);
}

/* The program's own period: who may wait runs it for all that came. */
static SK_COLD void rounds_by_custom(void (*synchronize)(void))
{
    bool some;

    defer_lock();
    some = !defer.busy && !round_empty(&defer.coming);
    if (some) {
        round_move(&defer.over, &defer.coming);
        defer.busy = true;
        defer.begun++;
    }
    defer_unlock();
    if (!some)
        return;
    synchronize();
    over_free();
}

/* Inside plat_enter. */
static void push_batch(struct batch *b)
{
    plat_lock(&defer.lock);
    b->next = defer.coming.batches;
    defer.coming.batches = b;
    plat_unlock(&defer.lock);
}

/* ---- deferring --------------------------------------------------------------------------------------- */

/* true: obj is in; *full: a batch that is, to be pushed. */
static bool fill(struct filling *f, void *obj, struct batch **full)
{
    bool in;

    plat_lock(&f->lock);
    in = f->batch != NULL;
    if (in) {
        f->batch->objs[f->batch->n++] = obj;
        if (f->batch->n == BATCH_OBJS) {
            *full = f->batch;
            f->batch = NULL;
        }
    }
    plat_unlock(&f->lock);
    return in;
}

/* false: no memory. Another thread of the slot may have been faster. */
static SK_COLD bool new_batch(struct filling *f)
{
    struct batch *b = meta_alloc(sizeof(*b));

    if (!b)
        return false;
    plat_lock(&f->lock);
    if (!f->batch) {
        f->batch = b;
        b = NULL;
    }
    plat_unlock(&f->lock);
    meta_free(b, sizeof(*b));
    return true;
}

/* false: no memory. Inside plat_enter. */
static bool enqueue(void *obj, bool *pushed)
{
    struct filling *f = defer.filling ? &defer.filling[plat_slot()] : NULL;
    struct batch *full = NULL;

    while (f && !fill(f, obj, &full))
        if (!new_batch(f))
            f = NULL;
    if (full)
        push_batch(full);
    *pushed = full != NULL;
    return f != NULL;
}

static bool period_over(uint64_t ticket)
{
    bool over;

    defer_lock();
    over = kmem_grace_over(ticket);
    defer_unlock();
    return over;
}

static SK_COLD void wait_for_period(void)
{
    void (*synchronize)(void) = kmem_grace_custom();
    uint64_t ticket;

    if (synchronize) {
        synchronize();
        return;
    }
    defer_lock();
    ticket = kmem_grace_ticket();
    defer_unlock();
    while (!period_over(ticket))
        plat_yield();
}

static SK_COLD void defer_without_memory(void *obj)
{
    if (kmem_reading())
        return;
    wait_for_period();
    free_now(obj);
}

/* ---- by nested calls --------------------------------------------------------------------------------- */

/* Who interrupted a slow path cannot wait for readers. */
static SK_COLD void park_or_keep(struct kmem_cache *c, void *obj)
{
    if (kmem_park(obj))
        return;
    sk_sub_relaxed(&defer.bytes, c->kc_pcpu.pc_geom.size);
    sk_sub_relaxed(&c->kc_deferred, 1);
}

/* What they deferred comes to where the others' objects are. Inside plat_enter. true: a batch came. */
static bool unpark(void)
{
    bool in = true, pushed, some = false;
    void *obj;

    while (in && (obj = kmem_unpark()) != NULL) {
        in = enqueue(obj, &pushed);
        some |= pushed;
        if (!in)
            park_or_keep(kmem_of_pcpu(pcpu_cache_at(region_index(obj))), obj);
    }
    return some;
}

/* ---- the call ---------------------------------------------------------------------------------------- */

SK_EXPORT void kmem_cache_free_deferred(struct kmem_cache *c, void *obj)
{
    bool in, pushed;

    if (!obj)
        return;
    kmem_check_owner(c, obj);
    kmem_grace_use();
    c = c->kc_root;
    sk_add_relaxed(&c->kc_deferred, 1);
    sk_add_relaxed(&defer.bytes, c->kc_pcpu.pc_geom.size);
    if (SK_UNLIKELY(!plat_enter())) {
        park_or_keep(c, obj);
        return;
    }
    in = enqueue(obj, &pushed);
    pushed |= unpark();
    kmem_leave();
    if (!in)
        defer_without_memory(obj);
    else if (pushed && !kmem_grace_custom())
        rounds_go_on();
}

void kmem_defer_slab(struct kmem_cache *c, struct slab *s)
{
    sk_add_relaxed(&c->kc_late, 1);
    sk_add_relaxed(&defer.bytes, slab_bytes(s));
    plat_lock(&defer.lock);
    list_push(&defer.coming.slabs, &s->sl_link);
    plat_unlock(&defer.lock);
}

/* ---- waiting -------------------------------------------------------------------------------------------- */

static SK_COLD void flush_slots(void)
{
    enter();
    unpark();
    for (unsigned slot = 0; defer.filling && slot < plat_nslots(); slot++) {
        struct filling *f = &defer.filling[slot];
        struct batch *b;

        plat_lock(&f->lock);
        b = f->batch;
        f->batch = NULL;
        plat_unlock(&f->lock);
        if (b && b->n)
            push_batch(b);
        else if (b)
            batch_unmake(b);
    }
    plat_leave();
}

SK_COLD void kmem_run_deferred(void)
{
    void (*synchronize)(void) = kmem_grace_custom();

    if (!kmem_grace_used())
        return;
    flush_slots();
    if (synchronize)
        rounds_by_custom(synchronize);
    else
        rounds_go_on();
}

/* With slabkit's own period only: the program's may not be waited for in a section of its own. */
SK_COLD void kmem_defer_go_on(unsigned tries)
{
    if (!kmem_grace_used() || kmem_grace_custom())
        return;
    while (tries-- && kmem_waiting_bytes()) {
        kmem_run_deferred();
        plat_yield();
    }
}

/* Rounds until everything that came so far is freed. */
static uint64_t rounds_so_far(void)
{
    uint64_t n;

    defer_lock();
    n = defer.begun + !round_empty(&defer.coming);
    defer_unlock();
    return n;
}

static bool rounds_ended(uint64_t n)
{
    bool ended;

    defer_lock();
    ended = defer.ended >= n;
    defer_unlock();
    return ended;
}

SK_EXPORT SK_COLD void kmem_cache_barrier(void)
{
    uint64_t until;

    if (!kmem_grace_used())
        return;
    flush_slots();
    until = rounds_so_far();
    while (!rounds_ended(until)) {
        kmem_run_deferred();
        plat_yield();
    }
}

SK_COLD void kmem_defer_wait(struct kmem_cache *c)
{
    while (sk_load_acquire(&c->kc_deferred) || sk_load_acquire(&c->kc_late))
        kmem_cache_barrier();
}

/* ---- fork ----------------------------------------------------------------------------------------------- */

SK_COLD void kmem_defer_fork(void (*fn)(struct plat_lock *l))
{
    for (unsigned slot = 0; defer.filling && slot < plat_nslots(); slot++)
        fn(&defer.filling[slot].lock);
    fn(&defer.lock);
    kmem_grace_fork(fn);
}

static SK_COLD void count_object(const void *obj)
{
    struct pcpu_cache *pc = pcpu_cache_at(region_index(obj));

    kmem_of_pcpu(pc)->kc_deferred++;
    defer.bytes += pc->pc_geom.size;
}

static SK_COLD void count_batches(const struct batch *b)
{
    for (; b; b = b->next)
        for (size_t i = 0; i < b->n; i++)
            count_object(b->objs[i]);
}

static SK_COLD void count_slabs(const struct list *slabs)
{
    const struct list *l;

    list_for_each (l, slabs) {
        const struct slab *s = SK_CONTAINER_OF(l, struct slab, sl_link);

        kmem_of_pcpu(SK_CONTAINER_OF(s->sl_geom, struct pcpu_cache, pc_geom))->kc_late++;
        defer.bytes += slab_bytes(s);
    }
}

/* What another thread had in its hands is lost to the child, which counts what is left, and frees it after one more period. */
SK_COLD void kmem_defer_fork_child(void)
{
    struct list *l;

    if (defer.busy) {
        round_move(&defer.coming, &defer.over);
        defer.busy = false;
        defer.ended++;
    }
    list_for_each (l, &kmem.caches) {
        struct kmem_cache *c = SK_CONTAINER_OF(l, struct kmem_cache, kc_link);

        c->kc_deferred = c->kc_late = 0;
    }
    defer.bytes = 0;
    for (unsigned slot = 0; defer.filling && slot < plat_nslots(); slot++)
        count_batches(defer.filling[slot].batch);
    kmem_for_each_parked(count_object);
    count_batches(defer.coming.batches);
    count_batches(defer.waiting.batches);
    count_slabs(&defer.coming.slabs);
    count_slabs(&defer.waiting.slabs);
    kmem_grace_fork_child();
}
