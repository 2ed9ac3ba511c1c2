/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the results as text: time and peak RSS beside each other, ratios, geometric means.
 * Below: stats.
 */
#include "driver.h"

#include <string.h>

#define NAME_WIDTH 18
#define CELL_WIDTH 19 /* "%9.1f %8.1f" and a gap */

static void name_print(FILE *out, const char *name)
{
    fprintf(out, "%-*s", NAME_WIDTH, name);
}

static void cell_print(FILE *out, double left, int left_digits, double right, int right_digits)
{
    char text[2][24] = {"-", "-"};

    if (left >= 0)
        snprintf(text[0], sizeof(text[0]), "%.*f", left_digits, left);
    if (right >= 0)
        snprintf(text[1], sizeof(text[1]), "%.*f", right_digits, right);
    fprintf(out, " %9s %8s", text[0], text[1]);
}

static void head_print(const struct bench *bench, FILE *out, const char *units, int ours)
{
    name_print(out, "");
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++)
        fprintf(out, " %*s", CELL_WIDTH - 1, bench->bn_allocators[al].al_name);
    if (ours >= 0)
        fputs("   " BENCH_OURS " / best of the others", out);
    fputc('\n', out);
    name_print(out, "");
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++)
        fputs(units, out);
}

/* Ratio and the name of the peer it is to. */
static void ratio_print(const struct bench *bench, FILE *out, unsigned wk, int ours,
                        enum measure what)
{
    double ratio = stats_cell_ratio(bench, wk, (unsigned)ours, what);
    int peer = stats_best_peer(bench, wk, (unsigned)ours, what);

    if (ratio > 0 && peer >= 0)
        fprintf(out, "   %6.2f %-9s", ratio, bench->bn_allocators[peer].al_name);
    else
        fprintf(out, "   %6s %-9s", "-", "");
}

static void row_print(const struct bench *bench, FILE *out, unsigned wk, int ours)
{
    const struct bench_workload *workload = &bench->bn_workloads[wk];

    name_print(out, workload->wk_name);
    if (workload->wk_skip[0]) {
        fprintf(out, " skipped: %s\n", workload->wk_skip);
        return;
    }
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++) {
        struct cell ce = stats_cell(bench, wk, al);

        cell_print(out, ce.ce_valid ? ce.ce_ns / 1e6 : -1, 1,
                   ce.ce_valid ? ce.ce_peak_kib / 1024 : -1, 1);
    }
    if (ours >= 0) {
        ratio_print(bench, out, wk, ours, MEASURE_TIME);
        ratio_print(bench, out, wk, ours, MEASURE_PEAK);
    }
    fputc('\n', out);
}

static void rows_print(const struct bench *bench, FILE *out, int ours)
{
    head_print(bench, out, "   time ms peak MiB", ours);
    fputs(ours >= 0 ? "     time             peak RSS\n" : "\n", out);
    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++)
        row_print(bench, out, wk, ours);
}

static void ends_print(const struct bench *bench, FILE *out, int ours)
{
    fputs("\nRSS when idle at the end, beside RSS before the work\n", out);
    head_print(bench, out, "   end MiB    start", ours);
    fputs(ours >= 0 ? "     RSS at the end\n" : "\n", out);
    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++) {
        if (!stats_has_end(bench, wk))
            continue;
        name_print(out, bench->bn_workloads[wk].wk_name);
        for (unsigned al = 0; al < bench->bn_nr_allocators; al++) {
            struct cell ce = stats_cell(bench, wk, al);

            cell_print(out, ce.ce_end_kib / 1024, 1, ce.ce_start_kib / 1024, 1);
        }
        if (ours >= 0)
            ratio_print(bench, out, wk, ours, MEASURE_END);
        fputc('\n', out);
    }
}

static bool some_versus(const struct bench *bench)
{
    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++)
        if (stats_versus(bench, wk))
            return true;
    return false;
}

static void versus_row_print(const struct bench *bench, FILE *out, unsigned wk)
{
    name_print(out, bench->bn_workloads[wk].wk_name);
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++) {
        double ratio = stats_versus_ratio(bench, wk, al);

        if (ratio > 0)
            fprintf(out, " %*.2f", CELL_WIDTH - 1, ratio);
        else
            fprintf(out, " %*s", CELL_WIDTH - 1, "-");
    }
    fprintf(out, "   %s\n", stats_versus(bench, wk));
}

static void versus_print(const struct bench *bench, FILE *out)
{
    fputs("\nTwo ways of the same work, in turn in one process: ratio of their times\n", out);
    head_print(bench, out, "              ratio", -1);
    fputc('\n', out);
    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++)
        if (stats_versus(bench, wk))
            versus_row_print(bench, out, wk);
}

static void geomeans_print(const struct bench *bench, FILE *out)
{
    name_print(out, "geometric mean");
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++)
        cell_print(out, stats_ratios(bench, al, MEASURE_TIME).ra_geomean, 3,
                   stats_ratios(bench, al, MEASURE_PEAK).ra_geomean, 3);
    fputc('\n', out);
    name_print(out, "worst");
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++)
        cell_print(out, stats_ratios(bench, al, MEASURE_TIME).ra_worst, 2,
                   stats_ratios(bench, al, MEASURE_PEAK).ra_worst, 2);
    fputc('\n', out);
}

static void worst_print(const struct bench *bench, FILE *out, unsigned al, const char *what,
                        enum measure measure)
{
    struct ratios ra = stats_ratios(bench, al, measure);

    if (!ra.ra_count)
        return;
    fprintf(out, "%s: %s %.3f (geometric mean of %u), worst %.2f in %s\n",
            bench->bn_allocators[al].al_name, what, ra.ra_geomean, ra.ra_count, ra.ra_worst,
            bench->bn_workloads[ra.ra_worst_workload].wk_name);
}

static void ratios_print(const struct bench *bench, FILE *out, int ours)
{
    if (bench->bn_nr_allocators < 2)
        return;
    fputs("\nRatio to the best of the others, workload by workload\n", out);
    head_print(bench, out, "      time peak RSS", -1);
    fputc('\n', out);
    geomeans_print(bench, out);
    if (ours < 0)
        return;
    worst_print(bench, out, (unsigned)ours, "time", MEASURE_TIME);
    worst_print(bench, out, (unsigned)ours, "peak RSS", MEASURE_PEAK);
}

static bool some_end(const struct bench *bench)
{
    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++)
        if (stats_has_end(bench, wk))
            return true;
    return false;
}

void table_print(const struct bench *bench, FILE *out)
{
    int ours = bench->bn_nr_allocators > 1 ? allocators_index(bench, BENCH_OURS) : -1;

    rows_print(bench, out, ours);
    if (some_end(bench))
        ends_print(bench, out, ours);
    if (some_versus(bench))
        versus_print(bench, out);
    ratios_print(bench, out, ours);
}
