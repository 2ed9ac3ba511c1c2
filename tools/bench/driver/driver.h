/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the driver's files share: allocators, workloads, samples, the run.
 * Below: each file says what it calls; nothing here calls up.
 *        bench -> {options, table, json, plot} -> {stats, catalog} -> {own, programs, redis}
 *        -> process -> allocators
 * Concurrency: one thread; the signals of bn_await are blocked during a run and waited for.
 */
#ifndef SLABKIT_BENCH_DRIVER_H
#define SLABKIT_BENCH_DRIVER_H

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define BENCH_MAX_ALLOCATORS 16
#define BENCH_MAX_WORKLOADS  64
#define BENCH_TIMEOUT_S      60
#define BENCH_OURS           "slabkit"

struct allocator {
    char al_name[32];
    char al_file[PATH_MAX]; /* what LD_PRELOAD is set to; empty: libc's own malloc */
};

/* One measurement; valid where sm_error is empty, a failure where not sm_absent. Negative figures were not measured. */
struct sample {
    double sm_ns;
    double sm_ops;
    double sm_cpu_ns; /* user and system time of the process and those it waited for */
    double sm_peak_kib;
    double sm_start_kib;
    double sm_end_kib;
    double sm_versus_ns; /* the same work done the other way, in the same process */
    char sm_versus[64];  /* "this way / other way"; empty: there is no other */
    bool sm_cache;       /* the objects came from an object cache, not from malloc */
    bool sm_absent;      /* the workload needs what this allocator has not; said in sm_error */
    char sm_error[256];
};

struct bench;
struct bench_workload;

typedef void sample_fn(struct bench *bench, const struct bench_workload *wk,
                       const struct allocator *al, struct sample *sm);

struct bench_workload {
    char wk_name[32];
    char wk_about[96];
    bool wk_all_cpus;      /* else pinned to one */
    unsigned wk_processes; /* started in one sample */
    sample_fn *wk_run;
    char wk_program[PATH_MAX]; /* the program it measures */
    char wk_input[PATH_MAX];   /* the program's generated input */
    char wk_skip[128];         /* why it cannot run here; empty: it can */
};

struct bench {
    /* set by options and catalog, constant while samples are taken */
    struct allocator bn_allocators[BENCH_MAX_ALLOCATORS];
    unsigned bn_nr_allocators;
    struct bench_workload bn_workloads[BENCH_MAX_WORKLOADS];
    unsigned bn_nr_workloads;
    unsigned bn_reps;
    double bn_scale;
    bool bn_list;
    bool bn_help;
    const char *bn_json_file; /* NULL: none */
    const char *bn_plot_file;
    const char *bn_patterns; /* of workloads, comma-separated; NULL: all */
    const char *bn_only;     /* of allocators, likewise */
    char bn_home[PATH_MAX];  /* directory of the running executable */
    char bn_scratch[PATH_MAX];
    cpu_set_t bn_cpus; /* allowed at start */
    sigset_t bn_mask;  /* the caller's */
    sigset_t bn_await; /* blocked for the run: SIGCHLD, and what may interrupt it */
    int bn_argc;
    char **bn_argv;

    /* results */
    struct sample *bn_samples; /* [workload][allocator][rep] */
    unsigned bn_failures;
    int bn_signal; /* that interrupted the run; 0: none */
};

static inline struct sample *bench_sample(const struct bench *bench, unsigned wk, unsigned al,
                                          unsigned rep)
{
    return &bench->bn_samples[(wk * bench->bn_nr_allocators + al) * bench->bn_reps + rep];
}

/* Messages go to stderr with the command's name in front. */
__attribute__((format(printf, 1, 2))) void bench_say(const char *format, ...);

/* True when text matches one of the comma-separated shell patterns; NULL matches everything. */
bool pattern_matches(const char *patterns, const char *text);
/* The first pattern that matches none of the names, copied into the buffer; false: all match. */
bool pattern_unmatched(const char *patterns, const char *(*name_at)(const struct bench *, unsigned),
                       const struct bench *bench, char *unmatched, size_t bytes);

/* options.c: 0 to go on, -1 after a message: wrong usage. */
int bench_options_parse(struct bench *bench, int argc, char **argv);
void options_help(FILE *out);

/* allocators.c */
void allocators_discover(struct bench *bench);
/* "NAME=FILE": 0, or -1 after a message. Replaces a discovered allocator of the same name. */
int allocators_add(struct bench *bench, const char *spec);
int allocators_select(struct bench *bench);
int allocators_index(const struct bench *bench, const char *name); /* -1: none */

/* catalog.c: fills the workloads, in the order of the table; 0, or -1 after a message. */
int catalog_fill(struct bench *bench);
int catalog_select(struct bench *bench);
struct bench_workload *catalog_add(struct bench *bench, const char *name, const char *about);
/* Searches $PATH for an ELF program; a script would start others under the preload. */
bool program_find(const char *name, char *path, size_t bytes);

/* own.c, programs.c, redis.c: each adds its workloads; inputs are made by programs_prepare. */
int own_add(struct bench *bench);
/* Fails the sample where a process preloaded with the allocator does not get its malloc. */
void own_check(struct bench *bench, const struct allocator *al, struct sample *sm);
void programs_add(struct bench *bench);
int programs_prepare(struct bench *bench);
void redis_add(struct bench *bench);

/* process.c */
struct process_spec {
    char *const *ps_argv;
    const char *ps_preload; /* empty or NULL: none */
    const char *ps_env[2];  /* further NAME=VALUE; NULL: none */
    const char *ps_stdin;   /* file; NULL: /dev/null */
    const char *ps_stderr;  /* file; NULL: /dev/null */
    int ps_report;          /* becomes descriptor 3 of the process; negative: none */
    cpu_set_t ps_cpus;
};

struct process_end {
    int pe_status;    /* as wait() gives it */
    double pe_cpu_ns; /* with the processes it waited for */
    double pe_peak_kib;
};

uint64_t process_now_ns(void);
/* In a process group of its own. -1 with the reason in the buffer. */
pid_t process_start(const struct process_spec *spec, const struct bench *bench, char *error,
                    size_t bytes);
/* Waits until it ends; at the deadline or at a signal its group is killed. False: it was killed. */
bool process_wait(pid_t pid, uint64_t deadline_ns, struct bench *bench, struct process_end *end);
bool process_ended(pid_t pid, struct process_end *end);
void process_kill(pid_t pid);
void process_sleep_ms(unsigned ms);
/* One CPU (the n-th allowed, counted from the last) or all. */
cpu_set_t process_one_cpu(const struct bench *bench, unsigned n);
cpu_set_t process_cpus(const struct bench *bench, const struct bench_workload *wk);
void scratch_path(const struct bench *bench, const char *name, char *path, size_t bytes);

/* sample.c: how a sample is told to have failed. */
__attribute__((format(printf, 2, 3))) void sample_fail(struct sample *sm, const char *format, ...);
/* Fails the sample unless the process ended with status 0; adds the first line of its stderr. */
void sample_check(struct bench *bench, struct sample *sm, bool ended,
                  const struct process_end *end);
static inline bool sample_ok(const struct sample *sm)
{
    return !sm->sm_error[0];
}

/* stats.c */
struct cell {
    bool ce_valid; /* at least one good sample */
    double ce_ns, ce_ns_per_op, ce_cpu_ns, ce_peak_kib, ce_start_kib, ce_end_kib; /* medians */
};

enum measure {
    MEASURE_TIME,
    MEASURE_PEAK,
    MEASURE_END
};

double stats_median(double *values, unsigned count); /* reorders; count > 0 */
double stats_geomean(const double *values, unsigned count);
/* values[mine] over the least of the others; a value that is not positive is not there. */
double stats_ratio(const double *values, unsigned count, unsigned mine); /* negative: none */

struct ratios {
    double ra_geomean;
    double ra_worst;
    unsigned ra_worst_workload;
    unsigned ra_count; /* workloads in it; 0: the figures are negative */
};

struct cell stats_cell(const struct bench *bench, unsigned wk, unsigned al);
double stats_cell_ratio(const struct bench *bench, unsigned wk, unsigned al, enum measure what);
/* The best of the other allocators; -1: none. */
int stats_best_peer(const struct bench *bench, unsigned wk, unsigned al, enum measure what);
struct ratios stats_ratios(const struct bench *bench, unsigned al, enum measure what);
bool stats_has_end(const struct bench *bench, unsigned wk);
/* Some of its objects came from object caches: no comparison of mallocs, and in no mean. */
bool stats_has_cache(const struct bench *bench, unsigned wk);
/* "this way / other way"; NULL: no sample has two ways. */
const char *stats_versus(const struct bench *bench, unsigned wk);
/* The median of the samples' ratios of one way to the other; negative: none. */
double stats_versus_ratio(const struct bench *bench, unsigned wk, unsigned al);

/* table.c, json.c, plot.c */
void table_print(const struct bench *bench, FILE *out);
int json_write(const struct bench *bench, const char *file);
int plot_write(const struct bench *bench, const char *file);

/* machine.c */
struct machine {
    char ma_cpu[128];
    char ma_kernel[256];
    char ma_libc[64];
    unsigned ma_cpus; /* allowed */
    long ma_memory_mib;
};
void machine_read(struct machine *ma, const struct bench *bench);

#endif
