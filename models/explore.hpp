/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the models of memory orders share: scenarios run through all their schedules, for each set of
 *       orders, and a line for each finding.
 * Below: relacy (Debian: relacy-dev)
 * Failure: check_all() is false when a sound set fails in some scenario, or a weakened one passes in all.
 */
#ifndef SLABKIT_MODELS_EXPLORE_HPP
#define SLABKIT_MODELS_EXPLORE_HPP

#include <relacy/relacy.hpp>
#include <cstdio>
#include <ostream>
#include <streambuf>
#include <string>

struct outcome {
    unsigned long runs;
    std::string how;
};

/* relacy's own report is not wanted, and its operator new forbids a stream that allocates. */
struct discard : std::streambuf {
    int overflow(int c) override
    {
        return c;
    }
};

template <typename scenario> outcome explore()
{
    discard nothing;
    std::ostream sink(&nothing);
    rl::test_params p;

    p.search_type = rl::sched_full;
    p.output_stream = &sink;
    p.progress_stream = &sink;
    bool ok = rl::simulate<scenario>(p);
    return {(unsigned long)p.stop_iteration, ok ? "" : rl::test_result_str(p.test_result)};
}

struct entry {
    const char *name;
    outcome (*explore)();
};

/* All scenarios must pass: a line for each. */
template <size_t n> bool check_sound(const entry (&scenarios)[n], const char *name)
{
    bool ok = true;

    for (const entry &e : scenarios) {
        outcome r = e.explore();

        printf("%-9s %-43s %10lu  %s\n", "orders", (std::string(e.name) + ", " + name).c_str(),
               r.runs, r.how.empty() ? "ok" : r.how.c_str());
        ok = ok && r.how.empty();
    }
    return ok;
}

/* Some scenario must fail. */
template <size_t n> bool check_weakened(const entry (&scenarios)[n], const char *name)
{
    for (const entry &e : scenarios) {
        outcome r = e.explore();

        if (!r.how.empty()) {
            printf("%-9s %-43s %10lu  caught: %s in \"%s\"\n", "orders", name, r.runs,
                   r.how.c_str(), e.name);
            return true;
        }
    }
    printf("%-9s %-43s %10s  NOT CAUGHT\n", "orders", name, "");
    return false;
}

/* force: the orders that the scenarios use. */
template <typename orders, size_t sets, size_t n>
bool check_all(const orders (&all)[sets], orders &force, const entry (&scenarios)[n])
{
    bool ok = true;

    for (const orders &o : all) {
        force = o;
        ok = (o.sound ? check_sound(scenarios, o.name) : check_weakened(scenarios, o.name)) && ok;
        fflush(stdout);
    }
    return ok;
}

#endif
