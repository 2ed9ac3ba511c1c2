/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: allocation before main: in the program's preinit array, which runs before any library's
 *       constructor, and in a preloaded library (early_lib.c). Blocks made then are live, whole
 *       and can be freed now; and a C program does not get libstdc++ loaded by its malloc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>

#include "early.h"
#include "../oracle/engine.h"

static unsigned char *preinit_block;

static void preinit_alloc(void)
{
    preinit_block = malloc(1234);
    EXPECT(preinit_block != NULL);
    fill(preinit_block, 1234, 77);
    free(opaque(malloc(100000)));
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = preinit_alloc;

static void whole(const unsigned char *p, size_t bytes, unsigned char value)
{
    for (size_t i = 0; i < bytes; i++)
        EXPECT(p[i] == value);
}

static void library_blocks_check(void)
{
    struct early_block *block = dlsym(RTLD_DEFAULT, "early_block");
    unsigned *count = dlsym(RTLD_DEFAULT, "early_blocks");

    EXPECT(block != NULL && count != NULL && *count == EARLY_BLOCKS);
    for (unsigned i = 0; i < EARLY_BLOCKS; i++) {
        whole(block[i].eb_p, block[i].eb_bytes, (unsigned char)(i + 1));
        EXPECT(malloc_usable_size(block[i].eb_p) >= block[i].eb_bytes);
        free(block[i].eb_p);
    }
}

int main(void)
{
    engine_find();
    whole(preinit_block, 1234, 77);
    library_blocks_check();
    free(preinit_block);
    EXPECT(dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD) == NULL);
    EXPECT(engine_verify() == 0);
    return 0;
}
