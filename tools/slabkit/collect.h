/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: collects the snapshots that a command and its descendants leave when they end.
 * Owns: struct collection; a directory of its own while open. What ends after collect_close leaves
 * nothing behind, because the directory is gone.
 */
#ifndef SLABKIT_TOOLS_COLLECT_H
#define SLABKIT_TOOLS_COLLECT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "slabkit/kmalloc.h"
#include "slabkit/slabkit.h"

/* What is kept of a process that is not the command itself. */
struct collect_process {
    int pid, ppid;
    char name[sizeof(((struct slabkit_snapshot *)0)->process)]; /* terminated only if shorter */
    uint64_t live_bytes, peak_bytes, mapped_bytes, allocs;
};

struct collection {
    char dir[PATH_MAX - 16];
    char path[PATH_MAX];         /* where processes append their snapshots */
    struct slabkit_snapshot own; /* the command's, if has_own */
    bool has_own;
    struct slabkit_types_record *types; /* the command's, or NULL */
    struct collect_process *others;     /* most peak_bytes first */
    size_t nothers;
    unsigned foreign; /* snapshots of a version that this program cannot read */
    bool torn;        /* the file ends inside a snapshot */
};

/* 0, or -1 with errno. */
int collect_open(struct collection *c);
/* Reads what was left; `command` is the pid of the command. 0, or -1 with errno. */
int collect_read(struct collection *c, pid_t command);
void collect_close(struct collection *c);

#endif
