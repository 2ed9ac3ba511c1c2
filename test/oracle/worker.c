/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one thread's random walk over its table of blocks, with mailboxes through which blocks
 *       change hands.
 * Owns: the mailboxes: a block in one belongs to nobody until it is swapped out again.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAILBOXES   64u
#define STACK_BYTES (256u << 10)

static struct mailbox {
    pthread_mutex_t mb_lock;
    struct block mb_block; /* under mb_lock */
} mailbox[MAILBOXES] = {[0 ... MAILBOXES - 1] = {.mb_lock = PTHREAD_MUTEX_INITIALIZER}};

_Noreturn void stress_die(const char *what)
{
    block_fail(&(struct block){0}, what, 0);
}

static size_t workers_bytes(unsigned count)
{
    return count * sizeof(struct worker);
}

/* The books of the test do not come from the allocator under test. */
struct worker *workers_map(unsigned count, uint64_t seed, unsigned ops)
{
    struct worker *wk = mmap(NULL, workers_bytes(count), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (wk == MAP_FAILED)
        stress_die("no memory for the test itself");
    for (unsigned i = 0; i < count; i++) {
        wk[i].wk_index = i;
        wk[i].wk_ops = ops;
        wk[i].wk_random.rn_state = mix64(seed) + i;
        wk[i].wk_handler.hs_random.rn_state = mix64(~seed) + i;
    }
    return wk;
}

void workers_unmap(struct worker *wk, unsigned count)
{
    munmap(wk, workers_bytes(count));
}

uint64_t worker_stamp(struct worker *wk)
{
    return (uint64_t)(wk->wk_index + 1) << 40 | ++wk->wk_sequence;
}

void worker_fill(struct worker *wk, struct block *bl, size_t size)
{
    uint64_t draw = random_below(&wk->wk_random, 8);
    enum block_way way = draw < 5 ? BLOCK_MALLOC : draw < 7 ? BLOCK_CALLOC : BLOCK_ALIGNED;

    if (!block_make(bl, way, size, &wk->wk_random, worker_stamp(wk)))
        stress_die("no memory");
}

static void mailbox_swap(struct mailbox *mb, struct block *bl)
{
    struct block mine = *bl;

    pthread_mutex_lock(&mb->mb_lock);
    *bl = mb->mb_block;
    mb->mb_block = mine;
    pthread_mutex_unlock(&mb->mb_lock);
    if (bl->bl_p)
        block_check(bl);
}

static void worker_change(struct worker *wk, struct block *bl)
{
    uint64_t draw = random_below(&wk->wk_random, 16);

    if (draw < 2 && !block_resize(bl, random_size(&wk->wk_random), worker_stamp(wk)))
        stress_die("no memory");
    else if (draw >= 2 && draw < 8 && !wk->wk_alone)
        mailbox_swap(&mailbox[random_below(&wk->wk_random, MAILBOXES)], bl);
    else if (draw == 8)
        block_check(bl);
    else if (draw > 8)
        block_free(bl, draw == 9);
}

void worker_step(struct worker *wk)
{
    struct block *bl = &wk->wk_table[random_below(&wk->wk_random, WORKER_SLOTS)];

    if (bl->bl_p)
        worker_change(wk, bl);
    else
        worker_fill(wk, bl, random_size(&wk->wk_random));
}

void *worker_main(void *worker)
{
    struct worker *wk = worker;

    for (unsigned i = 0; i < wk->wk_ops; i++)
        worker_step(wk);
    return NULL;
}

void worker_check(const struct worker *wk)
{
    for (unsigned i = 0; i < WORKER_SLOTS; i++)
        if (wk->wk_table[i].bl_p)
            block_check(&wk->wk_table[i]);
}

void worker_empty(struct worker *wk)
{
    for (unsigned i = 0; i < WORKER_SLOTS; i++)
        if (wk->wk_table[i].bl_p)
            block_free(&wk->wk_table[i], false);
}

void mailboxes_empty(struct worker *wk)
{
    struct block taken;

    for (unsigned i = 0; i < MAILBOXES; i++) {
        taken = (struct block){0};
        mailbox_swap(&mailbox[i], &taken);
        if (taken.bl_p)
            block_free(&taken, random_below(&wk->wk_random, 2));
    }
}

/* ---- threads ----------------------------------------------------------------------------- */

/* Small stacks, so that libc keeps and reuses all of them and its own memory stays constant. */
void thread_start(pthread_t *thread, void *(*main)(void *), void *arg)
{
    pthread_attr_t attr;

    if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK_BYTES) ||
        pthread_create(thread, &attr, main, arg))
        stress_die("cannot start a thread");
    pthread_attr_destroy(&attr);
}

void stress_spawn(struct stress *st, void *(*main)(void *))
{
    for (unsigned i = 0; i < st->st_threads; i++)
        thread_start(&st->st_worker[i].wk_thread, main, &st->st_worker[i]);
}

void stress_join(struct stress *st)
{
    for (unsigned i = 0; i < st->st_threads; i++)
        if (pthread_join(st->st_worker[i].wk_thread, NULL))
            stress_die("cannot join a thread");
}
