/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see preload.h.
 * Owns: where the library is looked for: $SLABKIT_LIBRARY, or beside the directory of this program.
 */
#define _GNU_SOURCE

#include "preload.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "cli.h"
#include "slabkit/slabkit.h"

#define MULTIARCH_DIR ("lib/" SLABKIT_MULTIARCH)

/* Below the parent of our own directory, best first. */
static const char *const lib_dirs[] = {"lib", SLABKIT_LIBDIR, MULTIARCH_DIR, "lib64"};

/* The name developers have, and the one that is always installed. */
static const char *const lib_names[] = {
    "libslabkit-malloc.so",
    "libslabkit-malloc.so." SK_STR(SLABKIT_VERSION_MAJOR),
};

/* The directory above the one this program lies in. */
static bool own_prefix(char *out, size_t cap)
{
    ssize_t n = readlink("/proc/self/exe", out, cap - 1);
    if (n < 0)
        return false;
    out[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(out, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
    return true;
}

static bool find_below(const char *prefix, char *out, size_t cap)
{
    for (size_t d = 0; d < SK_ARRAY_SIZE(lib_dirs); d++) {
        for (size_t n = 0; n < SK_ARRAY_SIZE(lib_names); n++) {
            int len = snprintf(out, cap, "%s/%s/%s", prefix, lib_dirs[d], lib_names[n]);
            if (len > 0 && (size_t)len < cap && access(out, R_OK) == 0)
                return true;
        }
    }
    return false;
}

/* The loader opens what LD_PRELOAD names from wherever a descendant stands: it must be absolute. */
static int find_given(const char *given, char *out)
{
    if (realpath(given, out) == NULL)
        return cli_error(CLI_FAILED, "SLABKIT_LIBRARY: '%s': %s", given, strerror(errno));
    return CLI_OK;
}

static int find_library(char *out, size_t cap)
{
    const char *given = getenv("SLABKIT_LIBRARY");
    char prefix[PATH_MAX];
    if (given != NULL && given[0] != '\0')
        return find_given(given, out);
    if (!own_prefix(prefix, sizeof prefix))
        return cli_error(CLI_FAILED, "cannot tell where slabkit is installed: %s", strerror(errno));
    if (!find_below(prefix, out, cap))
        return cli_error(
            CLI_FAILED,
            "libslabkit-malloc.so is not in %s/lib; SLABKIT_LIBRARY=FILE says where it is", prefix);
    return CLI_OK;
}

/* NAME=FIRST,SECOND, with the separator only between two that say something. */
static int env_join(const char *name, const char *first, char separator, const char *second)
{
    char *joined;
    bool both = first[0] != '\0' && second[0] != '\0';
    char between[2] = {both ? separator : '\0', '\0'};
    if (asprintf(&joined, "%s%s%s", first, between, second) < 0)
        return cli_error(CLI_FAILED, "no memory");
    int rc = setenv(name, joined, 1);
    free(joined);
    return rc == 0 ? CLI_OK : cli_error(CLI_FAILED, "cannot set %s: %s", name, strerror(errno));
}

static const char *env_or_empty(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static int add_library(void)
{
    char library[PATH_MAX];
    int rc = find_library(library, sizeof library);
    if (rc != CLI_OK)
        return rc;
    if (strpbrk(library, " :") != NULL)
        return cli_error(CLI_FAILED,
                         "'%s' has a space or colon in its name, which LD_PRELOAD cannot express",
                         library);
    return env_join("LD_PRELOAD", library, ':', env_or_empty("LD_PRELOAD"));
}

static int add_options(const char *options)
{
    return env_join("SLABKIT_OPTIONS", env_or_empty("SLABKIT_OPTIONS"), ',', options);
}

static int add_report(const char *snapshots)
{
    char options[PATH_MAX + 64];
    snprintf(options, sizeof options, "report=binary,report_file=%s", snapshots);
    return add_options(options);
}

int preload_prepare(const char *options, const char *more, const char *snapshots)
{
    int rc = add_library();
    if (rc == CLI_OK && options != NULL)
        rc = add_options(options);
    if (rc == CLI_OK)
        rc = add_options(more);
    if (rc == CLI_OK && snapshots != NULL)
        rc = add_report(snapshots);
    return rc;
}
