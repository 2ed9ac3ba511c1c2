/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the size classes: their sizes, names, alignments and caches, and the two tables that map a
 *       size to its class.
 * Below: pcpu.
 * Owns: km_caches, the tables: written once by km_init.
 * Why: tables of bytes: one load.
 */
#include "kmalloc/internal.h"
#include "kmalloc/types.h"

uint8_t km_class_fine[KM_FINE_MAX / 8 + 1], km_hit_fine[KM_FINE_MAX + 1];
uint8_t km_class_coarse[KM_SMALL_MAX / 128 + 1];
struct pcpu_cache km_caches[KM_CACHES + 1];

static char class_names[KM_CACHES + 1][16];
static bool started;

/* Class i, from 1: 8, then multiples of 16 to 128, then eight steps per doubling. */
static size_t class_bytes(unsigned i)
{
    unsigned doubling, step;

    if (i <= 9)
        return i == 1 ? 8 : (i - 1) * 16u;
    doubling = (i - 10) / 8;
    step = (i - 10) % 8 + 1;
    return ((size_t)128 << doubling) + ((size_t)16 << doubling) * step;
}

size_t km_class_bytes(unsigned i)
{
    return i <= KM_CLASSES ? class_bytes(i) : (i - KM_CLASSES) * KM_MEDIUM_STEP;
}

static SK_START void class_name(char *out, size_t bytes)
{
    static const char prefix[] = "malloc-";
    char digits[8];
    unsigned n = 0, at = 0;

    for (; prefix[at]; at++)
        out[at] = prefix[at];
    for (; bytes; bytes /= 10)
        digits[n++] = (char)('0' + bytes % 10);
    while (n)
        out[at++] = digits[--n];
    out[at] = 0;
}

static size_t class_align(size_t bytes)
{
    return bytes & -bytes;
}

static SK_START void class_init(unsigned i)
{
    size_t bytes = class_bytes(i), below = i == 1 ? 0 : class_bytes(i - 1);

    class_name(class_names[i], bytes);
    pcpu_cache_init(&km_caches[i], class_names[i], bytes, class_align(bytes), (uint16_t)i);
    for (size_t s = below / 8 + (i != 1); s <= bytes / 8 && s <= KM_FINE_MAX / 8; s++)
        km_class_fine[s] = (uint8_t)i;
    for (size_t s = below / 128 + 1; s <= bytes / 128; s++)
        km_class_coarse[s] = (uint8_t)i;
}

static SK_START void medium_init(unsigned i)
{
    size_t bytes = km_class_bytes(i);

    class_name(class_names[i], bytes);
    pcpu_cache_init(&km_caches[i], class_names[i], bytes, KM_MEDIUM_STEP, (uint16_t)i);
}

SK_START void km_init(void)
{
    for (unsigned i = 1; i <= KM_CLASSES; i++)
        class_init(i);
    for (unsigned i = KM_CLASSES + 1; i <= KM_CACHES; i++)
        medium_init(i);
    for (size_t s = 0; region_hits.npages && s <= KM_FINE_MAX; s++)
        km_hit_fine[s] = (uint8_t)km_class(s);
    nested_init();
    types_init();
    sk_store_release(&started, true);
}

bool km_started(void)
{
    return sk_load_acquire(&started);
}

SK_COLD size_t km_good_size(size_t size)
{
    if (size <= KM_MEDIUM_MAX)
        return km_caches[km_class(size)].pc_geom.size;
    return sk_align_up(size, plat_sys_page_bytes());
}
