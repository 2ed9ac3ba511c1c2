/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a server's table of connections, as an example of constructed objects: a connection has a mutex, a condition
 *       variable and two queues that are made once for its memory, not once for each client.
 *
 *     cc connections.c $(pkg-config --cflags --libs slabkit) -pthread -o connections
 *
 * Owns: each bucket of the table under its own lock; a connection's queues under the connection's.
 * Failure: status 1 when what the cache says is not what the threads did.
 */
#include <pthread.h>
#include <slabkit/kmem_cache.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define CLIENTS 50000 /* of each thread */
#define OPEN    256   /* at once, of each thread */
#define BUCKETS 1024

struct queue {
    struct queue *next, *prev;
};

struct connection {
    /* Constructed: as the constructor made them whenever the connection is not open. */
    pthread_mutex_t lock;
    pthread_cond_t writable;
    struct queue to_send, to_read;
    /* Set when a client comes. */
    struct connection *hash_next;
    unsigned long id;
    unsigned long bytes;
    char peer[48];
};

static struct kmem_cache *connections;
static atomic_ulong constructed, destroyed, served;

static struct {
    pthread_mutex_t lock;
    struct connection *first;
} table[BUCKETS];

/* ---- the life of the memory -------------------------------------------------------------------- */

static void queue_init(struct queue *q)
{
    q->next = q->prev = q;
}

static int connection_make(void *obj, void *priv, int flags)
{
    struct connection *c = obj;
    int error;

    (void)priv;
    (void)flags;
    error = pthread_mutex_init(&c->lock, NULL);
    if (error)
        return error;
    error = pthread_cond_init(&c->writable, NULL);
    if (error) {
        pthread_mutex_destroy(&c->lock);
        return error;
    }
    queue_init(&c->to_send);
    queue_init(&c->to_read);
    atomic_fetch_add(&constructed, 1);
    return 0;
}

static void connection_unmake(void *obj, void *priv)
{
    struct connection *c = obj;

    (void)priv;
    pthread_cond_destroy(&c->writable);
    pthread_mutex_destroy(&c->lock);
    atomic_fetch_add(&destroyed, 1);
}

/* ---- the life of a client ---------------------------------------------------------------------- */

static struct connection *connection_open(unsigned long id)
{
    struct connection *c = kmem_cache_alloc(connections, M_WAITOK);
    unsigned bucket = id % BUCKETS;

    if (!c)
        return NULL;
    c->id = id;
    c->bytes = 0;
    snprintf(c->peer, sizeof(c->peer), "10.%lu.%lu.%lu", id >> 16 & 255, id >> 8 & 255, id & 255);
    pthread_mutex_lock(&table[bucket].lock);
    c->hash_next = table[bucket].first;
    table[bucket].first = c;
    pthread_mutex_unlock(&table[bucket].lock);
    return c;
}

static struct connection *connection_take(unsigned long id)
{
    struct connection **at, *c;
    unsigned bucket = id % BUCKETS;

    pthread_mutex_lock(&table[bucket].lock);
    for (at = &table[bucket].first; (c = *at) && c->id != id; at = &c->hash_next)
        ;
    if (c)
        *at = c->hash_next;
    pthread_mutex_unlock(&table[bucket].lock);
    return c;
}

static void connection_serve(struct connection *c)
{
    struct queue request;

    pthread_mutex_lock(&c->lock);
    request.next = &c->to_read;
    request.prev = c->to_read.prev;
    c->to_read.prev->next = &request;
    c->to_read.prev = &request;
    c->bytes += strlen(c->peer);
    request.prev->next = request.next;
    request.next->prev = request.prev;
    pthread_mutex_unlock(&c->lock);
    atomic_fetch_add(&served, 1);
}

/* Goes back as it came: unlocked, its queues empty. So nothing is to be done for it. */
static void connection_close(unsigned long id)
{
    struct connection *c = connection_take(id);

    if (c)
        kmem_cache_free(connections, c);
}

static void *clients(void *arg)
{
    unsigned long first = (unsigned long)(size_t)arg * CLIENTS;

    for (unsigned long i = 0; i < CLIENTS + OPEN; i++) {
        struct connection *c = i < CLIENTS ? connection_open(first + i) : NULL;

        if (c)
            connection_serve(c);
        if (i >= OPEN)
            connection_close(first + i - OPEN);
    }
    return NULL;
}

/* ---- */

static int report(void)
{
    struct kmem_cache_stats s;

    kmem_cache_get_stats(connections, &s);
    printf("%lu clients served, %lu connections constructed for them\n", served, constructed);
    printf("%s: %llu bytes each, %llu live, %llu in %llu slabs\n", kmem_cache_name(connections),
           (unsigned long long)s.stride, (unsigned long long)s.live, (unsigned long long)s.total,
           (unsigned long long)s.slabs);
    return served == THREADS * CLIENTS && s.live == 0 && constructed < served / 10;
}

int main(void)
{
    const struct kmem_cache_args args = {
        .flags = KMEM_HWALIGN, .ctor = connection_make, .dtor = connection_unmake};
    pthread_t thread[THREADS];
    int good;

    for (unsigned i = 0; i < BUCKETS; i++)
        pthread_mutex_init(&table[i].lock, NULL);
    connections = kmem_cache_create("connection", sizeof(struct connection), &args);
    if (!connections) {
        perror("kmem_cache_create");
        return 1;
    }
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, clients, (void *)i) != 0)
            return 1;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);

    good = report();
    if (kmem_cache_destroy(connections) != 0 || constructed != destroyed)
        good = 0;
    return good ? 0 : 1;
}
