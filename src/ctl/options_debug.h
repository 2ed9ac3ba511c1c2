/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the value of an option of debug flags: letters, then names of caches as items of their own.
 * Below: ctl/span.h.
 * Owns: nothing. A field holds "FZ,conn*,inode?;U": the text that kmem_debug_set_options takes.
 * Failure: false, and the field as it was.
 */
#ifndef SLABKIT_CTL_OPTIONS_DEBUG_H
#define SLABKIT_CTL_OPTIONS_DEBUG_H

#include "ctl/span.h"

/* Appends an entry of those letters of `value` that are among `letters`. false: there are none, or no room. field
 * may be NULL: only check. */
bool options_debug_letters(const char *letters, struct span value, char *field);
/* Adds a name to the last entry. */
bool options_debug_name(struct span name, char *field);
/* The other letters of value into out, terminated and cut to fit; how many. */
size_t options_debug_others(const char *letters, struct span value, char *out, size_t bytes);

#endif
