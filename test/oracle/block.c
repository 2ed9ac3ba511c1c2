/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see block.h.
 */
#define _GNU_SOURCE
#include "block.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine.h"
#include "entry.h"

#define GRANULE      8u
#define ADDRESS_BITS 47
#define CHUNK_BITS   30
#define CHUNK_WORDS  ((1ul << CHUNK_BITS) / GRANULE / 64)
#define CHUNK_BYTES  (CHUNK_WORDS * sizeof(uint64_t))
#define STAMP_STEP   0x9e3779b97f4a7c15u
#define ALIGN_BITS   17

typedef _Atomic uint64_t registry_word;
static registry_word *_Atomic registry_chunk[1ul << (ADDRESS_BITS - CHUNK_BITS)];
static const char *how_to_repeat = "";

void block_describe(const char *how)
{
    how_to_repeat = how;
}

_Noreturn void block_fail(const struct block *bl, const char *what, size_t offset)
{
    char line[512];
    int n =
        snprintf(line, sizeof(line),
                 "FAILED: %s: block %p, asked %zu, usable %zu, align %zu, stamp %llu:%llu, at "
                 "byte %zu\nrepeat with: %s\n",
                 what, (void *)bl->bl_p, bl->bl_asked, bl->bl_usable, bl->bl_align,
                 (unsigned long long)(bl->bl_stamp >> 40),
                 (unsigned long long)(bl->bl_stamp & ((1ull << 40) - 1)), offset, how_to_repeat);

    if (write(STDERR_FILENO, line, (size_t)n) != n)
        _exit(2);
    abort();
}

/* ---- registry ---------------------------------------------------------------------------- */

static registry_word *chunk_map(registry_word *_Atomic *entry)
{
    void *fresh = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    registry_word *seen = NULL;

    if (fresh == MAP_FAILED) {
        perror("registry");
        _exit(2);
    }
    if (atomic_compare_exchange_strong(entry, &seen, (registry_word *)fresh))
        return fresh;
    munmap(fresh, CHUNK_BYTES);
    return seen;
}

static registry_word *registry_at(uintptr_t granule)
{
    uintptr_t word = granule / 64;
    registry_word *_Atomic *entry = &registry_chunk[word / CHUNK_WORDS];
    registry_word *chunk = atomic_load(entry);

    return (chunk ? chunk : chunk_map(entry)) + word % CHUNK_WORDS;
}

/* The bits of [first, last) that lie in the word of first. */
static uint64_t word_mask(uintptr_t first, uintptr_t last)
{
    uint64_t mask = ~0ull << first % 64;

    if (last / 64 == first / 64)
        mask &= ~(~0ull << last % 64);
    return mask;
}

static void registry_set(const struct block *bl, bool live)
{
    uintptr_t first = (uintptr_t)bl->bl_p / GRANULE;
    uintptr_t last = ((uintptr_t)bl->bl_p + bl->bl_usable + GRANULE - 1) / GRANULE;

    for (; first < last; first = (first | 63) + 1) {
        uint64_t mask = word_mask(first, last);
        registry_word *word = registry_at(first);
        uint64_t old = live ? atomic_fetch_or(word, mask) : atomic_fetch_and(word, ~mask);

        if (live && (old & mask))
            block_fail(bl, "handed out while part of it is in use",
                       first * GRANULE - (uintptr_t)bl->bl_p);
        if (!live && (old & mask) != mask)
            block_fail(bl, "the registry lost this block", 0);
    }
}

/* ---- stamps ------------------------------------------------------------------------------ */

static uint64_t stamp_word(uint64_t stamp, size_t index)
{
    return mix64(stamp) + index * STAMP_STEP;
}

static void stamp_write(const struct block *bl)
{
    size_t words = bl->bl_usable / 8;
    uint64_t tail = stamp_word(bl->bl_stamp, words);

    for (size_t i = 0; i < words; i++) {
        uint64_t value = stamp_word(bl->bl_stamp, i);

        memcpy(bl->bl_p + 8 * i, &value, 8);
    }
    memcpy(bl->bl_p + 8 * words, &tail, bl->bl_usable % 8);
}

static void stamp_check(const struct block *bl, size_t bytes, const char *what)
{
    size_t words = bytes / 8;
    uint64_t tail = stamp_word(bl->bl_stamp, words);

    for (size_t i = 0; i < words; i++) {
        uint64_t value;

        memcpy(&value, bl->bl_p + 8 * i, 8);
        if (value != stamp_word(bl->bl_stamp, i))
            block_fail(bl, what, 8 * i);
    }
    if (memcmp(bl->bl_p + 8 * words, &tail, bytes % 8))
        block_fail(bl, what, 8 * words);
}

static void zero_check(const struct block *bl)
{
    for (size_t i = 0; i < bl->bl_asked; i++)
        if (bl->bl_p[i])
            block_fail(bl, "calloc gave memory that is not zero", i);
}

/* ---- blocks ------------------------------------------------------------------------------ */

static void block_enter(struct block *bl, uint64_t stamp)
{
    uintptr_t address = (uintptr_t)bl->bl_p;

    bl->bl_usable = malloc_usable_size(bl->bl_p);
    bl->bl_stamp = stamp;
    if (bl->bl_usable < bl->bl_asked)
        block_fail(bl, "usable size is less than was asked for", 0);
    if (address >> ADDRESS_BITS)
        block_fail(bl, "address outside of user space", 0);
    if (bl->bl_asked >= 16 && address % 16)
        block_fail(bl, "not aligned to 16 bytes", 0);
    if (bl->bl_align && address % bl->bl_align)
        block_fail(bl, "not aligned as asked", 0);
    registry_set(bl, true);
}

static void *aligned_make(size_t align, size_t size, struct random *rn)
{
    void *p = NULL;

    switch (random_below(rn, 3)) {
    case 0:
        return aligned_alloc(align, size);
    case 1:
        return memalign(align, size);
    default:
        errno = posix_memalign(&p, align < sizeof(void *) ? sizeof(void *) : align, size);
        return errno ? NULL : p;
    }
}

bool block_make(struct block *bl, enum block_way way, size_t size, struct random *rn,
                uint64_t stamp)
{
    *bl = (struct block){.bl_asked = size};
    if (way == BLOCK_ALIGNED) {
        bl->bl_align = (size_t)1 << random_below(rn, ALIGN_BITS);
        bl->bl_p = aligned_make(bl->bl_align, size, rn);
    } else {
        bl->bl_p = way == BLOCK_CALLOC ? calloc(1, size) : malloc(size);
    }
    if (!bl->bl_p)
        return false;
    block_enter(bl, stamp);
    if (way == BLOCK_CALLOC)
        zero_check(bl);
    stamp_write(bl);
    return true;
}

void block_check(const struct block *bl)
{
    stamp_check(bl, bl->bl_usable, "somebody else wrote into a live block");
}

/* The old addresses leave the registry before realloc() may give them to somebody else. */
bool block_resize(struct block *bl, size_t size, uint64_t stamp)
{
    size_t keep = bl->bl_usable < size ? bl->bl_usable : size;
    void *moved;

    block_check(bl);
    registry_set(bl, false);
    moved = realloc(bl->bl_p, size ? size : 1);
    if (!moved) {
        registry_set(bl, true);
        return false;
    }
    *bl = (struct block){.bl_p = moved, .bl_asked = size, .bl_stamp = bl->bl_stamp};
    block_enter(bl, bl->bl_stamp);
    stamp_check(bl, keep, "realloc did not keep the contents");
    bl->bl_stamp = stamp;
    stamp_write(bl);
    return true;
}

void block_free(struct block *bl, bool sized)
{
    struct block gone = *bl;

    block_check(bl);
    registry_set(bl, false);
    bl->bl_p = NULL;
    errno = 4711;
    if (sized && gone.bl_align && engine.en_free_aligned_sized)
        engine.en_free_aligned_sized(gone.bl_p, gone.bl_align, gone.bl_asked);
    else if (sized && !gone.bl_align && engine.en_free_sized)
        engine.en_free_sized(gone.bl_p, gone.bl_asked);
    else
        free(gone.bl_p);
    if (errno != 4711)
        block_fail(&gone, "free changed errno", 0);
}
