/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the processors and nodes of this machine.
 * Below: file.h.
 */
#ifndef SLABKIT_PLAT_LINUX_TOPOLOGY_H
#define SLABKIT_PLAT_LINUX_TOPOLOGY_H

#include "base/attrs.h"

#define TOPOLOGY_CPUS_MAX 4096u

struct topology {
    unsigned cpus;  /* every CPU id the kernel may ever report is below; >= 1 */
    unsigned nodes; /* 1..PLAT_NODES_MAX */
};

void topology_read(struct topology *t);
/* 0 for a CPU that is on no list. */
unsigned topology_node_of_cpu(unsigned cpu);

#endif
