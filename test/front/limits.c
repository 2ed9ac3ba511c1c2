/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: life under RLIMIT_AS and RLIMIT_DATA: the program starts, gets a fair share of what the
 *       limit allows, is refused with ENOMEM, frees, and gets as much again; threads still start.
 *       usage: limits [as|data BYTES]   (the second form runs below that limit, already set)
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "expect.h"
#include "../oracle/engine.h"

#define MIB         ((size_t)1 << 20)
#define STACK_BYTES (256u << 10)

/* Blocks chained through their first word, so that the test needs no memory of its own. */
struct link {
    struct link *next;
};

static const size_t block_bytes[] = {48, 1000, 30000, 200000, 3 * MIB, 20 * MIB};
#define BLOCK_SIZES (sizeof(block_bytes) / sizeof(block_bytes[0]))
#define BLOCKS_MOST 1500000u /* more of them take too long */

static struct link *chain_until_refused(size_t bytes, size_t *total)
{
    struct link *chain = NULL, *p;

    *total = 0;
    errno = 0;
    while ((p = malloc(bytes))) {
        p->next = chain;
        chain = p;
        *total += bytes;
    }
    EXPECT(errno == ENOMEM);
    return chain;
}

static void chain_free(struct link *chain)
{
    while (chain) {
        struct link *next = chain->next;

        free(chain);
        chain = next;
    }
}

/* Refusal in one function is refusal in all, and it costs nobody his block. */
static void others_are_refused(struct link *held, size_t bytes)
{
    void *p = NULL;

    errno = 0;
    EXPECT(opaque(calloc(1, 64 * bytes)) == NULL && errno == ENOMEM);
    errno = 0;
    EXPECT(opaque(realloc(held, 64 * bytes)) == NULL && errno == ENOMEM);
    EXPECT(posix_memalign(&p, 4096, 64 * bytes) == ENOMEM);
}

static void *small_main(void *arg)
{
    void *p = malloc(100);

    EXPECT(p != NULL);
    free(p);
    return arg;
}

static void thread_starts(void)
{
    pthread_attr_t attr;
    pthread_t thread;

    EXPECT(pthread_attr_init(&attr) == 0);
    EXPECT(pthread_attr_setstacksize(&attr, STACK_BYTES) == 0);
    EXPECT(pthread_create(&thread, &attr, small_main, NULL) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
}

/* A share: the system's libraries and the allocator's reserve count against the limit as well. */
static void fill_and_empty(size_t bytes, size_t limit)
{
    size_t first, second;
    struct link *chain = chain_until_refused(bytes, &first);

    EXPECT(first >= limit / 4 || first + bytes > limit / 4);
    if (chain)
        others_are_refused(chain, limit / 64);
    chain_free(chain);
    chain = chain_until_refused(bytes, &second);
    EXPECT(second >= first - first / 8);
    chain_free(chain);
    EXPECT(engine_verify() == 0);
    malloc_trim(0);
}

static void below_limit(size_t limit)
{
    thread_starts();
    for (size_t i = 0; i < BLOCK_SIZES; i++)
        if (limit / block_bytes[i] <= BLOCKS_MOST)
            fill_and_empty(block_bytes[i], limit);
    thread_starts();
}

/* ---- the parent ----------------------------------------------------------------------------- */

struct limit {
    int what;
    const char *name;
    size_t bytes;
};

static void limit_run(const struct limit *limit)
{
    struct rlimit value = {.rlim_cur = limit->bytes, .rlim_max = limit->bytes};
    char bytes[32];
    pid_t child;
    int status;

    snprintf(bytes, sizeof(bytes), "%zu", limit->bytes);
    child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(setrlimit((__rlimit_resource_t)limit->what, &value) == 0);
        execl("/proc/self/exe", "limits", limit->name, bytes, (char *)NULL);
        _exit(1);
    }
    EXPECT(waitpid(child, &status, 0) == child);
    if (status)
        dprintf(STDERR_FILENO, "with %s limited to %s: wait status %#x\n", limit->name, bytes,
                (unsigned)status);
    EXPECT(status == 0);
}

int main(int argc, char **argv)
{
    static const struct limit limits[] = {
        {RLIMIT_AS, "as", 64 * MIB},      {RLIMIT_AS, "as", 256 * MIB},
        {RLIMIT_AS, "as", 2048 * MIB},    {RLIMIT_DATA, "data", 64 * MIB},
        {RLIMIT_DATA, "data", 512 * MIB},
    };

    engine_find();
    if (argc == 3) {
        below_limit(strtoull(argv[2], NULL, 10));
        return 0;
    }
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        limit_run(&limits[i]);
    return 0;
}
