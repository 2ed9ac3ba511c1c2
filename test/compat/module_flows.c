/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a sample of kernel code: a hash table of flows in a cache with a constructor, as a network module keeps it.
 *       Nothing in it knows that it is not in a kernel.
 */
#include <linux/slab.h>

#include "modules.h"

#include <errno.h>
#include <stdio.h>

struct flow_link {
    struct flow_link *next, **pprev;
};

struct flow {
    struct flow_link link; /* unlinked between free and alloc */
    uint32_t from, to;
    unsigned long packets;
    uint64_t bytes;
    char *note;
};

static struct kmem_cache *flow_cachep __attribute__((aligned(64)));
static struct flow_link **flow_table;
static unsigned flow_buckets, flow_count;

static void flow_init_once(void *foo)
{
    struct flow *f = foo;

    f->link.next = NULL;
    f->link.pprev = NULL;
    f->note = NULL;
}

static inline struct flow *flow_of(struct flow_link *l)
{
    return l ? (struct flow *)((char *)l - offsetof(struct flow, link)) : NULL;
}

static struct flow_link **flow_bucket(uint32_t from, uint32_t to)
{
    return &flow_table[(from * 2654435761u ^ to * 40503u) % flow_buckets];
}

int flows_init(unsigned buckets)
{
    flow_cachep = kmem_cache_create("flow_cache", sizeof(struct flow), 0,
                                    SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, flow_init_once);
    if (!flow_cachep)
        return -ENOMEM;
    flow_table = kvcalloc(buckets, sizeof(*flow_table), GFP_KERNEL);
    if (!flow_table) {
        kmem_cache_destroy(flow_cachep);
        return -ENOMEM;
    }
    flow_buckets = buckets;
    return 0;
}

static struct flow *flow_find(uint32_t from, uint32_t to)
{
    struct flow *f = flow_of(*flow_bucket(from, to));

    while (f && (f->from != from || f->to != to))
        f = flow_of(f->link.next);
    return f;
}

static void flow_link_in(struct flow *f)
{
    struct flow_link **head = flow_bucket(f->from, f->to);

    f->link.next = *head;
    f->link.pprev = head;
    if (*head)
        (*head)->pprev = &f->link.next;
    *head = &f->link;
    flow_count++;
}

static struct flow *flow_new(uint32_t from, uint32_t to)
{
    struct flow *f = kmem_cache_alloc(flow_cachep, GFP_ATOMIC);

    if (!f)
        return NULL;
    if (f->link.next || f->link.pprev || f->note) {
        fprintf(stderr, "flow %p is not as its constructor left it\n", (void *)f);
        return NULL;
    }
    f->from = from;
    f->to = to;
    f->packets = 0;
    f->bytes = 0;
    f->note = kasprintf(GFP_ATOMIC | __GFP_NOWARN, "%08x>%08x", from, to);
    flow_link_in(f);
    return f;
}

static void flow_free(struct flow *f)
{
    *f->link.pprev = f->link.next;
    if (f->link.next)
        f->link.next->pprev = f->link.pprev;
    kfree(f->note);
    flow_init_once(f);
    kmem_cache_free(flow_cachep, f);
    flow_count--;
}

int flows_packet(uint32_t from, uint32_t to, size_t bytes)
{
    struct flow *f = flow_find(from, to) ?: flow_new(from, to);

    if (!f)
        return -ENOMEM;
    f->packets++;
    f->bytes += bytes;
    return 0;
}

unsigned long flows_packets(uint32_t from, uint32_t to)
{
    struct flow *f = flow_find(from, to);

    return f ? f->packets : 0;
}

unsigned flows_expire(unsigned long fewer)
{
    unsigned n = 0;

    for (unsigned i = 0; i < flow_buckets; i++) {
        struct flow *f = flow_of(flow_table[i]), *next;

        for (; f; f = next) {
            next = flow_of(f->link.next);
            if (f->packets < fewer) {
                flow_free(f);
                n++;
            }
        }
    }
    return n;
}

unsigned flows_count(void)
{
    return flow_count;
}

char *flows_describe(uint32_t from, uint32_t to)
{
    struct flow *f = flow_find(from, to);

    return f ? kstrdup(f->note, GFP_KERNEL) : NULL;
}

void flows_exit(void)
{
    flows_expire(~0ul);
    kvfree(flow_table);
    kmem_cache_destroy(flow_cachep);
}
