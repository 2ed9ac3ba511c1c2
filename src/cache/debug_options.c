/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: which caches the options give which debug flags.
 * Below: debug.h.
 * Owns: a pointer to the text of the options.
 * Concurrency: set once, before caches are created.
 */
#include "cache/debug.h"

static const char *entries; /* NULL: none */

SK_START void kmem_debug_set_options(const char *text)
{
    entries = text;
}

static unsigned flag_of(char letter)
{
    static const struct {
        char letter;
        unsigned flag;
    } flags[] = {{'F', KMEM_CONSISTENCY},
                 {'Z', KMEM_REDZONE},
                 {'P', KMEM_POISON},
                 {'U', KMEM_STORE_USER},
                 {'T', KMEM_TRACE}};

    for (unsigned i = 0; i < SK_ARRAY_SIZE(flags); i++)
        if (flags[i].letter == letter)
            return flags[i].flag;
    return 0;
}

/* The end of the piece that begins at s: its separator, or the end of the text. */
static const char *piece_end(const char *s)
{
    while (*s && *s != ',' && *s != ';')
        s++;
    return s;
}

/* '*' stands for any characters, '?' for one. After a mismatch only the last '*' need take one more (it
 * can make up for whatever an earlier one took). */
static bool glob_matches(const char *glob, const char *end, const char *name)
{
    const char *star = NULL, *star_name = NULL;

    while (*name) {
        if (glob < end && *glob == '*') {
            star = glob++;
            star_name = name;
        } else if (glob < end && (*glob == '?' || *glob == *name)) {
            glob++;
            name++;
        } else if (star) {
            glob = star + 1;
            name = ++star_name;
        } else {
            return false;
        }
    }
    while (glob < end && *glob == '*')
        glob++;
    return glob == end;
}

/* The flags of the entry at *at for this name; *at: the next entry. */
static unsigned take_entry(const char **at, const char *name)
{
    const char *s = *at, *end = piece_end(s);
    unsigned flags = 0;
    bool matches = *end != ',';

    for (; s < end; s++)
        flags |= flag_of(*s);
    while (*end == ',') {
        s = end + 1;
        end = piece_end(s);
        matches |= glob_matches(s, end, name);
    }
    *at = *end ? end + 1 : end;
    return matches ? flags : 0;
}

SK_START unsigned kmem_debug_flags_for(const char *name)
{
    unsigned flags = 0;

    for (const char *at = entries; at && *at;)
        flags |= take_entry(&at, name);
    return flags;
}
