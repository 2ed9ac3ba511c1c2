/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one thread allocates objects of one size and frees them, in small batches: from an object
 *       cache where the preloaded library has them, with malloc elsewhere.
 * Invariants: either way an object of object-made is in its initial state when it is handed out: a
 *       mutex that is free, three empty lists. The use leaves it so.
 * Failure: an object that is not in that state, or a cache that does not end empty, ends the process.
 * Why: what object caches are for. object-made has a state worth keeping, which malloc's user makes
 *      and destroys each time; object-plain has none, so only the paths differ. The bulk calls are
 *      also set against single calls on the same cache, in turn.
 */
#include "ours.h"
#include "workloads.h"

#include <pthread.h>

#define OBJECT_BYTES 256u
#define OBJECTS      16000000u /* in one sample */
#define BATCH_SMALL  16u
#define BATCH_MAX    64u

struct ring_link {
    struct ring_link *next, *prev;
};

struct object_head {
    pthread_mutex_t oh_lock;
    struct ring_link oh_lists[3];
};

struct object {
    struct object_head ob_head;
    unsigned char ob_use[OBJECT_BYTES - sizeof(struct object_head)];
};

static void object_init(struct object *ob)
{
    struct object_head *oh = &ob->ob_head;

    if (pthread_mutex_init(&oh->oh_lock, NULL))
        work_die("cannot make a mutex");
    for (unsigned i = 0; i < 3; i++)
        oh->oh_lists[i] = (struct ring_link){&oh->oh_lists[i], &oh->oh_lists[i]};
}

static void object_fini(struct object *ob)
{
    pthread_mutex_destroy(&ob->ob_head.oh_lock);
}

static int object_ctor(void *obj, void *priv, int flags)
{
    (void)priv;
    (void)flags;
    object_init(obj);
    return 0;
}

static void object_dtor(void *obj, void *priv)
{
    (void)priv;
    object_fini(obj);
}

static void object_check(struct object *ob)
{
    struct object_head *oh = &ob->ob_head;

    for (unsigned i = 0; i < 3; i++)
        if (oh->oh_lists[i].next != &oh->oh_lists[i] || oh->oh_lists[i].prev != &oh->oh_lists[i])
            work_die("an object's list is not in its initial state");
    if (pthread_mutex_trylock(&oh->oh_lock) || pthread_mutex_unlock(&oh->oh_lock))
        work_die("an object's mutex is not in its initial state");
}

/* A store to the first line: objects are for use, and the head of most is written first. */
static inline void object_use(struct object *ob)
{
    work_touch(&ob->ob_use[0]);
}

/* ---- batches, one function for each way -------------------------------------------------------- */

struct objects {
    const struct object_calls *os_calls;
    struct kmem_cache *os_cache; /* NULL: with malloc */
    unsigned os_batch;
    struct object *os_object[BATCH_MAX];
};

static void cache_batch(void *arg)
{
    struct objects *os = arg;
    const struct object_calls *calls = os->os_calls;

    for (unsigned i = 0; i < os->os_batch; i++) {
        os->os_object[i] = calls->alloc(os->os_cache, M_WAITOK);
        if (!os->os_object[i])
            work_die("kmem_cache_alloc returned NULL");
        object_use(os->os_object[i]);
    }
    for (unsigned i = 0; i < os->os_batch; i++)
        calls->free(os->os_cache, os->os_object[i]);
}

static void bulk_batch(void *arg)
{
    struct objects *os = arg;
    void **objs = (void **)os->os_object;

    if (os->os_calls->alloc_bulk(os->os_cache, M_WAITOK, os->os_batch, objs) != os->os_batch)
        work_die("kmem_cache_alloc_bulk returned less");
    for (unsigned i = 0; i < os->os_batch; i++)
        object_use(os->os_object[i]);
    os->os_calls->free_bulk(os->os_cache, os->os_batch, objs);
}

static void malloc_batch(void *arg)
{
    struct objects *os = arg;

    for (unsigned i = 0; i < os->os_batch; i++) {
        os->os_object[i] = work_alloc(sizeof(struct object));
        object_use(os->os_object[i]);
    }
    for (unsigned i = 0; i < os->os_batch; i++)
        free(os->os_object[i]);
}

static void malloc_init_batch(void *arg)
{
    struct objects *os = arg;

    for (unsigned i = 0; i < os->os_batch; i++) {
        os->os_object[i] = work_alloc(sizeof(struct object));
        object_init(os->os_object[i]);
        object_use(os->os_object[i]);
    }
    for (unsigned i = 0; i < os->os_batch; i++) {
        object_fini(os->os_object[i]);
        free(os->os_object[i]);
    }
}

/* ---- the workloads ----------------------------------------------------------------------------- */

enum object_shape {
    OBJECT_MADE,
    OBJECT_PLAIN,
    OBJECT_BULK
};

static void objects_open(struct objects *os, enum object_shape shape)
{
    struct kmem_cache_args args = {0};

    os->os_calls = ours_objects();
    if (!os->os_calls)
        return;
    if (shape == OBJECT_MADE) {
        args.ctor = object_ctor;
        args.dtor = object_dtor;
    }
    os->os_cache = os->os_calls->create("bench-object", sizeof(struct object), &args);
    if (!os->os_cache)
        work_die("kmem_cache_create returned NULL");
}

static void objects_close(struct objects *os)
{
    if (os->os_cache && os->os_calls->destroy(os->os_cache))
        work_die("an object is still in the cache");
}

/* What was freed used comes back made. */
static void made_check(struct objects *os)
{
    for (unsigned i = 0; os->os_cache && i < os->os_batch; i++) {
        os->os_object[i] = os->os_calls->alloc(os->os_cache, M_WAITOK);
        object_check(os->os_object[i]);
    }
    for (unsigned i = 0; os->os_cache && i < os->os_batch; i++)
        os->os_calls->free(os->os_cache, os->os_object[i]);
}

static void batches_time(struct objects *os, void (*batch)(void *), struct outcome *oc)
{
    uint64_t batches = work_count(OBJECTS / os->os_batch);

    work_start(oc);
    for (uint64_t i = 0; i < batches; i++)
        batch(os);
    work_stop(oc, batches * os->os_batch);
}

static void bulk_time(struct objects *os, struct outcome *oc)
{
    const struct two_ways ways = {.tw_versus = "bulk calls / single calls",
                                  .tw_one = bulk_batch,
                                  .tw_other = cache_batch,
                                  .tw_arg = os,
                                  .tw_calls = OBJECTS / os->os_batch,
                                  .tw_ops = os->os_batch};

    work_two_ways(oc, &ways);
}

static void object_run(const struct workload *wl, struct outcome *oc)
{
    struct objects os = {.os_batch = (unsigned)wl->wl_bytes};
    bool made = wl->wl_shape == OBJECT_MADE;

    objects_open(&os, (enum object_shape)wl->wl_shape);
    oc->oc_cache = os.os_cache != NULL;
    if (os.os_cache && wl->wl_shape == OBJECT_BULK)
        bulk_time(&os, oc);
    else if (os.os_cache)
        batches_time(&os, cache_batch, oc);
    else
        batches_time(&os, made ? malloc_init_batch : malloc_batch, oc);
    if (made)
        made_check(&os);
    objects_close(&os);
}

const struct workload object_workloads[] = {
    {"object-made", "256 B objects, a mutex and 3 lists initialised, batches of 16", false, 1,
     object_run, BATCH_SMALL, OBJECT_MADE},
    {"object-plain", "the same objects without an initial state", false, 1, object_run, BATCH_SMALL,
     OBJECT_PLAIN},
    {"object-single-64", "the same in batches of 64", false, 1, object_run, BATCH_MAX,
     OBJECT_PLAIN},
    {"object-bulk-64", "the same by bulk calls, where there are any", false, 1, object_run,
     BATCH_MAX, OBJECT_BULK},
    {0},
};
