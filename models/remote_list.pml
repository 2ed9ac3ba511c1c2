/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one owner and NPUSH other threads, for ever: the owner makes slabs, takes objects, frees into its own
 *       slabs, acts on tells and releases slabs; the others free what is live, in chains of up to BATCH.
 * Below: protocol.pml
 * Shows: nothing lost or doubled, no touch after release, tells exact, no deadlock; with -DNP (progress
 *       labels) that no cycle exists in which nobody completes an operation.
 */
#include "protocol.pml"

#ifndef NPUSH
#define NPUSH 2
#endif

inline pick(what, s)
{
    if
    :: place[0] == what -> s = 0
#if NSLAB > 1
    :: place[1] == what -> s = 1
#endif
#if NSLAB > 2
    :: place[2] == what -> s = 2
#endif
    fi
}

proctype pusher()
{
    byte h, t, old, k, c, tmp, i, j;
    bit g;

    do
    :: atomic {
           grab(h);
           grab_more(h, t);
           g = gen[SLAB(h)]
       }
       slab_push_remote(SLAB(h), g, h, t, old, k);
progress:
       atomic { h = 0; t = 0; old = 0; g = 0; settle() }
    od
}

proctype keeper()
{
    byte s, h, old, k, l, c, tmp, i, j;
    bit g, fail;

    do
    :: atomic { pick(NONE, s); slab_create(s, 0); s = 0 }
    :: atomic {
           told[0] || returned[0] != NIL -> busy++;
#ifndef BREAK_TOLD_LATE
           if
           :: told[0] = 0
           :: returned[0] != NIL
           fi
#endif
       }
       returned_take(0, l, s);
#ifdef BREAK_TOLD_LATE
       told[0] = 0;
#endif
progress_take:
       atomic { settle() }
    :: atomic { pick(LISTED, s); busy++ }
       slab_collect(s);
       do
       :: nfree[s] > 0 ->
           slab_take(s);
           if
           :: nfree[s] > 0 -> break
           :: else -> skip
           fi
       :: nfree[s] == 0 ->
           slab_partial_to_away(s);
           if
           :: OFF(s) -> break
           :: else -> slab_collect(s)
           fi
       :: atomic { nfree[s] == NPER -> slab_release(s); break }
       od;
progress_refill:
       atomic { s = 0; settle() }
    :: atomic { grab(h); g = gen[SLAB(h)] }
       home_own(SLAB(h), h, fail);
       if
       :: fail -> slab_push_remote(SLAB(h), g, h, h, old, k); assert(old >= FIRST)
       :: else -> skip
       fi;
progress_free:
       atomic { h = 0; old = 0; g = 0; fail = 0; settle() }
    od
}

init
{
    byte i;

    atomic {
        all_init();
        run keeper();
        do
        :: i < NPUSH -> run pusher(); i++
        :: else -> break
        od
    }
}
