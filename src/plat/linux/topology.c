/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the processors and nodes of this machine.
 * Below: file.h, sys.h.
 * Owns: node_of_cpu, written once by topology_read.
 * Why: *possible* CPUs, not online or allowed ones: a CPU may come later, the ids stay below.
 */
#include "plat/linux/topology.h"
#include "plat/linux/file.h"
#include "plat/linux/sys.h"
#include "plat/plat.h"

#include <linux/mempolicy.h>

/* The kernel refuses less than it has: 1024 with the most that can be configured. */
#define NODES_ASKED 1024u

static SK_SELDOM_BSS uint8_t node_of_cpu[TOPOLOGY_CPUS_MAX];

unsigned topology_node_of_cpu(unsigned cpu)
{
    return cpu < TOPOLOGY_CPUS_MAX ? node_of_cpu[cpu] : 0;
}

static void note_highest(unsigned id, void *count)
{
    unsigned *n = count;

    if (id + 1 > *n)
        *n = id + 1;
}

/* The highest CPU this thread may run on, plus one: what is left when /sys is not there. */
static unsigned cpus_by_affinity(void)
{
    uint64_t mask[TOPOLOGY_CPUS_MAX / 64];
    long bytes = sys_call3(SYS_sched_getaffinity, 0, sizeof(mask), mask);

    for (long i = bytes / 8 - 1; i >= 0; i--)
        if (mask[i] != 0)
            return (unsigned)i * 64 + 64 - (unsigned)__builtin_clzll(mask[i]);
    return 1;
}

static void note_node(unsigned cpu, void *node)
{
    if (cpu < TOPOLOGY_CPUS_MAX)
        node_of_cpu[cpu] = *(uint8_t *)node;
}

/* Writes "/sys/devices/system/node/node<N>/cpulist". */
static void node_path(char *path, unsigned node)
{
    static const char head[] = "/sys/devices/system/node/node", tail[] = "/cpulist";

    for (const char *s = head; *s != '\0'; s++)
        *path++ = *s;
    if (node >= 10)
        *path++ = (char)('0' + node / 10);
    *path++ = (char)('0' + node % 10);
    for (unsigned i = 0; i < sizeof(tail); i++)
        *path++ = tail[i];
}

static void read_node(unsigned node)
{
    char path[64];
    uint8_t id = (uint8_t)node;

    node_path(path, node);
    file_each_id(path, note_node, &id);
}

/* Whether all memory this process may use is one node's: then others do not matter, and a file less is read. */
static bool memory_of_one_node(void)
{
    uint64_t mask[NODES_ASKED / 64] = {0}, any = 0;
    bool one = true;

    if (sys_failed(
            sys_call5(SYS_get_mempolicy, NULL, mask, NODES_ASKED, NULL, MPOL_F_MEMS_ALLOWED)))
        return false;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(mask); i++)
        if (mask[i] != 0) {
            one = one && any == 0 && sk_is_pow2(mask[i]);
            any = mask[i];
        }
    return one && any != 0;
}

void topology_read(struct topology *t)
{
    t->cpus = t->nodes = 0;
    if (!file_each_id("/sys/devices/system/cpu/possible", note_highest, &t->cpus))
        t->cpus = cpus_by_affinity();
    if (!memory_of_one_node())
        file_each_id("/sys/devices/system/node/online", note_highest, &t->nodes);
    /* Nodes beyond the limit count as node 0: their CPUs are on no list that is read. */
    t->nodes = (unsigned)sk_max(1, sk_min(t->nodes, PLAT_NODES_MAX));
    for (unsigned node = 0; t->nodes > 1 && node < t->nodes; node++)
        read_node(node);
}
