/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: runs a command and waits for it, standing in for it towards signals.
 */
#ifndef SLABKIT_TOOLS_CHILD_H
#define SLABKIT_TOOLS_CHILD_H

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct child_end {
    pid_t pid;
    int exec_error; /* errno of exec if the command never ran, otherwise 0 */
    int status;     /* as from wait(2) */
    struct rusage usage;
    uint64_t elapsed_ns;
};

/* What the command must find as we found it, and the signals that are sent on to it. */
struct child_signals {
    sigset_t watched, mask;
    struct sigaction on_int, on_quit, on_pipe, on_child;
};

/* From here until our end no signal ends us but those that nobody can hold back; what comes before
 * the command runs reaches it when it does. */
void child_hold_signals(struct child_signals *held);

/* 0, or -1 with errno when no process could be made. */
int child_run(char **argv, const struct child_signals *held, struct child_end *end);

/* Dies of signal sig, without a core file of our own. */
_Noreturn void child_die_alike(int sig);

#endif
