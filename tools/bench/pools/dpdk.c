/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: DPDK's rte_mempool: a fixed number of objects behind a ring, with a cache for each lcore.
 * Why: without huge pages, devices or shared files its environment starts for any user. It is told
 *      the CPU, because it pins the calling thread.
 */
#include "pools.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mempool.h>
#include <stdio.h>

#define DPDK_OBJECTS 4095u /* a ring holds one less than a power of two */
#define DPDK_CACHE   256u

static struct rte_mempool *mempool;

static bool pool_dpdk_open(unsigned cpu, const char **why)
{
    char lcores[32];
    char *argv[] = {"slabkit-pools",  "--no-huge",   "-m",       "64",
                    "--no-pci",       "--no-shconf", "--lcores", lcores,
                    "--no-telemetry", "--log-level", "error",    NULL};

    snprintf(lcores, sizeof(lcores), "0@%u", cpu);
    *why = "rte_eal_init failed";
    if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0)
        return false;
    mempool = rte_mempool_create("pool", DPDK_OBJECTS, POOL_BYTES, DPDK_CACHE, 0, NULL, NULL, NULL,
                                 NULL, SOCKET_ID_ANY, 0);
    *why = rte_strerror(rte_errno);
    return mempool != NULL;
}

static void pool_dpdk_close(void)
{
    rte_mempool_free(mempool);
    rte_eal_cleanup();
}

static void *dpdk_get(void)
{
    void *p;

    return rte_mempool_get(mempool, &p) ? NULL : p;
}

static void pool_dpdk_single(void **objs, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        objs[i] = pool_use(dpdk_get());
    for (unsigned i = 0; i < n; i++)
        rte_mempool_put(mempool, objs[i]);
}

static void pool_dpdk_bulk(void **objs, unsigned n)
{
    if (rte_mempool_get_bulk(mempool, objs, n))
        pool_die("rte_mempool_get_bulk failed");
    for (unsigned i = 0; i < n; i++)
        pool_use(objs[i]);
    rte_mempool_put_bulk(mempool, objs, n);
}

const struct pool pool_dpdk = {
    .po_name = "DPDK rte_mempool",
    .po_calls = "rte_mempool_get/put inline, rte_mempool_get_bulk/put_bulk",
    .po_open = pool_dpdk_open,
    .po_close = pool_dpdk_close,
    .po_single = pool_dpdk_single,
    .po_bulk = pool_dpdk_bulk,
};
