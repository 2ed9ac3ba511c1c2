/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the oracle: blocks that know what they must contain, and a registry of every address that
 *       is in somebody's hands.
 * Owns: the registry, one bit for each 8 bytes of address space:
 *           bit set  <=>  a live block covers it
 *       so that a block handed out twice, or two that overlap, is found when it is handed out;
 *       and stamps over the whole usable size, so that a write into a live block is found when
 *       its holder next looks.
 * Concurrency: a block belongs to one thread at a time. Registry bits are set and cleared by
 *       atomic read-modify-write; set before the block's first stamp, cleared before free(), so
 *       a bit seen set by the next owner can only mean that the block was still held.
 *       All of it may run in a signal handler: the registry's memory comes from mmap.
 * Failure: a broken promise of the allocator ends the process with a line that says which one.
 */
#ifndef TEST_ORACLE_BLOCK_H
#define TEST_ORACLE_BLOCK_H

#include <stdbool.h>

#include "random.h"

enum block_way {
    BLOCK_MALLOC,
    BLOCK_CALLOC,
    BLOCK_ALIGNED,
    BLOCK_WAYS
};

struct block {
    unsigned char *bl_p; /* NULL: nothing here */
    size_t bl_asked;
    size_t bl_usable;
    size_t bl_align; /* asked for; 0: none */
    uint64_t bl_stamp;
};

/* What is printed before the first failure: how to run this again. */
void block_describe(const char *how_to_repeat);
_Noreturn void block_fail(const struct block *bl, const char *what, size_t offset);

/* stamp names the thread and its sequence number. false: the allocator had no memory. */
bool block_make(struct block *bl, enum block_way way, size_t size, struct random *rn,
                uint64_t stamp);
void block_check(const struct block *bl);
/* Keeps the common prefix, then stamps the block anew. false: no memory, block unchanged. */
bool block_resize(struct block *bl, size_t size, uint64_t stamp);
/* Checks, then frees. With sized the size and alignment are given back as well, where that exists.
 */
void block_free(struct block *bl, bool sized);

#endif
