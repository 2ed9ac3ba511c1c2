/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: does the kernel do what a registration promises?
 * Below: rseq.h, sys.h.
 */
#ifndef SLABKIT_PLAT_LINUX_RSEQ_TEST_H
#define SLABKIT_PLAT_LINUX_RSEQ_TEST_H

#include "plat/linux/rseq.h"

/* Whether the ids of this thread are right: below `cpus`, and the CPU is the one it runs on. */
bool rseq_test_ids(const struct plat_rseq *self, unsigned cpus, bool cid);

enum rseq_verdict {
    RSEQ_ABORTS,
    RSEQ_DOES_NOT_ABORT,
    RSEQ_NOT_TESTED
};

/* Whether a signal ends a section. SIGURG and SIGSEGV are borrowed meanwhile. */
enum rseq_verdict rseq_test_abort(struct plat_rseq *self);

#endif
