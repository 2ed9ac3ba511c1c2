/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: brings the engine up, once; and what the front doors call from their slow paths.
 * Below: every layer but front.
 * Concurrency: any thread; the first one starts, the others wait. From a signal handler that
 * interrupted the start on the same thread: false.
 */
#ifndef SLABKIT_CTL_START_H
#define SLABKIT_CTL_START_H

#include "ctl/options.h"
#include "cache/cache.h"
#include "kmalloc/kmalloc.h"

/* Not started yet, or starting: do it. false: nested in the start itself, or no memory for it now.
 */
bool ctl_start_slow(void);

SK_INLINE bool ctl_start(void)
{
    return SK_LIKELY(km_started()) || ctl_start_slow();
}

/* The options in force. Constant after the start. */
const struct options *ctl_options(void);

/* enum options_types: whether malloc's blocks have types. 0 before the start, constant after. */
extern PLAT_HIDDEN unsigned ctl_types;

/* Every slow path of a front door ends here: looks now and then whether the reaper has work. */
void ctl_poke(void);
bool ctl_reaper_runs(void);
uint64_t ctl_reaps(void);

/* The process is about to end, by whatever way: verification and report, once. Any context. */
void ctl_end(void);

/* reaper.c */
void reaper_fork_child(void);

#endif
