/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a library that allocates while the program is still being loaded: from constructors,
 *       through dlsym, and in a thread of its own. What it made is looked at by early.c.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "early.h"

struct early_block early_block[EARLY_BLOCKS];
unsigned early_blocks;

static void early_make(size_t size)
{
    struct early_block *eb = &early_block[early_blocks++];

    eb->eb_bytes = size;
    eb->eb_p = malloc(size);
    EXPECT(eb->eb_p != NULL);
    fill(eb->eb_p, size, (int)early_blocks);
}

static void *early_thread(void *arg)
{
    early_make(500);
    early_make(300000);
    return arg;
}

__attribute__((constructor(101))) static void early_first(void)
{
    early_make(24);
    early_make(70000);
    free(opaque(calloc(10, 10)));
    EXPECT(dlsym(RTLD_DEFAULT, "malloc") != NULL);
    EXPECT(dlsym(RTLD_DEFAULT, "there is no such symbol") == NULL && dlerror() != NULL);
}

__attribute__((constructor)) static void early_second(void)
{
    pthread_t thread;

    EXPECT(pthread_create(&thread, NULL, early_thread, NULL) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    early_make(20 << 20);
    early_block[0].eb_p = realloc(early_block[0].eb_p, 4000);
    EXPECT(early_block[0].eb_p != NULL);
}
