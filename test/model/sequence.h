/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: sequences of operations: made from a seed, written and read as text, run, shrunk.
 * Owns: the rule that makes shrinking possible: every subsequence of a sequence is legal. An
 *       operation names a slot; one that allocates does nothing when the slot is taken, one that
 *       needs a block does nothing when the slot is empty.
 */
#ifndef TEST_MODEL_SEQUENCE_H
#define TEST_MODEL_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEQUENCE_SLOTS 256u
#define SEQUENCE_MAX   100000u

enum op_kind {
    OP_MALLOC,
    OP_CALLOC,
    OP_REALLOC,
    OP_ALIGNED_ALLOC,
    OP_POSIX_MEMALIGN,
    OP_FREE,
    OP_FREE_SIZED,
    OP_USABLE,
    OP_TRIM,
    OP_CHECK,
    OP_KINDS,
};

struct op {
    enum op_kind op_kind;
    unsigned op_slot;
    size_t op_size;
    size_t op_align;
};

struct sequence {
    unsigned sq_count;
    struct op sq_op[SEQUENCE_MAX];
};

void sequence_make(struct sequence *sq, uint64_t seed, unsigned count);
/* One operation a line: kind slot size align. */
void sequence_write(const struct sequence *sq, int fd);
/* Lines that start with # are skipped. false: no such file, or a line that cannot be read. */
bool sequence_read(struct sequence *sq, const char *path);

/* Makes sq as short, and its sizes as small, as it can while it still fails. */
void sequence_shrink(struct sequence *sq, bool (*fails)(const struct sequence *sq));

#endif
