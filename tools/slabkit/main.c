/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit(1): finds the subcommand in a table and runs it; help and version.
 * Below: run.c, the benchmark's slabkit_bench_main.
 * Failure: wrong usage is a message on stderr and exit status 2.
 */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/writer.h"
#include "slabkit/slabkit.h"

#ifdef SLABKIT_HAVE_BENCH
#include "bench.h"
#endif

static int help_main(int argc, char **argv);
static int version_main(int argc, char **argv);

static const struct cli_command commands[] = {
    {"run", cli_run_main, "run a program on slabkit, and report on its heap", cli_run_usage},
#ifdef SLABKIT_HAVE_BENCH
    {"bench", slabkit_bench_main, "compare slabkit with other allocators", NULL},
#endif
    {"version", version_main, "print the version", "usage: slabkit version\n"},
    {"help", help_main, "explain a command, or the options",
     "usage: slabkit help [COMMAND|options]\n"},
};

/* ---- output ---------------------------------------------------------------------------------- */

int cli_error(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("slabkit: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

static int print_end(struct writer *w)
{
    if (writer_finish(w) == 0)
        return CLI_OK;
    return cli_error(CLI_ERROR, "cannot write to stdout: %s", strerror(errno));
}

int cli_print(const char *text)
{
    char buf[512];
    struct writer w;
    writer_init(&w, buf, sizeof buf, STDOUT_FILENO);
    writer_str(&w, text);
    return print_end(&w);
}

/* ---- help ------------------------------------------------------------------------------------ */

static void write_commands(struct writer *w)
{
    for (size_t i = 0; i < SK_ARRAY_SIZE(commands); i++) {
        writer_str(w, "  ");
        writer_str(w, commands[i].name);
        writer_repeat(w, ' ', 10 - strlen(commands[i].name));
        writer_str(w, commands[i].summary);
        writer_char(w, '\n');
    }
}

static void write_usage(struct writer *w)
{
    writer_str(w, "usage: slabkit COMMAND [ARG...]\n\n");
    write_commands(w);
    writer_str(
        w, "\n'slabkit help COMMAND' explains a command, 'slabkit help options' the options of\n"
           "slabkit's malloc.\n");
}

static const struct cli_command *command_named(const char *name)
{
    for (size_t i = 0; i < SK_ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int help_general(int fd)
{
    char buf[512];
    struct writer w;
    writer_init(&w, buf, sizeof buf, fd);
    write_usage(&w);
    return print_end(&w);
}

static int command_run(const struct cli_command *cmd, int argc, char **argv)
{
    char name[32];
    snprintf(name, sizeof name, "slabkit %s", cmd->name);
    argv[0] = name;
    return cmd->main(argc, argv);
}

static int help_command(const struct cli_command *cmd)
{
    char help[] = "--help";
    char *argv[] = {NULL, help, NULL};
    return cmd->usage != NULL ? cli_print(cmd->usage) : command_run(cmd, 2, argv);
}

static int help_topic(const char *topic)
{
    const struct cli_command *cmd = command_named(topic);
    if (strcmp(topic, "options") == 0)
        return cli_help_options();
    if (cmd == NULL)
        return cli_error(CLI_USAGE, "no help on '%s'; see 'slabkit help'", topic);
    return help_command(cmd);
}

static int help_main(int argc, char **argv)
{
    if (argc > 2)
        return cli_error(CLI_USAGE, "help: one topic at a time; see 'slabkit help'");
    return argc == 2 ? help_topic(argv[1]) : help_general(STDOUT_FILENO);
}

static int version_main(int argc, char **argv)
{
    if (argc > 1)
        return cli_error(CLI_USAGE, "version: unexpected argument '%s'", argv[1]);
    return cli_print("slabkit " SLABKIT_VERSION "\n");
}

/* ---- dispatch -------------------------------------------------------------------------------- */

static bool asks_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

static const struct cli_command *command_asked(const char *arg)
{
    if (asks_help(arg))
        return command_named("help");
    if (strcmp(arg, "--version") == 0)
        return command_named("version");
    return command_named(arg);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help_general(STDERR_FILENO);
        return CLI_USAGE;
    }
    const struct cli_command *cmd = command_asked(argv[1]);
    if (cmd == NULL)
        return cli_error(CLI_USAGE, "unknown command '%s'; see 'slabkit help'", argv[1]);
    if (argc == 3 && asks_help(argv[2]) && cmd->usage != NULL)
        return cli_print(cmd->usage);
    return command_run(cmd, argc - 1, argv + 1);
}
