/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the top of the library wants from a hosted system: the environment, files.
 * Below: libc's thin wrappers; nothing that allocates.
 */
#ifndef SLABKIT_CTL_SYSTEM_H
#define SLABKIT_CTL_SYSTEM_H

#include "ctl/options.h"

/* Parses SLABKIT_OPTIONS, unless the process runs with raised privileges (as secure_getenv). Works
 * before the C library has set up its environment. */
void system_parse_options(struct options *o, options_complain *complain);
/* From the constructors on: is there anything to parse? */
bool system_has_options(void);
/* stderr for an empty path; -1 if the file cannot be opened. */
int system_open_report(const char *path);
/* Whole buffer or false. */
bool system_write(int fd, const void *data, size_t bytes);
/* The name of the process, zero-terminated. */
void system_process_name(char *out, size_t bytes);

#endif
