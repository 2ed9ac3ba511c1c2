/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the arguments of `slabkit bench`.
 * Below: allocators.
 * Failure: wrong usage is said on stderr; the caller ends with status 2.
 */
#include "driver.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
    OPT_ALLOCATOR = 1,
    OPT_ONLY,
    OPT_WORKLOAD,
    OPT_REPS,
    OPT_SCALE,
    OPT_JSON,
    OPT_PLOT,
    OPT_LIST,
    OPT_HELP
};

static const struct option option_table[] = {
    {"allocator", required_argument, NULL, OPT_ALLOCATOR},
    {"only", required_argument, NULL, OPT_ONLY},
    {"workload", required_argument, NULL, OPT_WORKLOAD},
    {"reps", required_argument, NULL, OPT_REPS},
    {"scale", required_argument, NULL, OPT_SCALE},
    {"json", required_argument, NULL, OPT_JSON},
    {"plot", required_argument, NULL, OPT_PLOT},
    {"list", no_argument, NULL, OPT_LIST},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

void options_help(FILE *out)
{
    fputs("usage: slabkit bench [OPTION]...\n"
          "\n"
          "Runs each workload in a fresh process on each allocator, interleaved, and prints the\n"
          "medians of time and peak RSS, with ratios to the best of the other allocators.\n"
          "\n"
          "  --allocator NAME=FILE.so  a further allocator, preloaded from FILE.so (repeatable)\n"
          "  --only NAME[,NAME]...     of the allocators, only these (shell patterns)\n"
          "  --workload NAME[,NAME]... only these workloads (shell patterns)\n"
          "  --reps N                  samples of each workload and allocator (default 3)\n"
          "  --scale F                 multiplies the work in a sample (default 1)\n"
          "  --json FILE               all samples, medians and ratios\n"
          "  --plot FILE.svg           a chart of the ratios\n"
          "  --list                    the workloads and allocators found here\n"
          "  --help                    this text\n"
          "\n"
          "Exit status: 0; 1 when a sample failed; 2 for wrong usage.\n",
          out);
}

static int reps_parse(struct bench *bench, const char *text)
{
    char *end;
    long reps = strtol(text, &end, 10);

    if (end == text || *end || reps < 1 || reps > 1000) {
        bench_say("--reps takes a number from 1 to 1000, not '%s'", text);
        return -1;
    }
    bench->bn_reps = (unsigned)reps;
    return 0;
}

static int scale_parse(struct bench *bench, const char *text)
{
    char *end;
    double scale = strtod(text, &end);

    if (end == text || *end || !isfinite(scale) || scale <= 0 || scale > 1000) {
        bench_say("--scale takes a number above 0 and up to 1000, not '%s'", text);
        return -1;
    }
    bench->bn_scale = scale;
    return 0;
}

/* Every list given counts: a second --workload adds to the first. */
static int list_append(const char **list, const char *more)
{
    char *joined = NULL;

    if (!*more) {
        bench_say("an empty list of names");
        return -1;
    }
    if (asprintf(&joined, "%s%s%s", *list ? *list : "", *list ? "," : "", more) < 0)
        return -1;
    free((char *)*list);
    *list = joined;
    return 0;
}

static int option_take(struct bench *bench, int id, const char *value)
{
    switch (id) {
    case OPT_ALLOCATOR:
        return allocators_add(bench, value);
    case OPT_ONLY:
        return list_append(&bench->bn_only, value);
    case OPT_WORKLOAD:
        return list_append(&bench->bn_patterns, value);
    case OPT_REPS:
        return reps_parse(bench, value);
    case OPT_SCALE:
        return scale_parse(bench, value);
    case OPT_JSON:
        bench->bn_json_file = value;
        return 0;
    case OPT_PLOT:
        bench->bn_plot_file = value;
        return 0;
    case OPT_LIST:
        bench->bn_list = true;
        return 0;
    case OPT_HELP:
        bench->bn_help = true;
        return 0;
    case ':':
        bench_say("a value is missing after %s", bench->bn_argv[optind - 1]);
        return -1;
    default:
        bench_say("unknown option %s", bench->bn_argv[optind - 1]);
        return -1;
    }
}

int bench_options_parse(struct bench *bench, int argc, char **argv)
{
    int id;

    bench->bn_reps = 3;
    bench->bn_scale = 1.0;
    bench->bn_argc = argc;
    bench->bn_argv = argv;
    optind = 0; /* the caller may have parsed its own arguments before */
    while ((id = getopt_long(argc, argv, ":", option_table, NULL)) != -1)
        if (option_take(bench, id, optarg))
            return -1;
    if (optind < argc) {
        bench_say("unexpected argument '%s'", argv[optind]);
        return -1;
    }
    return 0;
}
