/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: `slabkit bench`: the order of a run, its progress, and its exit status.
 * Below: every other file of the driver.
 * Owns: the run (struct bench), the scratch directory.
 * Failure: a sample that fails is said at once and the run goes on; the exit status is 1 in the
 *       end. An interrupted run cleans up and dies of the same signal.
 * Why: repetitions are the outer loop and the order of the allocators turns with each of them, so
 *      that a slow minute of the machine falls on all of them alike.
 */
#include "bench.h"
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void bench_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("slabkit bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static bool home_find(struct bench *bench)
{
    ssize_t length = readlink("/proc/self/exe", bench->bn_home, sizeof(bench->bn_home) - 1);
    char *slash;

    if (length <= 0)
        return false;
    bench->bn_home[length] = '\0';
    slash = strrchr(bench->bn_home, '/');
    if (slash)
        *slash = '\0';
    return slash != NULL;
}

static bool scratch_make(struct bench *bench)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(bench->bn_scratch, sizeof(bench->bn_scratch), "%s/slabkit-bench-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    if (mkdtemp(bench->bn_scratch))
        return true;
    bench_say("cannot make a directory %s: %s", bench->bn_scratch, strerror(errno));
    bench->bn_scratch[0] = '\0';
    return false;
}

static int scratch_entry_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void scratch_remove(const struct bench *bench)
{
    if (bench->bn_scratch[0])
        nftw(bench->bn_scratch, scratch_entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Minutes of measuring are not to end in a file that cannot be written. */
static bool file_is_writable(const char *file)
{
    int fd = file ? open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : -1;

    if (file && fd < 0)
        bench_say("cannot write %s: %s", file, strerror(errno));
    if (fd >= 0)
        close(fd);
    return !file || fd >= 0;
}

struct progress {
    uint64_t pr_start_ns;
    unsigned pr_done, pr_all;
};

static unsigned workloads_to_run(const struct bench *bench)
{
    unsigned count = 0;

    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++)
        count += !bench->bn_workloads[wk].wk_skip[0];
    return count;
}

static void progress_show(const struct progress *pr, const char *workload, const char *allocator)
{
    double spent_s = (double)(process_now_ns() - pr->pr_start_ns) / 1e9;
    unsigned left_s =
        pr->pr_done ? (unsigned)(spent_s / pr->pr_done * (pr->pr_all - pr->pr_done)) : 0;

    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r[%u/%u] %s on %s", pr->pr_done + 1, pr->pr_all, workload, allocator);
    if (pr->pr_done)
        fprintf(stderr, ", %um%02us left", left_s / 60, left_s % 60);
    fputs("\033[K", stderr);
}

static void progress_clear(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static void sample_take(struct bench *bench, unsigned wk, unsigned al, unsigned rep)
{
    const struct bench_workload *workload = &bench->bn_workloads[wk];
    const struct allocator *allocator = &bench->bn_allocators[al];
    struct sample *sm = bench_sample(bench, wk, al, rep);

    *sm = (struct sample){.sm_cpu_ns = -1,
                          .sm_peak_kib = -1,
                          .sm_start_kib = -1,
                          .sm_end_kib = -1,
                          .sm_versus_ns = -1};
    workload->wk_run(bench, workload, allocator, sm);
    if (sample_ok(sm) || sm->sm_absent || bench->bn_signal)
        return;
    bench->bn_failures++;
    progress_clear();
    bench_say("%s on %s, sample %u: %s", workload->wk_name, allocator->al_name, rep + 1,
              sm->sm_error);
}

static void workload_sample(struct bench *bench, unsigned wk, unsigned rep, struct progress *pr)
{
    unsigned count = bench->bn_nr_allocators;

    for (unsigned i = 0; i < count && !bench->bn_signal; i++) {
        unsigned al = (i + rep + wk) % count;

        progress_show(pr, bench->bn_workloads[wk].wk_name, bench->bn_allocators[al].al_name);
        sample_take(bench, wk, al, rep);
        pr->pr_done++;
    }
}

static void bench_measure(struct bench *bench)
{
    struct progress pr = {.pr_start_ns = process_now_ns(),
                          .pr_all =
                              workloads_to_run(bench) * bench->bn_nr_allocators * bench->bn_reps};

    for (unsigned rep = 0; rep < bench->bn_reps; rep++)
        for (unsigned wk = 0; wk < bench->bn_nr_workloads && !bench->bn_signal; wk++)
            if (!bench->bn_workloads[wk].wk_skip[0])
                workload_sample(bench, wk, rep, &pr);
    progress_clear();
}

/* A skipped workload's samples stay as they are made here: failed. */
static bool samples_make(struct bench *bench)
{
    size_t count = (size_t)bench->bn_nr_workloads * bench->bn_nr_allocators * bench->bn_reps;

    bench->bn_samples = calloc(count, sizeof(*bench->bn_samples));
    if (!bench->bn_samples)
        return false;
    for (size_t i = 0; i < count; i++)
        sample_fail(&bench->bn_samples[i], "not taken");
    return true;
}

/* Takes out those whose preload has no effect: programs would run on libc under their names. */
static void allocators_check(struct bench *bench)
{
    unsigned kept = 0;

    for (unsigned al = 0; al < bench->bn_nr_allocators && !bench->bn_signal; al++) {
        struct sample sm = {0};

        own_check(bench, &bench->bn_allocators[al], &sm);
        if (sample_ok(&sm)) {
            bench->bn_allocators[kept++] = bench->bn_allocators[al];
            continue;
        }
        bench->bn_failures++;
        bench_say("%s takes no part: %s", bench->bn_allocators[al].al_name, sm.sm_error);
    }
    bench->bn_nr_allocators = kept;
}

static void skips_say(const struct bench *bench)
{
    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++)
        if (bench->bn_workloads[wk].wk_skip[0])
            bench_say("%s is skipped: %s", bench->bn_workloads[wk].wk_name,
                      bench->bn_workloads[wk].wk_skip);
}

static int results_write(const struct bench *bench)
{
    int status = bench->bn_failures ? 1 : 0;

    table_print(bench, stdout);
    if (fflush(stdout))
        status = 1;
    if (bench->bn_json_file && json_write(bench, bench->bn_json_file))
        status = 1;
    if (bench->bn_plot_file && plot_write(bench, bench->bn_plot_file))
        status = 1;
    if (bench->bn_failures)
        bench_say("failures: %u", bench->bn_failures);
    return status;
}

static void catalog_print(const struct bench *bench)
{
    puts("workloads:");
    for (unsigned wk = 0; wk < bench->bn_nr_workloads; wk++) {
        const struct bench_workload *workload = &bench->bn_workloads[wk];

        printf("  %-18s %s%s%s%s\n", workload->wk_name, workload->wk_about,
               workload->wk_skip[0] ? " [skipped: " : "", workload->wk_skip,
               workload->wk_skip[0] ? "]" : "");
    }
    puts("allocators:");
    for (unsigned al = 0; al < bench->bn_nr_allocators; al++)
        printf("  %-18s %s\n", bench->bn_allocators[al].al_name,
               bench->bn_allocators[al].al_file[0] ? bench->bn_allocators[al].al_file
                                                   : "(the system's own)");
}

static int bench_run(struct bench *bench)
{
    int status = 1;

    if (!file_is_writable(bench->bn_json_file) || !file_is_writable(bench->bn_plot_file))
        return 1;
    skips_say(bench);
    if (!workloads_to_run(bench)) {
        bench_say("no workload can run here");
        return 1;
    }
    if (scratch_make(bench) && !programs_prepare(bench)) {
        allocators_check(bench);
        if (bench->bn_nr_allocators && samples_make(bench))
            bench_measure(bench);
        if (bench->bn_samples && !bench->bn_signal)
            status = results_write(bench);
    }
    scratch_remove(bench);
    free(bench->bn_samples);
    return status;
}

static int bench_command(struct bench *bench, int argc, char **argv)
{
    allocators_discover(bench);
    if (bench_options_parse(bench, argc, argv)) {
        bench_say("see slabkit bench --help");
        return 2;
    }
    if (bench->bn_help) {
        options_help(stdout);
        return 0;
    }
    if (catalog_fill(bench))
        return 1;
    if (catalog_select(bench) || allocators_select(bench))
        return 2;
    if (bench->bn_list) {
        catalog_print(bench);
        return 0;
    }
    return bench_run(bench);
}

/* Blocked signals are delivered even where ignored; a run under nohup goes on. */
static void signal_await_unless_ignored(struct bench *bench, int number)
{
    struct sigaction now;

    if (!sigaction(number, NULL, &now) && now.sa_handler != SIG_IGN)
        sigaddset(&bench->bn_await, number);
}

static void signals_block(struct bench *bench)
{
    signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would leave nothing to wait for */
    sigemptyset(&bench->bn_await);
    sigaddset(&bench->bn_await, SIGCHLD);
    signal_await_unless_ignored(bench, SIGINT);
    signal_await_unless_ignored(bench, SIGTERM);
    sigprocmask(SIG_BLOCK, &bench->bn_await, &bench->bn_mask);
}

int slabkit_bench_main(int argc, char **argv)
{
    static struct bench bench;
    int status;

    if (!home_find(&bench) || sched_getaffinity(0, sizeof(bench.bn_cpus), &bench.bn_cpus)) {
        bench_say("cannot read /proc/self/exe or the CPU affinity");
        return 1;
    }
    signals_block(&bench);
    status = bench_command(&bench, argc, argv);
    sigprocmask(SIG_SETMASK, &bench.bn_mask, NULL);
    if (bench.bn_signal)
        raise(bench.bn_signal);
    free((char *)bench.bn_patterns);
    free((char *)bench.bn_only);
    return status;
}
