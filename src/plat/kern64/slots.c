/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the slots of a kernel: the primitives out of line, and closing arrays of other CPUs.
 * Below: plat_slot.h, ask.c.
 * Concurrency: a section is what runs between irq_save and irq_restore. Only the slot's own CPU
 *       runs sections on it, one at a time.
 * Why: bounded: an array holds at most a few hundred objects, which is what a section that moves
 *       them keeps interrupts out for.
 */
#include "plat/kern64/kern64.h"
#include "plat_slot.h"

unsigned plat_slot(void)
{
    return kern64_self()->slot;
}

void *plat_slot_pop_retry(unsigned idx)
{
    return plat_slot_pop(idx);
}

bool plat_slot_push_retry(unsigned idx, void *obj)
{
    return plat_slot_push_n(idx, &obj, 1) == 1;
}

static unsigned pop_many(uintptr_t *word, void **out, unsigned n)
{
    uintptr_t old = sk_load_relaxed(word);
    void **top = plat_word_top(old);
    unsigned done = 0;

    while (done < n && *top != NULL)
        out[done++] = *top--;
    if (done != 0)
        sk_store_release(word, plat_word_of(top));
    return done;
}

static unsigned push_many(uintptr_t *word, void *const *objs, unsigned n)
{
    uintptr_t old = sk_load_relaxed(word);
    void **top = plat_word_top(old);
    unsigned done = 0;

    while (done < n && top[1] != PLAT_MARK)
        *++top = objs[done++];
    if (done != 0)
        sk_store_release(word, plat_word_of(top));
    return done;
}

unsigned plat_slot_pop_n(unsigned idx, void **out, unsigned n)
{
    uint64_t flags = irq_save();
    uintptr_t *area = cpu_area();
    unsigned done = pop_many(&area[idx], out, n);

    area[PLAT_SLOT_POPS + idx] += done;
    irq_restore(flags);
    return done;
}

unsigned plat_slot_push_n(unsigned idx, void *const *objs, unsigned n)
{
    uint64_t flags = irq_save();
    unsigned done = push_many(&cpu_area()[idx], objs, n);

    irq_restore(flags);
    return done;
}

bool plat_slot_cas(unsigned slot, unsigned idx, uintptr_t old, uintptr_t new)
{
    uint64_t flags = irq_save();
    struct kern64_cpu *self = kern64_self();
    bool same = self->slot == slot && sk_load_relaxed(&self->area[idx]) == old;

    if (same)
        sk_store_release(&self->area[idx], new);
    irq_restore(flags);
    return same;
}

/* ---- stop ---------------------------------------------------------------------------------- */

/*
 * A section that read the word of before our 0 may commit after it: then the word it leaves is the
 * array's true state, and we close again. Once the CPU has answered, which it does outside of
 * sections, none is under way that began before the question, and those that begin see our 0, or
 * what one before the answer left, as we do; so a word that is 0 after an answer stays 0.
 */
void plat_slot_stop_many(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n)
{
    uint64_t flags;
    bool here;

    for (unsigned i = 0; i < n; i++)
        words[i] = 0;
    flags = irq_save();
    here = kern64_self()->slot == slot;
    if (here)
        plat_close_words(slot, idx, words, n);
    irq_restore(flags);
    while (!here && plat_close_words(slot, idx, words, n)) {
        sk_count(&kern64_self()->fences, 1);
        section_fence(slot);
    }
}

/* ---- fork: there is none in a kernel ------------------------------------------------------- */

void plat_fork_prepare(void)
{
}

void plat_fork_parent(void)
{
}

void plat_fork_child(void)
{
}
