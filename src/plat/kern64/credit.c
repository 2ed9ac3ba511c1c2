/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: credit words of a kernel, and waiting for a word.
 * Below: plat_slot.h, ask.c.
 * Concurrency: as the arrays' words (slots.c): taken by the slot's own CPU with interrupts off,
 *       closed by anyone with an exchange.
 */
#include "plat/kern64/kern64.h"
#include "plat_slot.h"

bool plat_credit_take_retry(struct plat_credit *cells, uint64_t amount)
{
    return plat_credit_take(cells, amount);
}

bool plat_credit_cas(struct plat_credit *cells, unsigned slot, uint64_t old, uint64_t new)
{
    uint64_t flags = irq_save(), *word = &plat_credit_of(cells, slot)->pc_word;
    bool same = kern64_self()->slot == slot && sk_load_relaxed(word) == old;

    if (same)
        sk_store_release(word, new);
    irq_restore(flags);
    return same;
}

/* On the slot's own CPU nothing of it is under way: true. */
static bool stop_here(struct plat_credit *c, unsigned slot)
{
    uint64_t flags = irq_save();
    bool here = kern64_self()->slot == slot;

    if (here)
        c->pc_stopped = sk_xchg_acquire(&c->pc_word, 0);
    irq_restore(flags);
    return here;
}

static void stop_one(struct plat_credit *c, unsigned slot)
{
    c->pc_stopped = 0;
    if (stop_here(c, slot))
        return;
    while (sk_load_acquire(&c->pc_word) != 0) {
        c->pc_stopped = sk_xchg_acquire(&c->pc_word, 0);
        section_fence(slot);
    }
}

/* As plat_slot_stop_many: a section under way may store once more, and never 0. */
void plat_credit_stop(struct plat_credit *cells)
{
    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        stop_one(plat_credit_of(cells, slot), slot);
}

/* No scheduler here: the CPU waits itself, and sees the word change. */
void plat_wait(const uint32_t *word, uint32_t seen, unsigned ms)
{
    uint64_t end = plat_clock_ns() + (uint64_t)ms * 1000000;

    while (sk_load_acquire(word) == seen && plat_clock_ns() < end)
        plat_yield();
}

void plat_wake(const uint32_t *word)
{
    (void)word;
}
