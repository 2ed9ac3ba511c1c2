/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: NTHREAD threads and two owners with a lock each; a thread may be on another slot at each operation.
 *       Slabs change owners: directly under both locks, or (-DVIA_NODE) through the node's list.
 * Below: protocol.pml
 * Shows: what remote_list.pml shows, and that a pusher reads sl_owner only while it cannot change, that the
 *       test "is it mine?" holds as long as the lock, and that the locks have an order.
 */
#define NSC   2
#define BATCH 1
#include "protocol.pml"

#ifndef NTHREAD
#define NTHREAD 3
#endif

bit locked[NSC];

#define TO_SETTLE(s) (place[s] == ON_NODE && (word[s] != EMPTY || nfree[s] == NPER))

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

/* Any slab of owner k that is on its list. */
inline pick(k, s)
{
    if
    :: place[0] == LISTED && owner[0] == k -> s = 0
#if NSLAB > 1
    :: place[1] == LISTED && owner[1] == k -> s = 1
#endif
    :: else -> s = NIL
    fi
}

/* Any slab that belongs to nobody: a new one, or (VIA_NODE) one from the node's list. */
inline sc_get_slab(k)
{
    s = 0;
    do
    :: s == NSLAB -> break
    :: s < NSLAB && place[s] == NONE -> slab_create(s, k); break
#ifdef VIA_NODE
    :: s < NSLAB && place[s] == ON_NODE -> place[s] = LISTED; owner[s] = k; break
#endif
    :: s < NSLAB -> s++
    od;
    s = 0
}

inline sc_refill(k)
{
    lock(k);
    returned_take(k, l, s);
    atomic {
        pick(k, s);
        if
        :: s == NIL -> sc_get_slab(k)
        :: else -> skip
        fi;
        pick(k, s)
    }
    if
    :: s == NIL -> skip
    :: else ->
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
        od
    fi
}

/* Give every slab that is on the lists of f to k (or to the node). With both locks (VIA_NODE: f's). */
inline sc_give_slabs(f, k)
{
    atomic {
        s = 0;
        do
        :: s == NSLAB -> break
        :: else ->
            if
#ifdef BREAK_ADOPT_AWAY
            :: place[s] != NONE && owner[s] == f ->
#else
            :: place[s] == LISTED && owner[s] == f ->
#endif
#ifdef VIA_NODE
                place[s] = ON_NODE;
                owner[s] = NSC
#else
                owner[s] = k
#endif
            :: else -> skip
            fi;
            s++
        od;
        s = 0
    }
}

/* The node, under its lock, collects an orphan and releases it if that was the last. One step: nobody else
 * may look at what the lock covers, and the exchange made the chain private. */
inline node_settle_orphan(s)
{
    slab_collect(s);
    if
    :: nfree[s] == NPER -> slab_release(s)
    :: else -> skip
    fi
}

/* f's slot runs no more: whoever notices takes over what can be taken over. */
inline sc_adopt(f, k)
{
#if defined(VIA_NODE)
    lock(f);
    returned_take(f, l, s);
    sc_give_slabs(f, k);
    locked[f] = 0
#elif defined(BREAK_ADOPT_UNLOCKED)
    lock(k);
    returned_take(f, l, s);
    sc_give_slabs(f, k);
    locked[k] = 0
#else
#ifdef BREAK_LOCK_ORDER
    lock(k);
    lock(f);
#else
    lock(0);
    lock(1);
#endif
    returned_take(f, l, s);
    sc_give_slabs(f, k);
    atomic { locked[0] = 0; locked[1] = 0 }
#endif
}

proctype thread()
{
    byte k, f, s, h, old, l, c, tmp, i, j;
    bit g, fail;

    do
    :: atomic { on_slot(k); busy++ }
       sc_refill(k);
       atomic { locked[k] = 0; s = 0; k = 0; settle() }
    :: atomic {
           if
           :: told[0] -> k = 0
           :: told[1] -> k = 1
           fi;
           told[k] = 0;
           busy++
       }
       lock(k);
       returned_take(k, l, s);
       atomic { locked[k] = 0; k = 0; settle() }
    :: atomic { on_slot(k); f = 1 - k; busy++ }
       sc_adopt(f, k);
       atomic { f = 0; k = 0; settle() }
#ifdef VIA_NODE
    :: atomic {
           if
           :: TO_SETTLE(0) -> s = 0
#if NSLAB > 1
           :: TO_SETTLE(1) -> s = 1
#endif
           fi;
           busy++;
           node_settle_orphan(s);
           s = 0;
           settle()
       }
#endif
    :: atomic { grab(h); g = gen[SLAB(h)]; on_slot(k) }
#ifdef BREAK_OWNER_UNLOCKED
       atomic { touch(SLAB(h), g); fail = (owner[SLAB(h)] != k) }
       lock(k);
#else
       lock(k);
       atomic { touch(SLAB(h), g); fail = (owner[SLAB(h)] != k) }
#endif
       if
       :: fail -> skip
       :: else -> home_own(SLAB(h), h, fail)
       fi;
       atomic { locked[k] = 0; k = 0 }
       if
       :: fail -> slab_push_remote(SLAB(h), g, h, h, old, k)
       :: else -> skip
       fi;
       atomic { h = 0; old = 0; g = 0; fail = 0; settle() }
    od
}

init
{
    byte i;

    atomic {
        all_init();
        do
        :: i < NTHREAD -> run thread(); i++
        :: else -> break
        od
    }
}
