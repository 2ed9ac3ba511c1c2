/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: every section is aborted after each of its instructions, one run for each, and no object
 *       is lost or doubled.
 * Why: a traced child runs into a breakpoint at the section's start. Every stop would abort the
 *       section there, so the tracer hides the descriptor (rseq_cs = 0) while it steps to the
 *       instruction it wants, and puts it back: the kernel itself then aborts, exactly there.
 *       Two kinds of run: one steps on and looks where the thread is; the other delivers a signal
 *       whose handler pops from the same array. Two broken sections show that both would notice.
 */
#define _GNU_SOURCE
#include "arrays.h"
#include "plat/portable/slot_locks.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDX       5u
#define CAP       5u
#define IN_ARRAY  3u
#define OBJECTS   6u /* 1..3 in the array, 4..6 in the caller's hands */
#define STEPS_MAX 200u

/* ---- the sections, each in a function of its own -------------------------------------------- */

/* What the caller holds before and after; the array is the rest. */
struct hands {
    void *held[OBJECTS];
    unsigned n;
};

static struct array arr;
static int things[OBJECTS + 1];

static void hold(struct hands *h, void *obj)
{
    h->held[h->n++] = obj;
}

SK_NOINLINE static enum rseq_result run_pop(struct hands *h)
{
    void *obj;
    enum rseq_result r = rseq_pop(IDX, &obj);

    if (r == RSEQ_HIT)
        hold(h, obj);
    return r;
}

SK_NOINLINE static enum rseq_result run_push(struct hands *h)
{
    enum rseq_result r = rseq_push(PLAT_KIND(IDX, plat_slot()), h->held[h->n - 1]);

    if (r == RSEQ_HIT)
        h->n--;
    return r;
}

SK_NOINLINE static enum rseq_result run_pop_n(struct hands *h)
{
    unsigned count;
    enum rseq_result r = rseq_pop_n(IDX, h->held + h->n, 2, &count);

    if (r == RSEQ_HIT)
        h->n += count;
    return r;
}

SK_NOINLINE static enum rseq_result run_push_n(struct hands *h)
{
    unsigned count;
    enum rseq_result r = rseq_push_n(IDX, h->held, 3, &count);

    if (r == RSEQ_HIT) {
        h->n -= count;
        memmove(h->held, h->held + count, h->n * sizeof(h->held[0]));
    }
    return r;
}

/* Takes the two topmost by moving the word. */
SK_NOINLINE static enum rseq_result run_cas(struct hands *h)
{
    enum rseq_result r = rseq_cas(plat_slot(), IDX, array_word(&arr, 3), array_word(&arr, 1));

    if (r == RSEQ_HIT) {
        hold(h, arr.a[2]);
        hold(h, arr.a[3]);
    }
    return r;
}

/* Words of slots -2 on. A credit of CREDIT is conserved as the objects are. */
#define CREDIT 100u

static char credits[(PORTABLE_SLOTS_MAX + 2) << PLAT_CREDIT_SHIFT] __attribute__((aligned(64)));
static uint64_t credit_taken, credit_taken_by_handler;

static struct plat_credit *cells(void)
{
    return (struct plat_credit *)(void *)(credits + 2 * PLAT_CREDIT_BYTES);
}

SK_NOINLINE static enum rseq_result run_credit_take(struct hands *h)
{
    enum rseq_result r = rseq_credit_take(cells(), 10);

    (void)h;
    if (r == RSEQ_HIT)
        credit_taken += 10;
    return r;
}

SK_NOINLINE static enum rseq_result run_credit_cas(struct hands *h)
{
    enum rseq_result r = rseq_credit_cas(cells(), plat_slot(), CREDIT, CREDIT - 30);

    (void)h;
    if (r == RSEQ_HIT)
        credit_taken += 30;
    return r;
}

/* Broken: the kernel is not told that there is a section. */
SK_NOINLINE static enum rseq_result run_untold(struct hands *h)
{
    uintptr_t area, base, word;
    void *top;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR "mov plat_closed_rseq@gottpoff(%%rip), %[area]\n"
                        "add %[rseq_delta], %[area]\n"
                        "1:\n"
                        "add %[id_delta], %[area]\n" RSEQ_LOAD_ID RSEQ_LOAD_WORD
                        "mov (%[base], %[word]), %[top]\n"
                        "test %[top], %[top]\n"
                        "je %l[miss]\n"
                        "sub $8, %[word]\n" RSEQ_COMMIT RSEQ_ABORT
        : [area] "=&r"(area), [base] "=&r"(base), [word] "=&r"(word), [top] "=&r"(top)
        : [idx] "r"((uintptr_t)IDX), RSEQ_GLOBALS
        : "memory", "cc"
        : miss, aborted);
    RSEQ_OUTPUT(top);
    hold(h, top);
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

/* Broken: something is left to do after the committing store. */
SK_NOINLINE static enum rseq_result run_early(struct hands *h)
{
    uintptr_t area, base, word;
    void *top;

    __asm__ volatile goto(
        RSEQ_DESCRIPTOR RSEQ_BEGIN RSEQ_LOAD_ID RSEQ_LOAD_WORD
        "sub $8, %[word]\n"
        "mov %[word], 131088(%[area], %[idx], 8)\n"
        "mov 8(%[base], %[word]), %[top]\n"
        "test %[top], %[top]\n"
        "je %l[miss]\n"
        "2:\n" RSEQ_ABORT
        : [area] "=&r"(area), [base] "=&r"(base), [word] "=&r"(word), [top] "=&r"(top)
        : [idx] "r"((uintptr_t)IDX), RSEQ_GLOBALS
        : "memory", "cc"
        : miss, aborted);
    RSEQ_OUTPUT(top);
    hold(h, top);
    return RSEQ_HIT;
miss:
    return RSEQ_MISS;
aborted:
    return RSEQ_ABORTED;
}

/* ---- the traced child ----------------------------------------------------------------------- */

typedef enum rseq_result (*section_fn)(struct hands *);

/* Shared with the tracer. */
struct report {
    section_fn section;
    enum rseq_result result;
    bool conserved;    /* each object is in exactly one place */
    bool bounds_whole; /* a[0] and the mark are as they were */
};

static struct report *report;
static void *taken_by_handler;

static void pop_in_handler(int sig)
{
    (void)sig;
    taken_by_handler = plat_slot_pop_retry(IDX);
    if (plat_credit_take_retry(cells(), 7))
        credit_taken_by_handler += 7;
}

static void see(unsigned char *seen, void *obj)
{
    for (unsigned i = 1; i <= OBJECTS; i++)
        seen[i] += obj == &things[i];
}

static bool conserved(const struct hands *h, unsigned in_array)
{
    unsigned char seen[OBJECTS + 1] = {0};
    bool once = true;

    for (unsigned i = 1; i <= in_array; i++)
        see(seen, arr.a[i]);
    for (unsigned i = 0; i < h->n; i++)
        see(seen, h->held[i]);
    see(seen, taken_by_handler);
    for (unsigned i = 1; i <= OBJECTS; i++)
        once = once && seen[i] == 1;
    return once;
}

static void victim_once(void)
{
    struct hands h = {{NULL}, 0};
    unsigned slot = plat_slot();

    taken_by_handler = NULL;
    credit_taken = credit_taken_by_handler = 0;
    plat_credit_of(cells(), slot)->pc_word = CREDIT;
    array_init(&arr, CAP);
    for (unsigned i = 1; i <= IN_ARRAY; i++)
        arr.a[i] = &things[i];
    for (unsigned i = IN_ARRAY + 1; i <= OBJECTS; i++)
        hold(&h, &things[i]);
    plat_slot_open(slot, IDX, array_word(&arr, IN_ARRAY));
    report->result = report->section(&h);
    plat_credit_stop(cells());
    report->conserved =
        conserved(&h, array_count(&arr, plat_slot_stop(slot, IDX))) &&
        plat_credit_of(cells(), slot)->pc_stopped + credit_taken + credit_taken_by_handler ==
            CREDIT;
    report->bounds_whole = arr.a[0] == NULL && arr.a[CAP + 1] == PLAT_MARK;
}

static void pin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* Stops with SIGUSR1 whenever it is ready for the next run. */
static _Noreturn void victim(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    pin();
    signal(SIGUSR2, pop_in_handler);
    for (;;) {
        raise(SIGUSR1);
        victim_once();
    }
}

/* ---- the tracer ----------------------------------------------------------------------------- */

struct descriptor {
    uint32_t version, flags;
    uint64_t start, length, abort;
} __attribute__((aligned(32)));

extern struct descriptor __start___rseq_cs[], __stop___rseq_cs[];

static pid_t child;

/* The first section at or after the function. */
static const struct descriptor *section_of(section_fn fn)
{
    const struct descriptor *best = NULL;

    for (const struct descriptor *d = __start___rseq_cs; d < __stop___rseq_cs; d++)
        if (d->start >= (uintptr_t)fn && (best == NULL || d->start < best->start))
            best = d;
    return best;
}

static bool inside(const struct descriptor *d, uint64_t ip)
{
    return ip - d->start < d->length;
}

/* An xor of a register with itself, with or without a prefix. */
static unsigned xor_bytes(const unsigned char *p)
{
    unsigned prefix = (p[0] & 0xf0) == 0x40;

    return p[prefix] == 0x31 ? prefix + 2 : 0;
}

/* Where one instruction at the abort address leads: it clears the output, or jumps. */
static uint64_t abort_target(const struct descriptor *d)
{
    const unsigned char *p = (const unsigned char *)(uintptr_t)d->abort;
    int32_t far;

    if (xor_bytes(p))
        return d->abort + xor_bytes(p);
    if (p[0] == 0xeb)
        return d->abort + 2 + (uint64_t)(int64_t)(int8_t)p[1];
    assert_int_equal(p[0], 0xe9);
    memcpy(&far, p + 1, sizeof(far));
    return d->abort + 5 + (uint64_t)(int64_t)far;
}

static int wait_stop(void)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    return WSTOPSIG(status);
}

static int resume(int request, int sig)
{
    assert_int_equal(ptrace(request, child, NULL, (void *)(intptr_t)sig), 0);
    return wait_stop();
}

static uint64_t ip_get(void)
{
    struct user_regs_struct regs;

    assert_int_equal(ptrace(PTRACE_GETREGS, child, NULL, &regs), 0);
    return regs.rip;
}

static void ip_set(uint64_t ip)
{
    struct user_regs_struct regs;

    assert_int_equal(ptrace(PTRACE_GETREGS, child, NULL, &regs), 0);
    regs.rip = ip;
    assert_int_equal(ptrace(PTRACE_SETREGS, child, NULL, &regs), 0);
}

static long word_get(uint64_t at)
{
    long v;

    errno = 0;
    v = ptrace(PTRACE_PEEKDATA, child, (void *)(uintptr_t)at, NULL);
    assert_int_equal(errno, 0);
    return v;
}

static void word_set(uint64_t at, long v)
{
    assert_int_equal(ptrace(PTRACE_POKEDATA, child, (void *)(uintptr_t)at, (void *)v), 0);
}

/* The child is a copy of this process, thread pointer included. */
static uint64_t rseq_cs_address(void)
{
    return (uintptr_t)((char *)&plat_closed_rseq.rseq_cs + plat_rseq_delta);
}

/* From "ready" to the section's first instruction. It may abort by itself on the way there. */
static void go_to_start(const struct descriptor *d)
{
    long text = word_get(d->start);
    int sig;

    word_set(d->start, (text & ~0xffl) | 0xcc);
    do
        sig = resume(PTRACE_CONT, 0);
    while (sig == SIGUSR1);
    word_set(d->start, text);
    assert_int_equal(sig, SIGTRAP);
    assert_int_equal(ip_get(), d->start + 1);
    ip_set(d->start);
}

/* Executes up to `steps` instructions with the descriptor hidden; whether it is still inside. */
static bool step_unseen(const struct descriptor *d, unsigned steps)
{
    uint64_t cs = rseq_cs_address();
    long announced = word_get(cs);
    bool in = true;

    word_set(cs, 0);
    for (unsigned i = 0; i < steps && in; i++) {
        assert_int_equal(resume(PTRACE_SINGLESTEP, 0), SIGTRAP);
        in = inside(d, ip_get());
    }
    word_set(cs, announced);
    return in;
}

/* What a whole series of runs of one section showed. */
struct findings {
    unsigned aborts, commits;
    unsigned wrong_place, not_conserved, wrong_result;
};

static void finish(struct findings *f, bool was_inside, int with_signal)
{
    int sig = resume(PTRACE_CONT, with_signal);

    assert_int_equal(sig, SIGUSR1);
    f->not_conserved += !report->conserved || !report->bounds_whole;
    f->wrong_result += report->result != (was_inside ? RSEQ_ABORTED : RSEQ_HIT);
    f->aborts += report->result == RSEQ_ABORTED;
    f->commits += report->result == RSEQ_HIT;
}

static void look_where_it_lands(struct findings *f, const struct descriptor *d, bool was_inside)
{
    assert_int_equal(resume(PTRACE_SINGLESTEP, 0), SIGTRAP);
    f->wrong_place += was_inside && ip_get() != abort_target(d);
    finish(f, was_inside, 0);
}

static void interrupt_by_handler(struct findings *f, const struct descriptor *d, bool was_inside)
{
    (void)d;
    finish(f, was_inside, SIGUSR2);
}

typedef void (*look_fn)(struct findings *, const struct descriptor *, bool);

/* Aborts after 0, 1, 2... instructions, until the section is left by itself. */
static struct findings abort_everywhere(section_fn fn, look_fn look)
{
    const struct descriptor *d = section_of(fn);
    struct findings f = {0, 0, 0, 0, 0};
    bool in = true;

    report->section = fn;
    for (unsigned steps = 0; in; steps++) {
        assert_true(steps < STEPS_MAX);
        go_to_start(d);
        in = step_unseen(d, steps);
        look(&f, d, in);
    }
    return f;
}

/* ---- the tests ------------------------------------------------------------------------------ */

struct sound {
    const char *name;
    section_fn fn;
    unsigned instructions_at_least;
};

static const struct sound sounds[] = {
    {"pop", run_pop, 10},
    {"push", run_push, 10},
    {"pop_n", run_pop_n, 20},
    {"push_n", run_push_n, 20},
    {"cas", run_cas, 10},
    {"credit_take", run_credit_take, 6},
    {"credit_cas", run_credit_cas, 7},
};

static void all_sound(look_fn look)
{
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sounds); i++) {
        struct findings f = abort_everywhere(sounds[i].fn, look);

        print_message("%s: aborted after each of %u instructions\n", sounds[i].name, f.aborts);
        assert_true(f.aborts >= sounds[i].instructions_at_least);
        assert_int_equal(f.commits, 1);
        assert_int_equal(f.wrong_place, 0);
        assert_int_equal(f.wrong_result, 0);
        assert_int_equal(f.not_conserved, 0);
    }
}

static void test_an_abort_anywhere_lands_in_the_handler(void **state)
{
    (void)state;
    all_sound(look_where_it_lands);
}

static void test_a_handler_anywhere_conserves_objects(void **state)
{
    (void)state;
    all_sound(interrupt_by_handler);
}

static void test_a_section_the_kernel_is_not_told_of_is_caught(void **state)
{
    struct findings f = abort_everywhere(run_untold, look_where_it_lands);

    (void)state;
    assert_true(f.wrong_place > 0);
    assert_int_equal(f.aborts, 0);
    f = abort_everywhere(run_untold, interrupt_by_handler);
    assert_true(f.not_conserved > 0);
}

static void test_a_commit_that_is_not_last_is_caught(void **state)
{
    struct findings f = abort_everywhere(run_early, look_where_it_lands);

    (void)state;
    assert_int_equal(f.wrong_place, 0);
    assert_true(f.not_conserved > 0);
}

static int start_victim(void **state)
{
    (void)state;
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        return -1;
    child = fork();
    if (child == 0)
        victim();
    return wait_stop() == SIGUSR1 ? 0 : -1;
}

static int end_victim(void **state)
{
    (void)state;
    kill(child, SIGKILL);
    return waitpid(child, NULL, 0) == child ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_abort_anywhere_lands_in_the_handler),
        cmocka_unit_test(test_a_handler_anywhere_conserves_objects),
        cmocka_unit_test(test_a_section_the_kernel_is_not_told_of_is_caught),
        cmocka_unit_test(test_a_commit_that_is_not_last_is_caught),
    };

    if (start_plat(argc, argv) == PLAT_MODE_PORTABLE)
        return TEST_SKIPPED;
    return cmocka_run_group_tests(tests, start_victim, end_victim);
}
