/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see child.h.
 * Owns: while the command runs, SIGINT and SIGQUIT are ignored (a terminal sends them to the
 * command too, and it decides), and the other signals that would end us are sent on to it. Why:
 * signals are blocked and fetched by sigwaitinfo, not handled: nothing runs in a handler, and none
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

/* What the command must find as we found it. */
struct inherited {
    sigset_t mask;
    struct sigaction on_int, on_quit, on_child;
};

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

static void signals_hold(const sigset_t *set, struct inherited *in)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigprocmask(SIG_BLOCK, set, &in->mask);
    sigaction(SIGINT, &ignore, &in->on_int);
    sigaction(SIGQUIT, &ignore, &in->on_quit);
    sigaction(SIGCHLD, &normal,
              &in->on_child); /* if ignored, there would be no status to wait for */
}

static void signals_release(const struct inherited *in)
{
    sigaction(SIGINT, &in->on_int, NULL);
    sigaction(SIGQUIT, &in->on_quit, NULL);
    sigaction(SIGCHLD, &in->on_child, NULL);
    sigprocmask(SIG_SETMASK, &in->mask, NULL);
}

static _Noreturn void child_exec(char **argv, const struct inherited *in, int error_fd)
{
    signals_release(in);
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

static void close_pair(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

int child_run(char **argv, struct child_end *end)
{
    struct inherited in;
    sigset_t set;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    watched_signals(&set);
    signals_hold(&set, &in);
    uint64_t start = now_ns();
    end->pid = fork();
    if (end->pid == 0)
        child_exec(argv, &in, fds[1]);
    if (end->pid < 0) {
        int error = errno;
        close_pair(fds);
        signals_release(&in);
        errno = error;
        return -1;
    }
    close(fds[1]);
    end->exec_error = exec_outcome(fds[0]);
    close(fds[0]);
    wait_and_forward(&set, end);
    end->elapsed_ns = now_ns() - start;
    return 0;
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
