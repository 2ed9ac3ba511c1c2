/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: clock, memory figures, pages, pinning and random numbers for the workloads.
 * Failure: whatever the measurement stands on and cannot be had ends the process with status 1.
 * Why: figures are read from /proc with plain read() into the stack; stdio would allocate.
 */
#include "workloads.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static double work_scale = 1.0;

void work_set_scale(double scale)
{
    work_scale = scale;
}

uint64_t work_count(uint64_t full)
{
    double scaled = (double)full * work_scale;

    return scaled < 1.0 ? 1 : (uint64_t)scaled;
}

_Noreturn void work_die(const char *why)
{
    dprintf(STDERR_FILENO, "slabkit-workloads: %s\n", why);
    _exit(1);
}

uint64_t work_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void work_start(struct outcome *oc)
{
    oc->oc_ns = work_now_ns();
}

void work_stop(struct outcome *oc, uint64_t ops)
{
    oc->oc_ns = work_now_ns() - oc->oc_ns;
    oc->oc_ops = ops;
}

#define TURNS 200u

static uint64_t calls_time(void (*way)(void *), void *arg, uint64_t calls)
{
    uint64_t start_ns = work_now_ns();

    for (uint64_t i = 0; i < calls; i++)
        way(arg);
    return work_now_ns() - start_ns;
}

/* Who goes first in a turn goes second in the next. A first call of each, untimed, warms both up. */
void work_two_ways(struct outcome *oc, const struct two_ways *tw)
{
    uint64_t calls = work_count(tw->tw_calls) / TURNS + 1;
    void (*way[2])(void *) = {tw->tw_one, tw->tw_other};
    uint64_t ns[2] = {0, 0};

    calls_time(way[0], tw->tw_arg, 1);
    calls_time(way[1], tw->tw_arg, 1);
    for (unsigned i = 0; i < 2 * TURNS; i++) {
        unsigned which = (i ^ i >> 1) & 1;

        ns[which] += calls_time(way[which], tw->tw_arg, calls);
    }
    oc->oc_ns = ns[0];
    oc->oc_versus_ns = ns[1];
    oc->oc_versus = tw->tw_versus;
    oc->oc_ops = calls * TURNS * tw->tw_ops;
}

static void proc_read(const char *path, char *text, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, bytes - 1);

    if (got <= 0)
        work_die("cannot read /proc/self");
    text[got] = '\0';
    close(fd);
}

long work_rss_kib(void)
{
    char text[128];
    const char *resident;

    proc_read("/proc/self/statm", text, sizeof(text));
    resident = strchr(text, ' ');
    if (!resident)
        work_die("/proc/self/statm has no second field");
    return strtol(resident, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* VmHWM starts anew at exec; ru_maxrss would start at what the parent had at the fork. */
long work_peak_rss_kib(void)
{
    char text[4096];
    const char *peak;

    proc_read("/proc/self/status", text, sizeof(text));
    peak = strstr(text, "VmHWM:");
    if (!peak)
        work_die("/proc/self/status has no VmHWM");
    return strtol(peak + strlen("VmHWM:"), NULL, 10);
}

void *work_pages(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        work_die("cannot map pages");
    return p;
}

void work_sleep_ms(unsigned ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&ts, &ts))
        ;
}

static cpu_set_t allowed_cpus(void)
{
    cpu_set_t allowed;

    if (sched_getaffinity(getpid(), sizeof(allowed), &allowed))
        work_die("cannot read the CPU affinity");
    return allowed;
}

unsigned work_cpus(void)
{
    cpu_set_t allowed = allowed_cpus();

    return (unsigned)CPU_COUNT(&allowed);
}

static int cpu_nth(const cpu_set_t *allowed, unsigned n)
{
    int cpu = 0;

    for (;; cpu++)
        if (CPU_ISSET(cpu, allowed) && n-- == 0)
            return cpu;
}

void work_pin(unsigned i)
{
    cpu_set_t allowed = allowed_cpus();
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(cpu_nth(&allowed, i % (unsigned)CPU_COUNT(&allowed)), &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        work_die("cannot pin a thread");
}

static unsigned size_log2(size_t n)
{
    return 63u - (unsigned)__builtin_clzll(n);
}

size_t random_size(struct random *rn, size_t lo, size_t hi)
{
    unsigned doublings = size_log2(hi / lo);
    size_t base = lo << random_below(rn, doublings ? doublings : 1);
    size_t top = base * 2 - 1;

    return random_between(rn, base, top < hi ? top : hi);
}

/* Fisher and Yates, in Durstenfeld's form. */
void random_order(struct random *rn, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = (uint32_t)random_below(rn, i);
        uint32_t swap = order[i - 1];

        order[i - 1] = order[j];
        order[j] = swap;
    }
}
