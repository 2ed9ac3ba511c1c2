/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: start a process with a preload on chosen CPUs, wait for it no longer than allowed.
 * Below: posix_spawn, wait4.
 * Concurrency: the signals of bn_await are blocked by the caller, so that sigtimedwait sees each
 *       of them and none falls between a look and a wait.
 * Why: posix_spawn copies no page tables. A child's ru_maxrss starts at the driver's own size,
 * which therefore stays small; where that matters a workload reads its own VmHWM. Affinity is
 *      inherited, so the driver takes it on for the moment of the spawn.
 */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define ENV_OURS 4 /* LD_PRELOAD, two further, the end */

uint64_t process_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void process_sleep_ms(unsigned ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&ts, NULL);
}

void scratch_path(const struct bench *bench, const char *name, char *path, size_t bytes)
{
    if ((size_t)snprintf(path, bytes, "%s/%s", bench->bn_scratch, name) >= bytes)
        path[0] = '\0';
}

cpu_set_t process_one_cpu(const struct bench *bench, unsigned n)
{
    cpu_set_t one;
    unsigned skip = n % (unsigned)CPU_COUNT(&bench->bn_cpus);

    CPU_ZERO(&one);
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
        if (!CPU_ISSET(cpu, &bench->bn_cpus) || skip-- > 0)
            continue;
        CPU_SET(cpu, &one);
        break;
    }
    return one;
}

cpu_set_t process_cpus(const struct bench *bench, const struct bench_workload *wk)
{
    return wk->wk_all_cpus ? bench->bn_cpus : process_one_cpu(bench, 0);
}

static bool env_is_ours(const char *entry)
{
    return !strncmp(entry, "LD_PRELOAD=", strlen("LD_PRELOAD=")) ||
           !strncmp(entry, "PYTHONMALLOC=", strlen("PYTHONMALLOC="));
}

static size_t env_copy(char **env)
{
    size_t count = 0;

    for (char **from = environ; *from; from++)
        if (!env_is_ours(*from))
            env[count++] = *from;
    return count;
}

static size_t env_count(void)
{
    size_t count = 0;

    while (environ[count])
        count++;
    return count;
}

/* The caller frees env; its strings belong to others, the preload to the buffer. */
static char **env_make(const struct process_spec *spec, char *preload, size_t bytes)
{
    char **env = calloc(env_count() + ENV_OURS, sizeof(*env));
    size_t count;

    if (!env)
        return NULL;
    count = env_copy(env);
    snprintf(preload, bytes, "LD_PRELOAD=%s", spec->ps_preload ? spec->ps_preload : "");
    if (spec->ps_preload && spec->ps_preload[0])
        env[count++] = preload;
    for (size_t i = 0; i < 2; i++)
        if (spec->ps_env[i])
            env[count++] = (char *)spec->ps_env[i];
    return env;
}

static void actions_make(posix_spawn_file_actions_t *fa, const struct process_spec *spec)
{
    const char *in = spec->ps_stdin ? spec->ps_stdin : "/dev/null";
    const char *err = spec->ps_stderr ? spec->ps_stderr : "/dev/null";

    posix_spawn_file_actions_init(fa);
    posix_spawn_file_actions_addopen(fa, 0, in, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(fa, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(fa, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (spec->ps_report >= 0)
        posix_spawn_file_actions_adddup2(fa, spec->ps_report, 3);
}

static void attributes_make(posix_spawnattr_t *at, const struct bench *bench)
{
    posix_spawnattr_init(at);
    posix_spawnattr_setflags(at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(at, 0);
    posix_spawnattr_setsigmask(at, &bench->bn_mask);
}

static int spawn_pinned(pid_t *pid, const struct process_spec *spec, const struct bench *bench,
                        char **env)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    int error;

    actions_make(&fa, spec);
    attributes_make(&at, bench);
    sched_setaffinity(0, sizeof(spec->ps_cpus), &spec->ps_cpus);
    error = posix_spawn(pid, spec->ps_argv[0], &fa, &at, spec->ps_argv, env);
    sched_setaffinity(0, sizeof(bench->bn_cpus), &bench->bn_cpus);
    posix_spawnattr_destroy(&at);
    posix_spawn_file_actions_destroy(&fa);
    return error;
}

pid_t process_start(const struct process_spec *spec, const struct bench *bench, char *error,
                    size_t bytes)
{
    char preload[PATH_MAX + 16];
    char **env = env_make(spec, preload, sizeof(preload));
    pid_t pid = -1;
    int code = env ? spawn_pinned(&pid, spec, bench, env) : ENOMEM;

    free(env);
    if (code) {
        snprintf(error, bytes, "cannot start %s: %s", spec->ps_argv[0], strerror(code));
        return -1;
    }
    return pid;
}

void process_kill(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

static double timeval_ns(struct timeval tv)
{
    return (double)tv.tv_sec * 1e9 + (double)tv.tv_usec * 1e3;
}

static bool process_reap(pid_t pid, int flags, struct process_end *end)
{
    struct rusage usage;

    if (wait4(pid, &end->pe_status, flags, &usage) != pid)
        return false;
    end->pe_cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
    end->pe_peak_kib = (double)usage.ru_maxrss;
    return true;
}

bool process_ended(pid_t pid, struct process_end *end)
{
    return process_reap(pid, WNOHANG, end);
}

/* The signal that came, 0 when the time was over. */
static int signal_await(const sigset_t *awaited, uint64_t deadline_ns)
{
    uint64_t now = process_now_ns();
    uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    struct timespec ts = {.tv_sec = (time_t)(left / 1000000000u),
                          .tv_nsec = (long)(left % 1000000000u)};
    int signal;

    do
        signal = sigtimedwait(awaited, NULL, &ts);
    while (signal < 0 && errno == EINTR);
    return signal < 0 ? 0 : signal;
}

bool process_wait(pid_t pid, uint64_t deadline_ns, struct bench *bench, struct process_end *end)
{
    while (!process_ended(pid, end)) {
        int signal = signal_await(&bench->bn_await, deadline_ns);

        if (signal == SIGCHLD)
            continue;
        bench->bn_signal = signal;
        process_kill(pid);
        process_reap(pid, 0, end);
        return false;
    }
    return true;
}
