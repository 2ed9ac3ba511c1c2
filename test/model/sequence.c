/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see sequence.h.
 */
#include "sequence.h"

#include <stdio.h>
#include <string.h>

#include "../oracle/random.h"

static const char *const op_name[OP_KINDS] = {
    [OP_MALLOC] = "malloc",
    [OP_CALLOC] = "calloc",
    [OP_REALLOC] = "realloc",
    [OP_ALIGNED_ALLOC] = "aligned_alloc",
    [OP_POSIX_MEMALIGN] = "posix_memalign",
    [OP_FREE] = "free",
    [OP_FREE_SIZED] = "free_sized",
    [OP_USABLE] = "usable",
    [OP_TRIM] = "trim",
    [OP_CHECK] = "check",
};

/* In 1000. */
static const unsigned op_weight[OP_KINDS] = {
    [OP_MALLOC] = 300,       [OP_CALLOC] = 80,         [OP_REALLOC] = 140,
    [OP_ALIGNED_ALLOC] = 40, [OP_POSIX_MEMALIGN] = 40, [OP_FREE] = 320,
    [OP_FREE_SIZED] = 50,    [OP_USABLE] = 24,         [OP_TRIM] = 2,
    [OP_CHECK] = 4,
};

static enum op_kind kind_draw(struct random *rn)
{
    uint64_t draw = random_below(rn, 1000);
    unsigned kind = 0;

    while (draw >= op_weight[kind])
        draw -= op_weight[kind++];
    return (enum op_kind)kind;
}

/* Half of the sizes sit at the edges of powers of two, where classes and rounding change. */
static size_t size_draw(struct random *rn)
{
    size_t size = random_size(rn);

    if (random_below(rn, 2) || size < 2)
        return size;
    size = (size_t)1 << (63 - __builtin_clzll(size));
    return size + random_below(rn, 5) - 2;
}

void sequence_make(struct sequence *sq, uint64_t seed, unsigned count)
{
    struct random rn = {mix64(seed)};
    unsigned slots = 1u + (unsigned)random_log_size(&rn, 8) % SEQUENCE_SLOTS;

    sq->sq_count = count;
    for (unsigned i = 0; i < count; i++) {
        sq->sq_op[i].op_kind = kind_draw(&rn);
        sq->sq_op[i].op_slot = (unsigned)random_below(&rn, slots);
        sq->sq_op[i].op_size = size_draw(&rn);
        sq->sq_op[i].op_align = (size_t)1 << (3 + random_below(&rn, 16));
    }
}

/* ---- text --------------------------------------------------------------------------------- */

void sequence_write(const struct sequence *sq, int fd)
{
    for (unsigned i = 0; i < sq->sq_count; i++)
        dprintf(fd, "%s %u %zu %zu\n", op_name[sq->sq_op[i].op_kind], sq->sq_op[i].op_slot,
                sq->sq_op[i].op_size, sq->sq_op[i].op_align);
}

static bool op_parse(struct op *op, const char *line)
{
    char name[32];

    if (sscanf(line, "%31s %u %zu %zu", name, &op->op_slot, &op->op_size, &op->op_align) != 4)
        return false;
    for (unsigned kind = 0; kind < OP_KINDS; kind++)
        if (!strcmp(name, op_name[kind])) {
            op->op_kind = (enum op_kind)kind;
            return op->op_slot < SEQUENCE_SLOTS && op->op_align >= 8 &&
                   (op->op_align & (op->op_align - 1)) == 0;
        }
    return false;
}

bool sequence_read(struct sequence *sq, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[128];
    bool good = file;

    sq->sq_count = 0;
    while (good && sq->sq_count < SEQUENCE_MAX && fgets(line, sizeof(line), file))
        if (line[0] != '#')
            good = op_parse(&sq->sq_op[sq->sq_count++], line);
    if (file)
        fclose(file);
    return good;
}

/* ---- shrinking (Zeller's delta debugging, complements only) --------------------------------- */

static struct sequence trial;

/* Leaves out [from, from + length) if the rest still fails. */
static bool range_drop(struct sequence *sq, unsigned from, unsigned length,
                       bool (*fails)(const struct sequence *sq))
{
    unsigned after = sq->sq_count - from - length;

    trial.sq_count = from + after;
    memcpy(trial.sq_op, sq->sq_op, from * sizeof(struct op));
    memcpy(trial.sq_op + from, sq->sq_op + from + length, after * sizeof(struct op));
    if (!fails(&trial))
        return false;
    memmove(sq->sq_op + from, sq->sq_op + from + length, after * sizeof(struct op));
    sq->sq_count = from + after;
    return true;
}

static bool ranges_drop(struct sequence *sq, unsigned length,
                        bool (*fails)(const struct sequence *sq))
{
    bool dropped = false;

    for (unsigned from = 0; from < sq->sq_count;) {
        unsigned n = length < sq->sq_count - from ? length : sq->sq_count - from;

        if (range_drop(sq, from, n, fails))
            dropped = true;
        else
            from += n;
    }
    return dropped;
}

static bool value_lower(struct sequence *sq, size_t *value, size_t lower,
                        bool (*fails)(const struct sequence *sq))
{
    size_t old = *value;

    if (lower == old)
        return false;
    *value = lower;
    if (fails(sq))
        return true;
    *value = old;
    return false;
}

static void values_lower(struct sequence *sq, bool (*fails)(const struct sequence *sq))
{
    for (unsigned i = 0; i < sq->sq_count; i++) {
        struct op *op = &sq->sq_op[i];

        while (op->op_align > 8 && value_lower(sq, &op->op_align, op->op_align / 2, fails))
            ;
        while (value_lower(sq, &op->op_size, op->op_size / 2, fails))
            ;
    }
}

void sequence_shrink(struct sequence *sq, bool (*fails)(const struct sequence *sq))
{
    for (unsigned length = sq->sq_count / 2; length > 1; length /= 2)
        ranges_drop(sq, length, fails);
    while (ranges_drop(sq, 1, fails))
        ;
    values_lower(sq, fails);
}
