/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see child.h.
 * Owns: while the command runs, SIGINT and SIGQUIT are ignored (a terminal sends them to the
 *       command too, and it decides), and the other signals that would end us are sent on to
 *       it.
 * Why: signals are blocked and fetched by sigwaitinfo, not handled: nothing runs in a handler,
 *       and none
 *      can be lost between a check and a wait.
 */
#define _GNU_SOURCE

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void watched_signals(sigset_t *set)
{
    static const int fatal[] = {SIGHUP,    SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
                                SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGCHLD};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        sigaddset(set, fatal[i]);
    for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
        sigaddset(set, sig);
}

void child_hold_signals(struct child_signals *held)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction normal = {.sa_handler = SIG_DFL};
    watched_signals(&held->watched);
    sigprocmask(SIG_BLOCK, &held->watched, &held->mask);
    sigaction(SIGINT, &ignore, &held->on_int);
    sigaction(SIGQUIT, &ignore, &held->on_quit);
    sigaction(SIGPIPE, &ignore, &held->on_pipe);
    sigaction(SIGCHLD, &normal, &held->on_child); /* if ignored, there is no status to wait for */
}

static void release_signals(const struct child_signals *held)
{
    sigaction(SIGINT, &held->on_int, NULL);
    sigaction(SIGQUIT, &held->on_quit, NULL);
    sigaction(SIGPIPE, &held->on_pipe, NULL);
    sigaction(SIGCHLD, &held->on_child, NULL);
    sigprocmask(SIG_SETMASK, &held->mask, NULL);
}

static _Noreturn void child_exec(char **argv, const struct child_signals *held, int error_fd)
{
    release_signals(held);
    execvp(argv[0], argv);
    int error = errno;
    while (write(error_fd, &error, sizeof error) < 0 && errno == EINTR)
        continue;
    _exit(127);
}

/* errno of the exec, or 0 once the exec has closed the pipe. */
static int exec_outcome(int fd)
{
    int error = 0;
    ssize_t n;
    do
        n = read(fd, &error, sizeof error);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof error ? error : 0;
}

/* The command's own signals to its parent are not for it. */
static void wait_and_forward(const sigset_t *set, struct child_end *end)
{
    while (wait4(end->pid, &end->status, WNOHANG, &end->usage) == 0) {
        siginfo_t info;
        int sig = sigwaitinfo(set, &info);
        if (sig > 0 && sig != SIGCHLD && info.si_pid != end->pid)
            kill(end->pid, sig);
    }
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int child_run(char **argv, const struct child_signals *held, struct child_end *end)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    uint64_t start = now_ns();
    end->pid = fork();
    if (end->pid == 0)
        child_exec(argv, held, fds[1]);
    int error = errno;
    close(fds[1]);
    if (end->pid > 0) {
        end->exec_error = exec_outcome(fds[0]);
        wait_and_forward(&held->watched, end);
        end->elapsed_ns = now_ns() - start;
    }
    close(fds[0]);
    errno = error;
    return end->pid > 0 ? 0 : -1;
}

void child_die_alike(int sig)
{
    struct rlimit none = {0, 0};
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t set;
    setrlimit(RLIMIT_CORE, &none);
    sigaction(sig, &normal, NULL);
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    kill(getpid(), sig);
    _exit(128 + sig); /* a signal that does not kill by default did kill the command */
}
