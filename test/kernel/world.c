/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what programs of the layers above kmalloc find in a kernel: malloc's family, and what ctl asks of the world.
 *       Linked with the files of ctl that a kernel can have: typed allocation, snapshot, verification.
 */
#include "engine.h"

#include "../oracle/entry.h"
#include "base/text.h"
#include "ctl/start.h"
#include "ctl/system.h"
#include "ctl/world.h"

/* ---- malloc's family ------------------------------------------------------------------------------- */

void *slabkit_malloc(size_t size)
{
    return ctl_start() ? km_alloc(size) : NULL;
}

void *slabkit_calloc(size_t n, size_t size)
{
    return km_zalloc(n * size);
}

void *slabkit_realloc(void *p, size_t size)
{
    return p ? km_realloc(p, size) : slabkit_malloc(size);
}

void slabkit_free(void *p)
{
    if (ctl_start())
        km_free(p);
}

void *slabkit_aligned_alloc(size_t align, size_t size)
{
    return km_alloc_aligned(size, align);
}

int slabkit_posix_memalign(void **out, size_t align, size_t size)
{
    *out = km_alloc_aligned(size, align);
    return *out ? 0 : ENOMEM;
}

size_t slabkit_malloc_usable_size(void *p)
{
    return p && ctl_start() ? km_usable(p, "malloc_usable_size") : 0;
}

int slabkit_malloc_trim(size_t pad)
{
    return km_trim(pad) != 0;
}

void slabkit_free_sized(void *p, size_t size)
{
    if (ctl_start())
        km_check_sized(p, size, 0);
    km_free(p);
}

void slabkit_free_aligned_sized(void *p, size_t align, size_t size)
{
    if (ctl_start())
        km_check_sized(p, size, align);
    km_free(p);
}

/* ---- what ctl asks of the world -------------------------------------------------------------------- */

static void start(void)
{
    start_engine(0);
    kmem_init(&(struct kmem_hooks){ctl_poke}, false);
}

/* By the first call of a program that did not start the engine itself; the first CPU's, alone. */
bool ctl_start_slow(void)
{
    if (plat_mode() == PLAT_MODE_NONE)
        start();
    return km_started();
}

/* Nobody reaps here. */
void ctl_poke(void)
{
}

bool ctl_reaper_runs(void)
{
    return false;
}

uint64_t ctl_reaps(void)
{
    return 0;
}

void system_process_name(char *out, size_t bytes)
{
    snprintf(out, bytes, "kernel");
}

/* There is no loader to ask. */
void world_name_code(struct text *t, const void *fn)
{
    text_address(t, fn);
}
