/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a program that knows the engine by slabkit.h alone, in a kernel whose engine is slabkit.c: what a
 *       port's first hour looks like.
 */
#include "slabkit.h"

#define MANY 3000u

int main(int argc, char **argv);

static void *p[MANY];

static size_t size_of(unsigned i)
{
    return i % 100 == 0 ? 100000 + i : 1 + i % 700;
}

static void fail_if(bool bad, const char *what)
{
    if (bad)
        plat_panic(what);
}

static void start(void)
{
    plat_init(&(struct plat_config){0});
    region_init(&(struct region_config){
        .reserve_bytes = SIZE_MAX, .dirty_floor_bytes = (size_t)1 << 20, .dirty_percent = 25});
    fail_if(!pcpu_init(&(struct pcpu_limits){.array_bytes = (size_t)256 << 10,
                                             .depot_bytes = (size_t)128 << 10,
                                             .depots_bytes = (size_t)1 << 20}),
            "no memory to start");
    km_init();
}

int main(int argc, char **argv)
{
    struct region_stats s;

    (void)argc;
    (void)argv;
    start();
    for (unsigned i = 0; i < MANY; i++) {
        p[i] = km_alloc(size_of(i));
        fail_if(!p[i], "no memory");
        __builtin_memset(p[i], (int)i, size_of(i));
    }
    for (unsigned i = 0; i < MANY; i++) {
        const unsigned char *b = p[i];

        fail_if(b[0] != (unsigned char)i || b[size_of(i) - 1] != (unsigned char)i, "contents lost");
        km_free(p[i]);
    }
    km_trim(0);
    region_get_stats(&s);
    fail_if(s.used_bytes != 0, "not everything came back");
    fail_if(!region_verify(), "the region is not sound");
    return 0;
}
