/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: plat's slot functions where the locks are the only implementation.
 * Below: slot_locks.h.
 */
#include "plat/portable/slot_locks.h"
#include "plat/portable/slots.h"

struct slots_choice slots_choose(enum plat_mode force, unsigned cpus, unsigned nodes)
{
    struct slots_choice c = {PLAT_MODE_PORTABLE, "built without restartable sequences"};

    (void)force;
    (void)cpus;
    (void)nodes;
    return c;
}

void slots_publish(enum plat_mode mode, char *closed)
{
    (void)mode;
    (void)closed;
}

unsigned plat_slot(void)
{
    return portable_home();
}

void *plat_slot_pop_retry(unsigned idx)
{
    return portable_pop(idx);
}

bool plat_slot_push_retry(unsigned idx, void *obj)
{
    return portable_push_n(idx, &obj, 1) == 1;
}

unsigned plat_slot_pop_n(unsigned idx, void **out, unsigned n)
{
    return portable_pop_n(idx, out, n);
}

unsigned plat_slot_push_n(unsigned idx, void *const *objs, unsigned n)
{
    return portable_push_n(idx, objs, n);
}

bool plat_slot_cas(unsigned slot, unsigned idx, uintptr_t old, uintptr_t new)
{
    return portable_cas(slot, idx, old, new);
}

void plat_slot_stop_many(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n)
{
    portable_stop_many(slot, idx, words, n);
}

bool plat_credit_take_retry(struct plat_credit *cells, uint64_t amount)
{
    return portable_credit_take(cells, amount);
}

bool plat_credit_cas(struct plat_credit *cells, unsigned slot, uint64_t old, uint64_t new)
{
    return portable_credit_cas(cells, slot, old, new);
}

void plat_credit_stop(struct plat_credit *cells)
{
    portable_credit_stop(cells);
}

void plat_fork_prepare(void)
{
    portable_fork_prepare();
}

void plat_fork_parent(void)
{
    portable_fork_parent();
}

void plat_fork_child(void)
{
    portable_fork_child();
}
