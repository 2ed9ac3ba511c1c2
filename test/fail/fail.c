/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: failure injection: the n-th call to the system for memory fails, for every n that a
 *       scenario reaches, once or from then on; also while the engine starts. The program sees NULL
 *       with ENOMEM or nothing at all; what it holds stays whole, the engine stays consistent,
 *       nothing is lost, and the same scenario succeeds afterwards.
 *       usage: fail | fail start N once|on   (the second form is what the first one executes)
 * Below: plat's test hook; the program is linked with the static library to reach it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plat/plat.h"
#include "../oracle/block.h"
#include "../oracle/engine.h"
#include "../oracle/entry.h"

#define SLOTS          300u
#define OPS            2000u
#define FAILURES_MAX   20000u
#define FAILURES_LEAST 3u
#define START_CALLS    15u
#define LIVE_SLACK     8192
#define CHILD_SECONDS  30u

/* What a child found out, in memory shared with its parent. */
struct finding {
    bool fi_hit;         /* the scenario made as many calls as that */
    unsigned fi_refused; /* operations that got NULL */
};
static struct finding *finding;
static struct block table[SLOTS];

static void refused(const struct block *bl, bool sets_errno)
{
    if (sets_errno && errno != ENOMEM)
        block_fail(bl, "refused without ENOMEM", 0);
    finding->fi_refused++;
}

/* Now and then a block that is a mapping of its own. */
static size_t scenario_size(struct random *rn)
{
    return random_below(rn, 400) ? random_size(rn) : ((size_t)33 << 20) + random_size(rn);
}

static void scenario_step(struct random *rn, uint64_t stamp)
{
    struct block *bl = &table[random_below(rn, SLOTS)];
    enum block_way way = (enum block_way)random_below(rn, BLOCK_WAYS);

    errno = 0;
    if (!bl->bl_p) {
        if (!block_make(bl, way, scenario_size(rn), rn, stamp))
            refused(bl, way != BLOCK_ALIGNED);
    } else if (random_below(rn, 3)) {
        block_free(bl, false);
    } else if (!block_resize(bl, bl->bl_asked / 2 * 3 + random_size(rn), stamp)) {
        refused(bl, true);
    }
}

static void scenario_run(void)
{
    struct random rn = {1};

    for (unsigned i = 0; i < OPS; i++) {
        scenario_step(&rn, i + 1);
        if (i % 400 == 399)
            engine.en_trim(0);
    }
}

static void scenario_end(uint64_t base)
{
    uint64_t live = 0;

    if (engine_verify())
        block_fail(&table[0], "the engine is inconsistent", 0);
    for (unsigned i = 0; i < SLOTS; i++)
        if (table[i].bl_p)
            block_free(&table[i], false);
    if (engine_verify() || !engine_live(&live))
        block_fail(&table[0], "the engine is inconsistent after everything was freed", 0);
    if (live < base || live - base > LIVE_SLACK)
        block_fail(&table[0], "live bytes differ after everything was freed", live - base);
}

static _Noreturn void child_run(unsigned n, bool sticky)
{
    uint64_t base = 0, calls;

    alarm(CHILD_SECONDS);
    engine_live(&base);
    calls = plat_memory_calls();
    plat_fail_after(n, sticky);
    scenario_run();
    finding->fi_hit = plat_memory_calls() - calls >= n;
    plat_fail_after(0, false);
    scenario_end(base);
    n = finding->fi_refused;
    scenario_run();
    if (finding->fi_refused != n)
        block_fail(&table[0], "refused although the system has memory again", 0);
    scenario_end(base);
    _exit(0);
}

static void child_await(pid_t child, const char *what, unsigned n)
{
    int status = -1;

    if (child < 0 || waitpid(child, &status, 0) != child || status) {
        fprintf(stderr, "%s, failing call %u: wait status %#x\n", what, n, (unsigned)status);
        exit(1);
    }
}

/* One child for each n until the scenario makes fewer calls. */
static void every_call_fails(bool sticky)
{
    unsigned n = 0, refusals = 0;

    do {
        pid_t child;

        *finding = (struct finding){0};
        n++;
        fflush(stdout);
        child = fork();
        if (child == 0)
            child_run(n, sticky);
        child_await(child, sticky ? "from a call on" : "one call", n);
        refusals += finding->fi_refused;
    } while (finding->fi_hit && n < FAILURES_MAX);
    printf("%s: %u calls failed in turn, %u operations refused\n",
           sticky ? "from a call on" : "one call", n - 1, refusals);
    if (n <= FAILURES_LEAST || (sticky && !refusals)) {
        fprintf(stderr, "the scenario does not reach the system\n");
        exit(1);
    }
}

/* ---- start-up -------------------------------------------------------------------------------- */

/* As early as a program can: before the constructors of its libraries. */
static void start_arm(int argc, char **argv, char **envp)
{
    (void)envp;
    if (argc == 4 && !strcmp(argv[1], "start"))
        plat_fail_after((unsigned)atoi(argv[2]), !strcmp(argv[3], "on"));
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(int, char **,
                                                                              char **) = start_arm;

static int start_run(void)
{
    finding = &(struct finding){0};
    scenario_run();
    plat_fail_after(0, false);
    if (!table[0].bl_p && !block_make(&table[0], BLOCK_MALLOC, 100, &(struct random){1}, 1))
        block_fail(&table[0], "the engine does not start although the system has memory again", 0);
    scenario_end(0);
    return 0;
}

static void every_start_fails(const char *how)
{
    for (unsigned n = 1; n <= START_CALLS; n++) {
        char number[16];
        pid_t child;

        snprintf(number, sizeof(number), "%u", n);
        child = fork();
        if (child == 0) {
            execl("/proc/self/exe", "fail", "start", number, how, (char *)NULL);
            _exit(1);
        }
        child_await(child, how, n);
    }
}

int main(int argc, char **argv)
{
    /* Where the system has no memory for the start, there is no slabkit to insist on. */
    if (argc == 4)
        unsetenv("TEST_SLABKIT");
    engine_find();
    if (argc == 4)
        return start_run();
    block_describe(argv[0]);
    finding =
        mmap(NULL, sizeof(*finding), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (finding == MAP_FAILED)
        return 2;
    free(malloc(1));
    every_call_fails(false);
    every_call_fails(true);
    every_start_fails("once");
    every_start_fails("on");
    return 0;
}
