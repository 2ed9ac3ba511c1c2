/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the model test inside the kernel: the hosted test's sequences and shadow, on one CPU after the
 *       other, with timer interrupts; and what ctl's snapshot and verification need of a kernel.
 *       usage: model [sequences [operations]]
 */
#include "engine.h"

#include "../model/sequence.h"
#include "../model/shadow.h"
#include "../oracle/engine.h"
#include "../oracle/entry.h"
#include "ctl/start.h"
#include "ctl/system.h"
#include "ctl/world.h"
#include "base/text.h"

/* ---- malloc's family, as the model calls it --------------------------------------------------- */

void *slabkit_malloc(size_t size)
{
    return km_alloc(size);
}

void *slabkit_calloc(size_t n, size_t size)
{
    return km_zalloc(n * size);
}

void *slabkit_realloc(void *p, size_t size)
{
    return p ? km_realloc(p, size) : km_alloc(size);
}

void slabkit_free(void *p)
{
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
    return p ? km_usable(p, "usable size") : 0;
}

int slabkit_malloc_trim(size_t pad)
{
    return km_trim(pad) != 0;
}

static void free_sized(void *p, size_t size)
{
    km_check_sized(p, size, 0);
    km_free(p);
}

static void free_aligned_sized(void *p, size_t align, size_t size)
{
    km_check_sized(p, size, align);
    km_free(p);
}

/* ---- what ctl asks of the world ---------------------------------------------------------------- */

bool ctl_start_slow(void)
{
    return km_started();
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

/* ---- the engine, as the model sees it ---------------------------------------------------------- */

struct engine engine = {.en_present = true,
                        .en_snapshot = slabkit_snapshot,
                        .en_trim = slabkit_trim,
                        .en_verify = slabkit_verify,
                        .en_free_sized = free_sized,
                        .en_free_aligned_sized = free_aligned_sized};

void engine_find(void)
{
}

unsigned engine_verify(void)
{
    return slabkit_verify();
}

bool engine_live(uint64_t *bytes)
{
    static struct slabkit_snapshot s;

    assert_int_equal(slabkit_snapshot(&s), 0);
    assert_string_equal(s.slots_mode, "kernel");
    *bytes = s.live_bytes;
    return true;
}

/* ---- sequences ------------------------------------------------------------------------------------ */

static struct sequence sequence;
static unsigned fault;

static void run_one(void *arg)
{
    (void)arg;
    timer_every(50000, 500000);
    shadow_run(&sequence, fault);
    timer_usual();
}

static void run_on(unsigned cpu)
{
    if (cpu == 0) {
        run_one(NULL);
        return;
    }
    assert_true(cpu_run_on(cpu, run_one, NULL));
    while (!cpu_is_idle(cpu))
        cpu_rest();
}

/* In the middle of whatever the model does; nothing is live afterwards. */
static void handler(void)
{
    km_free(km_alloc(100 + plat_slot()));
}

int main(int argc, char **argv)
{
    unsigned sequences = argc > 1 ? (unsigned)atoi(argv[1]) : 8;
    unsigned ops = argc > 2 ? (unsigned)atoi(argv[2]) : 1500;

    if (argc > 3)
        fault = (unsigned)atoi(argv[3]);
    start_engine(0);
    timer_hook = handler;
    for (unsigned i = 0; i < sequences; i++) {
        sequence_make(&sequence, i + 1, ops);
        run_on(i % plat_nslots());
        printf("sequence %u on CPU %u\n", i + 1, i % plat_nslots());
    }
    timer_hook = NULL;
    km_free(km_alloc(KM_MEDIUM_MAX + 1));
    expect_all_free();
    return 0;
}
