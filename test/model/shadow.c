/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see shadow.h.
 * Owns: shadow_slot[]: what the program holds; shadow_order[]: the slots in use, by address, so
 *       that two live blocks overlap  <=>  some neighbours in it do.
 */
#define _GNU_SOURCE
#include "shadow.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../oracle/engine.h"
#include "../oracle/random.h"
#include "../oracle/entry.h"

/* A thread of slabkit's own may start meanwhile, and libc then allocates its vector. */
#define LIVE_SLACK    8192
#define NATURAL_LIMIT (32u << 10)

struct shadow {
    unsigned char *sh_p; /* NULL: slot empty */
    size_t sh_asked;
    size_t sh_usable;
    size_t sh_align; /* 0: none asked for */
    uint64_t sh_fill;
};

static struct shadow shadow_slot[SEQUENCE_SLOTS];
static struct shadow *shadow_order[SEQUENCE_SLOTS];
static unsigned shadow_live;
static unsigned shadow_now; /* index of the running operation */
static unsigned shadow_fault;
static bool shadow_trimmed;

static _Noreturn void differ(const struct shadow *sh, const char *what)
{
    dprintf(STDERR_FILENO,
            "operation %u: %s (slot %u, block %p, asked %zu, usable %zu, align %zu)\n", shadow_now,
            what, sh ? (unsigned)(sh - shadow_slot) : 0u, sh ? (void *)sh->sh_p : NULL,
            sh ? sh->sh_asked : 0, sh ? sh->sh_usable : 0, sh ? sh->sh_align : 0);
    _exit(1);
}

/* ---- contents ------------------------------------------------------------------------------ */

static unsigned char fill_byte(const struct shadow *sh, size_t i)
{
    return (unsigned char)(sh->sh_fill >> i % 8 * 8) ^ (unsigned char)(i / 8 * 31);
}

static void contents_write(struct shadow *sh)
{
    sh->sh_fill = mix64((uint64_t)shadow_now + 1);
    for (size_t i = 0; i < sh->sh_usable; i++)
        sh->sh_p[i] = fill_byte(sh, i);
}

static void contents_check(const struct shadow *sh, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (sh->sh_p[i] != fill_byte(sh, i))
            differ(sh, "contents changed");
}

static void zero_check(const struct shadow *sh)
{
    for (size_t i = 0; i < sh->sh_asked; i++)
        if (sh->sh_p[i])
            differ(sh, "calloc gave memory that is not zero");
}

/* ---- faults put in on purpose ---------------------------------------------------------------- */

static bool aligned_is_live(void)
{
    for (unsigned i = 0; i < shadow_live; i++)
        if (shadow_order[i]->sh_align)
            return true;
    return false;
}

static void fault_at_alloc(struct shadow *sh, enum op_kind kind)
{
    struct shadow *below = sh > shadow_slot ? sh - 1 : NULL;

    if (shadow_fault == 1 && kind == OP_MALLOC && sh->sh_asked >= 1000 && aligned_is_live())
        differ(sh, "injected: overlaps a live block");
    if (shadow_fault == 2 && kind == OP_REALLOC && sh->sh_asked >= 5000 && below && below->sh_p &&
        below->sh_usable)
        below->sh_p[0] ^= 1;
    if (shadow_fault == 4 && kind == OP_CALLOC && shadow_trimmed && sh->sh_asked)
        sh->sh_p[sh->sh_asked - 1] = 1;
}

static void fault_at_free(const struct shadow *sh)
{
    if (shadow_fault == 3 && sh->sh_asked >= 60000)
        raise(SIGSEGV);
}

/* ---- what is live ---------------------------------------------------------------------------- */

static unsigned order_find(const unsigned char *p)
{
    unsigned low = 0, high = shadow_live;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (shadow_order[middle]->sh_p < p)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void live_insert(struct shadow *sh)
{
    unsigned at = order_find(sh->sh_p);
    unsigned char *end = sh->sh_p + (sh->sh_usable ? sh->sh_usable : 1);

    if (at < shadow_live && end > shadow_order[at]->sh_p)
        differ(sh, "overlaps the next live block");
    if (at > 0 && shadow_order[at - 1]->sh_p + shadow_order[at - 1]->sh_usable > sh->sh_p)
        differ(sh, "overlaps the live block before");
    memmove(&shadow_order[at + 1], &shadow_order[at], (shadow_live - at) * sizeof(sh));
    shadow_order[at] = sh;
    shadow_live++;
}

static void live_remove(struct shadow *sh)
{
    unsigned at = order_find(sh->sh_p);

    shadow_live--;
    memmove(&shadow_order[at], &shadow_order[at + 1], (shadow_live - at) * sizeof(sh));
}

/* A block that realloc left where it was keeps the alignment of its old size. */
static void alignment_check(const struct shadow *sh, bool fresh)
{
    uintptr_t address = (uintptr_t)sh->sh_p;
    size_t asked = sh->sh_asked;

    if (address % 8 || (asked >= 16 && address % 16))
        differ(sh, "not aligned for any object of its size");
    if (sh->sh_align && address % sh->sh_align)
        differ(sh, "not aligned as asked");
    if (fresh && engine.en_present && asked && asked <= NATURAL_LIMIT && !(asked & (asked - 1)) &&
        address % asked)
        differ(sh, "power of two not naturally aligned");
}

static void entered(struct shadow *sh, void *p, const struct op *op, size_t align)
{
    if (!p)
        differ(sh, "no memory");
    *sh = (struct shadow){
        .sh_p = p, .sh_asked = op->op_size, .sh_align = align, .sh_fill = sh->sh_fill};
    sh->sh_usable = malloc_usable_size(p);
    if (sh->sh_usable < sh->sh_asked)
        differ(sh, "usable size is less than was asked for");
    alignment_check(sh, op->op_kind != OP_REALLOC);
    live_insert(sh);
    fault_at_alloc(sh, op->op_kind);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void run_realloc(struct shadow *sh, const struct op *op)
{
    size_t keep = sh->sh_p ? sh->sh_usable : 0;
    struct op sized = *op;

    sized.op_size += op->op_size == 0;
    if (sh->sh_p) {
        contents_check(sh, keep);
        live_remove(sh);
    }
    entered(sh, realloc(sh->sh_p, sized.op_size), &sized, 0);
    contents_check(sh, keep < sized.op_size ? keep : sized.op_size);
    contents_write(sh);
}

static void *allocate(const struct op *op)
{
    void *p = NULL;

    switch (op->op_kind) {
    case OP_MALLOC:
        return malloc(op->op_size);
    case OP_CALLOC:
        return calloc(op->op_size ? op->op_size : 1, 1);
    case OP_ALIGNED_ALLOC:
        return aligned_alloc(op->op_align, op->op_size);
    default:
        errno = 4711;
        if (posix_memalign(&p, op->op_align, op->op_size))
            differ(NULL, "posix_memalign failed");
        if (errno != 4711)
            differ(NULL, "posix_memalign changed errno");
        return p;
    }
}

static void run_alloc(struct shadow *sh, const struct op *op)
{
    bool aligned = op->op_kind == OP_ALIGNED_ALLOC || op->op_kind == OP_POSIX_MEMALIGN;

    entered(sh, allocate(op), op, aligned ? op->op_align : 0);
    if (op->op_kind == OP_CALLOC)
        zero_check(sh);
    contents_write(sh);
}

static void run_free(struct shadow *sh, bool sized)
{
    struct shadow gone = *sh;

    contents_check(sh, sh->sh_usable);
    fault_at_free(sh);
    live_remove(sh);
    sh->sh_p = NULL;
    errno = 4711;
    if (sized && gone.sh_align && engine.en_free_aligned_sized)
        engine.en_free_aligned_sized(gone.sh_p, gone.sh_align, gone.sh_asked);
    else if (sized && !gone.sh_align && engine.en_free_sized)
        engine.en_free_sized(gone.sh_p, gone.sh_asked);
    else
        free(gone.sh_p);
    if (errno != 4711)
        differ(&gone, "free changed errno");
}

static void run_check(void)
{
    for (unsigned i = 0; i < shadow_live; i++)
        contents_check(shadow_order[i], shadow_order[i]->sh_usable);
    if (engine_verify())
        differ(NULL, "the engine is inconsistent");
}

static void run_usable(const struct shadow *sh)
{
    contents_check(sh, sh->sh_usable);
    if (malloc_usable_size(sh->sh_p) != sh->sh_usable)
        differ(sh, "usable size changed");
}

static void run_op(const struct op *op)
{
    struct shadow *sh = &shadow_slot[op->op_slot];
    bool held = sh->sh_p;

    if (op->op_kind == OP_TRIM) {
        malloc_trim(op->op_size);
        shadow_trimmed = true;
    } else if (op->op_kind == OP_CHECK)
        run_check();
    else if (op->op_kind == OP_REALLOC)
        run_realloc(sh, op);
    else if (held && op->op_kind == OP_USABLE)
        run_usable(sh);
    else if (held && (op->op_kind == OP_FREE || op->op_kind == OP_FREE_SIZED))
        run_free(sh, op->op_kind == OP_FREE_SIZED);
    else if (!held && op->op_kind < OP_FREE)
        run_alloc(sh, op);
}

void shadow_run(const struct sequence *sq, unsigned fault)
{
    uint64_t before, after;
    bool counted;

    engine_find();
    shadow_fault = fault;
    counted = engine_live(&before);
    for (shadow_now = 0; shadow_now < sq->sq_count; shadow_now++)
        run_op(&sq->sq_op[shadow_now]);
    run_check();
    while (shadow_live)
        run_free(shadow_order[shadow_live / 2], false);
    run_check();
    if (counted && engine_live(&after) && (after < before || after - before > LIVE_SLACK))
        differ(NULL, "live bytes differ after everything was freed");
}
