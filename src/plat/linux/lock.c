/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the contended side of plat_lock; waiting for a word.
 * Below: sys.h.
 * Owns: the meaning of the word: 0 free, 1 held, 2 held and maybe somebody sleeps.
 * Concurrency: who takes the lock after sleeping stores 2, since others may still sleep; one
 *       wake too many is harmless, one too few is not. (U. Drepper, "Futexes are tricky".)
 */
#include "plat/plat.h"
#include "plat/linux/sys.h"

#include <linux/futex.h>

#include <limits.h>
#include <time.h>

#define LOCK_SPINS 100u

/* A holder is usually a few hundred instructions from its unlock. */
static bool lock_spin(struct plat_lock *l)
{
    for (unsigned i = 0; i < LOCK_SPINS; i++) {
        if (plat_trylock(l))
            return true;
        sys_pause();
    }
    return false;
}

void plat_lock_slow(struct plat_lock *l)
{
    if (lock_spin(l))
        return;
    while (sk_xchg_acquire(&l->word, 2u) != 0)
        sys_call4(SYS_futex, &l->word, FUTEX_WAIT_PRIVATE, 2, NULL);
}

void plat_unlock_slow(struct plat_lock *l)
{
    sys_call3(SYS_futex, &l->word, FUTEX_WAKE_PRIVATE, 1);
}

void plat_wait(const uint32_t *word, uint32_t seen, unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    sys_call4(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &t);
}

void plat_wake(const uint32_t *word)
{
    sys_call3(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX);
}
