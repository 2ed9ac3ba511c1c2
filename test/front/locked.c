/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a program that locks all its memory: what is only reserved does not become resident.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "expect.h"

#define MIB        (1ul << 20)
#define MOST_BYTES (96 * MIB) /* of which a C library and a stack */
#define BLOCKS     8192u
#define BLOCK      1000u

/* All that mlockall would have to make resident with memory of its own. */
static unsigned long writable_bytes(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned long begin, end, sum = 0;
    char line[512], access[8];

    EXPECT(f != NULL);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "%lx-%lx %7s", &begin, &end, access) == 3 && access[1] == 'w')
            sum += end - begin;
    fclose(f);
    return sum;
}

static unsigned long resident_bytes(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    unsigned long kib = 0;
    char line[256];

    EXPECT(f != NULL);
    while (fgets(line, sizeof(line), f))
        sscanf(line, "VmRSS: %lu", &kib);
    fclose(f);
    EXPECT(kib != 0);
    return kib << 10;
}

static void use_memory(void)
{
    static char *blocks[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        EXPECT(blocks[i] != NULL);
        memset(blocks[i], 1, BLOCK);
    }
    EXPECT(resident_bytes() < MOST_BYTES);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

int main(void)
{
    free(opaque(malloc(1)));
    EXPECT(writable_bytes() < MOST_BYTES);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        EXPECT(errno == EPERM || errno == ENOMEM); /* not allowed to lock so much */
        return 0;
    }
    use_memory();
    return 0;
}
