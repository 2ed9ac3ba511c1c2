/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: start-up: slots and their areas; panic, clock.
 * Below: pages.c, frames.c.
 * Owns: plat_base; what is constant after plat_init.
 * Concurrency: plat_init runs once; other CPUs may be up already, and miss until then.
 * Failure: without memory for the areas the slots stay closed: every call takes the slow path.
 */
#include "plat/kern64/kern64.h"

#define AREA_BYTES ((size_t)1 << PLAT_SLOT_SHIFT)
#define BASE_BYTES 16u

/* The base is so far into its mapping: area -2 comes first, and the base words are its end. */
#define BASE_OFFSET (AREA_BYTES - BASE_BYTES)

/* The base words, then area -1: all that is reached before plat_init. */
static struct {
    void *empty, *full;
    uintptr_t area[PLAT_SLOT_WORDS];
} boot = {.full = PLAT_MARK};

char *plat_base = (char *)&boot;

static struct {
    enum plat_mode mode;
    const char *reason;
    unsigned cpus, nodes;
} world = {.reason = "not started", .cpus = 1, .nodes = 1};

/* ---- CPUs ---------------------------------------------------------------------------------- */

void kern64_cpu_init(unsigned cpu)
{
    struct kern64_cpu *c = &kern64_cpu[cpu];

    c->self = c;
    c->slot = cpu;
    c->area = world.mode == PLAT_MODE_NONE ? boot.area : plat_slot_word(cpu, 0);
}

void kern64_online(void)
{
    sk_store_release(&kern64_self()->online, true);
    sk_fence(); /* partner: must_ask */
}

void kern64_topology(unsigned cpus, unsigned nodes)
{
    world.cpus = (unsigned)sk_min(cpus, KERN64_CPUS_MAX);
    world.nodes = (unsigned)sk_min(nodes, PLAT_NODES_MAX);
}

/* ---- plat_init ----------------------------------------------------------------------------- */

static bool map_areas(void)
{
    char *areas = plat_map((world.cpus + 2) * AREA_BYTES, AREA_BYTES);

    if (!areas)
        return false;
    plat_base = areas + BASE_OFFSET;
    ((void **)plat_base)[1] = PLAT_MARK;
    return true;
}

static void simulate_nodes(unsigned nodes)
{
    world.nodes = (unsigned)sk_min(nodes, PLAT_NODES_MAX);
    for (unsigned cpu = 0; cpu < world.cpus; cpu++)
        kern64_cpu[cpu].node = cpu % world.nodes;
}

/* From one area without an open array to another: CPUs that are up may be anywhere. A section loads
 * the area and plat_base in no order; while all words are 0 either base will do, and before one is
 * opened every CPU has answered, and sees the new one. */
static void open_areas(void)
{
    for (unsigned cpu = 0; cpu < world.cpus; cpu++)
        sk_store_release(&kern64_cpu[cpu].area, plat_slot_word(cpu, 0));
    for (unsigned cpu = 0; cpu < world.cpus; cpu++)
        if (cpu != kern64_self()->slot)
            kern64_ask(cpu, &kern64_cpu[cpu].fence);
}

enum plat_mode plat_init(const struct plat_config *cfg)
{
    if (world.mode != PLAT_MODE_NONE)
        return world.mode;
    if (cfg->nodes != 0)
        simulate_nodes(cfg->nodes);
    world.reason = "no memory for the slot areas";
    if (map_areas()) {
        world.reason = "a slot for each CPU";
        world.mode = PLAT_MODE_KERNEL;
        open_areas();
    }
    return world.mode;
}

enum plat_mode plat_mode(void)
{
    return world.mode;
}

const char *plat_mode_name(enum plat_mode mode)
{
    return mode == PLAT_MODE_KERNEL ? "kernel" : "none";
}

const char *plat_mode_reason(void)
{
    return world.reason;
}

unsigned plat_nslots(void)
{
    return world.cpus;
}

unsigned plat_nnodes(void)
{
    return world.nodes;
}

unsigned plat_slot_node(unsigned slot)
{
    return kern64_cpu[slot].node;
}

/* ---- clock, panic -------------------------------------------------------------------------- */

uint64_t plat_clock_ns(void)
{
    return kern64_hook_clock_ns();
}

void plat_write_err(const char *text, size_t len)
{
    kern64_hook_write(text, len);
}

static size_t text_length(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0')
        len++;
    return len;
}

_Noreturn void plat_panic(const char *line)
{
    size_t len = text_length(line);

    plat_write_err(line, len);
    if (len == 0 || line[len - 1] != '\n')
        plat_write_err("\n", 1);
    kern64_hook_die();
}
