/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the model test: random sequences of operations, each run in a child process against the
 *       shadow model; a sequence that fails (or dies, or hangs) is shrunk and printed.
 * Failure: status 1, with the least sequence in a form that --replay reads. 2: wrong usage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sequence.h"
#include "shadow.h"
#include "../oracle/engine.h"

#define CHILD_SECONDS 60u

struct arguments {
    uint64_t ar_seed;
    unsigned ar_sequences;
    unsigned ar_ops;
    unsigned ar_seconds; /* 0: ar_sequences; otherwise as many as fit */
    unsigned ar_fault;
    const char *ar_replay;
};
static struct arguments arguments = {.ar_seed = 1, .ar_sequences = 20, .ar_ops = 5000};
static struct sequence sequence;

static void stderr_hide(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null < 0 || dup2(null, STDERR_FILENO) < 0)
        _exit(1);
}

/* The status of a child that runs the sequence. */
static int child_run(const struct sequence *sq, bool quiet)
{
    pid_t child = fork();
    int status;

    if (child < 0) {
        perror("fork");
        exit(2);
    }
    if (child == 0) {
        if (quiet)
            stderr_hide();
        alarm(CHILD_SECONDS);
        shadow_run(sq, arguments.ar_fault);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            exit(2);
    return status;
}

static bool fails_quietly(const struct sequence *sq)
{
    return child_run(sq, true) != 0;
}

static void failure_tell(const struct sequence *sq)
{
    int status = child_run(sq, false);

    if (WIFSIGNALED(status))
        fprintf(stderr, "killed by signal %d\n", WTERMSIG(status));
}

static _Noreturn void failure_shrink(uint64_t seed)
{
    fprintf(stderr, "FAILED: seed %llu, %u operations; shrinking\n", (unsigned long long)seed,
            sequence.sq_count);
    failure_tell(&sequence);
    sequence_shrink(&sequence, fails_quietly);
    printf("# least failing sequence: %u operations; run it with --replay FILE\n",
           sequence.sq_count);
    fflush(stdout);
    sequence_write(&sequence, STDOUT_FILENO);
    failure_tell(&sequence);
    exit(1);
}

static void sequences_run(void)
{
    time_t end = time(NULL) + arguments.ar_seconds;

    for (unsigned i = 0; i < arguments.ar_sequences || time(NULL) < end; i++) {
        sequence_make(&sequence, arguments.ar_seed + i, arguments.ar_ops);
        if (child_run(&sequence, true))
            failure_shrink(arguments.ar_seed + i);
    }
}

static void replay(void)
{
    if (!sequence_read(&sequence, arguments.ar_replay)) {
        fprintf(stderr, "cannot read a sequence from %s\n", arguments.ar_replay);
        exit(2);
    }
    if (fails_quietly(&sequence)) {
        failure_tell(&sequence);
        exit(1);
    }
}

static _Noreturn void usage(void)
{
    fprintf(stderr,
            "usage: model [--seed N] [--sequences N] [--ops N] [--seconds N] [--break 1..%u] "
            "[--replay FILE]\nThe seed may also be given in SLABKIT_SEED.\n",
            SHADOW_FAULTS);
    exit(2);
}

static void argument_take(int option, const char *value)
{
    unsigned long number = strtoul(value, NULL, 0);

    switch (option) {
    case 's':
        arguments.ar_seed = number;
        break;
    case 'n':
        arguments.ar_sequences = (unsigned)number;
        break;
    case 'o':
        arguments.ar_ops = (unsigned)number;
        break;
    case 'S':
        arguments.ar_seconds = (unsigned)number;
        break;
    case 'b':
        arguments.ar_fault = (unsigned)number;
        break;
    default:
        arguments.ar_replay = value;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", 1, NULL, 's'},
        {"sequences", 1, NULL, 'n'},
        {"ops", 1, NULL, 'o'},
        {"seconds", 1, NULL, 'S'},
        {"break", 1, NULL, 'b'},
        {"replay", 1, NULL, 'r'},
        {0},
    };
    const char *seed = getenv("SLABKIT_SEED");
    int option;

    if (seed)
        arguments.ar_seed = strtoull(seed, NULL, 0);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            usage();
        argument_take(option, optarg);
    }
    if (optind != argc || arguments.ar_ops > SEQUENCE_MAX || arguments.ar_fault > SHADOW_FAULTS)
        usage();
    engine_find();
    if (arguments.ar_replay)
        replay();
    else
        sequences_run();
    return 0;
}
