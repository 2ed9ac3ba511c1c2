/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the results as JSON: every sample, the medians, the ratios, what they were measured on.
 * Below: stats, machine.
 * Why: a figure that was not measured is left out, never written as 0 or -1.
 */
#include "driver.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

static void number_set(json_t *object, const char *key, double value)
{
    if (value >= 0)
        json_object_set_new(object, key, json_real(value));
}

static json_t *sample_json(const struct sample *sm)
{
    json_t *object = json_object();

    if (!sample_ok(sm)) {
        json_object_set_new(object, sm->sm_absent ? "absent" : "error", json_string(sm->sm_error));
        return object;
    }
    number_set(object, "time_ns", sm->sm_ns);
    number_set(object, "ops", sm->sm_ops);
    number_set(object, "cpu_ns", sm->sm_cpu_ns);
    number_set(object, "peak_rss_kib", sm->sm_peak_kib);
    number_set(object, "start_rss_kib", sm->sm_start_kib);
    number_set(object, "end_rss_kib", sm->sm_end_kib);
    number_set(object, "versus_ns", sm->sm_versus_ns);
    if (sm->sm_cache)
        json_object_set_new(object, "object_cache", json_true());
    return object;
}

static json_t *samples_json(const struct bench *bench, unsigned wk, unsigned al)
{
    json_t *array = json_array();

    for (unsigned rep = 0; rep < bench->bn_reps; rep++)
        json_array_append_new(array, sample_json(bench_sample(bench, wk, al, rep)));
    return array;
}

static json_t *cell_json(const struct bench *bench, unsigned wk, unsigned al)
{
    struct cell ce = stats_cell(bench, wk, al);
    json_t *object = json_object();

    number_set(object, "time_ns", ce.ce_ns);
    number_set(object, "ns_per_op", ce.ce_ns_per_op);
    number_set(object, "cpu_ns", ce.ce_cpu_ns);
    number_set(object, "peak_rss_kib", ce.ce_peak_kib);
    number_set(object, "start_rss_kib", ce.ce_start_kib);
    number_set(object, "end_rss_kib", ce.ce_end_kib);
    number_set(object, "time_ratio", stats_cell_ratio(bench, wk, al, MEASURE_TIME));
    number_set(object, "peak_rss_ratio", stats_cell_ratio(bench, wk, al, MEASURE_PEAK));
    number_set(object, "end_rss_ratio", stats_cell_ratio(bench, wk, al, MEASURE_END));
    number_set(object, "versus_ratio", stats_versus_ratio(bench, wk, al));
    json_object_set_new(object, "samples", samples_json(bench, wk, al));
    return object;
}

static json_t *workload_json(const struct bench *bench, unsigned wk)
{
    const struct bench_workload *workload = &bench->bn_workloads[wk];
    json_t *object = json_object();
    json_t *results = json_object();

    json_object_set_new(object, "name", json_string(workload->wk_name));
    json_object_set_new(object, "about", json_string(workload->wk_about));
    if (workload->wk_skip[0])
        json_object_set_new(object, "skipped", json_string(workload->wk_skip));
    if (stats_versus(bench, wk))
        json_object_set_new(object, "versus", json_string(stats_versus(bench, wk)));
    for (unsigned al = 0; al < bench->bn_nr_allocators && !workload->wk_skip[0]; al++)
        json_object_set_new(results, bench->bn_allocators[al].al_name, cell_json(bench, wk, al));
    json_object_set_new(object, "results", results);
    return object;
}

static json_t *workloads_json(const struct bench *bench)
{
    json_t *array = json_array();

    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++)
        json_array_append_new(array, workload_json(bench, wk));
    return array;
}

static json_t *ratios_json(const struct bench *bench, unsigned al, enum measure what)
{
    struct ratios ra = stats_ratios(bench, al, what);
    json_t *object = json_object();

    json_object_set_new(object, "workloads", json_integer(ra.ra_count));
    if (!ra.ra_count)
        return object;
    number_set(object, "geometric_mean", ra.ra_geomean);
    number_set(object, "worst", ra.ra_worst);
    json_object_set_new(object, "worst_workload",
                        json_string(bench->bn_workloads[ra.ra_worst_workload].wk_name));
    return object;
}

static json_t *allocators_json(const struct bench *bench)
{
    json_t *array = json_array();

    for (unsigned al = 0; al < bench->bn_nr_allocators; al++) {
        const struct allocator *allocator = &bench->bn_allocators[al];
        json_t *object = json_object();

        json_object_set_new(object, "name", json_string(allocator->al_name));
        if (allocator->al_file[0])
            json_object_set_new(object, "file", json_string(allocator->al_file));
        json_object_set_new(object, "time_ratio", ratios_json(bench, al, MEASURE_TIME));
        json_object_set_new(object, "peak_rss_ratio", ratios_json(bench, al, MEASURE_PEAK));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *machine_json(const struct bench *bench)
{
    struct machine ma;
    json_t *object = json_object();

    machine_read(&ma, bench);
    json_object_set_new(object, "cpu", json_string(ma.ma_cpu));
    json_object_set_new(object, "cpus", json_integer(ma.ma_cpus));
    json_object_set_new(object, "memory_mib", json_integer(ma.ma_memory_mib));
    json_object_set_new(object, "kernel", json_string(ma.ma_kernel));
    json_object_set_new(object, "libc", json_string(ma.ma_libc));
    return object;
}

static json_t *arguments_json(const struct bench *bench)
{
    json_t *array = json_array();

    for (int i = 1; i < bench->bn_argc; i++)
        json_array_append_new(array, json_string(bench->bn_argv[i]));
    return array;
}

static json_t *bench_json(const struct bench *bench)
{
    json_t *root = json_object();
    time_t now = time(NULL);
    struct tm utc;
    char date[32];

    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_object_set_new(root, "date", json_string(date));
    json_object_set_new(root, "arguments", arguments_json(bench));
    json_object_set_new(root, "machine", machine_json(bench));
    json_object_set_new(root, "reps", json_integer(bench->bn_reps));
    json_object_set_new(root, "scale", json_real(bench->bn_scale));
    json_object_set_new(root, "failures", json_integer(bench->bn_failures));
    json_object_set_new(root, "allocators", allocators_json(bench));
    json_object_set_new(root, "workloads", workloads_json(bench));
    return root;
}

int json_write(const struct bench *bench, const char *file)
{
    json_t *root = bench_json(bench);
    int status = json_dump_file(root, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9));

    json_decref(root);
    if (status)
        bench_say("cannot write %s: %s", file, strerror(errno));
    return status;
}
