/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: redis-server on the allocator, driven by redis-benchmark on libc, over 127.0.0.1.
 * Below: catalog, process, sample.
 * Why: the server is on one CPU and the client on another, so that a change in the one is not
 *      lost in how the two are scheduled. Packaged servers are linked against jemalloc: to run
 *      one on libc's malloc, libc itself is put in front by preload.
 */
#include "driver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REDIS_REQUESTS 35000
#define REDIS_TESTS    "set,get,lpush,lpop,hset,sadd,zadd"
#define REDIS_NR_TESTS 7

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* A port that was free a moment ago; 0: none. */
static uint16_t port_free(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
                 !getsockname(fd, (struct sockaddr *)&address, &length);

    if (fd >= 0)
        close(fd);
    return bound ? ntohs(address.sin_port) : 0;
}

static bool port_answers(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address));

    if (fd >= 0)
        close(fd);
    return answers;
}

struct redis {
    struct bench *rd_bench;
    uint64_t rd_deadline_ns;
    uint16_t rd_port;
    pid_t rd_server;
    struct process_end rd_end; /* the server's */
};

static bool server_start(struct redis *rd, const struct bench_workload *wk,
                         const struct allocator *al, struct sample *sm)
{
    char port[8], err[PATH_MAX];
    char *argv[] = {(char *)wk->wk_program,
                    "--bind",
                    "127.0.0.1",
                    "--port",
                    port,
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                    "--daemonize",
                    "no",
                    "--dir",
                    rd->rd_bench->bn_scratch,
                    NULL};
    struct process_spec spec = {.ps_argv = argv,
                                .ps_preload = al->al_file[0] ? al->al_file : "libc.so.6",
                                .ps_stderr = err,
                                .ps_report = -1,
                                .ps_cpus = process_one_cpu(rd->rd_bench, 0)};

    snprintf(port, sizeof(port), "%u", rd->rd_port);
    scratch_path(rd->rd_bench, "stderr", err, sizeof(err));
    rd->rd_server = process_start(&spec, rd->rd_bench, sm->sm_error, sizeof(sm->sm_error));
    return rd->rd_server > 0;
}

/* False: it ended, or did not come up in time. A server that ended is no longer there to reap. */
static bool server_ready(struct redis *rd, struct sample *sm)
{
    while (!port_answers(rd->rd_port)) {
        if (process_ended(rd->rd_server, &rd->rd_end)) {
            sample_check(rd->rd_bench, sm, true, &rd->rd_end);
            sample_fail(sm, "redis-server ended before it answered");
            rd->rd_server = -1;
            return false;
        }
        if (process_now_ns() > rd->rd_deadline_ns) {
            sample_fail(sm, "redis-server does not answer");
            return false;
        }
        process_sleep_ms(2);
    }
    return true;
}

static void client_run(struct redis *rd, const char *program, struct sample *sm)
{
    char port[8], requests[16], err[PATH_MAX];
    char *argv[] = {(char *)program,
                    "-h",
                    "127.0.0.1",
                    "-p",
                    port,
                    "-n",
                    requests,
                    "-c",
                    "20",
                    "-P",
                    "16",
                    "-r",
                    "50000",
                    "-d",
                    "200",
                    "-q",
                    "-t",
                    REDIS_TESTS,
                    NULL};
    struct process_spec spec = {.ps_argv = argv,
                                .ps_stderr = err,
                                .ps_report = -1,
                                .ps_cpus = process_one_cpu(rd->rd_bench, 1)};
    double count = REDIS_REQUESTS * rd->rd_bench->bn_scale;
    uint64_t start_ns = process_now_ns();
    struct process_end end = {0};
    pid_t pid;

    snprintf(port, sizeof(port), "%u", rd->rd_port);
    snprintf(requests, sizeof(requests), "%.0f", count < 100 ? 100 : count);
    scratch_path(rd->rd_bench, "stderr-client", err, sizeof(err));
    pid = process_start(&spec, rd->rd_bench, sm->sm_error, sizeof(sm->sm_error));
    if (pid < 0)
        return;
    sample_check(rd->rd_bench, sm, process_wait(pid, rd->rd_deadline_ns, rd->rd_bench, &end), &end);
    sm->sm_ns = (double)(process_now_ns() - start_ns);
    sm->sm_ops = (count < 100 ? 100 : count) * REDIS_NR_TESTS;
}

/* Asked to stop, it shuts down in order; its memory figure is in what wait4 says. */
static void server_stop(struct redis *rd, struct sample *sm)
{
    if (rd->rd_server < 0)
        return;
    kill(rd->rd_server, SIGTERM);
    sample_check(rd->rd_bench, sm,
                 process_wait(rd->rd_server, rd->rd_deadline_ns, rd->rd_bench, &rd->rd_end),
                 &rd->rd_end);
    sm->sm_cpu_ns = rd->rd_end.pe_cpu_ns;
    sm->sm_peak_kib = rd->rd_end.pe_peak_kib;
}

static void redis_sample(struct bench *bench, const struct bench_workload *wk,
                         const struct allocator *al, struct sample *sm)
{
    struct redis rd = {.rd_bench = bench,
                       .rd_deadline_ns = process_now_ns() + BENCH_TIMEOUT_S * UINT64_C(1000000000),
                       .rd_port = port_free()};

    if (!rd.rd_port) {
        sample_fail(sm, "no free port on 127.0.0.1");
        return;
    }
    if (!server_start(&rd, wk, al, sm))
        return;
    if (server_ready(&rd, sm))
        client_run(&rd, wk->wk_input, sm);
    server_stop(&rd, sm);
}

/* wk_input is the client program here. */
void redis_add(struct bench *bench)
{
    struct bench_workload *wk = catalog_add(
        bench, "redis", "redis-server driven by redis-benchmark on 127.0.0.1, pipelined");

    if (!wk)
        return;
    wk->wk_run = redis_sample;
    wk->wk_all_cpus = true;
    if (!program_find("redis-server", wk->wk_program, sizeof(wk->wk_program)))
        snprintf(wk->wk_skip, sizeof(wk->wk_skip),
                 "no dynamically linked program 'redis-server' in PATH");
    else if (!program_find("redis-benchmark", wk->wk_input, sizeof(wk->wk_input)))
        snprintf(wk->wk_skip, sizeof(wk->wk_skip),
                 "no dynamically linked program 'redis-benchmark' in PATH");
}
