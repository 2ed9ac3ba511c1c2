/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a sample of kernel code: a journal whose records come from a pool, as a block or file system module keeps
 *       them. Nothing in it knows that it is not in a kernel.
 */
#include <linux/gfp.h>
#include <linux/mempool.h>
#include <linux/slab.h>

#include "modules.h"

#include <errno.h>

struct journal_record {
    struct journal_record *next;
    void *data;
    size_t bytes;
};

struct journal {
    struct kmem_cache *cache;
    mempool_t records, buffers;
    struct journal_record *first, **last;
    const char *name;
};

#define JOURNAL_BUFFER 512

static int journal_pools(struct journal *j, int kept)
{
    struct kmem_cache_args args = {
        .align = __alignof__(struct journal_record),
        .useroffset = 0,
    };
    int ret;

    j->cache =
        kmem_cache_create(j->name, sizeof(struct journal_record), &args, SLAB_RECLAIM_ACCOUNT);
    if (!j->cache)
        return -ENOMEM;
    ret = mempool_init_slab_pool(&j->records, kept, j->cache);
    if (ret)
        goto out_cache;
    ret = mempool_init_kmalloc_pool(&j->buffers, kept, JOURNAL_BUFFER);
    if (ret)
        goto out_records;
    return 0;

out_records:
    mempool_exit(&j->records);
out_cache:
    kmem_cache_destroy(j->cache);
    return ret;
}

struct journal *journal_open(const char *name, int kept)
{
    struct journal *j = kzalloc(sizeof(*j), GFP_KERNEL);

    if (!j)
        return NULL;
    j->last = &j->first;
    j->name = kstrdup(name, GFP_KERNEL);
    if (!j->name || journal_pools(j, kept)) {
        kfree(j->name);
        kfree(j);
        return NULL;
    }
    return j;
}

int journal_write(struct journal *j, const void *data, size_t bytes, bool may_wait)
{
    gfp_t gfp = may_wait ? GFP_NOFS : GFP_NOWAIT;
    struct journal_record *r;

    if (bytes > JOURNAL_BUFFER)
        return -EINVAL;
    r = mempool_alloc(&j->records, gfp);
    if (!r)
        return -ENOMEM;
    r->data = mempool_alloc(&j->buffers, gfp);
    if (!r->data) {
        mempool_free(r, &j->records);
        return -ENOMEM;
    }
    memcpy(r->data, data, bytes);
    r->bytes = bytes;
    r->next = NULL;
    *j->last = r;
    j->last = &r->next;
    return 0;
}

bool journal_commit(struct journal *j, void (*fn)(void *arg, const void *data, size_t bytes),
                    void *arg)
{
    struct journal_record *r = j->first;

    if (!r)
        return false;
    j->first = r->next;
    if (!j->first)
        j->last = &j->first;
    fn(arg, r->data, r->bytes);
    mempool_free(r->data, &j->buffers);
    mempool_free(r, &j->records);
    return true;
}

static void journal_drop(void *arg, const void *data, size_t bytes)
{
    (void)arg;
    (void)data;
    (void)bytes;
}

void journal_close(struct journal *j)
{
    while (journal_commit(j, journal_drop, NULL))
        ;
    mempool_exit(&j->buffers);
    mempool_exit(&j->records);
    kmem_cache_destroy(j->cache);
    kfree_sensitive(j->name);
    kfree(j);
}
