/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: medians, ratios and geometric means of the benchmark, on samples made by hand.
 * Below: the driver's stats.
 */
#include "driver.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void median_of_odd_and_even(void **state)
{
    double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 10};

    (void)state;
    NEAR(stats_median(odd, 3), 5);
    NEAR(stats_median(even, 4), 3.5);
}

static void geometric_mean(void **state)
{
    double values[] = {0.5, 2, 8, 2};

    (void)state;
    NEAR(stats_geomean(values, 4), 2);
}

static void ratio_is_to_the_best_other(void **state)
{
    double values[] = {10, 4, 5, -1};

    (void)state;
    NEAR(stats_ratio(values, 4, 0), 2.5);
    NEAR(stats_ratio(values, 4, 1), 0.8); /* the best itself: to the second */
    assert_true(stats_ratio(values, 4, 3) < 0);
    assert_true(stats_ratio(values, 1, 0) < 0); /* alone */
}

#define REPS 3

static struct bench two_by_two(struct sample *samples)
{
    struct bench bench = {.bn_nr_allocators = 2, .bn_nr_workloads = 2, .bn_reps = REPS};

    bench.bn_samples = samples;
    for (unsigned i = 0; i < 2 * 2 * REPS; i++)
        samples[i] = (struct sample){.sm_ops = 10, .sm_start_kib = -1, .sm_end_kib = -1};
    for (unsigned rep = 0; rep < REPS; rep++) {
        bench_sample(&bench, 0, 0, rep)->sm_ns = 100.0 + rep;
        bench_sample(&bench, 0, 1, rep)->sm_ns = 202.0;
        bench_sample(&bench, 1, 0, rep)->sm_ns = 800.0;
        bench_sample(&bench, 1, 1, rep)->sm_ns = 100.0;
    }
    return bench;
}

static void cells_are_medians_of_good_samples(void **state)
{
    struct sample samples[2 * 2 * REPS];
    struct bench bench = two_by_two(samples);

    (void)state;
    NEAR(stats_cell(&bench, 0, 0).ce_ns, 101);
    NEAR(stats_cell(&bench, 0, 0).ce_ns_per_op, 10.1);
    assert_false(stats_has_end(&bench, 0));
    sample_fail(bench_sample(&bench, 0, 0, 0), "first");
    NEAR(stats_cell(&bench, 0, 0).ce_ns, 101.5);
    sample_fail(bench_sample(&bench, 0, 0, 1), "second");
    sample_fail(bench_sample(&bench, 0, 0, 2), "third");
    assert_false(stats_cell(&bench, 0, 0).ce_valid);
    assert_true(stats_cell_ratio(&bench, 0, 1, MEASURE_TIME) < 0);
}

static void ratios_over_workloads(void **state)
{
    struct sample samples[2 * 2 * REPS];
    struct bench bench = two_by_two(samples);
    struct ratios ra = stats_ratios(&bench, 0, MEASURE_TIME);

    (void)state;
    assert_int_equal(ra.ra_count, 2);
    NEAR(ra.ra_geomean, 2); /* 0.5 and 8 */
    NEAR(ra.ra_worst, 8);
    assert_int_equal(ra.ra_worst_workload, 1);
    assert_int_equal(stats_best_peer(&bench, 0, 0, MEASURE_TIME), 1);
    assert_int_equal(stats_ratios(&bench, 0, MEASURE_END).ra_count, 0);
}

static void object_caches_are_in_no_mean(void **state)
{
    struct sample samples[2 * 2 * REPS];
    struct bench bench = two_by_two(samples);

    (void)state;
    assert_false(stats_has_cache(&bench, 1));
    bench_sample(&bench, 1, 0, 2)->sm_cache = true;
    assert_true(stats_has_cache(&bench, 1));
    assert_int_equal(stats_ratios(&bench, 0, MEASURE_TIME).ra_count, 1);
    NEAR(stats_ratios(&bench, 0, MEASURE_TIME).ra_worst, 0.5);
    NEAR(stats_cell_ratio(&bench, 1, 0, MEASURE_TIME), 8); /* in its own row it is there */
}

/* Of each sample's own two times, for they fell on the same moments. */
static void two_ways(void **state)
{
    static const double other_ns[REPS] = {200, 101, 51};
    struct sample samples[2 * 2 * REPS];
    struct bench bench = two_by_two(samples);

    (void)state;
    assert_null(stats_versus(&bench, 0));
    assert_true(stats_versus_ratio(&bench, 0, 0) < 0);
    for (unsigned rep = 0; rep < REPS; rep++) {
        struct sample *sm = bench_sample(&bench, 0, 0, rep);

        strcpy(sm->sm_versus, "one / other");
        sm->sm_versus_ns = other_ns[rep];
    }
    assert_string_equal(stats_versus(&bench, 0), "one / other");
    NEAR(stats_versus_ratio(&bench, 0, 0), 1); /* of 0.5, 1, 2 */
    assert_true(stats_versus_ratio(&bench, 0, 1) < 0);
}

static void patterns(void **state)
{
    (void)state;
    assert_true(pattern_matches(NULL, "pair-16"));
    assert_true(pattern_matches("ring-*,pair-16", "pair-16"));
    assert_true(pattern_matches("ring-*,pair-16", "ring-1-1-16"));
    assert_false(pattern_matches("ring-*,pair-16", "pair-128"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_of_odd_and_even),
        cmocka_unit_test(geometric_mean),
        cmocka_unit_test(ratio_is_to_the_best_other),
        cmocka_unit_test(cells_are_medians_of_good_samples),
        cmocka_unit_test(ratios_over_workloads),
        cmocka_unit_test(object_caches_are_in_no_mean),
        cmocka_unit_test(two_ways),
        cmocka_unit_test(patterns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
