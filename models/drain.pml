/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the end of a cache. Every slab starts listed or away with either owner, every object is free or on
 *       its way home: NPUSH threads push or put what is live, one drainer takes everything in and then gives
 *       both owners' structs back.
 * Below: protocol.pml
 * Shows: each slab is found and released, nobody touches a slab or an owner's struct after it was given back,
 *       and what the drainer waits for always comes (no deadlock). It polls in C; a poll that finds nothing
 *       changes nothing, so here it blocks until there is something to find.
 */
#define NSC 2
#include "protocol.pml"

#ifndef NPUSH
#define NPUSH 2
#endif

/* There is something for the drainer to find. */
#define HOME(s)   (place[s] == RETURNED || (place[s] == LISTED && (word[s] != EMPTY || nfree[s] == NPER)))
#if NSLAB > 1
#define SOMETHING_HOME (HOME(0) || HOME(1))
#else
#define SOMETHING_HOME HOME(0)
#endif

bit locked[NSC];
byte nlive;  /* ghost: live objects left */
byte nslabs; /* of the cache, under a lock that covers making and releasing slabs */

inline lock(k)
{
    atomic { !locked[k] -> locked[k] = 1 }
}

inline on_slot(k)
{
    if
    :: k = 0
    :: k = 1
    fi
}

/* One thread's last frees: local where the slab is its slot's, remote where not. */
proctype flusher()
{
    byte k, h, t, old, c, tmp, i, j;
    bit g, fail;

    do
    :: nlive == 0 -> break
    :: atomic { grab(h); grab_more(h, t); nlive = nlive - 1 - (h != t); g = gen[SLAB(h)] }
       slab_push_remote(SLAB(h), g, h, t, old, k);
       atomic { h = 0; t = 0; old = 0; g = 0; busy-- }
    :: atomic { grab(h); nlive--; g = gen[SLAB(h)]; on_slot(k) }
       lock(k);
       atomic { touch(SLAB(h), g); fail = (owner[SLAB(h)] != k) }
       if
       :: fail -> skip
       :: else -> home_own(SLAB(h), h, fail)
       fi;
       atomic { locked[k] = 0; k = 0 }
       if
       :: fail -> slab_push_remote(SLAB(h), g, h, h, old, k)
       :: else -> skip
       fi;
       atomic { h = 0; old = 0; g = 0; fail = 0; busy-- }
    od
}

/* Take in everything that has come home to owner k. With its lock. */
inline sc_drain(k)
{
    returned_take(k, l, s);
    s = 0;
    do
    :: s == NSLAB -> break
#ifdef BREAK_DRAIN_STEALS
    :: s < NSLAB && place[s] != NONE && owner[s] == k && word[s] != AWAY ->
        place[s] = LISTED;
#else
    :: s < NSLAB && place[s] == LISTED && owner[s] == k ->
#endif
        slab_collect(s);
        atomic {
            if
            :: nfree[s] == NPER ->
                slab_release(s);
                nslabs--
            :: else -> skip
            fi;
            s++
        }
    :: else -> s++
    od;
    s = 0
}

proctype drainer()
{
    byte k, l, s, c, tmp;

    do
    :: k < NSC ->
        lock(k);
        sc_drain(k);
        atomic { locked[k] = 0; k++ }
#ifdef BREAK_DRAIN_NO_WAIT
    :: k == NSC -> break
#else
    :: k == NSC && nslabs > 0 && SOMETHING_HOME -> k = 0
    :: k == NSC && nslabs == 0 -> break
#endif
    od;
    atomic {
#ifndef BREAK_DRAIN_NO_WAIT
        assert(nslabs == 0);
#endif
        k = 0;
        do
        :: k == NSC -> break
        :: else -> sc_freed[k] = 1; k++
        od
    }
}

/* Any state that a quiet cache can be in, apart from slabs waiting on a returned list. */
inline slab_any(s)
{
    on_slot(k);
    slab_create(s, k);
    i = s * NPER;
    do
    :: i == (s + 1) * NPER -> break
    :: i < (s + 1) * NPER -> obj[i] = LIVE; nlive++; nfree[s]--; i++
    :: i < (s + 1) * NPER -> i++
    od;
    if
    :: nfree[s] == 0 -> word[s] = AWAY; place[s] = GONE
    :: true
    fi;
    nslabs++
}

init
{
    byte i, j, k;

    atomic {
        all_init();
        do
        :: j < NSLAB -> slab_any(j); j++
        :: else -> break
        od;
        run drainer();
        i = 0;
        do
        :: i < NPUSH -> run flusher(); i++
        :: else -> break
        od
    }
    _nr_pr == 1;
    assert(owed == 0 && busy == 0)
}
