/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the account of a type: what its slots may do without asking, what they did, and whether
 *       more may be had. See types.h for the invariants and docs/types.md for the proofs.
 * Below: plat's credit.
 * Concurrency: everything static here runs under t_lock.
 * Why: credit, not a count that is compared with a limit: a slot that has used up what it was
 *       given misses, as an array does that is empty. A type at its limit, one that was never
 *       used, one whose frees are waited for: all are a word of 0.
 */
#include "kmalloc/types.h"

#define GRANT_MIN   ((uint64_t)16 << 10)
#define GRANT_OBJS  64u
#define GRANT_SHARE 16u /* a slot's credit is at most this part of what is in use, by slots */
#define GRANT_MAX   ((uint64_t)64 << 20)
#define DOUBLED_MAX 6u
#define ROOM_SHARE  2u /* and at most this part of the room that is left, by slots */
#define RESERVE_DIV 16u

_Static_assert(GRANT_MAX <= TYPE_CREDIT_MAX, "a credit fits its word");

/* ---- words ------------------------------------------------------------------------------------ */

static uint64_t credit_word(uint64_t bytes)
{
    return type_amount(bytes, bytes / 8 + 1);
}

static void sum_add(struct type_sum *s, uint64_t amount)
{
    s->bytes += amount >> TYPE_OBJS_BITS;
    s->objs += amount & (((uint64_t)1 << TYPE_OBJS_BITS) - 1);
}

/* A side's, by slot. */
static struct type_credit *credit_at(struct plat_credit *words, unsigned slot)
{
    return SK_CONTAINER_OF(plat_credit_of(words, slot), struct type_credit, cr_word);
}

/* ---- sums ------------------------------------------------------------------------------------- */

/* What a side did; a lower bound while others go on. */
static SK_NOINLINE struct type_sum done(struct plat_credit *words, const struct type_side *side)
{
    struct type_sum s = side->settled;

    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        struct type_credit *c = credit_at(words, slot);

        sum_add(&s, c->cr_granted - sk_load_relaxed(&c->cr_word.pc_word));
    }
    s.objs += sk_load_relaxed(&side->nested.objs);
    s.bytes += sk_load_relaxed(&side->nested.bytes);
    return s;
}

static struct type_sum allocated(const struct type *t)
{
    return done(t->t_alloc, &t->t_allocs);
}

static struct type_sum freed(const struct type *t)
{
    return done(t->t_free, &t->t_frees);
}

/* What would be in use if all credit were used: never less than what is. */
static SK_NOINLINE int64_t committed_bytes(struct type *t)
{
    uint64_t bytes = t->t_allocs.settled.bytes + sk_load_relaxed(&t->t_allocs.nested.bytes);

    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        bytes += credit_at(t->t_alloc, slot)->cr_granted >> TYPE_OBJS_BITS;
    return (int64_t)(bytes - freed(t).bytes);
}

/* The allocations first: then it is at most what was in use between the two. */
static int64_t inuse_bytes(struct type *t)
{
    uint64_t bytes = allocated(t).bytes;

    return (int64_t)(bytes - freed(t).bytes);
}

static int64_t note_peak(struct type *t)
{
    int64_t now = inuse_bytes(t);

    if (now > t->t_peak)
        t->t_peak = now;
    return now;
}

/* The frees first: then it is at least what was in use between the two. */
static SK_COLD bool sums_hold(struct type *t)
{
    struct type_sum frees = freed(t), allocs = allocated(t);

    return allocs.objs >= frees.objs && allocs.bytes >= frees.bytes;
}

static SK_COLD bool credits_hold(struct plat_credit *words)
{
    bool ok = true;

    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        struct type_credit *c = credit_at(words, slot);

        ok &= sk_load_relaxed(&c->cr_word.pc_word) <= c->cr_granted;
    }
    return ok;
}

/* ---- calling credit in ------------------------------------------------------------------------ */

static SK_NOINLINE void call_in(struct plat_credit *words, struct type_side *side)
{
    plat_credit_stop(words);
    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        struct type_credit *c = credit_at(words, slot);

        sum_add(&side->settled, c->cr_granted - c->cr_word.pc_stopped);
        c->cr_granted = 0;
    }
}

static void call_in_allocs(struct type *t)
{
    call_in(t->t_alloc, &t->t_allocs);
}

static void call_in_frees(struct type *t)
{
    call_in(t->t_free, &t->t_frees);
}

/* Whether `bytes` more stay within the bound. */
static SK_NOINLINE bool fits(struct type *t, uint64_t bytes, uint64_t bound)
{
    if (bound == KMALLOC_NO_LIMIT)
        return true;
    if (committed_bytes(t) + (int64_t)bytes <= (int64_t)bound)
        return true;
    call_in_allocs(t);
    return committed_bytes(t) + (int64_t)bytes <= (int64_t)bound;
}

/* ---- granting --------------------------------------------------------------------------------- */

static uint64_t smaller_bound(const struct type *t)
{
    return t->t_soft_armed && t->t_soft < t->t_limit ? t->t_soft : t->t_limit;
}

/* What a slot would like: little while the type grows, so that its peak is seen; more where it has
 * not reached a new peak since the slot last asked. */
static uint64_t grant_wish(struct type *t, struct type_cell *c, uint64_t bytes, int64_t inuse)
{
    uint64_t wish = sk_max(GRANT_MIN, bytes * GRANT_OBJS);

    if (inuse > 0)
        wish = sk_max(wish, (uint64_t)inuse / (GRANT_SHARE * plat_nslots()));
    c->tc_doubled = c->tc_peak == t->t_peak ? sk_min(c->tc_doubled + 1, DOUBLED_MAX) : 0;
    c->tc_peak = t->t_peak;
    return sk_min(wish << c->tc_doubled, GRANT_MAX) & ~(uint64_t)7;
}

/* What of it there is room for. 0: not even for one object. */
static uint64_t grant_bytes(struct type *t, uint64_t bytes, uint64_t wish)
{
    uint64_t bound = smaller_bound(t);
    int64_t room;

    if (bound == KMALLOC_NO_LIMIT)
        return wish;
    room = (int64_t)bound - committed_bytes(t);
    if (room <= 0)
        return 0;
    wish = sk_min(wish, (uint64_t)room / (ROOM_SHARE * plat_nslots())) & ~(uint64_t)7;
    return wish >= bytes ? wish : 0;
}

/* If the thread is moved meanwhile nothing is granted: the next one asks again. */
static SK_NOINLINE void grant(struct plat_credit *words, struct type_side *side, unsigned slot,
                              uint64_t bytes)
{
    struct type_credit *c = credit_at(words, slot);
    uint64_t old = sk_load_relaxed(&c->cr_word.pc_word), word = credit_word(bytes);

    if (!plat_credit_cas(words, slot, old, word))
        return;
    sum_add(&side->settled, c->cr_granted - old);
    c->cr_granted = word;
}

static void grant_alloc(struct type *t, uint64_t bytes, int64_t inuse)
{
    unsigned slot = plat_slot();
    struct type_cell *c = SK_CONTAINER_OF(credit_at(t->t_alloc, slot), struct type_cell, tc_alloc);
    uint64_t give = grant_bytes(t, bytes, grant_wish(t, c, bytes, inuse));

    if (give)
        grant(t->t_alloc, &t->t_allocs, slot, give);
}

static void grant_free(struct type *t)
{
    grant(t->t_free, &t->t_frees, plat_slot(), GRANT_MAX);
}

/* ---- the soft limit --------------------------------------------------------------------------- */

/* Above it frees have no credit, so that the one that comes back below is seen. */
static bool soft_exceeded(const struct type *t)
{
    return t->t_soft != KMALLOC_NO_LIMIT && !t->t_soft_armed;
}

/* Credit that was granted above the soft limit is called in when it is due again. */
static SK_NOINLINE void soft_rearm(struct type *t)
{
    if (!soft_exceeded(t) || inuse_bytes(t) > (int64_t)t->t_soft)
        return;
    call_in_allocs(t);
    t->t_soft_armed = true;
}

static void soft_check(struct type *t, uint64_t bytes, struct type_told *told)
{
    soft_rearm(t);
    if (!t->t_soft_armed || fits(t, bytes, t->t_soft))
        return;
    t->t_soft_armed = false;
    call_in_frees(t);
    *told = (struct type_told){t->t_soft_fn, t->t_soft_arg, (uint64_t)committed_bytes(t) + bytes};
}

/* ---- charge and discharge --------------------------------------------------------------------- */

static uint64_t limit_for(const struct type *t, int flags)
{
    if (t->t_limit == KMALLOC_NO_LIMIT || !(flags & M_USE_RESERVE))
        return t->t_limit;
    return t->t_limit + t->t_limit / RESERVE_DIV;
}

/* From now on objects of the class need not ask: on the hit path, where arrays are shared. */
static void note_class(struct type *t, size_t bytes, unsigned class)
{
    unsigned bit = class ? class - 1 : KM_CACHES;

    sk_store_relaxed(&t->t_sizes[bit / 64], t->t_sizes[bit / 64] | (uint64_t)1 << bit % 64);
    if (class && t->t_flags == 0)
        sk_store_relaxed(&t->t_amount[class], type_amount(bytes, 1));
}

static bool charge_locked(struct type *t, size_t bytes, unsigned class, int flags,
                          struct type_told *told)
{
    if (!fits(t, bytes, limit_for(t, flags)))
        return false;
    soft_check(t, bytes, told);
    note_class(t, bytes, class);
    t->t_allocs.settled.objs++;
    t->t_allocs.settled.bytes += bytes;
    if (class && !(t->t_flags & MT_TRACK))
        grant_alloc(t, bytes, note_peak(t));
    else
        note_peak(t);
    return true;
}

/* What an object of the class costs, once the type has had one. */
static uint64_t known_amount(struct type *t, size_t bytes, unsigned class)
{
    bool seen = sk_load_relaxed(&t->t_sizes[(class - 1) / 64]) >> (class - 1) % 64 & 1;

    return seen && !(t->t_flags & MT_TRACK) ? type_amount(bytes, 1) : TYPE_NEVER;
}

bool type_charge(struct type *t, size_t bytes, unsigned class, int flags, struct type_told *told)
{
    bool ok;

    if (class && plat_credit_take_retry(t->t_alloc, known_amount(t, bytes, class)))
        return true;
    plat_lock(&t->t_lock);
    ok = charge_locked(t, bytes, class, flags, told);
    plat_unlock(&t->t_lock);
    return ok;
}

void type_count(struct type *t, size_t bytes)
{
    sk_add_relaxed(&t->t_allocs.nested.objs, 1);
    sk_add_relaxed(&t->t_allocs.nested.bytes, bytes);
}

void type_uncharge(struct type *t, size_t bytes)
{
    plat_lock(&t->t_lock);
    t->t_allocs.settled.objs--;
    t->t_allocs.settled.bytes -= bytes;
    plat_unlock(&t->t_lock);
}

/* At a limit: if it is certain that this fits. Calling credit in could wait. */
static bool charge_by_trying(struct type *t, size_t bytes, int flags)
{
    bool fits;

    if (!plat_trylock(&t->t_lock))
        return false;
    fits = committed_bytes(t) + (int64_t)bytes <= (int64_t)limit_for(t, flags);
    if (fits)
        type_count(t, bytes);
    plat_unlock(&t->t_lock);
    return fits;
}

SK_COLD bool type_charge_nested(struct type *t, size_t bytes, unsigned class, int flags)
{
    if (class && plat_credit_take_retry(t->t_alloc, known_amount(t, bytes, class)))
        return true;
    if (sk_load_relaxed(&t->t_limit) != KMALLOC_NO_LIMIT)
        return charge_by_trying(t, bytes, flags);
    type_count(t, bytes);
    return true;
}

void type_uncharge_nested(struct type *t, size_t bytes)
{
    sk_sub_relaxed(&t->t_allocs.nested.objs, 1);
    sk_sub_relaxed(&t->t_allocs.nested.bytes, bytes);
}

/* The fence: either the thread that begins to wait sees these sums, or this call sees it; partner: wait_begin. */
static void discharge_nested(struct type *t, size_t bytes)
{
    sk_add_relaxed(&t->t_frees.nested.objs, 1);
    sk_add_relaxed(&t->t_frees.nested.bytes, bytes);
    sk_fence();
    if (sk_load_relaxed(&t->t_waiters) == 0)
        return;
    __atomic_fetch_add(&t->t_seq, 1, __ATOMIC_RELEASE);
    plat_wake(&t->t_seq);
}

/* true: somebody waits for it. */
static bool discharge_locked(struct type *t, size_t bytes)
{
    t->t_frees.settled.objs++;
    t->t_frees.settled.bytes += bytes;
    if (t->t_waiters) {
        __atomic_fetch_add(&t->t_seq, 1, __ATOMIC_RELEASE);
        return true;
    }
    soft_rearm(t);
    if (!(t->t_flags & MT_TRACK) && !soft_exceeded(t))
        grant_free(t);
    return false;
}

void type_discharge_entered(struct type *t, size_t bytes)
{
    bool wake;

    if (bytes <= KM_MEDIUM_MAX && plat_credit_take_retry(t->t_free, type_amount(bytes, 1)))
        return;
    plat_lock(&t->t_lock);
    wake = discharge_locked(t, bytes);
    plat_unlock(&t->t_lock);
    if (wake)
        plat_wake(&t->t_seq);
}

void type_discharge(struct type *t, size_t bytes)
{
    if (SK_UNLIKELY(!plat_enter())) {
        discharge_nested(t, bytes);
        return;
    }
    type_discharge_entered(t, bytes);
    plat_leave();
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* While somebody waits the frees have no credit: each comes by here, and wakes. */
static bool wait_begin(struct type *t, size_t bytes, int flags, uint32_t *seq)
{
    bool wait;

    plat_lock(&t->t_lock);
    sk_count(&t->t_waiters, 1);
    sk_fence(); /* with the one in discharge_nested */
    if (t->t_waiters == 1)
        call_in_frees(t);
    *seq = sk_load_relaxed(&t->t_seq);
    wait = !fits(t, bytes, limit_for(t, flags));
    plat_unlock(&t->t_lock);
    return wait;
}

static void wait_end(struct type *t)
{
    plat_lock(&t->t_lock);
    sk_count(&t->t_waiters, -1);
    plat_unlock(&t->t_lock);
}

SK_COLD void type_wait(struct type *t, size_t bytes, int flags, unsigned ms)
{
    uint32_t seq;
    bool wait;

    if (!plat_enter())
        return;
    wait = wait_begin(t, bytes, flags, &seq);
    plat_leave();
    if (wait)
        plat_wait(&t->t_seq, seq, ms);
    if (!plat_enter())
        return;
    wait_end(t);
    plat_leave();
}

/* ---- settings --------------------------------------------------------------------------------- */

/* Who waits looks at the new limit. */
SK_COLD void type_set_limit(struct type *t, uint64_t bytes)
{
    plat_lock(&t->t_lock);
    call_in_allocs(t);
    sk_store_relaxed(&t->t_limit, bytes > INT64_MAX ? KMALLOC_NO_LIMIT : bytes);
    __atomic_fetch_add(&t->t_seq, 1, __ATOMIC_RELEASE);
    plat_unlock(&t->t_lock);
    plat_wake(&t->t_seq);
}

SK_COLD void type_set_soft(struct type *t, uint64_t bytes, malloc_soft_fn *fn, void *arg)
{
    plat_lock(&t->t_lock);
    call_in_allocs(t);
    call_in_frees(t);
    t->t_soft = fn ? bytes : KMALLOC_NO_LIMIT;
    t->t_soft_fn = fn;
    t->t_soft_arg = arg;
    t->t_soft_armed = fn && inuse_bytes(t) <= (int64_t)bytes;
    plat_unlock(&t->t_lock);
}

SK_COLD void type_set_full(struct type *t, unsigned wait_ms, malloc_full_fn *fn, void *arg)
{
    plat_lock(&t->t_lock);
    t->t_full = (struct type_full){wait_ms, fn, arg};
    plat_unlock(&t->t_lock);
}

/* Outside of plat_enter. */
SK_COLD struct type_full type_get_full(struct type *t)
{
    struct type_full full = {.wait_ms = MALLOC_WAIT_MS};

    if (!plat_enter())
        return full;
    plat_lock(&t->t_lock);
    full = t->t_full;
    plat_unlock(&t->t_lock);
    plat_leave();
    return full;
}

SK_COLD bool type_verify(struct type *t)
{
    bool ok;

    plat_lock(&t->t_lock);
    ok = credits_hold(t->t_alloc) && credits_hold(t->t_free) && sums_hold(t);
    plat_unlock(&t->t_lock);
    return ok;
}

/* ---- figures ---------------------------------------------------------------------------------- */

SK_COLD void type_stats(struct type *t, struct malloc_type_stats *out)
{
    struct type_sum allocs, frees;

    plat_lock(&t->t_lock);
    note_peak(t);
    allocs = allocated(t);
    frees = freed(t);
    out->calls = allocs.objs * t->t_weight;
    out->inuse = (int64_t)(allocs.objs - frees.objs) * t->t_weight;
    out->memuse = (int64_t)(allocs.bytes - frees.bytes) * t->t_weight;
    out->peak = t->t_peak * t->t_weight;
    out->failures = sk_load_relaxed(&t->t_failures);
    out->limit = t->t_limit;
    out->waits = sk_load_relaxed(&t->t_waits);
    out->sizes[0] = t->t_sizes[0];
    out->sizes[1] = t->t_sizes[1];
    plat_unlock(&t->t_lock);
    out->id = t->t_id;
    out->parent = t->t_parent ? t->t_parent->t_id : 0;
    out->weight = t->t_weight;
    __builtin_memcpy(out->name, t->t_name, sizeof(out->name));
    __builtin_memcpy(out->desc, t->t_desc, sizeof(out->desc));
}
