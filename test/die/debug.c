/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one tiny program for each fault that a debug cache finds; each must die with the report whose first line
 *       debug_expected.txt has. usage: die_debug CASE; without a case it prints their names.
 * Why: a case that comes back from its misuse ends with 0, which check_debug.sh takes as a failure.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slabkit/kmem_cache.h>

#define SIZE 40u
#define MANY 3000u
#define ALL  KMEM_DEBUG

/* Named in the stacks of reports: the program is linked with -rdynamic. */
#define SHOWN __attribute__((visibility("default"), noinline))
SHOWN void *take(struct kmem_cache *c);
SHOWN void drop(struct kmem_cache *c, void *p);

static void *opaque(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static struct kmem_cache *make(const char *name, unsigned flags)
{
    const struct kmem_cache_args args = {.flags = flags};
    struct kmem_cache *c = kmem_cache_create(name, SIZE, &args);

    if (!c)
        exit(2);
    return c;
}

static int construct(void *obj, void *priv, int flags)
{
    (void)priv;
    (void)flags;
    memset(obj, 0x42, SIZE);
    return 0;
}

static struct kmem_cache *make_constructed(unsigned flags)
{
    const struct kmem_cache_args args = {.flags = flags, .ctor = construct};
    struct kmem_cache *c = kmem_cache_create("conn", SIZE, &args);

    if (!c)
        exit(2);
    return c;
}

void *take(struct kmem_cache *c)
{
    void *p = opaque(kmem_cache_alloc(c, M_WAITOK));

    if (!p)
        exit(2);
    return p;
}

void drop(struct kmem_cache *c, void *p)
{
    kmem_cache_free(c, opaque(p));
    __asm__ volatile("");
}

/* Sooner or later the cache gives every free object of its slabs. */
static void take_many(struct kmem_cache *c)
{
    for (unsigned i = 0; i < MANY; i++)
        take(c);
}

static void scribble(void *p, ptrdiff_t offset, size_t bytes)
{
    memset(opaque((char *)p + offset), 'x', bytes);
}

/* ---- zones --------------------------------------------------------------------------------------- */

static void overrun_by_one(void)
{
    struct kmem_cache *c = make("conn", KMEM_REDZONE);
    void *p = take(c);

    scribble(p, 0, SIZE + 1);
    drop(c, p);
}

static void overrun_by_four(void)
{
    struct kmem_cache *c = make("conn", ALL);
    void *p = take(c);

    scribble(p, SIZE + 2, 4);
    drop(c, p);
}

static void underrun_by_two(void)
{
    struct kmem_cache *c = make("conn", ALL);
    void *p = take(c);

    scribble(p, -2, 2);
    drop(c, p);
}

/* The zones of a free object are looked at, too. */
static void overrun_while_free(void)
{
    struct kmem_cache *c = make("conn", KMEM_REDZONE | KMEM_STORE_USER);
    void *p = take(c);

    drop(c, p);
    scribble(p, SIZE, 1);
    take_many(c);
}

static int construct_too_much(void *obj, void *priv, int flags)
{
    (void)priv;
    (void)flags;
    memset(obj, 0x42, SIZE + 3);
    return 0;
}

static void overrun_by_the_constructor(void)
{
    const struct kmem_cache_args args = {.flags = KMEM_REDZONE, .ctor = construct_too_much};

    take(kmem_cache_create("conn", SIZE, &args));
}

/* ---- use after free ------------------------------------------------------------------------------ */

static void use_found_at_alloc(void)
{
    struct kmem_cache *c = make("conn", ALL);
    void *p = take(c);

    drop(c, p);
    scribble(p, 8, 4);
    take_many(c);
}

static void use_found_at_shrink(void)
{
    struct kmem_cache *c = make("conn", KMEM_POISON);
    void *p = take(c);

    drop(c, p);
    scribble(p, SIZE - 1, 1);
    kmem_cache_shrink(c);
}

static void use_of_constructed(void)
{
    struct kmem_cache *c = make_constructed(ALL);
    void *p = take(c);

    drop(c, p);
    scribble(p, 19, 1);
    take_many(c);
}

static void use_of_constructed_found_at_destroy(void)
{
    struct kmem_cache *c = make_constructed(KMEM_POISON);
    void *p = take(c);

    drop(c, p);
    scribble(p, 0, SIZE);
    kmem_cache_destroy(c);
}

/* ---- records ------------------------------------------------------------------------------------ */

/* Without red zones the neighbour's record is what is behind the object. */
static void record_overrun(void)
{
    struct kmem_cache *c = make("conn", KMEM_CONSISTENCY);
    char *p = take(c), *q = take(c);

    if (q < p) {
        char *t = p;
        p = q;
        q = t;
    }
    scribble(p, 0, (size_t)(q - p));
    drop(c, q);
}

/* ---- misuse at the call ---------------------------------------------------------------------------- */

static void double_free(void)
{
    struct kmem_cache *c = make("conn", ALL);
    void *p = take(c);

    drop(c, p);
    drop(c, p);
}

struct job {
    struct kmem_cache *c;
    void *p;
};

static void *free_once(void *arg)
{
    struct job *job = arg;

    drop(job->c, job->p);
    return NULL;
}

static void double_free_two_threads(void)
{
    struct job job = {make("conn", KMEM_CONSISTENCY), NULL};
    pthread_t thread;

    job.p = take(job.c);
    if (pthread_create(&thread, NULL, free_once, &job) || pthread_join(thread, NULL))
        exit(2);
    drop(job.c, job.p);
}

static void double_free_bulk(void)
{
    struct kmem_cache *c = make_constructed(KMEM_CONSISTENCY);
    void *p = take(c), *both[2] = {p, p};

    kmem_cache_free_bulk(c, 2, both);
}

static void double_free_deferred(void)
{
    struct kmem_cache *c = make("conn", KMEM_CONSISTENCY);
    void *p = take(c);

    kmem_cache_free_deferred(c, p);
    kmem_cache_free_deferred(c, p);
    kmem_cache_barrier();
}

static void never_allocated(void)
{
    struct kmem_cache *c = make("conn", ALL);
    char *p = take(c), *q = take(c);

    drop(c, p + 3 * (q - p));
}

static void wrong_cache(void)
{
    struct kmem_cache *c = make("conn", ALL), *other = make("inode", KMEM_CONSISTENCY);

    drop(c, take(other));
}

static void wrong_cache_without_debug(void)
{
    struct kmem_cache *c = make("conn", KMEM_CONSISTENCY), *other = make("inode", 0);

    drop(c, take(other));
}

static void foreign(void)
{
    struct kmem_cache *c = make("conn", ALL);
    static long in_data[1000];

    take(c);
    drop(c, &in_data[500]);
}

static void interior(void)
{
    struct kmem_cache *c = make("conn", ALL);

    drop(c, (char *)take(c) + 8);
}

static void misaligned(void)
{
    struct kmem_cache *c = make("conn", KMEM_CONSISTENCY);

    drop(c, (char *)take(c) + 1);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"overrun-by-one", overrun_by_one},
    {"overrun-by-four", overrun_by_four},
    {"underrun-by-two", underrun_by_two},
    {"overrun-while-free", overrun_while_free},
    {"overrun-by-the-constructor", overrun_by_the_constructor},
    {"use-found-at-alloc", use_found_at_alloc},
    {"use-found-at-shrink", use_found_at_shrink},
    {"use-of-constructed", use_of_constructed},
    {"use-of-constructed-found-at-destroy", use_of_constructed_found_at_destroy},
    {"record-overrun", record_overrun},
    {"double-free", double_free},
    {"double-free-two-threads", double_free_two_threads},
    {"double-free-bulk", double_free_bulk},
    {"double-free-deferred", double_free_deferred},
    {"never-allocated", never_allocated},
    {"wrong-cache", wrong_cache},
    {"wrong-cache-without-debug", wrong_cache_without_debug},
    {"foreign", foreign},
    {"interior", interior},
    {"misaligned", misaligned},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (argc < 2)
            puts(cases[i].name);
        else if (!strcmp(argv[1], cases[i].name)) {
            cases[i].run();
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}
