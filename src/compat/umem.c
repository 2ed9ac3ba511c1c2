/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: umem_alloc and umem_free over allocation by type; what happens when UMEM_NOFAIL fails.
 * Below: umem.h; <slabkit/kmalloc.h>.
 * Owns: the type "umem"; the callback.
 * Invariants: slack = usable bytes of a block - size asked for
 *       slack == 0         nothing is written
 *       1 <= slack < 255   the block's last byte is slack
 *       slack >= 255       the last byte is 255, the 8 bytes before it are slack
 * Concurrency: the callback is atomic; the end of the process has a lock.
 * Failure: NULL, or the callback's decision. A wrong size: one line and abort.
 * Why: sizes are not kept elsewhere, and a class holds many of them; what the caller did not ask for is room
 *      enough to remember what he did, and the first thing that an overrun hits.
 */
#include "compat/linux.h"
#include "compat/umem.h"
#include "base/atomic.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLACK_FAR 255u

struct malloc_type umem_type[1] = {{"umem", "umem_alloc", 0, 0, NULL}};

/* ---- no memory --------------------------------------------------------------------------------- */

static umem_nofail_callback_t *nofail;

SK_EXPORT void slabkit_umem_nofail_callback(umem_nofail_callback_t *callback)
{
    sk_store_release(&nofail, callback);
}

/* By the first one; a second call of the same thread comes from its own exit. */
static _Noreturn void end_process(int status)
{
    static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;
    static pthread_t who;
    static int known;

    if (sk_load_acquire(&known) && pthread_equal(who, pthread_self()))
        _exit(status);
    pthread_mutex_lock(&ending);
    who = pthread_self();
    sk_store_release(&known, 1);
    exit(status);
}

bool umem_failed(int flags)
{
    umem_nofail_callback_t *callback;
    int decision = UMEM_CALLBACK_EXIT(255);

    if (!(flags & UMEM_NOFAIL))
        return false;
    callback = sk_load_acquire(&nofail);
    if (callback)
        decision = callback();
    if (decision == UMEM_CALLBACK_RETRY)
        return true;
    if ((decision & ~0xff) != UMEM_CALLBACK_EXIT(0))
        decision = UMEM_CALLBACK_EXIT(255);
    end_process(decision & 0xff);
}

/* ---- sizes ------------------------------------------------------------------------------------- */

static void remember_size(char *p, size_t size)
{
    size_t usable = kmalloc_usable_size(p), slack = usable - size;
    unsigned char *last = (unsigned char *)p + usable - 1;

    if (slack == 0)
        return;
    *last = (unsigned char)sk_min(slack, SLACK_FAR);
    if (slack >= SLACK_FAR)
        memcpy(last - sizeof(slack), &slack, sizeof(slack));
}

static bool is_size(const char *p, size_t size)
{
    size_t usable = kmalloc_usable_size(p), slack = usable - size, kept;
    const unsigned char *last = (const unsigned char *)p + usable - 1;

    if (size > usable || size == 0)
        return false;
    if (slack == 0)
        return true;
    if (*last != sk_min(slack, SLACK_FAR))
        return false;
    if (slack < SLACK_FAR)
        return true;
    memcpy(&kept, last - sizeof(kept), sizeof(kept));
    return kept == slack;
}

/* ---- allocate and free ------------------------------------------------------------------------- */

static void *alloc(size_t size, size_t align, int flags, int native)
{
    void *p;

    if (size == 0)
        return NULL;
    do
        p = kmalloc_aligned(size, align, umem_type, native | M_WAITOK | M_NULLOK);
    while (!p && errno != EINVAL && umem_failed(flags));
    if (p)
        remember_size(p, size);
    return p;
}

SK_EXPORT void *slabkit_umem_alloc(size_t size, int flags)
{
    void *p = size ? kmalloc(size, umem_type, M_WAITOK | M_NULLOK) : NULL;

    if (SK_UNLIKELY(!p))
        return alloc(size, 1, flags, 0);
    remember_size(p, size);
    return p;
}

SK_EXPORT void *slabkit_umem_zalloc(size_t size, int flags)
{
    return alloc(size, 1, flags, M_ZERO);
}

SK_EXPORT void *slabkit_umem_alloc_align(size_t size, size_t align, int flags)
{
    return alloc(size, align ? align : 1, flags, 0);
}

SK_EXPORT void slabkit_umem_free(void *p, size_t size)
{
    if (!p && size == 0)
        return;
    if (!p || !is_size(p, size))
        misuse_die(MISUSE_UMEM_SIZE, p, size, NULL);
    kfree(p, umem_type);
}

SK_EXPORT void slabkit_umem_free_align(void *p, size_t size)
{
    slabkit_umem_free(p, size);
}

SK_EXPORT void slabkit_umem_reap(void)
{
    kmem_cache_reap();
    slabkit_trim(0);
}
