/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the remote list's memory orders under the C11 memory model: each scenario is run
 *       through all its schedules and all stale reads that the model allows (relacy, full
 *       search), once with the orders the protocol asks for and once for each order weakened.
 * Below: relacy (Debian: relacy-dev)
 * Owns: nothing that protocol.pml shows already. What is plain in the C code is rl::var here,
 *       so a missing happens-before is a reported data race.
 * Failure: exit 1 when a sound set of orders fails in some scenario, or a weakened one passes
 *       in all.
 */
#include "explore.hpp"

namespace
{

enum : int {
    EMPTY = 0,
    AWAY = 1,
    FIRST = 2
};
enum : int {
    NIL = -1,
    SLAB = 0
};

struct orders {
    const char *name;
    bool sound;
    rl::memory_order push;    /* CAS sl_remote -> chain */
    rl::memory_order collect; /* exchange sl_remote -> EMPTY */
    rl::memory_order away;    /* CAS sl_remote EMPTY -> AWAY */
    rl::memory_order back;    /* CAS sl_remote AWAY -> EMPTY */
    rl::memory_order link;    /* CAS sc_returned -> slab */
    rl::memory_order take;    /* exchange sc_returned -> NULL */
    bool mine_unlocked;       /* sl_owner compared before sc_lock is taken */
};

const rl::memory_order RLX = rl::mo_relaxed;
const rl::memory_order ACQ = rl::mo_acquire;
const rl::memory_order REL = rl::mo_release;
const rl::memory_order AR = rl::mo_acq_rel;

const orders all_orders[] = {
    {"as specified", true, AR, ACQ, REL, RLX, REL, ACQ, false},
    {"push: relaxed", false, RLX, ACQ, REL, RLX, REL, ACQ, false},
    {"push: acquire only", false, ACQ, ACQ, REL, RLX, REL, ACQ, false},
    {"push: release only", false, REL, ACQ, REL, RLX, REL, ACQ, false},
    {"collect: relaxed", false, AR, RLX, REL, RLX, REL, ACQ, false},
    {"away: relaxed", false, AR, ACQ, RLX, RLX, REL, ACQ, false},
    {"link: relaxed", false, AR, ACQ, REL, RLX, RLX, ACQ, false},
    {"take: relaxed", false, AR, ACQ, REL, RLX, REL, RLX, false},
    {"mine?: before the lock", false, AR, ACQ, REL, RLX, REL, ACQ, true},
};

orders ord;

/* One slab of two objects and the two owners it may have. */
struct world {
    rl::atomic<int> word;
    rl::atomic<int> owner; /* relaxed: read by those who only ask "is it mine?" */
    rl::var<int> ret_next;
    rl::var<int>
        descriptor; /* the rest of it: read by pushers, rewritten when the memory is reused */
    rl::var<int> nfree;
    rl::var<int> next[2];
    rl::var<int> bytes[2]; /* the objects' contents */
    rl::atomic<int> returned[2];
    rl::var<int> sc[2]; /* the owners' structs */
    rl::mutex lock[2];
    int home; /* objects back in the slab: touched by the holder of the lock, or at the end */

    void setup(int w)
    {
        word.store(w, RLX, $);
        owner.store(0, RLX, $);
        descriptor($) = 1;
        nfree($) = 0;
        ret_next($) = NIL;
        home = 0;
        for (int i = 0; i < 2; i++) {
            returned[i].store(NIL, RLX, $);
            sc[i]($) = i;
            bytes[i]($) = 1;
        }
    }

    void returned_push()
    {
        int k = owner.load(RLX, $);
        int head = returned[k].load(RLX, $);

        RL_ASSERT(sc[k]($) == k);
        do {
            ret_next($) = head;
        } while (!returned[k].compare_exchange_weak(head, SLAB, ord.link, $, RLX, $));
    }

    void push(int o)
    {
        int old = word.load(RLX, $);

        bytes[o]($) = 2;
        RL_ASSERT(descriptor($) == 1);
        do {
            next[o]($) = old <= AWAY ? EMPTY : old;
        } while (!word.compare_exchange_weak(old, FIRST + o, ord.push, $, RLX, $));
        if (old == AWAY)
            returned_push();
    }

    /* With the owner's lock. */
    void collect()
    {
        int w = word.exchange(EMPTY, ord.collect, $);

        RL_ASSERT(w != AWAY);
        while (w != EMPTY) {
            int o = w - FIRST;

            RL_ASSERT(bytes[o]($) == 2);
            bytes[o]($) = 3;
            home++;
            w = next[o]($);
        }
    }

    /* With the owner's lock: both objects are home, the descriptor goes to another user. */
    void release_if_idle()
    {
        if (home == 2)
            descriptor($) = 4;
    }

    /* With k's lock. Returns whether the slab was there. */
    bool returned_take(int k)
    {
        int s = returned[k].exchange(NIL, ord.take, $);

        if (s == NIL)
            return false;
        RL_ASSERT(owner.load(RLX, $) == k);
        RL_ASSERT(ret_next($) == NIL);
        collect();
        return true;
    }

    /* With the owner's lock and no object left. */
    bool partial_to_away()
    {
        int old = EMPTY;

        return word.compare_exchange_strong(old, AWAY, ord.away, $, RLX, $);
    }
};

/* Two pushers and an owner on a listed slab; it is released when both objects came home. */
struct listed_slab : rl::test_suite<listed_slab, 3>, world {
    void before()
    {
        setup(EMPTY);
    }

    void thread(unsigned t)
    {
        if (t < 2)
            return push(t);
        collect();
        release_if_idle();
    }

    void after()
    {
        collect();
        RL_ASSERT(home == 2);
    }
};

/* The same on an away slab; with it goes the owner's struct, as when the cache is destroyed. */
struct away_slab : rl::test_suite<away_slab, 3>, world {
    void before()
    {
        setup(AWAY);
    }

    void thread(unsigned t)
    {
        if (t < 2)
            return push(t);
        if (!returned_take(0))
            return;
        release_if_idle();
        if (home == 2)
            sc[0]($) = NIL;
    }

    void after()
    {
        if (home == 0)
            RL_ASSERT(returned_take(0));
        collect();
        RL_ASSERT(home == 2);
    }
};

/* Away, home, away again: the second linker writes sl_ret_next after the owner read the first's. */
struct away_twice : rl::test_suite<away_twice, 3>, world {
    void before()
    {
        setup(AWAY);
    }

    void thread(unsigned t)
    {
        if (t < 2)
            return push(t);
        if (returned_take(0) && home == 1) {
            home = 0;
            partial_to_away();
        }
    }

    void after()
    {
        returned_take(0);
        RL_ASSERT(word.load(RLX, $) <= AWAY || home > 0 || returned[0].load(RLX, $) == NIL);
    }
};

/* The owner changes just before the slab goes away: who replaces AWAY must see the new one. */
struct adopted_then_away : rl::test_suite<adopted_then_away, 2>, world {
    bool away;

    void before()
    {
        setup(EMPTY);
        away = false;
    }

    void thread(unsigned t)
    {
        if (t == 0)
            return push(0);
        lock[0].lock($);
        lock[1].lock($);
        owner.store(1, RLX, $);
        lock[0].unlock($);
        away = partial_to_away();
        lock[1].unlock($);
    }

    void after()
    {
        RL_ASSERT(returned[0].load(RLX, $) == NIL);
        RL_ASSERT(away == returned_take(1));
    }
};

/* "Is it mine?" holds as long as the lock: the local list has one user at a time. */
struct adopted_while_freed : rl::test_suite<adopted_while_freed, 2>, world {
    void before()
    {
        setup(EMPTY);
    }

    void put_or_push(int o, int k)
    {
        bool mine = owner.load(RLX, $) == k;

        lock[k].lock($);
        if (!ord.mine_unlocked)
            mine = owner.load(RLX, $) == k;
        if (mine)
            nfree($) = nfree($) + 1;
        lock[k].unlock($);
        if (!mine)
            push(o);
    }

    void thread(unsigned t)
    {
        if (t == 1) {
            lock[0].lock($);
            lock[1].lock($);
            owner.store(1, RLX, $);
            lock[0].unlock($);
            lock[1].unlock($);
        }
        put_or_push(t, t);
    }

    void after()
    {
        collect();
        RL_ASSERT(home + nfree($) == 2);
    }
};

/* The owner takes an away slab back by CAS, or pushes; a relaxed CAS will do. */
struct taken_back : rl::test_suite<taken_back, 2>, world {
    void before()
    {
        setup(AWAY);
    }

    void thread(unsigned t)
    {
        int old = AWAY;

        if (t == 0)
            return push(0);
        if (!word.compare_exchange_strong(old, EMPTY, ord.back, $, RLX, $))
            return push(1);
        home++;
        collect();
        release_if_idle();
    }

    void after()
    {
        returned_take(0);
        collect();
        RL_ASSERT(home == 2);
    }
};

const entry scenarios[] = {
    {"listed slab", explore<listed_slab>},
    {"away slab", explore<away_slab>},
    {"away twice", explore<away_twice>},
    {"adopted, then away", explore<adopted_then_away>},
    {"adopted while freed", explore<adopted_while_freed>},
    {"taken back", explore<taken_back>},
};

} // namespace

int main()
{
    return check_all(all_orders, ord, scenarios) ? 0 : 1;
}
