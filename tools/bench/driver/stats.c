/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: medians of samples, ratios to the best of the others, geometric means.
 * Below: nothing but the run's samples.
 * Why: a ratio is to the best of the *other* allocators for this workload and this measure, so
 *      below 1 means better than every one of them; the best in time and the best in memory may
 *      be two different peers. Workloads in which some objects came from an object cache have
 *      ratios, but are in no mean: there the allocators do not serve the same calls.
 */
#include "driver.h"

#include <math.h>
#include <stdlib.h>

static int double_compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

double stats_median(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), double_compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double stats_geomean(const double *values, unsigned count)
{
    double sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += log(values[i]);
    return exp(sum / count);
}

static int least_other(const double *values, unsigned count, unsigned mine)
{
    int least = -1;

    for (unsigned i = 0; i < count; i++)
        if (i != mine && values[i] > 0 && (least < 0 || values[i] < values[least]))
            least = (int)i;
    return least;
}

double stats_ratio(const double *values, unsigned count, unsigned mine)
{
    int least = least_other(values, count, mine);

    return least < 0 || values[mine] <= 0 ? -1 : values[mine] / values[least];
}

enum figure {
    FIG_NS,
    FIG_NS_PER_OP,
    FIG_CPU,
    FIG_PEAK,
    FIG_START,
    FIG_END,
    FIG_VERSUS
};

static double sample_figure(const struct sample *sm, enum figure figure)
{
    switch (figure) {
    case FIG_NS:
        return sm->sm_ns;
    case FIG_NS_PER_OP:
        return sm->sm_ops > 0 ? sm->sm_ns / sm->sm_ops : -1;
    case FIG_CPU:
        return sm->sm_cpu_ns;
    case FIG_PEAK:
        return sm->sm_peak_kib;
    case FIG_START:
        return sm->sm_start_kib;
    case FIG_END:
        return sm->sm_end_kib;
    case FIG_VERSUS:
        return sm->sm_versus_ns > 0 ? sm->sm_ns / sm->sm_versus_ns : -1;
    }
    return -1;
}

/* Of the good samples; -1: there is none. */
static double figure_median(const struct bench *bench, unsigned wk, unsigned al, enum figure figure)
{
    double values[bench->bn_reps];
    unsigned count = 0;

    for (unsigned rep = 0; rep < bench->bn_reps; rep++) {
        const struct sample *sm = bench_sample(bench, wk, al, rep);

        if (sample_ok(sm))
            values[count++] = sample_figure(sm, figure);
    }
    return count ? stats_median(values, count) : -1;
}

struct cell stats_cell(const struct bench *bench, unsigned wk, unsigned al)
{
    struct cell ce = {
        .ce_ns = figure_median(bench, wk, al, FIG_NS),
        .ce_ns_per_op = figure_median(bench, wk, al, FIG_NS_PER_OP),
        .ce_cpu_ns = figure_median(bench, wk, al, FIG_CPU),
        .ce_peak_kib = figure_median(bench, wk, al, FIG_PEAK),
        .ce_start_kib = figure_median(bench, wk, al, FIG_START),
        .ce_end_kib = figure_median(bench, wk, al, FIG_END),
    };

    ce.ce_valid = ce.ce_ns >= 0;
    return ce;
}

static void measures_fill(const struct bench *bench, unsigned wk, enum measure what, double *values)
{
    static const enum figure figure[] = {FIG_NS, FIG_PEAK, FIG_END};

    for (unsigned al = 0; al < bench->bn_nr_allocators; al++)
        values[al] = figure_median(bench, wk, al, figure[what]);
}

double stats_cell_ratio(const struct bench *bench, unsigned wk, unsigned al, enum measure what)
{
    double values[BENCH_MAX_ALLOCATORS];

    measures_fill(bench, wk, what, values);
    return stats_ratio(values, bench->bn_nr_allocators, al);
}

int stats_best_peer(const struct bench *bench, unsigned wk, unsigned al, enum measure what)
{
    double values[BENCH_MAX_ALLOCATORS];

    measures_fill(bench, wk, what, values);
    return least_other(values, bench->bn_nr_allocators, al);
}

static const struct sample *sample_any(const struct bench *bench, unsigned wk,
                                       bool (*is)(const struct sample *))
{
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++)
        for (unsigned rep = 0; rep < bench->bn_reps; rep++) {
            const struct sample *sm = bench_sample(bench, wk, al, rep);

            if (sample_ok(sm) && is(sm))
                return sm;
        }
    return NULL;
}

static bool sample_is_cache(const struct sample *sm)
{
    return sm->sm_cache;
}

static bool sample_is_versus(const struct sample *sm)
{
    return sm->sm_versus[0];
}

bool stats_has_cache(const struct bench *bench, unsigned wk)
{
    return sample_any(bench, wk, sample_is_cache) != NULL;
}

const char *stats_versus(const struct bench *bench, unsigned wk)
{
    const struct sample *sm = sample_any(bench, wk, sample_is_versus);

    return sm ? sm->sm_versus : NULL;
}

struct ratios stats_ratios(const struct bench *bench, unsigned al, enum measure what)
{
    double values[BENCH_MAX_WORKLOADS];
    struct ratios ra = {.ra_geomean = -1, .ra_worst = -1};

    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++) {
        double ratio = stats_cell_ratio(bench, wk, al, what);

        if (ratio <= 0 || stats_has_cache(bench, wk))
            continue;
        values[ra.ra_count++] = ratio;
        if (ratio > ra.ra_worst) {
            ra.ra_worst = ratio;
            ra.ra_worst_workload = wk;
        }
    }
    if (ra.ra_count)
        ra.ra_geomean = stats_geomean(values, ra.ra_count);
    return ra;
}

double stats_versus_ratio(const struct bench *bench, unsigned wk, unsigned al)
{
    return figure_median(bench, wk, al, FIG_VERSUS);
}

bool stats_has_end(const struct bench *bench, unsigned wk)
{
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++)
        if (figure_median(bench, wk, al, FIG_END) >= 0)
            return true;
    return false;
}
