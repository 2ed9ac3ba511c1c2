/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: SLABKIT_OPTIONS=key=value,key=value as a struct, generated from options.def.
 * Below: base, ctl/writer.h.
 * Owns: nothing; the caller holds the struct.
 * Concurrency: pure functions on the caller's memory; usable before libc is ready.
 * Failure: what cannot be understood is complained about and leaves its field as it was.
 */
#ifndef SLABKIT_CTL_OPTIONS_H
#define SLABKIT_CTL_OPTIONS_H

#include "base/attrs.h"

#define OPTIONS_PATH_BYTES                                                                         \
    4096u /* PATH_MAX: the longest name open(2) takes, terminator included                         \
           */

#define OPTIONS_DEBUG_BYTES 512u

struct options {
#define OPT_ENUM(field, key, def, help, names)    unsigned field;
#define OPT_NUM(field, key, def, min, max, help)  unsigned field;
#define OPT_SIZE(field, key, def, min, max, help) uint64_t field;
#define OPT_BOOL(field, key, def, help)           bool field;
#define OPT_PATH(field, key, help)                char field[OPTIONS_PATH_BYTES];
#define OPT_DEBUG(field, key, letters, help)      char field[OPTIONS_DEBUG_BYTES];
#include "ctl/options.def"
#undef OPT_ENUM
#undef OPT_NUM
#undef OPT_SIZE
#undef OPT_BOOL
#undef OPT_PATH
#undef OPT_DEBUG
};

/* Values of the OPT_ENUM fields, in the order of their names. */
enum options_slots {
    OPTIONS_SLOTS_AUTO,
    OPTIONS_SLOTS_RSEQ_CID,
    OPTIONS_SLOTS_RSEQ_CPU,
    OPTIONS_SLOTS_PORTABLE,
};
enum options_hugepages {
    OPTIONS_HUGEPAGES_NEVER,
    OPTIONS_HUGEPAGES_AUTO,
    OPTIONS_HUGEPAGES_ALWAYS,
};
enum options_types {
    OPTIONS_TYPES_NONE,
    OPTIONS_TYPES_DSO,
    OPTIONS_TYPES_SITE,
    OPTIONS_TYPES_TOKEN,
};
enum options_report {
    OPTIONS_REPORT_NONE,
    OPTIONS_REPORT_TEXT,
    OPTIONS_REPORT_JSON,
    OPTIONS_REPORT_BINARY,
};

/* line is whole, its newline included, and terminated. */
typedef void options_complain(void *arg, const char *line);

void options_default(struct options *o);

/* Sets what text names; of a key given twice the last good value stays. text == NULL sets nothing.
 * Each item that is wrong is complained about once, and ignored. Values cannot contain ',': items
 * without '=' behind "debug=LETTERS" are names of caches and belong to it; each "debug" adds an entry. */
void options_parse(const char *text, struct options *o, options_complain *complain, void *arg);

/* The same for options given as an argument, where a wrong one is an error: complains of
 * "--options", sets nothing. True if all is well. */
bool options_check(const char *text, options_complain *complain, void *arg);

#define OPTION_TEXT_BYTES 64u

struct option_info {
    const char *key, *help;
    char
        values[OPTION_TEXT_BYTES]; /* "auto|rseq-cid", "10..3600000", "64k..4g", "on|off", "FILE" */
    char def[OPTION_TEXT_BYTES];   /* as one would write it; empty for a file name */
};

/* The i-th option of the table; false past its end. */
bool options_describe(unsigned i, struct option_info *out);

#endif
