/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the device tree says: memory, CPUs, nodes, the command line.
 * Below: fdt.c.
 * Owns: nothing: the tree lies below the kernel and stays there.
 */
#include "fdt.h"
#include "kernel/kernel.h"

extern char kernel_end[];

#define LIMIT (1ull << 32) /* what is mapped */

char firmware_command_line[512];
static const void *fdt;
/* Words that a number takes: in memory nodes as the root says, in CPUs as /cpus does. */
static unsigned address_cells, size_cells, cpu_cells;

static unsigned number_of(const struct fdt_node *n, const char *name, unsigned otherwise)
{
    struct fdt_value v = fdt_property(fdt, n, name);

    return v.at ? (unsigned)fdt_number(v, 0, 1) : otherwise;
}

static bool is_kind(const struct fdt_node *n, const char *kind)
{
    struct fdt_value v = fdt_property(fdt, n, "device_type");
    size_t bytes = __builtin_strlen(kind) + 1;

    return v.bytes == bytes && __builtin_memcmp(v.at, kind, bytes) == 0;
}

static bool find(const char *name, struct fdt_node *n)
{
    *n = (struct fdt_node){NULL, NULL};
    while (fdt_next(fdt, n))
        if (__builtin_strlen(n->name) == __builtin_strlen(name) &&
            __builtin_memcmp(n->name, name, __builtin_strlen(name)) == 0)
            return true;
    return false;
}

void firmware_init(const void *boot_info)
{
    struct fdt_node n;

    fdt = boot_info;
    if (!find("", &n))
        plat_panic("kernel: no device tree");
    address_cells = number_of(&n, "#address-cells", 2);
    size_cells = number_of(&n, "#size-cells", 1);
    if (find("cpus", &n))
        cpu_cells = number_of(&n, "#address-cells", 1);
    if (find("chosen", &n)) {
        struct fdt_value line = fdt_property(fdt, &n, "bootargs");

        __builtin_memcpy(firmware_command_line, line.at,
                         sk_min(line.bytes, sizeof(firmware_command_line) - 1));
    }
}

unsigned firmware_memory(struct memory_range *out)
{
    struct fdt_node node = {NULL, NULL};
    unsigned n = 0;

    while (n < MEMORY_RANGES && fdt_next(fdt, &node)) {
        struct fdt_value reg = fdt_property(fdt, &node, "reg");
        uint64_t at = fdt_number(reg, 0, address_cells);
        uint64_t end = sk_min(at + fdt_number(reg, address_cells, size_cells), LIMIT);

        at = sk_max(at, (uintptr_t)kernel_end);
        if (is_kind(&node, "memory") && at < end)
            out[n++] = (struct memory_range){at, end - at, number_of(&node, "numa-node-id", 0)};
    }
    return n;
}

/* This CPU first. */
unsigned firmware_cpus(uint64_t *id, unsigned *node, unsigned *nodes)
{
    struct fdt_node c = {NULL, NULL};
    unsigned n = 1;

    id[0] = interrupt_cpu_id();
    *nodes = 1;
    while (n <= KERN64_CPUS_MAX && fdt_next(fdt, &c)) {
        uint64_t its;
        unsigned at, where;

        if (!is_kind(&c, "cpu"))
            continue;
        its = fdt_number(fdt_property(fdt, &c, "reg"), 0, cpu_cells);
        at = its == id[0] ? 0 : n++;
        where = number_of(&c, "numa-node-id", 0);
        if (at < KERN64_CPUS_MAX) {
            id[at] = its;
            node[at] = where;
            *nodes = (unsigned)sk_max(*nodes, where + 1);
        }
    }
    return (unsigned)sk_min(n, KERN64_CPUS_MAX);
}
