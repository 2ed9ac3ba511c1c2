/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: `slabkit run`: a command on slabkit, as if it had been started without us.
 * Below: preload.c (environment), child.c (process), collect.c and report.c (what is told).
 * Failure: everything that can be wrong with our own arguments is found before the command starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "cli.h"
#include "collect.h"
#include "ctl/options.h"
#include "preload.h"
#include "report.h"

const char cli_run_usage[] =
    "usage: slabkit run [--report[=text|json]] [-o FILE] [--types=KIND[/N]]\n"
    "                   [--options=KEY=VALUE,...] [--] COMMAND [ARG...]\n"
    "\n"
    "Runs COMMAND with slabkit as its malloc.\n"
    "\n"
    "  --report[=text|json]     when COMMAND ends, tell on stderr how long it took, its peak\n"
    "                           memory, and what its heap and those of its descendants did\n"
    "  -o, --output=FILE        write the report to FILE instead (a report is made in any case)\n"
    "  --types=dso|site|token   count by type what COMMAND allocates, and report it: by shared\n"
    "                           object, by place of the call, or by the token that Clang's\n"
    "                           -fsanitize=alloc-token gave; --types=site/N counts one of N\n"
    "  --options=KEY=VALUE,...  options of slabkit's malloc, added to those in SLABKIT_OPTIONS;\n"
    "                           see 'slabkit help options'\n"
    "  -h, --help               this text\n"
    "\n"
    "Exit status: COMMAND's own; if a signal kills COMMAND, the same signal kills slabkit.\n"
    "  2    wrong usage, or FILE cannot be written\n"
    "  125  slabkit itself failed\n"
    "  126  COMMAND cannot be run\n"
    "  127  COMMAND was not found\n"
    "\n"
    "Environment: SLABKIT_OPTIONS; SLABKIT_LIBRARY, the libslabkit-malloc.so to use instead of\n"
    "the one that slabkit was installed with; TMPDIR; LD_PRELOAD is kept and added to.\n";

struct run {
    bool help, report;
    enum slabkit_format format;
    const char *file;    /* NULL: stderr */
    const char *options; /* NULL: none */
    char types[64];      /* "types=dso", or empty */
    char **command;
    int fd; /* of the report */
};

/* ---- arguments ------------------------------------------------------------------------------- */

enum {
    OPT_REPORT = 256,
    OPT_TYPES,
    OPT_OPTIONS
};

static const struct option long_options[] = {
    {"report", optional_argument, NULL, OPT_REPORT},
    {"output", required_argument, NULL, 'o'},
    {"types", required_argument, NULL, OPT_TYPES},
    {"options", required_argument, NULL, OPT_OPTIONS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int usage_error(const char *what)
{
    return cli_error(CLI_USAGE, "run: %s; see 'slabkit run --help'", what);
}

static int set_format(struct run *r, const char *name)
{
    r->report = true;
    if (name == NULL || strcmp(name, "text") == 0)
        r->format = SLABKIT_TEXT;
    else if (strcmp(name, "json") == 0)
        r->format = SLABKIT_JSON;
    else
        return usage_error("--report is text or json");
    return CLI_OK;
}

static void complain(void *arg, const char *line)
{
    (void)arg;
    fputs(line, stderr);
}

static int set_options(struct run *r, const char *text)
{
    r->options = text;
    return options_check(text, complain, NULL) ? CLI_OK : CLI_USAGE;
}

/* KIND or KIND/N: the options of these names. */
static int set_types(struct run *r, const char *text)
{
    const char *slash = strchr(text, '/');
    int n = slash == NULL ? snprintf(r->types, sizeof r->types, "types=%s", text)
                          : snprintf(r->types, sizeof r->types, "types=%.*s,types_sample=%s",
                                     (int)(slash - text), text, slash + 1);
    r->report = true;
    if (n >= (int)sizeof r->types || strchr(text, ',') != NULL)
        return usage_error("--types is dso, site, site/N or token");
    return options_check(r->types, complain, NULL) ? CLI_OK : CLI_USAGE;
}

static int set_option(struct run *r, int opt)
{
    switch (opt) {
    case OPT_TYPES:
        return set_types(r, optarg);
    case OPT_REPORT:
        return set_format(r, optarg);
    case OPT_OPTIONS:
        return set_options(r, optarg);
    case 'o':
        r->report = true;
        r->file = optarg;
        return CLI_OK;
    case 'h':
        r->help = true;
        return CLI_OK;
    default: /* getopt has told what is wrong */
        return CLI_USAGE;
    }
}

static int parse_arguments(struct run *r, int argc, char **argv)
{
    int opt, rc = CLI_OK;
    *r = (struct run){.fd = STDERR_FILENO};
    while (rc == CLI_OK && (opt = getopt_long(argc, argv, "+o:h", long_options, NULL)) != -1)
        rc = set_option(r, opt);
    r->command = argv + optind;
    if (rc == CLI_OK && !r->help && r->command[0] == NULL)
        rc = usage_error("no command");
    return rc;
}

/* ---- with a report --------------------------------------------------------------------------- */

static int open_output(struct run *r)
{
    if (r->file == NULL)
        return CLI_OK;
    r->fd = open(r->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (r->fd >= 0)
        return CLI_OK;
    return cli_error(CLI_USAGE, "run: cannot write '%s': %s", r->file, strerror(errno));
}

static int exec_failed(const char *name, int error)
{
    return cli_error(error == ENOENT ? CLI_NOT_FOUND : CLI_CANNOT, "run: cannot run '%s': %s", name,
                     strerror(error));
}

/* A report that cannot be written does not change how the command ended. */
static void tell(const struct run *r, const struct child_end *end, struct collection *c)
{
    if (collect_read(c, end->pid) != 0)
        cli_error(CLI_ERROR, "run: cannot read '%s': %s", c->path, strerror(errno));
    if (report_write(r->fd, r->format, r->command, end, c) != 0)
        cli_error(CLI_ERROR, "run: cannot write the report: %s", strerror(errno));
}

static int run_collected(const struct run *r, const struct child_signals *held,
                         struct collection *c, struct child_end *end)
{
    int rc = preload_prepare(r->options, r->types, c->path);
    if (rc != CLI_OK)
        return rc;
    if (child_run(r->command, held, end) != 0)
        return cli_error(CLI_FAILED, "run: cannot start a process: %s", strerror(errno));
    if (end->exec_error != 0)
        return exec_failed(r->command[0], end->exec_error);
    tell(r, end, c);
    return WEXITSTATUS(end->status);
}

static int run_with_report(struct run *r)
{
    static struct collection c;
    struct child_end end = {0};
    struct child_signals held;
    int rc = open_output(r);
    if (rc != CLI_OK)
        return rc;
    child_hold_signals(&held);
    if (collect_open(&c) != 0)
        return cli_error(CLI_FAILED, "run: no place for temporary files: %s", strerror(errno));
    rc = run_collected(r, &held, &c, &end);
    collect_close(&c);
    if (WIFSIGNALED(end.status))
        child_die_alike(WTERMSIG(end.status));
    return rc;
}

/* ---- without --------------------------------------------------------------------------------- */

static int run_in_place(const struct run *r)
{
    int rc = preload_prepare(r->options, r->types, NULL);
    if (rc != CLI_OK)
        return rc;
    execvp(r->command[0], r->command);
    return exec_failed(r->command[0], errno);
}

int cli_run_main(int argc, char **argv)
{
    struct run r;
    int rc = parse_arguments(&r, argc, argv);
    if (rc != CLI_OK)
        return rc;
    if (r.help)
        return cli_print(cli_run_usage);
    return r.report ? run_with_report(&r) : run_in_place(&r);
}
