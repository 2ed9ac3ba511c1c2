/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: which allocators take part: libc, slabkit, the packaged peers, and those named by the user.
 * Owns: bn_allocators; names are unique.
 * Why: a peer is looked for by file, not by asking ld.so: a preload that cannot be found would be
 *      ignored with a warning, and libc measured under the peer's name.
 */
#include "driver.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct peer {
    const char *pr_name, *pr_file;
};

static const struct peer peers[] = {
    {"mimalloc", "libmimalloc.so.2"},
    {"jemalloc", "libjemalloc.so.2"},
    {"tcmalloc", "libtcmalloc_minimal.so.4"},
};

static const char *const peer_dirs[] = {
    ("/usr/lib/" SLABKIT_MULTIARCH),
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
};

/* Relative to the executable: a build tree, an installation, one with multiarch directories. */
static const char *const our_files[] = {
    "../lib/libslabkit-malloc.so",
    "../lib64/libslabkit-malloc.so",
    ("../lib/" SLABKIT_MULTIARCH "/libslabkit-malloc.so"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int allocators_index(const struct bench *bench, const char *name)
{
    for (unsigned i = 0; i < bench->bn_nr_allocators; i++)
        if (!strcmp(bench->bn_allocators[i].al_name, name))
            return (int)i;
    return -1;
}

static struct allocator *allocator_place(struct bench *bench, const char *name)
{
    int index = allocators_index(bench, name);

    if (index >= 0)
        return &bench->bn_allocators[index];
    if (bench->bn_nr_allocators == BENCH_MAX_ALLOCATORS)
        return NULL;
    return &bench->bn_allocators[bench->bn_nr_allocators++];
}

static bool allocator_set(struct bench *bench, const char *name, const char *file)
{
    struct allocator *al = allocator_place(bench, name);

    if (!al)
        return false;
    snprintf(al->al_name, sizeof(al->al_name), "%.*s", (int)sizeof(al->al_name) - 1, name);
    snprintf(al->al_file, sizeof(al->al_file), "%s", file);
    return true;
}

static bool ours_find(const struct bench *bench, char *real)
{
    for (size_t i = 0; i < COUNT(our_files); i++) {
        char path[2 * PATH_MAX];

        snprintf(path, sizeof(path), "%s/%s", bench->bn_home, our_files[i]);
        if (realpath(path, real))
            return true;
    }
    return false;
}

static void peer_discover(struct bench *bench, const struct peer *peer)
{
    for (size_t i = 0; i < COUNT(peer_dirs); i++) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/%s", peer_dirs[i], peer->pr_file);
        if (!access(path, R_OK)) {
            allocator_set(bench, peer->pr_name, path);
            return;
        }
    }
}

void allocators_discover(struct bench *bench)
{
    char real[PATH_MAX];

    allocator_set(bench, "libc", "");
    if (ours_find(bench, real))
        allocator_set(bench, BENCH_OURS, real);
    for (size_t i = 0; i < COUNT(peers); i++)
        peer_discover(bench, &peers[i]);
}

/* LD_PRELOAD splits its value at blanks and colons; such a path would load something else. */
static const char *file_problem(const char *file, char *real)
{
    if (!realpath(file, real))
        return "no such file";
    if (strpbrk(real, ": "))
        return "LD_PRELOAD cannot take a path with a blank or a colon";
    return access(real, R_OK) ? "cannot be read" : NULL;
}

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"

/* The part before '='; false: there is none that can stand in a table and a chart. */
static bool spec_name(const char *spec, char *name, size_t bytes)
{
    size_t length = strspn(spec, PLAIN);

    if (!length || spec[length] != '=' || length >= bytes)
        return false;
    memcpy(name, spec, length);
    name[length] = '\0';
    return true;
}

int allocators_add(struct bench *bench, const char *spec)
{
    char name[sizeof(bench->bn_allocators->al_name)], real[PATH_MAX];
    const char *problem;

    if (!spec_name(spec, name, sizeof(name))) {
        bench_say("--allocator takes NAME=FILE.so with a short plain name, not '%s'", spec);
        return -1;
    }
    problem = file_problem(spec + strlen(name) + 1, real);
    if (!problem && !allocator_set(bench, name, real))
        problem = "too many allocators";
    if (problem)
        bench_say("--allocator %s: %s", spec, problem);
    return problem ? -1 : 0;
}

static const char *allocator_name_at(const struct bench *bench, unsigned i)
{
    return i < bench->bn_nr_allocators ? bench->bn_allocators[i].al_name : NULL;
}

int allocators_select(struct bench *bench)
{
    unsigned kept = 0;
    char unmatched[64];

    if (pattern_unmatched(bench->bn_only, allocator_name_at, bench, unmatched, sizeof(unmatched))) {
        bench_say("no allocator is named '%s' (see --list)", unmatched);
        return -1;
    }
    for (unsigned i = 0; i < bench->bn_nr_allocators; i++)
        if (pattern_matches(bench->bn_only, bench->bn_allocators[i].al_name))
            bench->bn_allocators[kept++] = bench->bn_allocators[i];
    bench->bn_nr_allocators = kept;
    return 0;
}
