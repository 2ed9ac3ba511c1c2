/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: frames of physical memory: a zone of the buddy allocator for each node.
 * Below: buddy.h.
 * Owns: the frames told of at start that nobody has.
 * Concurrency: one lock, held for a few hundred instructions with interrupts off: any context.
 * Failure: 0.
 */
#include "plat/kern64/kern64.h"
#include "plat/kern64/buddy.h"

static struct {
    struct plat_lock lock;
    struct buddy buddy;
    /* Constant after the start. */
    uint64_t begin; /* physical address of frame 0 */
    char *direct;
    uint64_t root;
    unsigned nodes;
} frames;

size_t kern64_memory_bytes(uint64_t begin, uint64_t end)
{
    return ((end - begin) >> PLAT_PAGE_SHIFT) * sizeof(struct buddy_unit);
}

static uint32_t frame_of(uint64_t at)
{
    return (uint32_t)((at - frames.begin) >> PLAT_PAGE_SHIFT);
}

static uint64_t address_of(uint32_t frame)
{
    return frame == BUDDY_NONE ? 0 : frames.begin + ((uint64_t)frame << PLAT_PAGE_SHIFT);
}

void kern64_memory_init(uint64_t begin, uint64_t end, void *entries, char *direct, uint64_t root)
{
    frames.begin = begin;
    buddy_init(&frames.buddy, entries, frame_of(end));
    frames.direct = direct;
    frames.root = root;
}

void kern64_memory_add(uint64_t at, uint64_t bytes, unsigned node)
{
    uint32_t first = frame_of(sk_align_up(at, PLAT_PAGE_BYTES)), end = frame_of(at + bytes);

    if (first >= end || node >= BUDDY_ZONES)
        return;
    frames.nodes = (unsigned)sk_max(frames.nodes, node + 1);
    buddy_add(&frames.buddy, first, end - first, node);
}

char *frame_address(uint64_t at)
{
    return frames.direct + at;
}

uint64_t frame_root(void)
{
    return frames.root;
}

/* ---- allocate and free --------------------------------------------------------------------- */

static uint64_t frames_lock(void)
{
    uint64_t flags = cpu_irq_save();

    plat_lock(&frames.lock);
    return flags;
}

static void frames_unlock(uint64_t flags)
{
    plat_unlock(&frames.lock);
    cpu_irq_restore(flags);
}

/* The node's own memory first, then that of the nodes after it. */
static uint32_t alloc_near(unsigned order, unsigned node)
{
    uint32_t frame = BUDDY_NONE;

    for (unsigned i = 0; i < frames.nodes && frame == BUDDY_NONE; i++)
        frame = buddy_alloc(&frames.buddy, order, (node + i) % frames.nodes);
    return frame;
}

uint64_t kern64_frames_alloc(unsigned order, unsigned node)
{
    uint64_t flags = frames_lock();
    uint32_t frame = alloc_near(order, node);

    frames_unlock(flags);
    return address_of(frame);
}

void kern64_frames_free(uint64_t at)
{
    uint64_t flags = frames_lock();
    bool ok = buddy_free(&frames.buddy, frame_of(at));

    frames_unlock(flags);
    SK_REQUIRE(ok);
}

static uint64_t cleared(uint64_t at)
{
    if (at)
        __builtin_memset(frame_address(at), 0, PLAT_PAGE_BYTES);
    return at;
}

uint64_t frame_zeroed(void)
{
    return cleared(kern64_frames_alloc(0, kern64_self()->node));
}

uint64_t frame_zeroed_of(unsigned node)
{
    uint64_t flags = frames_lock();
    uint32_t frame = buddy_alloc(&frames.buddy, 0, node);

    frames_unlock(flags);
    return cleared(address_of(frame));
}

unsigned frame_node(uint64_t at)
{
    return frames.buddy.bd_unit[frame_of(at)].zone;
}

uint64_t kern64_frames_free_bytes(unsigned node)
{
    uint64_t flags = frames_lock();
    uint64_t units = node < BUDDY_ZONES ? frames.buddy.bd_zone_free[node] : frames.buddy.bd_free;

    frames_unlock(flags);
    return units << PLAT_PAGE_SHIFT;
}

bool kern64_frames_verify(void)
{
    uint64_t flags = frames_lock();
    bool ok = buddy_verify(&frames.buddy);

    frames_unlock(flags);
    return ok;
}

void kern64_frames_each_used(void (*fn)(uint64_t at, uint64_t bytes))
{
    for (uint32_t i = 0; i < frames.buddy.bd_units; i++)
        if (frames.buddy.bd_unit[i].state == BUDDY_USED)
            fn(address_of(i), PLAT_PAGE_BYTES << frames.buddy.bd_unit[i].order);
}
