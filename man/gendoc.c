/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit-gendoc IN OUT: copies a manual page, with the lines @OPTIONS@ and @VERSION@
 *       replaced by the table of options and by the .TH line.
 * Below: ctl/options.h.
 * Failure: a message and exit status 1; no half-written OUT is left.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/options.h"
#include "slabkit/slabkit.h"

/* Text in which roff is to see no request, no escape and no hyphenation point. */
static void write_roff(FILE *out, const char *s)
{
    if (*s == '.' || *s == '\'')
        fputs("\\&", out);
    for (; *s != '\0'; s++) {
        if (*s == '-')
            fputs("\\-", out);
        else if (*s == '\\')
            fputs("\\e", out);
        else
            fputc(*s, out);
    }
}

static void write_option(FILE *out, const struct option_info *opt)
{
    fputs(".TP\n.BR ", out);
    write_roff(out, opt->key);
    fputs(" =\\fI", out);
    write_roff(out, opt->values);
    fputs("\\fR\n", out);
    write_roff(out, opt->help);
    if (opt->def[0] != '\0') {
        fputs(" (default\n.BR ", out);
        write_roff(out, opt->def);
        fputs(" )", out);
    }
    fputc('\n', out);
}

static void write_options(FILE *out)
{
    struct option_info opt;
    for (unsigned i = 0; options_describe(i, &opt); i++)
        write_option(out, &opt);
}

static void write_line(FILE *out, const char *line)
{
    if (strcmp(line, "@OPTIONS@\n") == 0)
        write_options(out);
    else if (strcmp(line, "@VERSION@\n") == 0)
        fputs(".TH SLABKIT 1 \"\" \"slabkit " SLABKIT_VERSION "\" \"User Commands\"\n", out);
    else
        fputs(line, out);
}

static bool copy(FILE *in, FILE *out)
{
    char line[1024];
    while (fgets(line, sizeof line, in) != NULL)
        write_line(out, line);
    return !ferror(in) && !ferror(out);
}

static int fail(const char *name)
{
    perror(name);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: slabkit-gendoc IN OUT\n", stderr);
        return 2;
    }
    FILE *in = fopen(argv[1], "r");
    if (in == NULL)
        return fail(argv[1]);
    FILE *out = fopen(argv[2], "w");
    if (out == NULL)
        return fail(argv[2]);
    bool good = copy(in, out);
    if (fclose(out) != 0 || !good) {
        fail(argv[2]);
        remove(argv[2]);
        return 1;
    }
    fclose(in);
    return 0;
}
