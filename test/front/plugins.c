/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: dlopen and dlclose in a loop, from several threads: constructors and destructors of the
 *       plugin allocate, and blocks it made are used and freed when it is gone.
 *       usage: plugins PLUGIN.so
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "expect.h"
#include "../oracle/engine.h"

#define LOOPS   40u
#define THREADS 4u

static const char *plugin_path;

static unsigned char *plugin_visit(size_t size)
{
    void *plugin = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    void *symbol;
    void *(*make)(size_t size);
    unsigned char *p;

    if (!plugin)
        dprintf(STDERR_FILENO, "%s\n", dlerror());
    EXPECT(plugin != NULL);
    symbol = dlsym(plugin, "plugin_make");
    EXPECT(symbol != NULL);
    memcpy(&make, &symbol, sizeof(make));
    p = make(size);
    EXPECT(p != NULL);
    EXPECT(dlclose(plugin) == 0);
    return p;
}

static void *loop_main(void *arg)
{
    unsigned char *kept[LOOPS];

    for (size_t i = 0; i < LOOPS; i++)
        kept[i] = plugin_visit(100 + i * i * 50);
    for (size_t i = 0; i < LOOPS; i++) {
        EXPECT(memcmp(kept[i], kept[i] + 1, 99 + i * i * 50) == 0);
        free(kept[i]);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread[THREADS];

    EXPECT(argc == 2);
    plugin_path = argv[1];
    engine_find();
    loop_main(NULL);
    for (unsigned i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&thread[i], NULL, loop_main, NULL) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        EXPECT(pthread_join(thread[i], NULL) == 0);
    EXPECT(engine_verify() == 0);
    return 0;
}
