/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see fdt.h.
 */
#include "fdt.h"

#define FDT_MAGIC 0xd00dfeedu

enum token {
    FDT_NODE = 1,
    FDT_NODE_END,
    FDT_PROP,
    FDT_NOP,
    FDT_END = 9
};

/* All numbers are big-endian. */
struct header {
    uint32_t magic, bytes, structure, strings;
};

static uint32_t number(uint32_t v)
{
    return __builtin_bswap32(v);
}

static const uint32_t *behind(const void *at, size_t bytes)
{
    return (const uint32_t *)sk_align_up((uintptr_t)at + bytes, sizeof(uint32_t));
}

static const uint32_t *behind_name(const char *name)
{
    return behind(name, __builtin_strlen(name) + 1);
}

/* A property: token, length, offset of its name, value. */
static const uint32_t *behind_property(const uint32_t *at)
{
    return behind(at + 3, number(at[1]));
}

static const uint32_t *structure_of(const void *fdt)
{
    const struct header *h = fdt;

    return (const uint32_t *)((const char *)fdt + number(h->structure));
}

bool fdt_next(const void *fdt, struct fdt_node *n)
{
    const uint32_t *at = n->name ? n->props : structure_of(fdt);

    if (number(((const struct header *)fdt)->magic) != FDT_MAGIC)
        return false;
    for (;; at = number(*at) == FDT_PROP ? behind_property(at) : at + 1)
        if (number(*at) == FDT_NODE) {
            n->name = (const char *)(at + 1);
            n->props = behind_name(n->name);
            return true;
        } else if (number(*at) == FDT_END) {
            return false;
        }
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

struct fdt_value fdt_property(const void *fdt, const struct fdt_node *n, const char *name)
{
    const char *strings = (const char *)fdt + number(((const struct header *)fdt)->strings);

    for (const uint32_t *at = n->props;;)
        if (number(*at) == FDT_NOP)
            at++;
        else if (number(*at) != FDT_PROP)
            return (struct fdt_value){NULL, 0};
        else if (same(strings + number(at[2]), name))
            return (struct fdt_value){at + 3, number(at[1])};
        else
            at = behind_property(at);
}

uint64_t fdt_number(struct fdt_value v, unsigned first, unsigned cells)
{
    const uint32_t *word = v.at;
    uint64_t sum = 0;

    if ((first + cells) * sizeof(uint32_t) > v.bytes)
        return 0;
    for (unsigned i = 0; i < cells; i++)
        sum = sum << 32 | number(word[first + i]);
    return sum;
}
