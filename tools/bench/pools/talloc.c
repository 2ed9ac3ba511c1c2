/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: talloc as a pool: objects of a talloc_pool, each freed for itself.
 */
#include "pools.h"

#include <talloc.h>

#define TALLOC_HEADER 128u /* generously: what talloc keeps before an object */

static void *context;

static bool pool_talloc_open(unsigned cpu, const char **why)
{
    (void)cpu;
    *why = "talloc_pool failed";
    context = talloc_pool(NULL, POOL_BATCH * (POOL_BYTES + TALLOC_HEADER));
    return context != NULL;
}

static void pool_talloc_close(void)
{
    talloc_free(context);
}

static void pool_talloc_single(void **objs, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        objs[i] = pool_use(talloc_size(context, POOL_BYTES));
    for (unsigned i = 0; i < n; i++)
        talloc_free(objs[i]);
}

const struct pool pool_talloc = {
    .po_name = "talloc",
    .po_calls = "talloc_size from a talloc_pool, talloc_free of each",
    .po_open = pool_talloc_open,
    .po_close = pool_talloc_close,
    .po_single = pool_talloc_single,
};
