/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: reads a flattened device tree (Devicetree Specification, chapter 5) where it lies.
 * Below: base.
 * Failure: a block that is no tree has no nodes.
 */
#ifndef SLABKIT_KERNEL_FDT_H
#define SLABKIT_KERNEL_FDT_H

#include "base/attrs.h"

struct fdt_node {
    const char *name;      /* "" is the root's; with the address: "memory@40000000" */
    const uint32_t *props; /* where its properties begin */
};

struct fdt_value {
    const void *at; /* NULL: no such property */
    uint32_t bytes;
};

/* The node behind `n`, parents before children; name NULL: the first. false: that was the last. */
bool fdt_next(const void *fdt, struct fdt_node *n);
struct fdt_value fdt_property(const void *fdt, const struct fdt_node *n, const char *name);
/* The number in `cells` words of a value, from word `first` on; 0 where it has not as many. */
uint64_t fdt_number(struct fdt_value v, unsigned first, unsigned cells);

#endif
