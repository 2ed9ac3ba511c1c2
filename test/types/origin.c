/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: malloc with option types: who is said to have allocated did, and each count is exact, with
 *       many threads, frees elsewhere, forks and a library that is unloaded.
 * Why: a program under preload, which finds slabkit's calls when it runs.
 *
 * usage: origin dso|site|sample|token LIBRARY
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabkit/kmalloc.h>

#define THREADS 4
#define EACH    20000u
#define TYPES   512

static int faults;

#define EXPECT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            faults++;                                                                              \
        }                                                                                          \
    } while (0)

static size_t (*types)(struct malloc_type_stats *out, size_t n);
static unsigned (*verify)(void);

static void *must(void *library, const char *name)
{
    void *p = dlsym(library, name);

    if (!p) {
        fprintf(stderr, "no %s\n", name);
        exit(1);
    }
    return p;
}

/* A function that returns to its caller, so that the call is at a place of its own. */
static void *here(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static struct malloc_type_stats all[TYPES];

/* The sum over types whose name begins so; zero if none does. */
static struct malloc_type_stats sum_of(const char *name)
{
    size_t n = types(all, TYPES);
    struct malloc_type_stats sum = {0};

    for (size_t i = 0; i < n && i < TYPES; i++)
        if (strncmp(all[i].name, name, strlen(name)) == 0) {
            sum.calls += all[i].calls;
            sum.inuse += all[i].inuse;
            sum.memuse += all[i].memuse;
            sum.waits++;
        }
    return sum;
}

/* ---- by shared object ------------------------------------------------------------------------- */

static void *(*lib_malloc)(size_t);
static void *(*lib_realloc)(void *, size_t);

static void *many(void *arg)
{
    void **out = arg;

    for (unsigned i = 0; i < EACH; i++) {
        out[i] = (i % 2 ? lib_malloc : malloc)(i % 700 + 1);
        if (i % 3 == 0) {
            free(out[i]);
            out[i] = NULL;
        }
    }
    return NULL;
}

static size_t usable(void **p, unsigned from, unsigned step)
{
    size_t sum = 0;

    for (unsigned i = from; i < THREADS * EACH; i += step)
        sum += p[i] ? malloc_usable_size(p[i]) : 0;
    return sum;
}

static unsigned blocks(void **p, unsigned from, unsigned step)
{
    unsigned sum = 0;

    for (unsigned i = from; i < THREADS * EACH; i += step)
        sum += p[i] != NULL;
    return sum;
}

static void check_fork(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        struct malloc_type_stats before = sum_of("origin_lib"), after;

        for (unsigned i = 0; i < 1000; i++)
            free(lib_malloc(i));
        after = sum_of("origin_lib");
        _exit(after.calls != before.calls + 1000 || after.inuse != before.inuse);
    }
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
}

static void by_dso(void)
{
    static void *p[THREADS * EACH];
    pthread_t threads[THREADS];
    struct malloc_type_stats lib = sum_of("origin_lib"), now;

    for (unsigned i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, many, p + i * EACH);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    now = sum_of("origin_lib");
    EXPECT(now.calls - lib.calls == THREADS * EACH / 2);
    EXPECT(now.inuse - lib.inuse == blocks(p, 1, 2));
    EXPECT(now.memuse - lib.memuse == (int64_t)usable(p, 1, 2));
    for (unsigned i = 0; i < THREADS * EACH; i++)
        free(p[i]);
    now = sum_of("origin_lib");
    EXPECT(now.inuse == lib.inuse && now.memuse == lib.memuse);
    check_fork();
}

/* Every kind of block and every way to resize, with the bytes exact at each step. */
static void resizing(void)
{
    static const size_t sizes[] = {0,      1,       100,     5000,     40000,    300000,
                                   100000, 5000000, 4000000, 50000000, 60000000, 10};
    void *p = NULL;

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct malloc_type_stats s;

        p = i ? lib_realloc(p, sizes[i]) : lib_malloc(sizes[i]);
        EXPECT(p != NULL);
        s = sum_of("origin_lib");
        EXPECT(s.inuse == 1);
        EXPECT(s.memuse == (int64_t)malloc_usable_size(p));
    }
    free(p);
    EXPECT(sum_of("origin_lib").memuse == 0);
}

/* Blocks outlive their library, and its type goes on when it comes again. */
static void unloading(const char *path, void *library)
{
    void *p = lib_malloc(100);
    uint64_t calls = sum_of("origin_lib").calls;

    EXPECT(dlclose(library) == 0);
    EXPECT(sum_of("origin_lib").inuse == 1);
    free(p);
    EXPECT(sum_of("origin_lib").inuse == 0);
    library = dlopen(path, RTLD_NOW);
    lib_malloc = (void *(*)(size_t))must(library, "lib_malloc");
    free(lib_malloc(10));
    EXPECT(sum_of("origin_lib").calls == calls + 1);
}

/* ---- by place --------------------------------------------------------------------------------- */

static void by_site(void)
{
    static void *p[2000];
    struct malloc_type_stats before = sum_of("types_origin+0x"), after;

    for (unsigned i = 0; i < 1000; i++)
        p[i] = here(malloc(64));
    after = sum_of("types_origin+0x");
    EXPECT(after.waits - before.waits == 1 && after.inuse - before.inuse == 1000);
    for (unsigned i = 0; i < 500; i++)
        p[1000 + i] = here(calloc(1, 64));
    after = sum_of("types_origin+0x");
    EXPECT(after.waits - before.waits == 2 && after.inuse - before.inuse == 1500);
    for (unsigned i = 0; i < 1500; i++)
        free(p[i]);
    after = sum_of("types_origin+0x");
    EXPECT(after.inuse == before.inuse && after.memuse == before.memuse);
    EXPECT(after.calls - before.calls == 1500);
}

/* One of 8 on average: 40000 calls are estimated to within a tenth, with all but no chance of more. */
static void by_sample(void)
{
    struct malloc_type_stats s;
    void *p[100];

    for (unsigned round = 0; round < 400; round++) {
        for (unsigned i = 0; i < 100; i++)
            p[i] = lib_malloc(64);
        for (unsigned i = 0; i < 100; i++)
            free(p[i]);
    }
    s = sum_of("origin_lib");
    printf("%lu of 40000\n", (unsigned long)s.calls);
    EXPECT(s.calls > 36000 && s.calls < 44000);
    EXPECT(s.inuse == 0 && s.memuse == 0);
}

/* ---- by token --------------------------------------------------------------------------------- */

static void by_token(void)
{
    void *(*full)(size_t, size_t) =
        (void *(*)(size_t, size_t))must(RTLD_DEFAULT, "__alloc_token_malloc");
    void *(*again)(void *, size_t, size_t) =
        (void *(*)(void *, size_t, size_t))must(RTLD_DEFAULT, "__alloc_token_realloc");
    void *(*zero)(size_t, size_t, size_t) =
        (void *(*)(size_t, size_t, size_t))must(RTLD_DEFAULT, "__alloc_token_calloc");
    int (*aligned)(void **, size_t, size_t, size_t) =
        (int (*)(void **, size_t, size_t, size_t))must(RTLD_DEFAULT,
                                                       "__alloc_token_posix_memalign");
    void *(*fast)(size_t) = (void *(*)(size_t))must(RTLD_DEFAULT, "__alloc_token_7_malloc");
    void *(*new)(size_t, size_t) =
        (void *(*)(size_t, size_t))must(RTLD_DEFAULT, "__alloc_token__Znwm");
    void *(*fast_new)(size_t) = (void *(*)(size_t))must(RTLD_DEFAULT, "__alloc_token_15__Znam");
    void *p[7];

    p[0] = full(100, 1ull << 63);
    p[1] = again(NULL, 100, 1ull << 63);
    p[1] = again(p[1], 100000, 1ull << 63);
    EXPECT(sum_of("token-9223372036854775808").inuse == 2);
    EXPECT(sum_of("token-9223372036854775808").calls == 3);
    p[2] = zero(10, 10, 7);
    p[3] = fast(100);
    p[4] = new (100, 7);
    EXPECT(aligned(&p[5], 256, 100, 7) == 0);
    EXPECT(sum_of("token-7").inuse == 4);
    EXPECT(sum_of("token-7").memuse ==
           (int64_t)(malloc_usable_size(p[2]) + malloc_usable_size(p[3]) +
                     malloc_usable_size(p[4]) + malloc_usable_size(p[5])));
    p[6] = fast_new(100);
    EXPECT(sum_of("token-15").inuse == 1);
    EXPECT(sum_of("(no token)").calls > 0);
    for (unsigned i = 0; i < 7; i++)
        free(p[i]);
    EXPECT(sum_of("token-").inuse == 0 && sum_of("token-").memuse == 0);
}

int main(int argc, char **argv)
{
    void *library = argc == 3 ? dlopen(argv[2], RTLD_NOW) : NULL;

    if (!library)
        return 2;
    types = (size_t(*)(struct malloc_type_stats *, size_t))must(RTLD_DEFAULT, "slabkit_types");
    verify = (unsigned (*)(void))must(RTLD_DEFAULT, "slabkit_verify");
    lib_malloc = (void *(*)(size_t))must(library, "lib_malloc");
    lib_realloc = (void *(*)(void *, size_t))must(library, "lib_realloc");
    if (strcmp(argv[1], "dso") == 0) {
        by_dso();
        resizing();
        unloading(argv[2], library);
    } else if (strcmp(argv[1], "site") == 0) {
        by_site();
        by_dso();
    } else if (strcmp(argv[1], "sample") == 0) {
        by_sample();
    } else {
        by_token();
    }
    EXPECT(verify() == 0);
    return faults != 0;
}
