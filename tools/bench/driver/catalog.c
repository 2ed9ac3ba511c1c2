/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the list of all workloads: slabkit-workloads' own, then the real programs.
 * Below: own, programs, redis.
 * Owns: bn_workloads; names are unique.
 */
#include "driver.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench_workload *catalog_add(struct bench *bench, const char *name, const char *about)
{
    struct bench_workload *wk;

    if (bench->bn_nr_workloads == BENCH_MAX_WORKLOADS)
        return NULL;
    wk = &bench->bn_workloads[bench->bn_nr_workloads++];
    *wk = (struct bench_workload){.wk_processes = 1};
    snprintf(wk->wk_name, sizeof(wk->wk_name), "%s", name);
    snprintf(wk->wk_about, sizeof(wk->wk_about), "%s", about);
    return wk;
}

int catalog_fill(struct bench *bench)
{
    if (own_add(bench))
        return -1;
    programs_add(bench);
    redis_add(bench);
    return 0;
}

static const char *workload_name_at(const struct bench *bench, unsigned i)
{
    return i < bench->bn_nr_workloads ? bench->bn_workloads[i].wk_name : NULL;
}

int catalog_select(struct bench *bench)
{
    unsigned kept = 0;
    char unmatched[64];

    if (pattern_unmatched(bench->bn_patterns, workload_name_at, bench, unmatched,
                          sizeof(unmatched))) {
        bench_say("no workload is named '%s' (see --list)", unmatched);
        return -1;
    }
    for (unsigned i = 0; i < bench->bn_nr_workloads; i++)
        if (pattern_matches(bench->bn_patterns, bench->bn_workloads[i].wk_name))
            bench->bn_workloads[kept++] = bench->bn_workloads[i];
    bench->bn_nr_workloads = kept;
    return 0;
}

static bool elf_has_interpreter(int fd)
{
    ElfW(Ehdr) eh;
    ElfW(Phdr) ph;

    if (read(fd, &eh, sizeof(eh)) != (ssize_t)sizeof(eh) ||
        memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 || eh.e_phentsize != sizeof(ph))
        return false;
    for (unsigned i = 0; i < eh.e_phnum; i++) {
        off_t at = (off_t)(eh.e_phoff + i * sizeof(ph));

        if (pread(fd, &ph, sizeof(ph), at) == (ssize_t)sizeof(ph) && ph.p_type == PT_INTERP)
            return true;
    }
    return false;
}

/* A dynamically linked program of our own word size: the kind that a preload reaches. */
static bool takes_preload(const char *path)
{
    int fd = access(path, X_OK) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    bool takes = fd >= 0 && elf_has_interpreter(fd);

    if (fd >= 0)
        close(fd);
    return takes;
}

bool program_find(const char *name, char *path, size_t bytes)
{
    const char *dirs = getenv("PATH");

    for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs;) {
        size_t length = strcspn(dirs, ":");
        int used = snprintf(path, bytes, "%.*s/%s", (int)length, dirs, name);

        if (used > 0 && (size_t)used < bytes && length && takes_preload(path))
            return true;
        dirs += length + (dirs[length] == ':');
    }
    return false;
}
