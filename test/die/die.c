/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one tiny program for each way to misuse malloc or a cache; each must die with the line that
 *       expected.txt says. usage: die CASE; without a case it prints their names.
 * Why: a case that comes back from its misuse ends with 0, which check.sh takes as a failure.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <slabkit/kmalloc.h>

#include "../oracle/engine.h"
#include "../oracle/entry.h"
#include "slabkit/kmem_cache.h"
#include "compat.h"

#define MIB ((size_t)1 << 20)
#ifndef PAGE
#define PAGE ((ptrdiff_t)64 << 10) /* the engine's */
#endif
#ifndef MANY
#define MANY 20000u /* more than arrays and depots take */
#endif
#define SMALL 64u

static void *opaque(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static void *take(size_t size)
{
    char *p = opaque(malloc(size));

    if (!p)
        exit(2);
    *p = 1;
    return p;
}

static void drop(void *p)
{
    free(opaque(p));
}

/* An address inside a block, or near it. */
static void *at(void *p, ptrdiff_t offset)
{
    return opaque((char *)p + offset);
}

/* What waits in arrays goes to its slab now. */
static void flush(void)
{
    malloc_trim(0);
}

/* ---- addresses that were never blocks ------------------------------------------------------- */

static void foreign_stack(void)
{
    long on_stack[8] = {0};

    drop(&on_stack[2]);
}

static void foreign_static(void)
{
    static long in_data[8];

    drop(&in_data[2]);
}

static void *mapped(void)
{
    void *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        exit(2);
    return p;
}

static void foreign_mapping(void)
{
    drop(take(SMALL));
    drop(mapped());
}

static void foreign_small_number(void)
{
    drop(take(SMALL));
    drop((void *)16);
}

/* The first call of the process. */
static void foreign_first_call(void)
{
    drop(mapped());
}

/* ---- double frees --------------------------------------------------------------------------- */

static void double_small(void)
{
    void *p = take(SMALL);

    drop(p);
    drop(p);
    flush();
}

/* Without asking: enough frees of its class push it out of the array. */
static void double_small_crowd(void)
{
    static void *crowd[MANY];
    void *p = take(SMALL);

    for (unsigned i = 0; i < MANY; i++)
        crowd[i] = take(SMALL);
    drop(p);
    drop(p);
    for (unsigned i = 0; i < MANY; i++)
        drop(crowd[i]);
}

static void double_small_apart(void)
{
    void *kept = take(SMALL), *p = take(SMALL);

    drop(p);
    flush();
    drop(p);
    flush();
    drop(kept);
}

static void *free_twice_main(void *p)
{
    drop(p);
    drop(p);
    return NULL;
}

static void in_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, arg) || pthread_join(thread, NULL))
        exit(2);
}

static void double_small_thread(void)
{
    in_thread(free_twice_main, take(SMALL));
    flush();
}

static void *free_once_main(void *p)
{
    drop(p);
    return NULL;
}

static void double_small_two_threads(void)
{
    void *p = take(SMALL);

    in_thread(free_once_main, p);
    drop(p);
    flush();
}

static void double_large(void)
{
    void *p = take(MIB);

    drop(p);
    drop(p);
}

static void double_huge(void)
{
    void *p = take(100 * MIB);

    drop(p);
    drop(p);
}

/* The slab of the object went back to the region with the first free. */
static void double_slab_gone(void)
{
    static void *crowd[MANY];

    for (unsigned i = 0; i < MANY; i++)
        crowd[i] = take(1000);
    for (unsigned i = 0; i < MANY; i++)
        drop(crowd[i]);
    flush();
    drop(crowd[MANY / 2]);
}

/* ---- inside of blocks ------------------------------------------------------------------------ */

static void interior_small(void)
{
    drop(at(take(SMALL), 16));
    flush();
}

static void interior_small_odd(void)
{
    drop(at(take(SMALL), 1));
    flush();
}

static void interior_class_with_rest(void)
{
    drop(at(take(5000), 4096));
    flush();
}

static void interior_large_first_page(void)
{
    drop(at(take(MIB), 4096));
}

static void interior_large_later_page(void)
{
    drop(at(take(MIB), 5 * PAGE));
}

static void interior_huge(void)
{
    drop(at(take(100 * MIB), MIB));
}

/* ---- objects of a slab that nobody has ------------------------------------------------------- */

static const struct slabkit_class *class_of(size_t size)
{
    static struct slabkit_snapshot snapshot;
    const struct slabkit_class *sc = snapshot.class_;

    if (engine.en_snapshot(&snapshot))
        exit(2);
    while (sc < snapshot.class_ + snapshot.classes && sc->object_bytes != size)
        sc++;
    return sc;
}

/* The first object taken is the first of a slab. */
static void never_allocated(void)
{
    char *first = take(SMALL);

    drop(at(first, (class_of(SMALL)->slab_objs - 8) * SMALL));
    flush();
}

/* A slab is a whole number of pages, and 112 bytes do not divide it. What is left over is before the
 * first object, or, where its colour is 0, behind the last. */
static void outside_of_objects(void)
{
    char *first = take(112), *run = (char *)((uintptr_t)first & -(uintptr_t)PAGE);
    const struct slabkit_class *sc = class_of(112);

    if (sc->slab_bytes <= sc->slab_objs * sc->object_bytes)
        exit(2);
    drop(first > run ? run : at(first, sc->slab_objs * sc->object_bytes));
    flush();
}

/* ---- other functions ------------------------------------------------------------------------- */

static void realloc_foreign(void)
{
    static long in_data[8];

    opaque(realloc(opaque(&in_data[2]), 100));
}

static void realloc_freed_large(void)
{
    void *p = take(MIB);

    drop(p);
    opaque(realloc(opaque(p), 2 * MIB));
}

static void realloc_interior(void)
{
    opaque(realloc(at(take(SMALL), 16), 100));
}

static void usable_foreign(void)
{
    long on_stack[8] = {0};

    opaque((void *)malloc_usable_size(opaque(&on_stack[2])));
}

static void usable_interior(void)
{
    opaque((void *)malloc_usable_size(at(take(MIB), 4096)));
}

static void sized_too_big(void)
{
    engine.en_free_sized(take(SMALL), 1000);
}

static void sized_too_big_large(void)
{
    engine.en_free_sized(take(MIB), 2 * MIB);
}

static void sized_foreign(void)
{
    static long in_data[8];

    engine.en_free_sized(opaque(&in_data[2]), 8);
}

/* Of two neighbours of 80 bytes, one is not aligned to 64. */
static void aligned_wrong(void)
{
    char *p = take(80), *q = take(80);

    engine.en_free_aligned_sized((uintptr_t)p % 64 ? p : q, 64, 80);
}

/* ---- object caches ------------------------------------------------------------------------------ */

static struct {
    struct kmem_cache *(*create)(const char *, size_t, const struct kmem_cache_args *);
    void *(*alloc)(struct kmem_cache *, int);
    void (*release)(struct kmem_cache *, void *);
} kmem;

static struct kmem_cache *make_cache(const char *name, size_t size)
{
    struct kmem_cache *c;

    *(void **)&kmem.create = dlsym(RTLD_DEFAULT, "kmem_cache_create");
    *(void **)&kmem.alloc = dlsym(RTLD_DEFAULT, "kmem_cache_alloc");
    *(void **)&kmem.release = dlsym(RTLD_DEFAULT, "kmem_cache_free");
    c = kmem.create ? kmem.create(name, size, NULL) : NULL;
    if (!c)
        exit(2);
    return c;
}

static void cache_other(void)
{
    struct kmem_cache *a = make_cache("apples", SMALL), *b = make_cache("pears", SMALL);

    kmem.release(b, kmem.alloc(a, M_WAITOK));
}

static void cache_of_malloc(void)
{
    struct kmem_cache *c = make_cache("pears", SMALL);

    kmem.release(c, opaque(take(SMALL)));
}

static void cache_foreign(void)
{
    struct kmem_cache *c = make_cache("pears", SMALL);
    long on_stack[8] = {0};

    kmem.release(c, opaque(&on_stack[2]));
}

/* free(3) of a debug cache's object comes by the cache. */
static void cache_debug_by_free(void)
{
    struct kmem_cache_args args = {.flags = KMEM_CONSISTENCY};
    struct kmem_cache *c;
    void *p;

    make_cache("apples", SMALL);
    c = kmem.create("pears", SMALL, &args);
    p = kmem.alloc(c, M_WAITOK);
    drop(p);
    drop(p);
}

static struct kmem_cache *nested_cache;

static void allocate_in_handler(int sig)
{
    (void)sig;
    kmem.release(nested_cache, kmem.alloc(nested_cache, M_WAITOK));
}

/* Objects so large have no arrays: most of the time is spent inside of the cache, where the signal finds it. */
static void cache_nested(void)
{
    const struct itimerval often = {.it_interval = {0, 100}, .it_value = {0, 100}};

    nested_cache = make_cache("pears", 2 * MIB);
    signal(SIGALRM, allocate_in_handler);
    setitimer(ITIMER_REAL, &often, NULL);
    for (unsigned long i = 0; i < 100000000ul; i++)
        kmem.release(nested_cache, kmem.alloc(nested_cache, M_WAITOK));
}

/* ---- types ---------------------------------------------------------------------------------- */

/* Looked up, because this program is not linked with slabkit. */
static void *call(const char *name)
{
    void *p = dlsym(RTLD_DEFAULT, name);

    if (!p)
        exit(2);
    return p;
}

static struct malloc_type *type_with(unsigned flags)
{
    struct malloc_type *(*create)(const char *, const char *, unsigned) =
        (struct malloc_type * (*)(const char *, const char *, unsigned)) call("malloc_type_create");

    return create("conn", "connection state", flags);
}

static void *type_take(size_t size, struct malloc_type *type, int flags)
{
    return ((void *(*)(size_t, struct malloc_type *, int))call("kmalloc"))(size, type, flags);
}

static void type_drop(void *p, struct malloc_type *type)
{
    ((void (*)(void *, struct malloc_type *))call("kfree"))(p, type);
}

static void type_flags(void)
{
    type_take(100, type_with(0), M_WAITOK | M_NOWAIT);
}

static void type_full(void)
{
    struct malloc_type *type = type_with(0);

    ((void (*)(struct malloc_type *, size_t))call("kmalloc_raise_limit"))(type, 1000);
    ((void (*)(struct malloc_type *, unsigned, malloc_full_fn *, void *))call("kmalloc_on_full"))(
        type, 10, NULL, NULL);
    type_take(2000, type, M_WAITOK);
}

static void type_wrong(void)
{
    type_drop(type_take(100, type_with(MT_TRACK), M_WAITOK), type_with(0));
}

static void type_of_cache(void)
{
    void *(*create)(const char *, size_t, const void *) =
        (void *(*)(const char *, size_t, const void *))call("kmem_cache_create");
    void *(*alloc)(void *, int) = (void *(*)(void *, int))call("kmem_cache_alloc");

    type_drop(alloc(create("inode", 200, NULL), M_WAITOK), type_with(0));
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"foreign-stack", foreign_stack},
    {"foreign-static", foreign_static},
    {"foreign-mapping", foreign_mapping},
    {"foreign-small-number", foreign_small_number},
    {"foreign-first-call", foreign_first_call},
    {"double-small", double_small},
    {"double-small-crowd", double_small_crowd},
    {"double-small-apart", double_small_apart},
    {"double-small-thread", double_small_thread},
    {"double-small-two-threads", double_small_two_threads},
    {"double-large", double_large},
    {"double-huge", double_huge},
    {"double-slab-gone", double_slab_gone},
    {"interior-small", interior_small},
    {"interior-small-odd", interior_small_odd},
    {"interior-class-with-rest", interior_class_with_rest},
    {"interior-large-first-page", interior_large_first_page},
    {"interior-large-later-page", interior_large_later_page},
    {"interior-huge", interior_huge},
    {"never-allocated", never_allocated},
    {"outside-of-objects", outside_of_objects},
    {"realloc-foreign", realloc_foreign},
    {"realloc-freed-large", realloc_freed_large},
    {"realloc-interior", realloc_interior},
    {"usable-foreign", usable_foreign},
    {"usable-interior", usable_interior},
    {"sized-too-big", sized_too_big},
    {"sized-too-big-large", sized_too_big_large},
    {"sized-foreign", sized_foreign},
    {"aligned-wrong", aligned_wrong},
    {"cache-other", cache_other},
    {"cache-of-malloc", cache_of_malloc},
    {"cache-foreign", cache_foreign},
    {"cache-debug-by-free", cache_debug_by_free},
    {"cache-nested", cache_nested},
    {"compat-nofail", compat_nofail},
    {"compat-slab-panic", compat_slab_panic},
    {"compat-umem-size", compat_umem_size},
    {"type-flags", type_flags},
    {"type-full", type_full},
    {"type-wrong", type_wrong},
    {"type-of-cache", type_of_cache},
};

int main(int argc, char **argv)
{
    engine_find();
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
