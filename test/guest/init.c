/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: process 1 of the guest: runs the programs that /tests lists, one after the other, and ends the machine
 *       with what became of them.
 *
 *     /tests: lines    SECONDS [cid] [VAR=value...] PROGRAM [ARG...]
 *       SECONDS  after which the program and what it started are killed, and have failed
 *       cid      left out, and said so, on a kernel without concurrency ids
 *
 * Owns: the status of QEMU by the port of isa-debug-exit: GUEST_PASSED or GUEST_FAILED, as 2 * value + 1.
 * Failure: whatever is not an exit with status 0 has failed, "skipped" (77) too: what a test needs is here.
 *       A machine that never comes so far ends with another status, or not at all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define EXIT_PORT    0xf4
#define GUEST_PASSED 0x10
#define GUEST_FAILED 0x11
#define WORDS_MAX    64

#define AUXV_RSEQ_FEATURE_BYTES 27
#define FEATURE_BYTES_WITH_CID  28

struct line {
    unsigned seconds;
    bool needs_cid;
    char *word[WORDS_MAX]; /* variables, program, arguments, NULL */
};

static unsigned ran, failed, left_out;

static _Noreturn void machine_end(unsigned status)
{
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
    if (iopl(3) == 0)
        outl(status, EXIT_PORT);
    printf("guest: the machine cannot end itself\n");
    for (;;)
        pause();
}

static _Noreturn void guest_die(const char *what)
{
    printf("guest: %s: %s\n", what, strerror(errno));
    machine_end(GUEST_FAILED);
}

static void mount_one(const char *type, const char *dir)
{
    mkdir(dir, 0755);
    if (mount(type, dir, type, 0, NULL) != 0)
        guest_die(dir);
}

static void world_make(void)
{
    mount_one("proc", "/proc");
    mount_one("sysfs", "/sys");
    mount_one("devtmpfs", "/dev");
    mount_one("tmpfs", "/tmp");
    mkdir("/dev/shm", 01777);
    mount_one("tmpfs", "/dev/shm");
    setenv("PATH", "/", 1);
    setenv("LD_LIBRARY_PATH", "/lib", 1);
}

/* The kernel shall not move pages to who uses them: the tests ask where they were touched first. A kernel for one
 * node may not have the setting. */
static void balancing_stop(void)
{
    int fd = open("/proc/sys/kernel/numa_balancing", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "0", 1) != 1)
        guest_die("numa_balancing");
    close(fd);
}

static void world_describe(void)
{
    struct utsname name;
    char online[64] = "0";
    FILE *nodes = fopen("/sys/devices/system/node/online", "r");

    uname(&name);
    if (nodes) {
        if (fgets(online, sizeof(online), nodes))
            online[strcspn(online, "\n")] = '\0';
        fclose(nodes);
    }
    printf("guest: Linux %s, %ld CPUs, nodes %s, rseq features %lu\n", name.release,
           sysconf(_SC_NPROCESSORS_ONLN), online, getauxval(AUXV_RSEQ_FEATURE_BYTES));
}

/* ---- one line of /tests -------------------------------------------------------------------- */

/* false: nothing to run in it. */
static bool line_parse(struct line *l, char *text)
{
    char *word = strtok(text, " \n");
    unsigned n = 0;

    if (!word || *word == '#')
        return false;
    *l = (struct line){.seconds = (unsigned)strtoul(word, NULL, 10)};
    while ((word = strtok(NULL, " \n")) && n < WORDS_MAX - 1)
        if (n == 0 && strcmp(word, "cid") == 0)
            l->needs_cid = true;
        else
            l->word[n++] = word;
    if (l->seconds == 0 || n == 0 || word)
        guest_die("a line of /tests is wrong");
    return true;
}

static void line_name(const struct line *l, char *name, size_t bytes)
{
    *name = '\0';
    for (char *const *w = l->word; *w; w++)
        snprintf(name + strlen(name), bytes - strlen(name), "%s%s", w == l->word ? "" : " ", *w);
}

static _Noreturn void line_exec(const struct line *l)
{
    char *const *w = l->word;

    setsid();
    for (; *w && strchr(*w, '='); w++)
        putenv(*w);
    if (*w)
        execvp(*w, w);
    printf("guest: cannot run it: %s\n", *w ? strerror(errno) : "no program");
    fflush(stdout);
    _exit(127);
}

/* The program's status as waitpid gives it; late: it was killed. Orphans are reaped on the way. */
static int program_wait(pid_t pid, unsigned seconds, bool *late)
{
    time_t end = time(NULL) + (time_t)seconds;
    int status;
    pid_t ended;

    *late = false;
    while ((ended = waitpid(-1, &status, WNOHANG)) != pid) {
        if (!*late && time(NULL) > end) {
            *late = true;
            kill(-1, SIGKILL);
        }
        if (ended <= 0)
            nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    return status;
}

static void line_judge(const char *name, int status, bool late, unsigned seconds)
{
    ran++;
    if (!late && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        printf("guest: ok: %s\n", name);
        return;
    }
    failed++;
    if (late)
        printf("guest: FAILED: %s: not done in %u s\n", name, seconds);
    else if (WIFSIGNALED(status))
        printf("guest: FAILED: %s: killed by %s\n", name, strsignal(WTERMSIG(status)));
    else
        printf("guest: FAILED: %s: status %d\n", name, WEXITSTATUS(status));
}

static unsigned long seconds_since_boot(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (unsigned long)now.tv_sec;
}

static void line_run(const struct line *l)
{
    char name[1024];
    bool late;
    pid_t pid;
    int status;

    line_name(l, name, sizeof(name));
    if (l->needs_cid && getauxval(AUXV_RSEQ_FEATURE_BYTES) < FEATURE_BYTES_WITH_CID) {
        printf("guest: left out, no concurrency ids here: %s\n", name);
        left_out++;
        return;
    }
    printf("guest: at %lu s: run: %s\n", seconds_since_boot(), name);
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        line_exec(l);
    if (pid < 0)
        guest_die("fork");
    status = program_wait(pid, l->seconds, &late);
    line_judge(name, status, late, l->seconds);
}

/* Programs see only this: no core files, no signals blocked. */
int main(void)
{
    char text[2048];
    struct line l;
    FILE *tests;

    world_make();
    balancing_stop();
    world_describe();
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    tests = fopen("/tests", "re");
    if (!tests)
        guest_die("/tests");
    while (fgets(text, sizeof(text), tests))
        if (line_parse(&l, text))
            line_run(&l);
    printf("guest: %u programs ran, %u failed, %u left out\n", ran, failed, left_out);
    machine_end(ran != 0 && failed == 0 ? GUEST_PASSED : GUEST_FAILED);
}
