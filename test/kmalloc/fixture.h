/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the tests of kmalloc share: the engine up to this layer, stamps, the state at rest.
 */
#ifndef SLABKIT_TEST_KMALLOC_FIXTURE_H
#define SLABKIT_TEST_KMALLOC_FIXTURE_H

#include "../slab/fixture.h"
#include "kmalloc/internal.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* argv[1]: "portable", or nothing. */
static inline void start_kmalloc(int argc, char **argv)
{
    struct plat_config cfg = {PLAT_MODE_NONE, 0};
    struct pcpu_limits limits = {
        .array_bytes = 2 * MIB, .depot_bytes = 1 * MIB, .depots_bytes = 64 * MIB};
    enum plat_mode mode;

    if (argc > 1 && strcmp(argv[1], "portable") == 0)
        cfg.force = PLAT_MODE_PORTABLE;
    mode = plat_init(&cfg);
    printf("mode %s (%s)\n", plat_mode_name(mode), plat_mode_reason());
    region_init(&(struct region_config){.reserve_bytes = (size_t)8 << 30,
                                        .dirty_floor_bytes = 16 * MIB,
                                        .dirty_percent = 25,
                                        .hugepages = REGION_HUGE_NEVER});
    if (!pcpu_init(&limits))
        exit(1);
    km_init();
}

static inline size_t huge_blocks(void)
{
    struct region_stats s;

    region_get_stats(&s);
    return s.huge_blocks;
}

static inline void print_fault(const struct pcpu_cache *c, const char *what)
{
    print_error("%s: %s\n", c->pc_geom.name, what);
}

/* Nothing live: after a trim every object, page and huge block is back. */
static inline void expect_all_free(void)
{
    km_trim(0);
    for (unsigned i = 1; i < pcpu_cache_end(); i++) {
        assert_int_equal(pcpu_verify(pcpu_cache_at(i), print_fault), 0);
        assert_int_equal(pcpu_objs_out(pcpu_cache_at(i)), 0);
    }
    assert_int_equal(used_bytes(), 0);
    assert_int_equal(huge_blocks(), 0);
    assert_true(region_verify());
}

/* ---- stamps --------------------------------------------------------------------- */

/* The ends of a block, and a word here and there between. */
static inline size_t stamp_step(size_t size)
{
    return size <= 4096 ? 1 : 509;
}

static inline unsigned char stamp_byte(uint64_t v, size_t i)
{
    return (unsigned char)((v + i) * 0x9e3779b97f4a7c15ull >> 56);
}

static inline void stamp(void *p, size_t size, uint64_t v)
{
    unsigned char *b = p;

    for (size_t i = 0; i < size; i += stamp_step(size))
        b[i] = stamp_byte(v, i);
    if (size)
        b[size - 1] = stamp_byte(v, size - 1);
}

/* The first `size` bytes of a block that was stamped as one of `stamped`. */
static inline bool prefix_holds(const void *p, size_t size, size_t stamped, uint64_t v)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < size; i += stamp_step(stamped))
        if (b[i] != stamp_byte(v, i))
            return false;
    return true;
}

static inline bool stamp_holds(const void *p, size_t size, uint64_t v)
{
    const unsigned char *b = p;

    return prefix_holds(p, size, size, v) && (!size || b[size - 1] == stamp_byte(v, size - 1));
}

static inline bool is_zero(const void *p, size_t size)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < size; i++)
        if (b[i])
            return false;
    return true;
}

#endif
