/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the per-slot primitives with one lock per slot: where restartable sequences are missing,
 *       for the sanitizers, and as the reference the restartable ones are compared with.
 * Below: plat.h: locks, areas.
 * Owns: the slot locks; each thread's home slot, handed out in turn.
 * Concurrency: a word and the entries of its array are read and changed under the slot's lock,
 *       except that an opener stores a word that is 0. A primitive finds its slot by trying: home,
 *       then the others, then it waits for home. It never waits when it runs in a signal handler
 *       that interrupted another primitive of this thread (plat_nesting says so to the layers
 *       above as well, which then take no lock and never come here to stop or to compare).
 */
#include "plat/portable/slot_locks.h"
#include "plat/portable/nesting.h"

static SK_SELDOM_BSS struct {
    struct plat_lock lock;
    uint64_t sections; /* by the holder */
} SK_CACHE_ALIGNED slots[PORTABLE_SLOTS_MAX];

static unsigned next_home;

/* Home plus one; 0: none yet. */
static SK_TLS unsigned home;

/* Primitives of this thread that hold or seek a lock: more than one means signal handlers. */
static SK_TLS unsigned inside;

unsigned portable_home(void)
{
    if (SK_UNLIKELY(home == 0))
        home = sk_add_relaxed(&next_home, 1) % plat_nslots() + 1;
    return home - 1;
}

uint64_t portable_sections(void)
{
    uint64_t sum = 0;

    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        sum += sk_load_relaxed(&slots[slot].sections);
    return sum;
}

/* ---- taking a slot ------------------------------------------------------------------------ */

#define NO_SLOT (~0u)

static unsigned slot_try(unsigned first)
{
    unsigned n = plat_nslots();

    for (unsigned i = 0; i < n; i++) {
        unsigned slot = first + i < n ? first + i : first + i - n;

        if (plat_trylock(&slots[slot].lock))
            return slot;
    }
    return NO_SLOT;
}

static void section_in(void)
{
    nesting_in();
    inside++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void section_out(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    inside--;
    nesting_out();
}

/* NO_SLOT: all are taken and this thread must not wait. */
static unsigned slot_enter(void)
{
    unsigned first = portable_home();
    unsigned slot;

    section_in();
    slot = slot_try(first);
    if (slot == NO_SLOT && inside == 1) {
        plat_lock(&slots[first].lock);
        slot = first;
    }
    if (slot == NO_SLOT)
        section_out();
    else
        sk_count(&slots[slot].sections, 1);
    return slot;
}

static void slot_leave(unsigned slot)
{
    plat_unlock(&slots[slot].lock);
    section_out();
}

/* ---- pop and push ------------------------------------------------------------------------- */

/* Pairs with the release of plat_slot_open: the entries of an array are seen with its word. */
static void **word_top(uintptr_t *word)
{
    return plat_word_top(sk_load_acquire(word));
}

/* Stored only when something was moved, so that a closed word is never stored. */
static void word_commit(uintptr_t *word, void **top)
{
    sk_store_release(word, plat_word_of(top));
}

static unsigned pop_locked(uintptr_t *word, void **out, unsigned n)
{
    void **top = word_top(word);
    unsigned done = 0;

    while (done < n && *top != NULL)
        out[done++] = *top--;
    if (done != 0)
        word_commit(word, top);
    return done;
}

static unsigned push_locked(uintptr_t *word, void *const *objs, unsigned n)
{
    void **top = word_top(word);
    unsigned done = 0;

    while (done < n && top[1] != PLAT_MARK)
        *++top = objs[done++];
    if (done != 0)
        word_commit(word, top);
    return done;
}

unsigned portable_pop_n(unsigned idx, void **out, unsigned n)
{
    unsigned slot = slot_enter();
    unsigned done;

    if (slot == NO_SLOT)
        return 0;
    done = pop_locked(plat_slot_word(slot, idx), out, n);
    sk_count(plat_slot_word(slot, PLAT_SLOT_POPS + idx), done);
    slot_leave(slot);
    return done;
}

unsigned portable_push_n(unsigned idx, void *const *objs, unsigned n)
{
    unsigned slot = slot_enter();
    unsigned done;

    if (slot == NO_SLOT)
        return 0;
    done = push_locked(plat_slot_word(slot, idx), objs, n);
    slot_leave(slot);
    return done;
}

bool portable_push_kind(uint32_t kind, void *obj)
{
    unsigned slot = slot_enter();
    unsigned idx = PLAT_KIND_INDEX(kind);
    bool done;

    if (slot == NO_SLOT)
        return false;
    if (slot != PLAT_KIND_SLOT(kind))
        idx += PLAT_FOREIGN;
    done = push_locked(plat_slot_word(slot, idx), &obj, 1) == 1;
    slot_leave(slot);
    return done;
}

void *portable_pop(unsigned idx)
{
    void *obj;

    return portable_pop_n(idx, &obj, 1) == 1 ? obj : NULL;
}

/* ---- one given slot ------------------------------------------------------------------------ */

/* The caller holds the lock that orders openers, so it is not inside a primitive. */
static void slot_enter_at(unsigned slot)
{
    section_in();
    plat_lock(&slots[slot].lock);
}

bool portable_cas(unsigned slot, unsigned idx, uintptr_t old, uintptr_t new)
{
    uintptr_t *word = plat_slot_word(slot, idx);
    bool same;

    slot_enter_at(slot);
    same = sk_load_acquire(word) == old;
    if (same)
        sk_store_release(word, new);
    slot_leave(slot);
    return same;
}

void portable_stop_many(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n)
{
    slot_enter_at(slot);
    for (unsigned i = 0; i < n; i++) {
        words[i] = sk_load_acquire(plat_slot_word(slot, idx[i]));
        sk_store_relaxed(plat_slot_word(slot, idx[i]), 0);
    }
    slot_leave(slot);
}

/* ---- credit --------------------------------------------------------------------------------- */

bool portable_credit_take(struct plat_credit *cells, uint64_t amount)
{
    unsigned slot = slot_enter();
    struct plat_credit *c;
    uint64_t word;

    if (slot == NO_SLOT)
        return false;
    c = plat_credit_of(cells, slot);
    word = sk_load_relaxed(&c->pc_word);
    if (word > amount)
        sk_store_relaxed(&c->pc_word, word - amount);
    slot_leave(slot);
    return word > amount;
}

bool portable_credit_cas(struct plat_credit *cells, unsigned slot, uint64_t old, uint64_t new)
{
    struct plat_credit *c = plat_credit_of(cells, slot);
    bool same;

    slot_enter_at(slot);
    same = sk_load_relaxed(&c->pc_word) == old;
    if (same)
        sk_store_relaxed(&c->pc_word, new);
    slot_leave(slot);
    return same;
}

void portable_credit_stop(struct plat_credit *cells)
{
    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        struct plat_credit *c = plat_credit_of(cells, slot);

        slot_enter_at(slot);
        c->pc_stopped = sk_load_relaxed(&c->pc_word);
        sk_store_relaxed(&c->pc_word, 0);
        slot_leave(slot);
    }
}

/* ---- fork --------------------------------------------------------------------------------- */

/*
 * Holding every lock, no primitive is under way while the pages are copied. A fork from a handler
 * that interrupted a primitive cannot have them all and takes none: that child may exec or exit.
 */
void portable_fork_prepare(void)
{
    if (inside == 0)
        for (unsigned slot = 0; slot < plat_nslots(); slot++)
            plat_lock(&slots[slot].lock);
}

void portable_fork_parent(void)
{
    if (inside == 0)
        for (unsigned slot = 0; slot < plat_nslots(); slot++)
            plat_unlock(&slots[slot].lock);
}

void portable_fork_child(void)
{
    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        plat_lock_reset(&slots[slot].lock);
}
