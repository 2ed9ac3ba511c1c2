/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: plat's slot functions by restartable sequences, or by locks where the mode says so.
 * Below: rseq.h, rseq_start.h, slot_locks.h.
 * Concurrency: see stop_fenced for the only protocol between slots.
 * Why: the mode is tested here and never on the hit path, which misses when it is portable.
 */
#include "plat/linux/rseq.h"
#include "plat/linux/rseq_start.h"
#include "plat/portable/slot_locks.h"

/* An abort means that something else ran; so many in a row mean a debugger or an interrupt storm.
 */
#define SECTION_TRIES 16u

static bool portable(void)
{
    return SK_UNLIKELY(plat_mode() == PLAT_MODE_PORTABLE);
}

/* The slot id of this thread; negative: none. */
static int slot_id(void)
{
    char *id = (char *)&plat_closed_rseq.mm_cid + plat_rseq_delta + plat_id_delta;

    return sk_load_relaxed((int *)id);
}

unsigned plat_slot(void)
{
    int id;

    if (portable())
        return portable_home();
    id = slot_id();
    if (SK_UNLIKELY(id < 0) && rseq_register_thread())
        id = slot_id();
    return id < 0 ? 0 : (unsigned)id;
}

/* ---- pop and push -------------------------------------------------------------------------- */

void *plat_slot_pop_retry(unsigned idx)
{
    enum rseq_result r = RSEQ_ABORTED;
    void *obj = NULL;

    if (portable())
        return portable_pop(idx);
    plat_slot();
    for (unsigned i = 0; i < SECTION_TRIES && r == RSEQ_ABORTED; i++)
        r = rseq_pop(idx, &obj);
    return r == RSEQ_HIT ? obj : NULL;
}

bool plat_slot_push_retry(unsigned idx, void *obj)
{
    return plat_slot_push_n(idx, &obj, 1) == 1;
}

unsigned plat_slot_pop_n(unsigned idx, void **out, unsigned n)
{
    enum rseq_result r = RSEQ_ABORTED;
    unsigned count = 0;

    if (portable())
        return portable_pop_n(idx, out, n);
    plat_slot();
    for (unsigned i = 0; i < SECTION_TRIES && r == RSEQ_ABORTED; i++)
        r = rseq_pop_n(idx, out, n, &count);
    return r == RSEQ_HIT ? count : 0;
}

unsigned plat_slot_push_n(unsigned idx, void *const *objs, unsigned n)
{
    enum rseq_result r = RSEQ_ABORTED;
    unsigned count = 0;

    if (portable())
        return portable_push_n(idx, objs, n);
    plat_slot();
    for (unsigned i = 0; i < SECTION_TRIES && r == RSEQ_ABORTED; i++)
        r = rseq_push_n(idx, objs, n, &count);
    return r == RSEQ_HIT ? count : 0;
}

static bool cas_retry(unsigned slot, unsigned idx, uintptr_t old, uintptr_t new)
{
    enum rseq_result r = RSEQ_ABORTED;

    for (unsigned i = 0; i < SECTION_TRIES && r == RSEQ_ABORTED; i++)
        r = rseq_cas(slot, idx, old, new);
    return r == RSEQ_HIT;
}

bool plat_slot_cas(unsigned slot, unsigned idx, uintptr_t old, uintptr_t new)
{
    if (portable())
        return portable_cas(slot, idx, old, new);
    return plat_slot() == slot && cas_retry(slot, idx, old, new);
}

/* ---- stop ---------------------------------------------------------------------------------- */

/*
 * Closes an array of the slot we run on without a fence: our commit happens on that slot, and any
 * other section on it that had begun was interrupted by our running. 0: closed before, or moved, or
 * interrupted all the time.
 */
static uintptr_t stop_here(unsigned slot, unsigned idx)
{
    uintptr_t *word = plat_slot_word(slot, idx);

    for (unsigned i = 0; i < SECTION_TRIES && plat_slot() == slot; i++) {
        uintptr_t old = sk_load_acquire(word);

        if (old == 0 || cas_retry(slot, idx, old, 0))
            return old;
    }
    return 0;
}

/*
 * A section that read the word before our 0 may still commit after it: then the word it leaves is
 * the array's true state, and we close again. A section that begins after our 0 misses. The fence
 * ends every section under way, so a word that is 0 after a fence that followed it stays 0, and
 * what words[] last got is the state of the array.
 */
static void stop_fenced(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n)
{
    while (plat_close_words(slot, idx, words, n))
        rseq_fence(slot);
}

void plat_slot_stop_many(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n)
{
    if (portable()) {
        portable_stop_many(slot, idx, words, n);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        words[i] = stop_here(slot, idx[i]);
    stop_fenced(slot, idx, words, n);
}

/* ---- credit --------------------------------------------------------------------------------- */

bool plat_credit_take_retry(struct plat_credit *cells, uint64_t amount)
{
    enum rseq_result r = RSEQ_ABORTED;

    if (portable())
        return portable_credit_take(cells, amount);
    plat_slot();
    for (unsigned i = 0; i < SECTION_TRIES && r == RSEQ_ABORTED; i++)
        r = rseq_credit_take(cells, amount);
    return r == RSEQ_HIT;
}

bool plat_credit_cas(struct plat_credit *cells, unsigned slot, uint64_t old, uint64_t new)
{
    enum rseq_result r = RSEQ_ABORTED;

    if (portable())
        return portable_credit_cas(cells, slot, old, new);
    for (unsigned i = 0; i < SECTION_TRIES && r == RSEQ_ABORTED; i++)
        r = rseq_credit_cas(cells, slot, old, new);
    return r == RSEQ_HIT;
}

static bool close_credits(struct plat_credit *cells)
{
    bool any = false;

    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        struct plat_credit *c = plat_credit_of(cells, slot);

        if (sk_load_acquire(&c->pc_word) != 0) {
            c->pc_stopped = sk_xchg_acquire(&c->pc_word, 0);
            any = true;
        }
    }
    return any;
}

/* As stop_fenced. A section never stores 0, so what it leaves after our 0 is seen. */
void plat_credit_stop(struct plat_credit *cells)
{
    if (portable()) {
        portable_credit_stop(cells);
        return;
    }
    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        plat_credit_of(cells, slot)->pc_stopped = 0;
    while (close_credits(cells))
        rseq_fence_all();
}

/* ---- fork ---------------------------------------------------------------------------------- */

void plat_fork_prepare(void)
{
    if (portable())
        portable_fork_prepare();
    else
        rseq_freeze();
}

void plat_fork_parent(void)
{
    if (portable())
        portable_fork_parent();
    else
        rseq_thaw();
}

void plat_fork_child(void)
{
    if (portable())
        portable_fork_child();
    else
        rseq_thaw_child();
}
