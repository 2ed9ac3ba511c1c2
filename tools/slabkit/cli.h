/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the subcommands of slabkit(1) share: exit statuses, messages, the table of commands.
 */
#ifndef SLABKIT_TOOLS_CLI_H
#define SLABKIT_TOOLS_CLI_H

#include "base/attrs.h"

enum cli_status {
    CLI_OK = 0,
    CLI_ERROR = 1,      /* a command of slabkit's own failed */
    CLI_USAGE = 2,      /* wrong usage */
    CLI_FAILED = 125,   /* `run`: slabkit failed before or instead of the command */
    CLI_CANNOT = 126,   /* `run`: the command was found and cannot be run */
    CLI_NOT_FOUND = 127 /* `run`: there is no such command */
};

struct cli_command {
    const char *name;
    int (*main)(int argc, char **argv); /* argv[0] is "slabkit NAME"; returns the exit status */
    const char *summary;
    const char *usage; /* NULL: main answers to --help itself */
};

/* Writes "slabkit: MESSAGE" and a newline to stderr; returns status. */
int cli_error(int status, const char *format, ...) SK_PRINTF(2, 3);

/* Writes text to stdout: CLI_OK, or CLI_ERROR after a message. */
int cli_print(const char *text);

int cli_run_main(int argc, char **argv);
extern const char cli_run_usage[];

int cli_help_options(void);

#endif
