/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: producers allocate, consumers on other CPUs free; blocks pass through bounded rings.
 * Owns: one ring for each (producer, consumer). ring_head - ring_tail = blocks on their way,
 *       0 <= that <= RING_SLOTS.
 * Concurrency: Lamport's single-producer single-consumer ring; the release of a counter by its
 *       owner publishes the slots behind it, the other side's acquire is the partner. Each side
 *       remembers the last value it saw of the other's counter and so seldom reads that line.
 * Why: n to n is n*n such rings, not one shared queue: a contended queue would hide the allocator.
 */
#include "workloads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define RING_SLOTS  1024u
#define RING_BURST  64u
#define RING_BLOCKS 4000000u
#define RING_STAMP  0x51abu
#define LINE        64

struct ring {
    _Alignas(LINE) _Atomic uint64_t ring_head; /* stored by the producer */
    uint64_t ring_tail_seen;                   /* producer only */
    _Alignas(LINE) _Atomic uint64_t ring_tail; /* stored by the consumer */
    uint64_t ring_head_seen;                   /* consumer only */
    _Alignas(LINE) void *ring_slot[RING_SLOTS];
};

struct ring_job {
    struct ring *rj_rings; /* [producer][consumer] */
    unsigned rj_sides;     /* producers, and as many consumers */
    uint64_t rj_bursts;    /* of each (producer, consumer) */
    size_t rj_bytes;
    pthread_barrier_t rj_go;
};

struct ring_side {
    struct ring_job *rs_job;
    unsigned rs_index;
    pthread_t rs_thread;
};

static void ring_pause(unsigned *tries)
{
    if (++*tries % 64 == 0)
        sched_yield();
    else
        __asm__ volatile("" ::: "memory");
}

static void ring_put(struct ring *ring, void *p)
{
    uint64_t head = atomic_load_explicit(&ring->ring_head, memory_order_relaxed);
    unsigned tries = 0;

    while (head - ring->ring_tail_seen == RING_SLOTS) {
        ring->ring_tail_seen = atomic_load_explicit(&ring->ring_tail, memory_order_acquire);
        ring_pause(&tries);
    }
    ring->ring_slot[head % RING_SLOTS] = p;
    atomic_store_explicit(&ring->ring_head, head + 1, memory_order_release);
}

static void *ring_get(struct ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->ring_tail, memory_order_relaxed);
    unsigned tries = 0;
    void *p;

    while (tail == ring->ring_head_seen) {
        ring->ring_head_seen = atomic_load_explicit(&ring->ring_head, memory_order_acquire);
        ring_pause(&tries);
    }
    p = ring->ring_slot[tail % RING_SLOTS];
    atomic_store_explicit(&ring->ring_tail, tail + 1, memory_order_release);
    return p;
}

static void produce_burst(struct ring *ring, size_t bytes)
{
    for (unsigned i = 0; i < RING_BURST; i++) {
        uint64_t *p = work_alloc(bytes);

        *p = RING_STAMP + i;
        ring_put(ring, p);
    }
}

static void consume_burst(struct ring *ring)
{
    for (unsigned i = 0; i < RING_BURST; i++) {
        uint64_t *p = ring_get(ring);

        if (*p != RING_STAMP + i)
            work_die("a block changed on its way through the ring");
        free(p);
    }
}

static void *producer_main(void *arg)
{
    struct ring_side *me = arg;
    struct ring_job *job = me->rs_job;

    work_pin(me->rs_index);
    pthread_barrier_wait(&job->rj_go);
    for (uint64_t i = 0; i < job->rj_bursts; i++)
        for (unsigned c = 0; c < job->rj_sides; c++)
            produce_burst(&job->rj_rings[me->rs_index * job->rj_sides + c], job->rj_bytes);
    return NULL;
}

/* Starts at another CPU than the producer of the same index. */
static void *consumer_main(void *arg)
{
    struct ring_side *me = arg;
    struct ring_job *job = me->rs_job;

    work_pin(me->rs_index + 1);
    pthread_barrier_wait(&job->rj_go);
    for (uint64_t i = 0; i < job->rj_bursts; i++)
        for (unsigned p = 0; p < job->rj_sides; p++)
            consume_burst(&job->rj_rings[p * job->rj_sides + me->rs_index]);
    return NULL;
}

static void sides_start(struct ring_job *job, struct ring_side *side)
{
    for (unsigned i = 0; i < 2 * job->rj_sides; i++) {
        side[i] = (struct ring_side){.rs_job = job, .rs_index = i % job->rj_sides};
        if (pthread_create(&side[i].rs_thread, NULL,
                           i < job->rj_sides ? producer_main : consumer_main, &side[i]))
            work_die("cannot start a thread");
    }
}

static void ring_measure(struct ring_job *job, struct outcome *oc)
{
    struct ring_side *side = work_pages(2 * job->rj_sides * sizeof(*side));

    sides_start(job, side);
    work_start(oc); /* before the release: it may wake this thread last */
    pthread_barrier_wait(&job->rj_go);
    for (unsigned i = 0; i < 2 * job->rj_sides; i++)
        pthread_join(side[i].rs_thread, NULL);
    work_stop(oc, job->rj_bursts * RING_BURST * job->rj_sides * job->rj_sides);
}

/* wl_shape: 1 for one producer and one consumer, 0 for as many of each as there are CPUs. */
static void ring_run(const struct workload *wl, struct outcome *oc)
{
    unsigned sides = wl->wl_shape ? 1 : work_cpus();
    struct ring_job job = {
        .rj_rings = work_pages(sides * sides * sizeof(struct ring)),
        .rj_sides = sides,
        .rj_bursts = work_count(RING_BLOCKS / RING_BURST / sides / sides),
        .rj_bytes = wl->wl_bytes,
    };

    pthread_barrier_init(&job.rj_go, NULL, 2 * sides + 1);
    ring_measure(&job, oc);
}

const struct workload ring_workloads[] = {
    {"ring-1-1-16", "one producer, one consumer, 16 B", true, 1, ring_run, 16, 1},
    {"ring-1-1-256", "one producer, one consumer, 256 B", true, 1, ring_run, 256, 1},
    {"ring-n-n-16", "a producer and a consumer for each CPU, 16 B", true, 1, ring_run, 16, 0},
    {"ring-n-n-256", "a producer and a consumer for each CPU, 256 B", true, 1, ring_run, 256, 0},
    {0},
};
