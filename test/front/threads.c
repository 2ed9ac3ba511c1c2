/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: threads out of the ordinary: the smallest stacks there are, a thousand at once, detached
 *       ones, and blocks that outlive the thread that made them.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "expect.h"
#include "../oracle/engine.h"

#define CROWD       1000u
#define TINY        10u
#define DETACHED    200u
#define STACK_BYTES (64u << 10)

static void thread_start(pthread_t *thread, size_t stack, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;

    EXPECT(pthread_attr_init(&attr) == 0);
    EXPECT(pthread_attr_setstacksize(&attr, stack) == 0);
    EXPECT(pthread_create(thread, &attr, run, arg) == 0);
    EXPECT(pthread_attr_destroy(&attr) == 0);
}

/* Every path of the allocator on a stack of PTHREAD_STACK_MIN. */
static void *tiny_main(void *arg)
{
    void *volatile last = NULL;

    for (size_t size = 1; size < 50000000; size = size * 5 / 4 + 1) {
        void *p = malloc(size), *q = aligned_alloc(4096, size);

        EXPECT(p != NULL && q != NULL);
        free(last);
        last = realloc(p, size * 2);
        EXPECT(last != NULL);
        free(q);
    }
    free(last);
    malloc_trim(0);
    EXPECT(engine_verify() == 0);
    return arg;
}

static void test_tiny_stacks(void)
{
    pthread_t thread;

    for (unsigned i = 0; i < TINY; i++) {
        thread_start(&thread, PTHREAD_STACK_MIN, tiny_main, NULL);
        EXPECT(pthread_join(thread, NULL) == 0);
    }
}

/* ---- a thousand at once --------------------------------------------------------------------- */

#define CROWD_BLOCKS 100u
static unsigned char *crowd_block[CROWD][CROWD_BLOCKS];
static pthread_barrier_t crowd_full;

static size_t crowd_size(unsigned thread, unsigned i)
{
    return 1 + (size_t)(thread * 31 + i * i * 7) % 3000;
}

static void *crowd_main(void *arg)
{
    unsigned me = (unsigned)(size_t)arg, other = (me + CROWD / 2) % CROWD;

    for (unsigned i = 0; i < CROWD_BLOCKS; i++) {
        crowd_block[me][i] = malloc(crowd_size(me, i));
        EXPECT(crowd_block[me][i] != NULL);
        fill(crowd_block[me][i], crowd_size(me, i), (int)(me + i));
    }
    pthread_barrier_wait(&crowd_full);
    for (unsigned i = 0; i < CROWD_BLOCKS; i++) {
        EXPECT(crowd_block[other][i][0] == (unsigned char)(other + i));
        EXPECT(crowd_block[other][i][crowd_size(other, i) - 1] == (unsigned char)(other + i));
        free(crowd_block[other][i]);
    }
    return NULL;
}

static void test_a_thousand_at_once(void)
{
    static pthread_t thread[CROWD];

    EXPECT(pthread_barrier_init(&crowd_full, NULL, CROWD) == 0);
    for (size_t i = 0; i < CROWD; i++)
        thread_start(&thread[i], STACK_BYTES, crowd_main, (void *)i);
    for (unsigned i = 0; i < CROWD; i++)
        EXPECT(pthread_join(thread[i], NULL) == 0);
    EXPECT(engine_verify() == 0);
}

/* ---- detached: nobody waits for them, their blocks stay -------------------------------------- */

static void *left_behind[DETACHED];
static sem_t left;

static void *detached_main(void *arg)
{
    size_t me = (size_t)arg;

    left_behind[me] = malloc(100 + me * 100);
    EXPECT(left_behind[me] != NULL);
    fill(left_behind[me], 100 + me * 100, (int)me);
    EXPECT(sem_post(&left) == 0);
    return NULL;
}

static void test_detached(void)
{
    pthread_t thread;

    EXPECT(sem_init(&left, 0, 0) == 0);
    for (size_t i = 0; i < DETACHED; i++) {
        thread_start(&thread, STACK_BYTES, detached_main, (void *)i);
        EXPECT(pthread_detach(thread) == 0);
    }
    for (unsigned i = 0; i < DETACHED; i++)
        while (sem_wait(&left))
            EXPECT(errno == EINTR);
    for (size_t i = 0; i < DETACHED; i++) {
        const unsigned char *p = left_behind[i];

        EXPECT(p[0] == (unsigned char)i && p[99 + i * 100] == (unsigned char)i);
        free(left_behind[i]);
    }
    EXPECT(engine_verify() == 0);
}

int main(void)
{
    engine_find();
    test_tiny_stacks();
    test_a_thousand_at_once();
    test_detached();
    return 0;
}
