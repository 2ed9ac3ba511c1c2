/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the loader and the firmware's tables say: memory, CPUs, nodes, the command line.
 * Below: nothing.
 * Owns: copies of what is needed later.
 * Why: the tables that every PC has (ACPI: MADT for the CPUs, SRAT for the nodes), no more of them.
 */
#include "kernel/kernel.h"

extern char kernel_end[];
extern uint64_t boot_pt[];

#define USABLE     1u
#define LIMIT      (1ull << 32) /* what is mapped */
#define NODE_UNSET ~0u

struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp, memory_map;
    uint32_t memory_entries, reserved;
};

struct map_entry {
    uint64_t at, bytes;
    uint32_t type, reserved;
};

struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
};

struct __attribute__((packed)) table {
    char signature[4];
    uint32_t bytes;
    uint8_t rest[28];
};

struct __attribute__((packed)) madt_cpu {
    uint8_t type, bytes, processor, id;
    uint32_t flags;
};

struct __attribute__((packed)) srat_cpu {
    uint8_t type, bytes, node, id;
    uint32_t flags;
};

struct __attribute__((packed)) srat_memory {
    uint8_t type, bytes;
    uint32_t node;
    uint16_t reserved;
    uint64_t at, length;
    uint32_t reserved_2, flags;
};

#define MADT_FIRST 44u
#define SRAT_FIRST 48u

char firmware_command_line[512];
static struct map_entry map[MEMORY_RANGES];
static unsigned map_entries;
static const struct table *madt, *srat;

static const struct table *find_table(const struct rsdp *rsdp, const char *signature)
{
    const struct table *rsdt = (const struct table *)(uintptr_t)rsdp->rsdt;
    size_t n = (rsdt->bytes - sizeof(*rsdt)) / sizeof(uint32_t);

    for (size_t i = 0; i < n; i++) {
        uint32_t at;

        __builtin_memcpy(&at, (const char *)(rsdt + 1) + i * sizeof(at), sizeof(at));
        if (__builtin_memcmp((const void *)(uintptr_t)at, signature, 4) == 0)
            return (const struct table *)(uintptr_t)at;
    }
    return NULL;
}

/* The loader's tables may lie in page 0; they were copied. From here on NULL is a fault. */
static void hide_page_0(void)
{
    boot_pt[0] = 0;
    cpu_flush_translations();
}

void firmware_init(const void *boot_info)
{
    const struct start_info *info = boot_info;
    const char *line = (const char *)info->command_line;

    for (size_t i = 0; line && line[i] && i < sizeof(firmware_command_line) - 1; i++)
        firmware_command_line[i] = line[i];
    map_entries = (unsigned)sk_min(info->memory_entries, MEMORY_RANGES);
    __builtin_memcpy(map, (const void *)info->memory_map, map_entries * sizeof(map[0]));
    if (info->rsdp) {
        madt = find_table((const void *)info->rsdp, "APIC");
        srat = find_table((const void *)info->rsdp, "SRAT");
    }
    hide_page_0();
}

/* The entry of a table behind `last`, NULL first, of that type. */
static const void *next_entry(const struct table *t, size_t first, const void *last, uint8_t type)
{
    const uint8_t *at = (const uint8_t *)t + first;

    if (!t)
        return NULL;
    if (last)
        at = (const uint8_t *)last + ((const uint8_t *)last)[1];
    while (at < (const uint8_t *)t + t->bytes && at[0] != type)
        at += at[1];
    return at < (const uint8_t *)t + t->bytes ? at : NULL;
}

/* ---- memory -------------------------------------------------------------------------------- */

static unsigned split_by_node(struct memory_range whole, struct memory_range *out, unsigned n)
{
    const struct srat_memory *m = NULL;
    unsigned first = n;

    while (n < MEMORY_RANGES && (m = next_entry(srat, SRAT_FIRST, m, 1)) != NULL) {
        uint64_t at = sk_max(whole.at, m->at);
        uint64_t end = sk_min(whole.at + whole.bytes, m->at + m->length);

        if (m->flags & 1 && at < end)
            out[n++] = (struct memory_range){at, end - at, m->node};
    }
    if (n == first && n < MEMORY_RANGES)
        out[n++] = whole;
    return n;
}

unsigned firmware_memory(struct memory_range *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < map_entries; i++) {
        uint64_t at = sk_max(map[i].at, (uintptr_t)kernel_end);
        uint64_t end = sk_min(map[i].at + map[i].bytes, LIMIT);

        if (map[i].type == USABLE && at < end)
            n = split_by_node((struct memory_range){at, end - at, 0}, out, n);
    }
    return n;
}

/* ---- CPUs ---------------------------------------------------------------------------------- */

static unsigned node_of_cpu(uint64_t id)
{
    const struct srat_cpu *c = NULL;

    while ((c = next_entry(srat, SRAT_FIRST, c, 0)) != NULL)
        if (c->id == id && c->flags & 1)
            return c->node;
    return 0;
}

unsigned firmware_cpus(uint64_t *id, unsigned *node, unsigned *nodes)
{
    const struct madt_cpu *c = NULL;
    unsigned n = 1;

    id[0] = interrupt_cpu_id();
    while (n < KERN64_CPUS_MAX && (c = next_entry(madt, MADT_FIRST, c, 0)) != NULL)
        if (c->flags & 1 && c->id != id[0])
            id[n++] = c->id;
    *nodes = 1;
    for (unsigned i = 0; i < n; i++) {
        node[i] = node_of_cpu(id[i]);
        *nodes = (unsigned)sk_max(*nodes, node[i] + 1);
    }
    return n;
}
