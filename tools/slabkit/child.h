/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: runs a command and waits for it, standing in for it towards signals.
 */
#ifndef SLABKIT_TOOLS_CHILD_H
#define SLABKIT_TOOLS_CHILD_H

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

/* 0, or -1 with errno when no process could be made. After 0 signals stay held back, so that none
 * comes between the command's end and our own. */
int child_run(char **argv, struct child_end *end);

/* Dies of signal sig, without a core file of our own. */
_Noreturn void child_die_alike(int sig);

#endif
