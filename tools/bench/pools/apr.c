/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: APR's pools: objects of a pool that is cleared as a whole; there is no free of one object.
 */
#include "pools.h"

#include <apr_general.h>
#include <apr_pools.h>

static apr_pool_t *apr;

static bool pool_apr_open(unsigned cpu, const char **why)
{
    (void)cpu;
    *why = "apr_pool_create failed";
    return apr_initialize() == APR_SUCCESS && apr_pool_create(&apr, NULL) == APR_SUCCESS;
}

static void pool_apr_close(void)
{
    apr_terminate();
}

static void pool_apr_single(void **objs, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        objs[i] = pool_use(apr_palloc(apr, POOL_BYTES));
    apr_pool_clear(apr);
}

const struct pool pool_apr = {
    .po_name = "APR pool",
    .po_calls = "apr_palloc, one apr_pool_clear for the whole batch",
    .po_open = pool_apr_open,
    .po_close = pool_apr_close,
    .po_single = pool_apr_single,
};
