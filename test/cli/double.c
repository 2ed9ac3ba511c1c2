/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a library to preload that leaves a snapshot of known figures when its process ends, as
 *       libslabkit-malloc does with report=binary. It replaces nothing.
 *       CLI_DOUBLE=short|foreign|torn leaves one that is shorter, of another version, or cut off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "slabkit/slabkit.h"

static struct slabkit_snapshot snap = {
    .version = SLABKIT_SNAPSHOT_VERSION,
    .bytes = sizeof snap,
    .slots_mode = "portable",
    .slots_reason = "double",
    .slots = 1,
    .nodes = 1,
    .classes = 2,
    .live_bytes = 1000,
    .peak_bytes = 3 << 20,
    .mapped_bytes = 2 << 20,
    .large_allocs = 2,
    .allocs_exact = 1,
    .class_ =
        {{.name = "malloc-16", .object_bytes = 16, .slab_objs = 4096, .slabs = 1, .allocs = 30},
         {.name = "malloc-32", .object_bytes = 32, .slab_objs = 2048, .slabs = 1, .allocs = 10}},
};

/* The value of the last report_file= in SLABKIT_OPTIONS, in out. */
static int report_file(char *out, size_t cap)
{
    static const char key[] = "report_file=";
    const char *at = getenv("SLABKIT_OPTIONS"), *last = NULL;
    while (at != NULL && (at = strstr(at, key)) != NULL)
        last = at += sizeof key - 1;
    return last != NULL && snprintf(out, cap, "%.*s", (int)strcspn(last, ","), last) < (int)cap;
}

static void process_name(void)
{
    FILE *f = fopen("/proc/self/comm", "re");
    if (f == NULL || fgets(snap.process, sizeof snap.process, f) == NULL)
        abort();
    snap.process[strcspn(snap.process, "\n")] = '\0';
    fclose(f);
}

/* Bytes to write. */
static size_t distort(const char *how)
{
    if (how != NULL && strcmp(how, "short") == 0)
        snap.bytes = offsetof(struct slabkit_snapshot, class_) + 2 * sizeof snap.class_[0];
    if (how != NULL && strcmp(how, "foreign") == 0)
        snap.version = SLABKIT_SNAPSHOT_VERSION + 1;
    return how != NULL && strcmp(how, "torn") == 0 ? 100 : snap.bytes;
}

__attribute__((destructor)) static void leave_snapshot(void)
{
    char path[4096];
    if (!report_file(path, sizeof path))
        return;
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return;
    snap.pid = getpid();
    snap.ppid = getppid();
    process_name();
    size_t n = distort(getenv("CLI_DOUBLE"));
    if (write(fd, &snap, n) != (ssize_t)n)
        abort();
    close(fd);
}
