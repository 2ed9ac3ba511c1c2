/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit-workloads: runs one workload in this process and reports it in one line.
 * Owns: the table of workloads.
 * Failure: wrong usage ends with status 2, a workload that cannot go on with status 1.
 * Why: a plain program, linked against no allocator; which malloc it gets is decided by who
 *      starts it, and it says which one that was, because ld.so ignores a library it cannot load.
 */
#include "workloads.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct workload *const families[] = {
    pair_workloads,     batch_workloads,  ring_workloads,  server_workloads,  sharing_workloads,
    turnover_workloads, phase_workloads,  idle_workloads,  realloc_workloads, large_workloads,
    empty_workloads,    object_workloads, typed_workloads, colour_workloads,
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* Without stdio, which allocates: a workload's allocations are its own, `empty` has none. */
__attribute__((format(printf, 2, 3))) static bool say(int fd, const char *format, ...)
{
    static char line[4096];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    return n >= 0 && (size_t)n < sizeof(line) && write(fd, line, (size_t)n) == n;
}

static const struct workload *workload_find(const char *name)
{
    for (size_t i = 0; i < FAMILIES; i++)
        for (const struct workload *wl = families[i]; wl->wl_name; wl++)
            if (!strcmp(wl->wl_name, name))
                return wl;
    return NULL;
}

static int workload_print(const struct workload *wl, int fd)
{
    return !say(fd,
                "{\"workload\": \"%s\", \"about\": \"%s\", \"all_cpus\": %s, \"processes\": %u}\n",
                wl->wl_name, wl->wl_about, wl->wl_all_cpus ? "true" : "false", wl->wl_processes);
}

static int workloads_list(int fd)
{
    for (size_t i = 0; i < FAMILIES; i++)
        for (const struct workload *wl = families[i]; wl->wl_name; wl++)
            if (workload_print(wl, fd))
                return 1;
    return 0;
}

static const char *symbol_file(const char *name)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);
    Dl_info info;

    return symbol && dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : "";
}

static int absent_report(const struct workload *wl, const struct outcome *oc, int fd)
{
    return !say(fd, "{\"workload\": \"%s\", \"absent\": \"%s\", \"malloc\": \"%s\"}\n", wl->wl_name,
                oc->oc_absent, symbol_file("malloc"));
}

static void extras_print(const struct outcome *oc, int fd)
{
    if (oc->oc_cache)
        say(fd, ", \"cache\": \"%s\"", symbol_file("kmem_cache_create"));
    if (oc->oc_versus)
        say(fd, ", \"versus\": \"%s\", \"versus_ns\": %llu", oc->oc_versus,
            (unsigned long long)oc->oc_versus_ns);
}

/* The peak is read before anything that could still raise it. */
static int outcome_report(const struct workload *wl, const struct outcome *oc, int fd)
{
    long peak_kib = work_peak_rss_kib();

    say(fd,
        "{\"workload\": \"%s\", \"ns\": %llu, \"ops\": %llu, \"ns_per_op\": %.3f, "
        "\"peak_kib\": %ld, \"start_kib\": %ld, \"end_kib\": %ld, \"malloc\": \"%s\"",
        wl->wl_name, (unsigned long long)oc->oc_ns, (unsigned long long)oc->oc_ops,
        (double)oc->oc_ns / (double)oc->oc_ops, peak_kib, oc->oc_start_kib, oc->oc_end_kib,
        symbol_file("malloc"));
    extras_print(oc, fd);
    return !say(fd, "}\n");
}

static int workload_run(const char *name, const char *scale, int fd)
{
    const struct workload *wl = workload_find(name);
    struct outcome oc = {.oc_start_kib = -1, .oc_end_kib = -1};

    if (!wl) {
        say(STDERR_FILENO, "slabkit-workloads: no workload is named '%s'\n", name);
        return 2;
    }
    work_set_scale(scale ? strtod(scale, NULL) : 1.0);
    wl->wl_run(wl, &oc);
    return oc.oc_absent ? absent_report(wl, &oc, fd) : outcome_report(wl, &oc, fd);
}

static int fd_of(const char *text)
{
    return text ? (int)strtol(text, NULL, 10) : STDOUT_FILENO;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && argc <= 3 && !strcmp(argv[1], "--list"))
        return workloads_list(fd_of(argv[2]));
    if (argc >= 2 && argc <= 4 && argv[1][0] != '-')
        return workload_run(argv[1], argc > 2 ? argv[2] : NULL, fd_of(argc > 3 ? argv[3] : NULL));
    say(STDERR_FILENO, "usage: slabkit-workloads --list [FD] | WORKLOAD [SCALE [FD]]\n");
    return 2;
}
