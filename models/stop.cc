/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: closing the arrays of another CPU, as kernels do it (plat/kern64: slots.c, ask.c, init.c), under
 *       the C11 memory model: each scenario through all its schedules and all stale reads that the
 *       model allows (relacy, full search), as the code is and once for each order taken away.
 * Below: relacy (Debian: relacy-dev)
 * Owns: one slot, one array of two entries. Entries are rl::var: whoever takes the array apart beside a
 *       section is a reported data race.
 *       A section is a load of the word, what it does to entries, a store of the word: nothing of its
 *       own CPU comes between, so an interrupt that answers is a step between sections.
 *       A section reaches entries through an address computed from the word. C11 has no such order
 *       that compilers keep, so the load is an acquire here; what acquires more than entries (base)
 *       loads relaxed.
 * Failure: exit 1 when the code as it is fails in some scenario, or one with an order taken away passes
 *       in all.
 */
#include "explore.hpp"

namespace
{

const rl::memory_order RLX = rl::mo_relaxed;
const rl::memory_order ACQ = rl::mo_acquire;
const rl::memory_order REL = rl::mo_release;
const rl::memory_order AR = rl::mo_acq_rel;
const rl::memory_order SC = rl::mo_seq_cst;

struct orders {
    const char *name;
    bool sound;
    rl::memory_order commit;   /* store of a section */
    rl::memory_order close;    /* exchange of the word for 0 */
    rl::memory_order ask;      /* addition to asked */
    rl::memory_order hear;     /* load of asked by who answers */
    rl::memory_order answer;   /* store of answered */
    rl::memory_order answered; /* load of answered by who asked */
    rl::memory_order open;     /* store over 0 */
    bool waits;                /* for the answer */
    bool fence_online, fence_ask;
    bool base_asks; /* plat_init asks every CPU before it returns */
};

const orders all_orders[] = {
    {"as the code has it", true, REL, ACQ, AR, ACQ, REL, ACQ, REL, true, true, true, true},
    {"commit, close: relaxed", true, RLX, RLX, AR, ACQ, REL, ACQ, REL, true, true, true, true},
    {"ask: relaxed", false, REL, ACQ, RLX, ACQ, REL, ACQ, REL, true, true, true, true},
    {"hear: relaxed", false, REL, ACQ, AR, RLX, REL, ACQ, REL, true, true, true, true},
    {"answer: relaxed", false, REL, ACQ, AR, ACQ, RLX, ACQ, REL, true, true, true, true},
    {"answered: relaxed", false, REL, ACQ, AR, ACQ, REL, RLX, REL, true, true, true, true},
    {"open: relaxed", false, REL, ACQ, AR, ACQ, REL, ACQ, RLX, true, true, true, true},
    {"no wait for the answer", false, REL, ACQ, AR, ACQ, REL, ACQ, REL, false, true, true, true},
    {"online: no fence", false, REL, ACQ, AR, ACQ, REL, ACQ, REL, true, false, true, true},
    {"ask: no fence before", false, REL, ACQ, AR, ACQ, REL, ACQ, REL, true, true, false, true},
    {"new base: nobody asked", false, REL, ACQ, AR, ACQ, REL, ACQ, REL, true, true, true, false},
};

orders ord;

enum : int {
    CLOSED = 0,
    EMPTY = 1, /* a word k + 1: k entries */
    CAPACITY = 2
};

struct slot {
    rl::atomic<int> word, asked, answered;
    rl::var<int> entry[CAPACITY + 1];

    void setup(int entries)
    {
        word.store(entries + EMPTY, RLX, $);
        asked.store(0, RLX, $);
        answered.store(0, RLX, $);
        for (int i = 1; i <= CAPACITY; i++)
            entry[i]($) = i;
    }

    /* ---- the slot's own CPU ---- */

    int pop()
    {
        int w = word.load(ACQ, $), obj = 0;

        if (w > EMPTY) {
            obj = entry[w - EMPTY]($);
            word.store(w - 1, ord.commit, $);
        }
        return obj;
    }

    bool push(int obj)
    {
        int w = word.load(ACQ, $);

        if (w == CLOSED || w == CAPACITY + EMPTY)
            return false;
        entry[w - EMPTY + 1]($) = obj;
        word.store(w + 1, ord.commit, $);
        return true;
    }

    void answer()
    {
        int a = asked.load(ord.hear, $);

        if (a != answered.load(RLX, $))
            answered.store(a, ord.answer, $);
    }

    /* ---- another ---- */

    /* false: no answer yet; the schedules in which one came are searched as well. */
    bool fence()
    {
        int number = asked.fetch_add(1, ord.ask, $) + 1;

        return !ord.waits || answered.load(ord.answered, $) >= number;
    }

    /* Turns, until nothing is found; false: an answer is missing, or more turns are. */
    bool stop(int *found)
    {
        *found = CLOSED;
        for (int turn = 0; turn < 3; turn++) {
            if (word.load(ACQ, $) == CLOSED)
                return true;
            *found = word.exchange(CLOSED, ord.close, $);
            if (!fence())
                return false;
        }
        return false;
    }

    void reverse(int entries)
    {
        for (int i = 1; i <= entries / 2; i++) {
            int t = entry[i]($);

            entry[i]($) = entry[entries + 1 - i]($);
            entry[entries + 1 - i]($) = t;
        }
    }
};

/* Closed under a CPU that pops and pushes, taken apart, opened again. */
struct closed_in_use : rl::test_suite<closed_in_use, 2>, slot {
    int held;
    bool lost; /* no answer in this schedule: the word is not put back */

    void before()
    {
        setup(CAPACITY);
        held = 0;
        lost = false;
    }

    void thread(unsigned t)
    {
        int found;

        if (t == 0) {
            held = pop();
            answer();
            if (held && push(held))
                held = 0;
            answer();
            return;
        }
        lost = !stop(&found);
        if (lost)
            return;
        RL_ASSERT(word.load(RLX, $) == CLOSED);
        reverse(found - EMPTY);
        word.store(found, ord.open, $);
    }

    void after()
    {
        int k = word.load(RLX, $) - EMPTY, seen = held;

        if (lost)
            return;
        RL_ASSERT(k + (held != 0) == CAPACITY);
        for (int i = 1; i <= k; i++)
            seen += entry[i]($);
        RL_ASSERT(seen == 1 + 2);
    }
};

/* Opened by another: the entries are seen. */
struct opened : rl::test_suite<opened, 2>, slot {
    void before()
    {
        setup(0);
        word.store(CLOSED, RLX, $);
    }

    void thread(unsigned t)
    {
        if (t == 0) {
            int obj = pop();

            RL_ASSERT(obj == 0 || obj == 7);
            return;
        }
        entry[1]($) = 7;
        word.store(1 + EMPTY, ord.open, $);
    }
};

/* A CPU comes online while its array is closed: either it is asked, or it finds 0. */
struct comes_online : rl::test_suite<comes_online, 2>, slot {
    rl::atomic<int> online;

    void before()
    {
        setup(CAPACITY);
        online.store(0, RLX, $);
    }

    void thread(unsigned t)
    {
        if (t == 0) {
            online.store(1, REL, $);
            if (ord.fence_online)
                rl::atomic_thread_fence(SC, $);
            pop();
            answer();
            return;
        }
        int found = word.exchange(CLOSED, ord.close, $);

        if (ord.fence_ask)
            rl::atomic_thread_fence(SC, $);
        if (online.load(ACQ, $) && !fence())
            return;
        if (word.load(ACQ, $) == CLOSED)
            reverse(found - EMPTY);
    }
};

/* plat_init beside a CPU that runs: no open word is seen with the old base. */
struct new_base : rl::test_suite<new_base, 2>, slot {
    rl::atomic<int> base, area;

    void before()
    {
        setup(0);
        word.store(CLOSED, RLX, $);
        base.store(1, RLX, $);
        area.store(1, RLX, $);
    }

    void section()
    {
        if (area.load(RLX, $) == 2 && word.load(RLX, $) != CLOSED)
            RL_ASSERT(base.load(RLX, $) == 2);
    }

    void thread(unsigned t)
    {
        if (t == 0) {
            section();
            answer();
            section();
            return;
        }
        base.store(2, RLX, $);
        area.store(2, REL, $);
        if (ord.base_asks && !fence())
            return;
        word.store(1 + EMPTY, ord.open, $);
    }
};

const entry scenarios[] = {
    {"stop: in use", explore<closed_in_use>},
    {"stop: opened by another", explore<opened>},
    {"stop: comes online", explore<comes_online>},
    {"stop: new base", explore<new_base>},
};

} // namespace

int main()
{
    return check_all(all_orders, ord, scenarios) ? 0 : 1;
}
