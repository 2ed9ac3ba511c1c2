/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the tests of slab and of the layers above it share: the world below, slabs over
 *       runs of their own, and programs that must die with one line.
 */
#ifndef SLABKIT_TEST_SLAB_FIXTURE_H
#define SLABKIT_TEST_SLAB_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "region/meta.h"
#include "slab/slab.h"

#define TEST_SKIPPED 77
#define KIND         7u
#define SLOT         0u

static const struct region_config test_region = {.reserve_bytes = (size_t)1 << 30,
                                                 .dirty_floor_bytes = (size_t)16 << 20,
                                                 .dirty_percent = 25,
                                                 .hugepages = REGION_HUGE_NEVER};

/* Group set-up where nothing but the mode "what plat chooses" is needed. */
static inline int start_region(void **state)
{
    (void)state;
    plat_init(&(struct plat_config){0});
    region_init(&test_region);
    return region_map.npages ? 0 : -1;
}

static inline size_t used_bytes(void)
{
    struct region_stats s;

    region_get_stats(&s);
    return s.used_bytes;
}

static inline unsigned draw(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((*seed >> 33) % below);
}

static inline struct slab *slab_new(const struct slab_geom *g, unsigned colour)
{
    void *run = region_alloc(g->pages, 1, NULL);
    struct slab *s;

    assert_non_null(run);
    s = slab_make(g, run, colour, 0, SLOT);
    assert_non_null(s);
    return s;
}

/* On a list, as its owner keeps it. */
static inline struct slab *slab_new_on(const struct slab_geom *g, struct list *list)
{
    struct slab *s = slab_new(g, 0);

    list_push(list, &s->sl_link);
    return s;
}

static inline char *object(const struct slab *s, unsigned i)
{
    return s->sl_first + (size_t)i * s->sl_geom->size;
}

/* The only one on it. */
static inline bool alone_on(const struct slab *s, const struct list *list)
{
    return list->next == &s->sl_link && list->prev == &s->sl_link;
}

/* ---- programs that must die ----------------------------------------------------- */

struct death {
    int status;
    char text[8192];
};

static inline struct death die_in_child(void (*fn)(void *arg), void *arg)
{
    struct death d = {0};
    char *emulator; /* adds a line of its own */
    size_t len = 0;
    ssize_t n;
    int pipes[2];
    pid_t pid;

    assert_int_equal(pipe(pipes), 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        dup2(pipes[1], 2);
        close(pipes[0]);
        close(pipes[1]);
        fn(arg);
        _exit(0);
    }
    close(pipes[1]);
    while (len < sizeof(d.text) - 1 &&
           (n = read(pipes[0], d.text + len, sizeof(d.text) - 1 - len)) > 0)
        len += (size_t)n;
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &d.status, 0), pid);
    emulator = strstr(d.text, "qemu: uncaught target signal");
    if (emulator)
        *emulator = 0;
    return d;
}

/* By SIGABRT, with exactly this line on stderr. */
#define expect_death(fn, arg, ...)                                                                 \
    do {                                                                                           \
        struct death death_ = die_in_child(fn, arg);                                               \
        char want_[sizeof(death_.text)];                                                           \
        snprintf(want_, sizeof(want_), __VA_ARGS__);                                               \
        assert_string_equal(death_.text, want_);                                                   \
        assert_true(WIFSIGNALED(death_.status) && WTERMSIG(death_.status) == SIGABRT);             \
    } while (0)

#endif
