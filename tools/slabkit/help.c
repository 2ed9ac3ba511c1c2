/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: `slabkit help options`: the table of options for people.
 * Below: ctl/options.h.
 */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/options.h"
#include "ctl/writer.h"

static void write_option(struct writer *w, const struct option_info *opt)
{
    writer_str(w, "  ");
    writer_str(w, opt->key);
    writer_char(w, '=');
    writer_str(w, opt->values);
    writer_str(w, "\n        ");
    writer_str(w, opt->help);
    if (opt->def[0] != '\0') {
        writer_str(w, " (default ");
        writer_str(w, opt->def);
        writer_char(w, ')');
    }
    writer_char(w, '\n');
}

int cli_help_options(void)
{
    char buf[512];
    struct writer w;
    struct option_info opt;
    writer_init(&w, buf, sizeof buf, STDOUT_FILENO);
    writer_str(&w, "SLABKIT_OPTIONS=KEY=VALUE,... or slabkit run --options=KEY=VALUE,...\n\n");
    for (unsigned i = 0; options_describe(i, &opt); i++)
        write_option(&w, &opt);
    writer_str(
        &w,
        "\nBytes take the suffix k, m, g or t. What is wrong in SLABKIT_OPTIONS is told once on\n"
        "stderr and ignored; file names cannot contain a comma.\n");
    if (writer_finish(&w) == 0)
        return CLI_OK;
    return cli_error(CLI_ERROR, "cannot write to stdout: %s", strerror(errno));
}
