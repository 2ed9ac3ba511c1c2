/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the workloads of slabkit-workloads: their list, and a sample of one of them.
 * Below: process, sample.
 * Why: the list comes from the program itself, so there is one table. Its report names the file
 *      malloc came from; a sample that ran on another allocator than the one named has failed.
 */
#include "driver.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_BYTES (32 << 10)
#define REPORT_FD    "3"

static bool own_program(const struct bench *bench, char *path, size_t bytes)
{
    static const char *const places[] = {"slabkit-workloads",
                                         "../libexec/slabkit/slabkit-workloads"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int used = snprintf(path, bytes, "%s/%s", bench->bn_home, places[i]);

        if (used > 0 && (size_t)used < bytes && !access(path, X_OK))
            return true;
    }
    return false;
}

static void report_read(int fd, char *text)
{
    size_t used = 0;
    ssize_t got;

    while (used < REPORT_BYTES - 1 && (got = read(fd, text + used, REPORT_BYTES - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
}

/*
 * Starts the program with its descriptor 3 on a pipe and collects what it says there. A report
 * fits the pipe's buffer, so it is read after the end and the reader costs the sample nothing.
 */
static void own_process(struct bench *bench, struct process_spec *spec, uint64_t deadline_ns,
                        struct sample *sm, struct process_end *end, char *text)
{
    int ends[2];
    pid_t pid;

    text[0] = '\0';
    if (pipe2(ends, O_CLOEXEC)) {
        sample_fail(sm, "cannot make a pipe");
        return;
    }
    spec->ps_report = ends[1];
    pid = process_start(spec, bench, sm->sm_error, sizeof(sm->sm_error));
    close(ends[1]);
    if (pid > 0) {
        bool ended = process_wait(pid, deadline_ns, bench, end);

        sample_check(bench, sm, ended, end);
        report_read(ends[0], text);
    }
    close(ends[0]);
}

static double report_number(const json_t *report, const char *key)
{
    return json_number_value(json_object_get(report, key));
}

static bool same_file(const char *one, const char *other)
{
    char real_one[PATH_MAX], real_other[PATH_MAX];

    return realpath(one, real_one) && realpath(other, real_other) && !strcmp(real_one, real_other);
}

static void report_check_malloc(const json_t *report, const struct allocator *al, struct sample *sm)
{
    const char *file = json_string_value(json_object_get(report, "malloc"));
    bool right = file && (al->al_file[0] ? same_file(file, al->al_file)
                                         : strstr(file, "/libc.so") || strstr(file, "/libc-"));

    if (!right)
        sample_fail(sm, "malloc came from %s: the preload had no effect", file ? file : "nowhere");
}

/* A cache that is not the allocator's own would be measured under its name. */
static void report_take_cache(const json_t *report, const struct allocator *al, struct sample *sm)
{
    const char *file = json_string_value(json_object_get(report, "cache"));

    sm->sm_cache = file != NULL;
    if (file && !(al->al_file[0] && same_file(file, al->al_file)))
        sample_fail(sm, "object caches came from %s", file);
}

static void report_take_versus(const json_t *report, struct sample *sm)
{
    const char *versus = json_string_value(json_object_get(report, "versus"));

    if (!versus)
        return;
    snprintf(sm->sm_versus, sizeof(sm->sm_versus), "%s", versus);
    sm->sm_versus_ns = report_number(report, "versus_ns");
}

static void report_take_figures(const json_t *report, struct sample *sm)
{
    const char *absent = json_string_value(json_object_get(report, "absent"));

    if (absent && sample_ok(sm)) {
        sm->sm_absent = true;
        sample_fail(sm, "%s", absent);
        return;
    }
    sm->sm_ns = report_number(report, "ns");
    sm->sm_ops = report_number(report, "ops");
    sm->sm_peak_kib = report_number(report, "peak_kib");
    sm->sm_start_kib = report_number(report, "start_kib");
    sm->sm_end_kib = report_number(report, "end_kib");
    report_take_versus(report, sm);
}

static void report_take(const char *text, const struct allocator *al, struct sample *sm)
{
    json_t *report = json_loads(text, 0, NULL);

    if (!json_is_object(report)) {
        sample_fail(sm, "no report from the workload");
    } else {
        report_check_malloc(report, al, sm);
        report_take_cache(report, al, sm);
        report_take_figures(report, sm);
    }
    json_decref(report);
}

struct own_sum {
    double su_ns, su_cpu_ns, su_peak_kib;
};

static void own_sum_add(struct own_sum *sum, const struct sample *sm, const struct process_end *end,
                        double wall_ns)
{
    sum->su_ns += wall_ns;
    sum->su_cpu_ns += end->pe_cpu_ns;
    if (sm->sm_peak_kib > sum->su_peak_kib)
        sum->su_peak_kib = sm->sm_peak_kib;
}

/* One process times itself; of several, the driver takes the whole time from start to end. */
static void own_sum_take(const struct own_sum *sum, unsigned processes, struct sample *sm)
{
    sm->sm_cpu_ns = sum->su_cpu_ns;
    sm->sm_peak_kib = sum->su_peak_kib;
    if (processes > 1) {
        sm->sm_ns = sum->su_ns;
        sm->sm_ops = processes;
    }
}

static unsigned own_processes(const struct bench *bench, const struct bench_workload *wk)
{
    double scaled = wk->wk_processes * bench->bn_scale;

    return wk->wk_processes == 1 ? 1 : scaled < 2 ? 2 : (unsigned)scaled;
}

static void own_sample(struct bench *bench, const struct bench_workload *wk,
                       const struct allocator *al, struct sample *sm)
{
    char scale[32], err[PATH_MAX], text[REPORT_BYTES];
    char *argv[] = {(char *)wk->wk_program, (char *)wk->wk_name, scale, REPORT_FD, NULL};
    struct process_spec spec = {.ps_argv = argv,
                                .ps_preload = al->al_file,
                                .ps_stderr = err,
                                .ps_cpus = process_cpus(bench, wk)};
    uint64_t deadline_ns = process_now_ns() + BENCH_TIMEOUT_S * UINT64_C(1000000000);
    unsigned processes = own_processes(bench, wk);
    struct own_sum sum = {0};

    snprintf(scale, sizeof(scale), "%.6f", bench->bn_scale);
    scratch_path(bench, "stderr", err, sizeof(err));
    for (unsigned i = 0; i < processes && sample_ok(sm); i++) {
        uint64_t start_ns = process_now_ns();
        struct process_end end = {0};
        double wall_ns;

        own_process(bench, &spec, deadline_ns, sm, &end, text);
        wall_ns = (double)(process_now_ns() - start_ns);
        if (sample_ok(sm))
            report_take(text, al, sm);
        own_sum_add(&sum, sm, &end, wall_ns);
    }
    own_sum_take(&sum, processes, sm);
}

void own_check(struct bench *bench, const struct allocator *al, struct sample *sm)
{
    char program[PATH_MAX], err[PATH_MAX], text[REPORT_BYTES];
    char *argv[] = {program, "empty", "1", REPORT_FD, NULL};
    struct process_spec spec = {
        .ps_argv = argv, .ps_preload = al->al_file, .ps_stderr = err, .ps_cpus = bench->bn_cpus};
    struct process_end end = {0};

    scratch_path(bench, "stderr", err, sizeof(err));
    if (!own_program(bench, program, sizeof(program))) {
        sample_fail(sm, "slabkit-workloads is gone");
        return;
    }
    own_process(bench, &spec, process_now_ns() + BENCH_TIMEOUT_S * UINT64_C(1000000000), sm, &end,
                text);
    if (sample_ok(sm))
        report_take(text, al, sm);
}

static bool own_line_add(struct bench *bench, const char *line, const char *program)
{
    json_t *entry = json_loads(line, 0, NULL);
    const char *name = json_string_value(json_object_get(entry, "workload"));
    const char *about = json_string_value(json_object_get(entry, "about"));
    struct bench_workload *wk = name && about ? catalog_add(bench, name, about) : NULL;

    if (wk) {
        wk->wk_all_cpus = json_is_true(json_object_get(entry, "all_cpus"));
        wk->wk_processes = (unsigned)report_number(entry, "processes");
        wk->wk_run = own_sample;
        snprintf(wk->wk_program, sizeof(wk->wk_program), "%s", program);
    }
    json_decref(entry);
    return wk != NULL;
}

/* One entry a line. */
static bool own_list_take(struct bench *bench, char *list, const char *program)
{
    char *rest = NULL;
    char *line = strtok_r(list, "\n", &rest);

    if (!line)
        return false;
    for (; line; line = strtok_r(NULL, "\n", &rest))
        if (!own_line_add(bench, line, program))
            return false;
    return true;
}

int own_add(struct bench *bench)
{
    char program[PATH_MAX], text[REPORT_BYTES];
    char *argv[] = {program, "--list", REPORT_FD, NULL};
    struct process_spec spec = {.ps_argv = argv, .ps_cpus = bench->bn_cpus};
    struct process_end end = {0};
    struct sample sm = {0};

    if (!own_program(bench, program, sizeof(program))) {
        bench_say("slabkit-workloads is not beside the executable in %s", bench->bn_home);
        return -1;
    }
    own_process(bench, &spec, process_now_ns() + BENCH_TIMEOUT_S * UINT64_C(1000000000), &sm, &end,
                text);
    if (sample_ok(&sm) && !own_list_take(bench, text, program))
        sample_fail(&sm, "its list is not understood");
    if (!sample_ok(&sm))
        bench_say("%s: %s", program, sm.sm_error);
    return sample_ok(&sm) ? 0 : -1;
}
