/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: memory comes back: by itself when the program idles, at once with malloc_trim, in a
 *       forked child too; and with reaper=off nothing happens behind the program's back.
 *       usage: reaper idle|trim|fork|off
 * Why: while it waits the program calls nothing that allocates; /proc is read by read(2).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "expect.h"
#include "../oracle/engine.h"

#define MIB           ((size_t)1 << 20)
#define DEADLINE_SECS 20u
#define POLL_MS       50u
#define OFF_WAIT_MS   1500u
/* Pages of the C library and of ours that are touched for the first time meanwhile: thread creation. */
#define SLACK (MIB / 2)

struct link {
    struct link *next;
};

static size_t file_number(const char *path, const char *after)
{
    static char text[8192];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;
    const char *at;

    EXPECT(fd >= 0);
    got = read(fd, text, sizeof(text) - 1);
    EXPECT(got > 0);
    close(fd);
    text[got] = '\0';
    at = strstr(text, after);
    EXPECT(at != NULL);
    return strtoul(at + strlen(after), NULL, 10);
}

static size_t resident(void)
{
    return file_number("/proc/self/status", "VmRSS:") * 1024;
}

static size_t threads(void)
{
    return file_number("/proc/self/status", "Threads:");
}

static struct link *chain_make(size_t total)
{
    struct link *chain = NULL;
    size_t size = 16;

    for (size_t sum = 0; sum < total; sum += size) {
        struct link *p = malloc(size);

        EXPECT(p != NULL);
        fill(p, size, 1);
        p->next = chain;
        chain = p;
        size = 16 + (size * 7 + 32) % 512;
    }
    return chain;
}

static void use_and_free(size_t total)
{
    struct link *chain = chain_make(total);

    EXPECT(resident() >= total);
    while (chain) {
        struct link *next = chain->next;

        free(chain);
        chain = next;
    }
}

static void sleep_ms(unsigned ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&ts, &ts))
        ;
}

static size_t slack = SLACK;

static bool is_back(size_t start)
{
    return resident() <= start + start / 10 + slack;
}

/* Waits until the memory is back; the time is told, not judged. */
static void await_return(size_t start, const char *who)
{
    unsigned waited = 0;

    while (!is_back(start) && waited < DEADLINE_SECS * 1000) {
        sleep_ms(POLL_MS);
        waited += POLL_MS;
    }
    printf("%s: from %zu KiB at start, back to %zu KiB after %u ms of idling\n", who, start / 1024,
           resident() / 1024, waited);
    fflush(stdout);
    EXPECT(is_back(start));
}

static void run_idle(void)
{
    size_t start = resident();

    EXPECT(threads() == 1);
    use_and_free(1024 * MIB);
    await_return(start, "idle");
    EXPECT(threads() == 2);
    slack = 0; /* all code has run */
    start = resident();
    use_and_free(1024 * MIB);
    await_return(start, "idle again");
}

static void run_trim(void)
{
    size_t start = resident();

    use_and_free(256 * MIB);
    malloc_trim(0);
    EXPECT(is_back(start));
}

/* The parent's reaper runs when it forks; the child has to start its own. */
static void run_fork(void)
{
    size_t start = resident();
    pid_t child;
    int status;

    use_and_free(256 * MIB);
    await_return(start, "parent");
    /* The child's own start says nothing: fork leaves out the pages of files. */
    start = resident();
    slack = 2 * MIB;
    child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(threads() == 1);
        use_and_free(256 * MIB);
        await_return(start, "child");
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

static void run_off(void)
{
    use_and_free(256 * MIB);
    sleep_ms(OFF_WAIT_MS);
    EXPECT(threads() == 1);
    EXPECT(resident() >= 4 * MIB + SLACK);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } runs[] = {{"idle", run_idle}, {"trim", run_trim}, {"fork", run_fork}, {"off", run_off}};

    engine_find();
    for (size_t i = 0; argc == 2 && i < sizeof(runs) / sizeof(runs[0]); i++)
        if (!strcmp(argv[1], runs[i].name)) {
            printf("%s\n", argv[1]);
            runs[i].run();
            return 0;
        }
    fprintf(stderr, "usage: reaper idle|trim|fork|off\n");
    return 2;
}
