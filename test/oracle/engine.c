/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see engine.h.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "entry.h"

struct engine engine;
static struct slabkit_snapshot snapshot;

static _Noreturn void engine_refuse(int status, const char *why)
{
    dprintf(STDERR_FILENO, "%s\n", why);
    _exit(status);
}

static void engine_require(void)
{
    const char *mode = getenv("TEST_SLABKIT");

    if (!mode)
        return;
    if (!engine.en_present)
        engine_refuse(1, "this test needs slabkit, and malloc is not slabkit's");
    free(malloc(1));
    if (engine.en_snapshot(&snapshot))
        engine_refuse(1, "slabkit has not started");
    if (!strcmp(mode, "any") || !strncmp(snapshot.slots_mode, mode, strlen(mode)))
        return;
    engine_refuse(!strcmp(mode, "portable") ? 1 : TEST_SKIPPED, snapshot.slots_reason);
}

#ifdef SLABKIT_NO_REPLACE

void engine_find(void)
{
    engine = (struct engine){
        .en_present = true,
        .en_snapshot = slabkit_snapshot,
        .en_trim = slabkit_trim,
        .en_verify = slabkit_verify,
        .en_free_sized = slabkit_free_sized,
        .en_free_aligned_sized = slabkit_free_aligned_sized,
    };
    engine_require();
}

#else

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
    engine_require();
}

#endif

unsigned engine_verify(void)
{
    return engine.en_verify ? engine.en_verify() : 0;
}

const char *engine_mode(void)
{
    return engine.en_snapshot && !engine.en_snapshot(&snapshot) ? snapshot.slots_mode : "none";
}

bool engine_live(uint64_t *bytes)
{
    if (!engine.en_snapshot || engine.en_snapshot(&snapshot))
        return false;
    *bytes = snapshot.live_bytes;
    return true;
}
