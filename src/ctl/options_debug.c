/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see options_debug.h.
 * Below: ctl/options.h for the size of the field.
 */
#include "ctl/options_debug.h"

#include "ctl/options.h"

static size_t length(const char *s)
{
    size_t len = 0;
    while (s[len] != '\0')
        len++;
    return len;
}

static bool among(const char *letters, char c)
{
    return span_has((struct span){letters, length(letters)}, c);
}

/* separator and s, if both fit. */
static bool append(char *field, char separator, struct span s)
{
    size_t at = length(field);
    if (at + s.len + 2 > OPTIONS_DEBUG_BYTES)
        return false;
    if (separator != '\0')
        field[at++] = separator;
    for (size_t i = 0; i < s.len; i++)
        field[at++] = s.at[i];
    field[at] = '\0';
    return true;
}

/* Each letter once, in the order of `letters`, so that their number is bounded. */
bool options_debug_letters(const char *letters, struct span value, char *field)
{
    char good[32];
    struct span entry = {good, 0};
    for (size_t i = 0; letters[i] != '\0' && entry.len < sizeof(good); i++)
        if (span_has(value, letters[i]))
            good[entry.len++] = letters[i];
    if (entry.len == 0)
        return false;
    return field == NULL || append(field, field[0] != '\0' ? ';' : '\0', entry);
}

bool options_debug_name(struct span name, char *field)
{
    if (span_has(name, ';'))
        return false;
    return field == NULL || append(field, ',', name);
}

size_t options_debug_others(const char *letters, struct span value, char *out, size_t bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < value.len && n + 1 < bytes; i++)
        if (!among(letters, value.at[i]))
            out[n++] = value.at[i];
    out[n] = '\0';
    return n;
}
