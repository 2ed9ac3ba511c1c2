/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: start-up order, options from the environment, fork, and the report at the end.
 * Below: all layers below.
 * Owns: the options in force; the state of the start.
 * Concurrency: start_lock around the start. The C library may not be initialised yet when the first
 *       allocation comes: nothing here uses it before the constructor runs.
 * Failure: what the system refuses makes the engine smaller, not absent.
 */
#include "ctl/start.h"
#include "ctl/system.h"
#include "ctl/world.h"
#include "cache/debug.h"
#include "ctl/types_report.h"
#include "kmalloc/types.h"
#include "plat/linux/pages.h"
#include "region/meta.h"
#include <slabkit/slabkit.h>

#include <pthread.h>
#include <unistd.h>

static struct plat_lock start_lock;
static struct options options;
unsigned ctl_types;
static bool plat_up; /* options and plat: under start_lock */

const struct options *ctl_options(void)
{
    return &options;
}

static void complain(void *arg, const char *line)
{
    size_t len = 0;

    (void)arg;
    while (line[len])
        len++;
    plat_write_err(line, len);
}

static void start_plat(void)
{
    static const enum plat_mode modes[] = {
        [OPTIONS_SLOTS_AUTO] = PLAT_MODE_NONE,
        [OPTIONS_SLOTS_RSEQ_CID] = PLAT_MODE_RSEQ_CID,
        [OPTIONS_SLOTS_RSEQ_CPU] = PLAT_MODE_RSEQ_CPU,
        [OPTIONS_SLOTS_PORTABLE] = PLAT_MODE_PORTABLE,
    };
    struct plat_config plat = {.nodes = 0};

    options_default(&options);
    system_parse_options(&options, complain);
    world_install();
    kmem_debug_set_options(options.debug);
    plat.force = modes[options.slots];
    plat.nodes = options.nodes;
    plat_init(&plat);
    plat_up = true;
}

static bool start_region(void)
{
    struct region_config region = {
        .reserve_bytes = options.reserve,
        .dirty_floor_bytes = options.dirty_floor,
        .dirty_percent = options.dirty_percent,
        .hugepages = (enum region_hugepages)options.hugepages,
    };

    if (region_map.npages == 0)
        region_init(&region);
    return region_map.npages != 0;
}

/* Without address space or memory for the tables nothing starts now; the next allocation tries
 * again. */
static void start_layers(void)
{
    static const struct kmem_hooks hooks = {.poke = ctl_poke};
    struct pcpu_limits limits;

    if (!plat_up)
        start_plat();
    limits = (struct pcpu_limits){.array_bytes = options.array_budget,
                                  .depot_bytes = options.depot_budget,
                                  .depots_bytes = options.depots_budget};
    /* What is small lies first in the address space, together. */
    if (!pcpu_init(&limits) || !start_region())
        return;
    kmem_init(&hooks, options.merge);
    ctl_types = options.types;
    if (ctl_types == OPTIONS_TYPES_NONE)
        region_show_hits();
    km_init();
}

/* A child of vfork has this memory, but is not this process. */
static pid_t process; /* atomic */
static bool ended;    /* atomic */

static void end_expected(void)
{
    sk_store_relaxed(&process, getpid());
    sk_store_relaxed(&ended, false);
}

static void fork_register(void);

bool ctl_start_slow(void)
{
    bool first;

    if (!plat_enter())
        return km_started();
    if (!plat_up)
        pages_touch_often();
    plat_lock(&start_lock);
    first = !km_started();
    if (first)
        start_layers();
    plat_unlock(&start_lock);
    plat_leave();
    if (first && km_started()) {
        end_expected();
        fork_register();
    }
    return km_started();
}

/* ---- fork: all locks, top to bottom; the child starts with none held ------------------------- */

static bool fork_entered;

static void fork_prepare(void)
{
    fork_entered = plat_enter();
    if (!fork_entered)
        return;
    plat_lock(&start_lock);
    if (!km_started())
        return;
    types_fork_prepare();
    kmem_fork_prepare();
    pcpu_fork_prepare();
    region_fork_prepare();
    meta_fork_prepare();
    plat_fork_prepare();
}

static void fork_parent(void)
{
    if (!fork_entered)
        return;
    if (km_started()) {
        plat_fork_parent();
        meta_fork_parent();
        region_fork_parent();
        pcpu_fork_parent();
        kmem_fork_parent();
        types_fork_parent();
    }
    plat_unlock(&start_lock);
    plat_leave();
}

static void fork_child(void)
{
    if (!fork_entered)
        return;
    if (km_started()) {
        plat_fork_child();
        meta_fork_child();
        region_fork_child();
        pcpu_fork_child();
        kmem_fork_child();
        types_fork_child();
        reaper_fork_child();
        end_expected();
        world_fork_child();
    }
    plat_lock_reset(&start_lock);
    plat_leave();
}

/* As early as may be: handlers run inside of those registered before, so that others' may allocate.
 * The C library takes this at any time. */
static void fork_register(void)
{
    static bool registered; /* atomic */

    if (!__atomic_exchange_n(&registered, true, __ATOMIC_RELAXED))
        pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* The engine starts with the first allocation: who makes none does not pay for it. But what options
 * ask for, messages about them included, is not to depend on that. */
__attribute__((constructor)) static void ctl_constructor(void)
{
    fork_register();
    if (system_has_options())
        ctl_start();
}

/* ---- the end --------------------------------------------------------------------------------- */

static void write_report(void)
{
    static SK_SELDOM_BSS struct slabkit_snapshot s;
    int fd = system_open_report(options.report_file);

    if (fd < 0 || slabkit_snapshot(&s) != 0)
        return;
    if (options.report == OPTIONS_REPORT_BINARY)
        system_write(fd, &s, sizeof(s));
    else
        slabkit_snapshot_write(&s, fd,
                               options.report == OPTIONS_REPORT_JSON ? SLABKIT_JSON : SLABKIT_TEXT);
    types_report(fd, options.report);
    if (options.report_file[0])
        close(fd);
}

void ctl_end(void)
{
    if (!km_started() || getpid() != sk_load_relaxed(&process) ||
        __atomic_exchange_n(&ended, true, __ATOMIC_RELAXED))
        return;
    if (options.verify && slabkit_verify() != 0)
        plat_panic("slabkit: verification at the end found faults");
    if (options.report != OPTIONS_REPORT_NONE)
        write_report();
}

__attribute__((destructor)) static void ctl_destructor(void)
{
    ctl_end();
}

SK_EXPORT const char *slabkit_version(void)
{
    return SLABKIT_VERSION;
}
