/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "engine.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct engine engine;

/* POSIX lets a symbol's address be copied into a pointer to function. */
static void symbol_find(const char *name, void *pointer)
{
    void *address = dlsym(RTLD_DEFAULT, name);

    memcpy(pointer, &address, sizeof(address));
}

void engine_find(void)
{
    const char *(*version)(void);

    symbol_find("slabkit_version", &version);
    symbol_find("slabkit_snapshot", &engine.en_snapshot);
    symbol_find("slabkit_trim", &engine.en_trim);
    symbol_find("slabkit_verify", &engine.en_verify);
    symbol_find("free_sized", &engine.en_free_sized);
    symbol_find("free_aligned_sized", &engine.en_free_aligned_sized);
    engine.en_present = version && engine.en_snapshot && engine.en_trim && engine.en_verify;
    if (!engine.en_present && getenv("TEST_NEEDS_SLABKIT")) {
        fprintf(stderr, "this test needs slabkit, and malloc is not slabkit's\n");
        _exit(1);
    }
}

unsigned engine_verify(void)
{
    return engine.en_verify ? engine.en_verify() : 0;
}

bool engine_live(uint64_t *bytes)
{
    static struct slabkit_snapshot snapshot;

    if (!engine.en_snapshot || engine.en_snapshot(&snapshot))
        return false;
    *bytes = snapshot.live_bytes;
    return true;
}
