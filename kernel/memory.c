/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: hands the memory of the firmware's map to the port's page allocator.
 * Below: firmware.c, plat/kern64.
 * Concurrency: the first CPU, alone.
 */
#include "base/bits.h"
#include "kernel/kernel.h"

/* One entry of the top page table: 512 GiB that nothing else uses. */
#define WINDOW_AT       0xffff900000000000ull
#define WINDOW_MAX      (1ull << 39)
#define WINDOW_MULTIPLE 8ull /* of the memory */

/* Of frame 0, and so of the largest block that is aligned to its size. */
#define MEMORY_ALIGN (1ull << 30)

extern uint64_t boot_root[];
struct memory_range memory_aside;
uintptr_t memory_static_end;

static struct memory_range ranges[MEMORY_RANGES];
static unsigned nranges;

static uint64_t memory_begin(void)
{
    uint64_t begin = UINT64_MAX;

    for (unsigned i = 0; i < nranges; i++)
        begin = sk_min(begin, ranges[i].at);
    return sk_align_down(begin, MEMORY_ALIGN);
}

static uint64_t memory_end(void)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < nranges; i++)
        end = sk_max(end, ranges[i].at + ranges[i].bytes);
    return end;
}

/* From the end of the last range that is large enough. */
static void put_aside(uint64_t bytes)
{
    for (unsigned i = nranges; i-- && bytes;)
        if (ranges[i].bytes >= 2 * bytes) {
            ranges[i].bytes -= bytes;
            memory_aside = (struct memory_range){ranges[i].at + ranges[i].bytes, bytes, 0};
            return;
        }
}

/* The page allocator's own entries come from the begin of the first range that has the room. */
static void *take_entries(size_t bytes)
{
    for (unsigned i = 0; i < nranges; i++)
        if (ranges[i].bytes > bytes) {
            void *at = (void *)ranges[i].at;

            bytes = sk_align_up(bytes, PLAT_PAGE_BYTES);
            ranges[i].at += bytes;
            ranges[i].bytes -= bytes;
            memory_static_end = ranges[i].at;
            return at;
        }
    plat_panic("kernel: not enough memory for the page allocator");
}

static uint64_t window_bytes(uint64_t memory)
{
    return sk_min(WINDOW_MULTIPLE << sk_log2_ceil(memory), WINDOW_MAX);
}

void memory_start(void)
{
    uint64_t begin, end;

    nranges = firmware_memory(ranges);
    begin = memory_begin();
    end = memory_end();
    put_aside((uint64_t)kernel_option("aside", 0) << 20);
    kern64_memory_init(begin, end, take_entries(kern64_memory_bytes(begin, end)), NULL,
                       (uint64_t)boot_root);
    for (unsigned i = 0; i < nranges; i++)
        kern64_memory_add(ranges[i].at, ranges[i].bytes, ranges[i].node);
    kern64_window(WINDOW_AT, window_bytes(end - begin));
}
