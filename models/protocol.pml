/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the remote-list protocol as the three harnesses (remote_list, adopt, drain) use it. One atomic
 *       operation of the C code is one step here; what the chain's private holder or the lock's holder does
 *       to data nobody else can see is merged into the step that made it private.
 * Owns: sl_remote (word), sl_ret_next, sl_owner, sl_state and nfree of each slab; the links inside freed
 *       objects; sc_returned of each owner. Everything marked ghost exists only for the checks.
 * Bounds: NSLAB slabs of NPER objects, NSC owners. Loops are unbounded: the search ends because the state
 *       space is finite, so runs of every length are covered.
 * Broken variants: each -DBREAK_x changes one step; docs/remote-list.md says how each must fail.
 */
#ifndef NSLAB
#define NSLAB 1
#endif
#ifndef NPER
#define NPER 2
#endif
#ifndef NSC
#define NSC 1
#endif
#ifndef BATCH
#define BATCH 2
#endif

#define NOBJ      (NSLAB * NPER)
#define SLAB(o)   ((o) / NPER)
#define NIL       255

/* Values of the word. Object o is named by FIRST + o, both in the word and in next[]. */
#define EMPTY     0
#define AWAY      1
#define FIRST     2

/* obj[]: where each object is. */
#define FREE      0 /* on its slab's local list */
#define LIVE      1 /* the program's, or in an array: anybody may come and free it */
#define HELD      2 /* one thread is freeing it and has not pushed it yet */
#define CHAINED   3 /* reachable from its slab's word */

/* place[]: NONE, LISTED and "neither" are sl_state; telling apart the three kinds of "neither" is ghost. */
#define NONE      0 /* released: the descriptor belongs to somebody else */
#define LISTED    1 /* on its owner's partial list */
#define GONE      2 /* away: word == AWAY */
#define LIMBO     3 /* AWAY replaced, not linked yet: one pusher's */
#define RETURNED  4 /* on its owner's returned list */
#define ON_NODE   5 /* on the node's list, owned by no slot (adopt.pml) */
#define OFF(s)    (place[s] >= GONE && place[s] <= RETURNED)

byte word[NSLAB];
byte ret_next[NSLAB];
byte owner[NSLAB];
byte nfree[NSLAB];
byte place[NSLAB];
byte next[NOBJ];
byte obj[NOBJ];
byte returned[NSC];
bit told[NSC];     /* a tell was sent and the owner has not acted on it */
bit gen[NSLAB];    /* ghost: incarnation of the descriptor */
bit sc_freed[NSC]; /* ghost: the owner's struct was given back (drain.pml) */
byte owed;         /* ghost: returned lists that became non-empty, minus tells sent */
byte busy;         /* ghost: operations under way */

/* Every access to a descriptor: it must be the incarnation that the caller's object came from. */
inline touch(s, g)
{
    assert(place[s] != NONE && gen[s] == g)
}

/* Every access to an owner's struct. */
inline touch_sc(k)
{
    assert(!sc_freed[k])
}

/* exchange(sl_remote, EMPTY, acquire), then put the chain behind the local list. With sc_lock. */
inline slab_collect(s)
{
#ifdef BREAK_COLLECT_SPLIT
    c = word[s];
    d_step {
#else
    d_step {
        c = word[s];
#endif
        word[s] = EMPTY;
        assert(c != AWAY);
        do
        :: c == EMPTY -> break
        :: else ->
            assert(c >= FIRST && c < FIRST + NOBJ);
            c = c - FIRST;
            assert(SLAB(c) == s && obj[c] == CHAINED);
            obj[c] = FREE;
            nfree[s]++;
            tmp = next[c];
            next[c] = EMPTY;
            c = tmp
        od;
        assert(nfree[s] <= NPER);
        c = 0;
        tmp = 0
    }
}

/* Take one local object out. With sc_lock and nfree[s] > 0. */
inline slab_take(s)
{
    d_step {
        c = s * NPER;
        do
        :: obj[c] == FREE -> break
        :: else -> c++
        od;
        assert(SLAB(c) == s);
        obj[c] = LIVE;
        nfree[s]--;
        c = 0
    }
}

/* nfree == 0: CAS(sl_remote, EMPTY -> AWAY, release); a failure means that a chain came. With sc_lock. */
inline slab_partial_to_away(s)
{
    atomic {
        if
#ifdef BREAK_AWAY_STORE
        :: true ->
#else
        :: word[s] == EMPTY ->
#endif
            assert(place[s] == LISTED && nfree[s] == 0);
            word[s] = AWAY;
            place[s] = GONE
        :: else -> skip
        fi
    }
}

/* All objects home: off the lists; the descriptor's memory is anybody's from here. With the list's lock. */
inline slab_release(s)
{
    assert((place[s] == LISTED || place[s] == ON_NODE) && word[s] == EMPTY && nfree[s] == NPER);
    place[s] = NONE;
    gen[s] = !gen[s];
    owner[s] = 0;
    nfree[s] = 0
}

inline slab_create(s, k)
{
    d_step {
        assert(word[s] == EMPTY && place[s] == NONE);
        place[s] = LISTED;
        owner[s] = k;
        nfree[s] = NPER
    }
}

/* Put the slab on its owner's returned list; tell if that list was empty. sl_owner is stable meanwhile. */
inline returned_push(s, g, k)
{
#ifndef BREAK_OWNER_EARLY
    d_step {
        touch(s, g);
        k = owner[s]
    }
#endif
    do
    :: atomic {
           touch_sc(k);
           touch(s, g);
           c = returned[k];
#ifdef BREAK_TELL_EARLY
           if
           :: tmp == 0 -> tmp = 1 + (c == NIL)
           :: else -> skip
           fi;
#endif
           ret_next[s] = c
       }
       atomic {
           touch_sc(k);
           if
           :: returned[k] == c ->
#ifndef BREAK_LINK_BLIND
               assert(place[s] == LIMBO);
#endif
               place[s] = RETURNED;
               returned[k] = s;
               owed = owed + (c == NIL);
               break
           :: else -> skip
           fi
       }
    od;
    atomic {
#ifdef BREAK_TELL_SC
        touch_sc(k);
#endif
        if
#ifdef BREAK_TELL_EARLY
        :: tmp == 2 ->
#else
        :: c == NIL ->
#endif
            assert(owed > 0);
            owed--;
            told[k] = 1
        :: else -> skip
        fi;
        c = 0;
        tmp = 0;
        k = 0
    }
}

/*
 * Push the chain head..tail (HELD objects of slab s) by CAS; old is what the CAS replaced. The objects are the
 * caller's until the CAS; afterwards they, and unless old was AWAY the slab, belong to the owner.
 */
inline slab_push_remote(s, g, head, tail, old, k)
{
#ifdef BREAK_OWNER_EARLY
    k = owner[s];
#endif
    do
    :: atomic {
           touch(s, g);
#ifdef BREAK_OLD_KEPT
           if
           :: c == 0 -> old = word[s]; c = 1 + word[s]
           :: else -> c = 1 + word[s]
           fi;
           next[tail] = (c - 1 <= AWAY -> EMPTY : c - 1)
#else
           old = word[s];
           next[tail] = (old <= AWAY -> EMPTY : old)
#endif
       }
       atomic {
           touch(s, g);
           if
#ifdef BREAK_WAIT_FOR_LINK
           :: place[s] == LIMBO -> skip
#endif
#ifdef BREAK_OLD_KEPT
           :: word[s] == c - 1 ->
               c = 0;
#else
#ifdef BREAK_PUSH_STORE
           :: true ->
#else
           :: word[s] == old ->
#endif
               assert((old == AWAY) == (place[s] == GONE));
#endif
               word[s] = FIRST + head;
               obj[head] = CHAINED;
               obj[tail] = CHAINED;
               place[s] = (old == AWAY -> LIMBO : place[s]);
               break
           :: else -> skip
           fi
       }
    od;
#ifdef BREAK_TOUCH_AFTER
    touch(s, g);
#endif
    if
#ifdef BREAK_LINK_BLIND
    :: old <= AWAY ->
#else
    :: old == AWAY ->
#endif
#ifdef BREAK_NO_LINK
        skip
#else
        returned_push(s, g, k)
#endif
    :: else -> skip
    fi
}

/* exchange(sc_returned, NIL, acquire); each slab is listed again and collected. With sc_lock of k. */
inline returned_take(k, l, s)
{
#ifdef BREAK_TAKE_SPLIT
    l = returned[k];
    returned[k] = NIL;
#else
    d_step {
        l = returned[k];
        returned[k] = NIL
    }
#endif
    do
    :: l == NIL -> break
    :: else ->
        d_step {
            s = l;
            assert(place[s] == RETURNED && owner[s] == k && word[s] >= FIRST);
            place[s] = LISTED;
            l = ret_next[s];
            ret_next[s] = 0
        }
        slab_collect(s)
    od;
    l = 0;
    s = 0
}

/* Put a HELD object back by its slab's owner. o is consumed, or (fail) must be pushed. With sc_lock. */
inline home_own(s, o, fail)
{
    atomic {
        fail = 0;
        if
        :: !OFF(s) ->
            assert(place[s] == LISTED)
#if defined(BREAK_TAKE_BACK_BLIND)
        :: else ->
            word[s] = EMPTY;
            place[s] = LISTED
#elif defined(BREAK_TAKE_BACK_COLLECT)
        :: else ->
            place[s] = LISTED;
            if
            :: word[s] == AWAY -> word[s] = EMPTY
            :: else -> slab_collect(s)
            fi
#else
        :: OFF(s) && word[s] == AWAY ->
            assert(place[s] == GONE);
            word[s] = EMPTY;
            place[s] = LISTED
        :: OFF(s) && word[s] != AWAY ->
            fail = 1
#endif
        fi;
        if
        :: !fail ->
            obj[o] = FREE;
            nfree[s]++
        :: else -> skip
        fi
    }
}

/* Begin a free: any live object; blocks while there is none. In an atomic block. */
inline grab(h)
{
    if
    :: obj[0] == LIVE -> h = 0
#if NOBJ > 1
    :: obj[1] == LIVE -> h = 1
#endif
#if NOBJ > 2
    :: obj[2] == LIVE -> h = 2
#endif
#if NOBJ > 3
    :: obj[3] == LIVE -> h = 3
#endif
    fi;
    obj[h] = HELD;
    next[h] = EMPTY;
    busy++
}

/* Make a chain of it, or not: h, or h..t with t of the same slab. In the same atomic block. */
inline grab_more(h, t)
{
    if
    :: t = h
    :: BATCH > 1 && (h + 1) % NPER > 0 && obj[(h + 1) % NOBJ] == LIVE ->
        t = h + 1;
        obj[t] = HELD;
        next[h] = FIRST + t
    fi
}

/* Ghost: everything must be in its place when no operation is under way. */
inline audit()
{
    assert(owed == 0);
    i = 0;
    do
    :: i == NSLAB -> break
    :: else ->
        /* tmp: FREE objects; j: LIVE ones and those in the chain */
        j = 0;
        c = (word[i] == AWAY -> EMPTY : word[i]);
        do
        :: c == EMPTY -> break
        :: else -> assert(obj[c - FIRST] == CHAINED); j++; c = next[c - FIRST]
        od;
        tmp = 0;
        c = i * NPER;
        do
        :: c == (i + 1) * NPER -> break
        :: else ->
            assert(obj[c] != HELD);
            tmp = tmp + (obj[c] == FREE);
            j = j + (obj[c] == LIVE);
            c++
        od;
        assert(place[i] == NONE || (tmp == nfree[i] && j + tmp == NPER));
        assert((word[i] == AWAY) == (place[i] == GONE));
        assert(place[i] != LIMBO);
        assert(!OFF(i) || tmp == 0);
        i++
    od;
    /* Each returned slab is on the list of its owner, which has a tell to act on. */
    i = 0;
    j = 0;
    do
    :: i == NSC -> break
    :: else ->
        assert(returned[i] == NIL || told[i]);
        c = returned[i];
        do
        :: c == NIL -> break
        :: else ->
            assert(place[c] == RETURNED && owner[c] == i && j < NSLAB);
            c = ret_next[c];
            j++
        od;
        i++
    od;
    i = 0;
    do
    :: i == NSLAB -> break
    :: else -> j = j - (place[i] == RETURNED); i++
    od;
    assert(j == 0);
    c = 0;
    i = 0;
    j = 0;
    tmp = 0
}

/* An operation ends. In an atomic block. */
inline settle()
{
    busy--;
    if
    :: busy == 0 -> d_step { audit() }
    :: else -> skip
    fi
}

inline all_init()
{
    i = 0;
    do
    :: i == NSC -> break
    :: else -> returned[i] = NIL; i++
    od;
    i = 0
}
