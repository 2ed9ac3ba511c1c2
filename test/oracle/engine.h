/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit's own calls as a test program sees them: looked up when the program runs, so that
 *       the same program also runs on an allocator that has none of them.
 * Below: slabkit/slabkit.h for the types only.
 * Concurrency: engine_find() before threads start; the pointers are constant afterwards.
 */
#ifndef TEST_ORACLE_ENGINE_H
#define TEST_ORACLE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slabkit/slabkit.h"

struct engine {
    bool en_present; /* malloc is slabkit's */
    int (*en_snapshot)(struct slabkit_snapshot *out);
    size_t (*en_trim)(size_t keep_bytes);
    unsigned (*en_verify)(void);
    void (*en_free_sized)(void *p, size_t size);
    void (*en_free_aligned_sized)(void *p, size_t align, size_t size);
};
extern struct engine engine;

#define TEST_SKIPPED 77

/* Looks everything up once. TEST_SLABKIT in the environment makes slabkit's absence fatal, so that
 * a test that is meant to run on it cannot pass on something else. Its value is the mode of slots
 * that must be running: "any", or the beginning of a name; where the system has none of the kind
 * the test is skipped. */
void engine_find(void);

/* 0 where there is nothing to ask. */
unsigned engine_verify(void);
/* Bytes in the program's hands; false where there is nothing to ask. */
bool engine_live(uint64_t *bytes);
/* How slots are protected; "none" where there is nothing to ask. */
const char *engine_mode(void);

#endif
