/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the ratios as a chart: for each workload a bar for each allocator, time on the left and
 *       peak RSS on the right, on a logarithmic scale around 1 (the best of the others).
 * Below: stats.
 * Why: SVG by hand: a chart of rectangles needs no library. Names of allocators and workloads are
 *      plain letters, so nothing has to be escaped.
 */
#include "driver.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define LABEL_WIDTH 130.0
#define PANEL_WIDTH 400.0
#define PANEL_GAP   50.0
#define HEAD_HEIGHT 92.0
#define BAR_HEIGHT  7.0
#define ROW_GAP     7.0
#define FOOT_HEIGHT 30.0
#define RATIO_LO    0.25
#define RATIO_HI    16.0

/* Okabe and Ito's colours, told apart by everyone; slabkit has the first. */
static const char *const colours[] = {"#d55e00", "#0072b2", "#009e73", "#e69f00",
                                      "#56b4e9", "#cc79a7", "#999999", "#444444"};

#define COLOURS (sizeof(colours) / sizeof(colours[0]))

static const char *bar_colour(const struct bench *bench, unsigned al)
{
    int ours = allocators_index(bench, BENCH_OURS);

    if ((int)al == ours)
        return colours[0];
    return colours[1 + (al - (ours >= 0 && (int)al > ours)) % (COLOURS - 1)];
}

static double panel_left(enum measure what)
{
    return LABEL_WIDTH + (what == MEASURE_PEAK ? PANEL_WIDTH + PANEL_GAP : 0);
}

static double ratio_x(double ratio, enum measure what)
{
    double part;

    ratio = fmin(fmax(ratio, RATIO_LO), RATIO_HI);
    part = log2(ratio / RATIO_LO) / log2(RATIO_HI / RATIO_LO);
    return panel_left(what) + part * PANEL_WIDTH;
}

static double row_height(const struct bench *bench)
{
    return bench->bn_nr_allocators * BAR_HEIGHT + ROW_GAP;
}

static bool row_is_shown(const struct bench *bench, unsigned wk)
{
    return !bench->bn_workloads[wk].wk_skip[0];
}

static unsigned rows_shown(const struct bench *bench)
{
    unsigned rows = 0;

    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++)
        rows += row_is_shown(bench, wk);
    return rows;
}

static double rows_bottom(const struct bench *bench)
{
    return HEAD_HEIGHT + rows_shown(bench) * row_height(bench);
}

static void text_put(FILE *out, double x, double y, const char *anchor, const char *style,
                     const char *text)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>%s</text>\n", x, y, anchor,
            style, text);
}

static void grid_put(FILE *out, enum measure what, double bottom)
{
    for (double ratio = RATIO_LO; ratio <= RATIO_HI; ratio *= 2) {
        double x = ratio_x(ratio, what);
        char label[16];

        snprintf(label, sizeof(label), "%g", ratio);
        fprintf(out,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                "stroke-width=\"%s\"/>\n",
                x, HEAD_HEIGHT - 4, x, bottom, ratio == 1 ? "#000" : "#ddd",
                ratio == 1 ? "1.2" : "0.8");
        text_put(out, x, HEAD_HEIGHT - 8, "middle", "fill=\"#555\"", label);
        text_put(out, x, bottom + 14, "middle", "fill=\"#555\"", label);
    }
}

static void bar_put(const struct bench *bench, FILE *out, unsigned wk, unsigned al,
                    enum measure what, double y)
{
    double ratio = stats_cell_ratio(bench, wk, al, what);
    double one = ratio_x(1, what), end = ratio_x(ratio, what);
    char value[24];

    if (ratio <= 0)
        return;
    fprintf(out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\">"
            "<title>%s, %s: %.3f</title></rect>\n",
            fmin(one, end), y, fmax(fabs(end - one), 0.8), BAR_HEIGHT - 1, bar_colour(bench, al),
            bench->bn_workloads[wk].wk_name, bench->bn_allocators[al].al_name, ratio);
    snprintf(value, sizeof(value), "%.2f", ratio);
    text_put(out, fmax(one, end) + 3, y + BAR_HEIGHT - 1.5, "start",
             "font-size=\"7\" fill=\"#333\"", value);
}

static void row_put(const struct bench *bench, FILE *out, unsigned wk, double y)
{
    text_put(out, LABEL_WIDTH - 8, y + row_height(bench) / 2, "end", "",
             bench->bn_workloads[wk].wk_name);
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++) {
        bar_put(bench, out, wk, al, MEASURE_TIME, y + al * BAR_HEIGHT);
        bar_put(bench, out, wk, al, MEASURE_PEAK, y + al * BAR_HEIGHT);
    }
}

static void rows_put(const struct bench *bench, FILE *out)
{
    double y = HEAD_HEIGHT;

    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++) {
        if (!row_is_shown(bench, wk))
            continue;
        row_put(bench, out, wk, y + ROW_GAP / 2);
        y += row_height(bench);
    }
}

/* Each allocator with its geometric means, time / peak RSS. */
static void legend_put(const struct bench *bench, FILE *out)
{
    double step = (LABEL_WIDTH + 2 * PANEL_WIDTH + PANEL_GAP) / bench->bn_nr_allocators;

    for (unsigned al = 0; al < bench->bn_nr_allocators; al++) {
        double time = stats_ratios(bench, al, MEASURE_TIME).ra_geomean;
        double peak = stats_ratios(bench, al, MEASURE_PEAK).ra_geomean;
        char text[96];

        snprintf(text, sizeof(text), "%s %.2f / %.2f", bench->bn_allocators[al].al_name,
                 fmax(time, 0), fmax(peak, 0));
        fprintf(out, "<rect x=\"%.1f\" y=\"33\" width=\"11\" height=\"11\" fill=\"%s\"/>\n",
                10 + al * step, bar_colour(bench, al));
        text_put(out, 26 + al * step, 42, "start", "", text);
    }
}

static void head_put(const struct bench *bench, FILE *out, double width, double height)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" font-size=\"11\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            width, height, width, height);
    text_put(out, 10, 20, "start", "font-size=\"14\" font-weight=\"bold\"",
             "Ratio to the best of the other allocators: left of 1 is better than all of them");
    legend_put(bench, out);
    text_put(out, panel_left(MEASURE_TIME), 68, "start", "font-weight=\"bold\"",
             "time (legend: geometric means, time / peak RSS)");
    text_put(out, panel_left(MEASURE_PEAK), 68, "start", "font-weight=\"bold\"", "peak RSS");
}

static void chart_put(const struct bench *bench, FILE *out)
{
    double width = LABEL_WIDTH + 2 * PANEL_WIDTH + PANEL_GAP + 40;
    double bottom = rows_bottom(bench);

    head_put(bench, out, width, bottom + FOOT_HEIGHT);
    grid_put(out, MEASURE_TIME, bottom);
    grid_put(out, MEASURE_PEAK, bottom);
    rows_put(bench, out);
    fputs("</svg>\n", out);
}

int plot_write(const struct bench *bench, const char *file)
{
    FILE *out = fopen(file, "we");
    bool written = false;

    if (out) {
        chart_put(bench, out);
        written = !ferror(out);
        written = !fclose(out) && written;
    }
    if (!written)
        bench_say("cannot write %s: %s", file, strerror(errno));
    return written ? 0 : -1;
}
