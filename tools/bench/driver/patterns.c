/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: comma-separated lists of shell patterns, as --workload and --only take them.
 */
#include "driver.h"

#include <fnmatch.h>
#include <string.h>

/* The next of the list, copied; NULL at its end. */
static const char *pattern_next(const char *list, char *pattern, size_t bytes)
{
    size_t length = strcspn(list, ",");

    snprintf(pattern, bytes, "%.*s", (int)length, list);
    return list[length] ? list + length + 1 : NULL;
}

bool pattern_matches(const char *patterns, const char *text)
{
    char pattern[64];

    if (!patterns)
        return true;
    while (patterns) {
        patterns = pattern_next(patterns, pattern, sizeof(pattern));
        if (!fnmatch(pattern, text, 0))
            return true;
    }
    return false;
}

static bool matches_some(const char *pattern,
                         const char *(*name_at)(const struct bench *, unsigned),
                         const struct bench *bench)
{
    const char *name;

    for (unsigned i = 0; (name = name_at(bench, i)); i++)
        if (!fnmatch(pattern, name, 0))
            return true;
    return false;
}

bool pattern_unmatched(const char *patterns, const char *(*name_at)(const struct bench *, unsigned),
                       const struct bench *bench, char *unmatched, size_t bytes)
{
    while (patterns) {
        patterns = pattern_next(patterns, unmatched, bytes);
        if (!matches_some(unmatched, name_at, bench))
            return true;
    }
    return false;
}
