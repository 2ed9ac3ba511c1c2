/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: start-up: chooses the mode, counts the slots, maps their areas.
 * Below: slots.h, topology.h, pages.
 * Owns: what is constant after plat_init.
 * Concurrency: plat_init runs once, alone; everything else reads.
 * Failure: none. Areas that the system refuses are replaced by fewer, in the end by static ones.
 */
#include "plat/plat.h"
#include "plat/linux/pages.h"
#include "plat/linux/topology.h"
#include "plat/portable/slots.h"

#define AREA_BYTES        ((size_t)1 << PLAT_SLOT_SHIFT)
#define BASE_BYTES        16u
#define HUGE_PAGE_BYTES   ((size_t)2 << 20)
#define PORTABLE_AT_LEAST 2u

/* The base is so far into its mapping: area -2 comes first, and the base words are its end. */
#define BASE_OFFSET (AREA_BYTES - BASE_BYTES)

struct slots_boot plat_boot = {.full = (uintptr_t)PLAT_MARK};
char *plat_base = (char *)&plat_boot;

/* Areas -2, -1 and 0 for when the system gives nothing. */
static SK_SELDOM_BSS char last_resort[3 * AREA_BYTES] __attribute__((aligned(64)));

static struct {
    enum plat_mode mode;
    const char *reason;
    unsigned slots, nodes;
    bool nodes_of_cpus; /* slot s is CPU s, and its node the system's; otherwise s % nodes */
} world = {.reason = "not started"};

static size_t areas_bytes(unsigned slots)
{
    return ((size_t)slots + 2) * AREA_BYTES;
}

static char *base_in(char *areas)
{
    char *base = areas + BASE_OFFSET;

    ((void **)base)[1] = PLAT_MARK;
    return base;
}

/* Only the page with the base words is touched. A huge page there would be wasted. */
static char *areas_map(size_t bytes)
{
    char *areas = plat_reserve_usable(bytes, AREA_BYTES);

    if (areas != NULL && bytes >= HUGE_PAGE_BYTES)
        plat_hugepages(areas, bytes, false);
    return areas;
}

/* Two sets: the second stays closed for ever, and stands in for the first during fork. */
static bool map_rseq(enum plat_mode mode)
{
    size_t bytes = areas_bytes(world.slots);
    char *areas = areas_map(2 * bytes);

    if (areas == NULL)
        return false;
    plat_base = base_in(areas);
    slots_publish(mode, areas + bytes + BASE_OFFSET);
    return true;
}

static void map_portable(void)
{
    char *areas = NULL;

    world.slots = (unsigned)sk_max(world.slots, PORTABLE_AT_LEAST);
    while (world.slots > 1 && (areas = areas_map(areas_bytes(world.slots))) == NULL)
        world.slots /= 2;
    plat_base = base_in(areas != NULL ? areas : last_resort);
    slots_publish(PLAT_MODE_PORTABLE, plat_base);
}

static enum plat_mode map_slots(struct slots_choice choice)
{
    world.reason = choice.reason;
    if (choice.mode != PLAT_MODE_PORTABLE) {
        if (map_rseq(choice.mode))
            return choice.mode;
        world.reason = "no address space for the slot areas";
    }
    map_portable();
    return PLAT_MODE_PORTABLE;
}

/* Simulated nodes win; real ones need slots that stay on one. */
static void choose_nodes(enum plat_mode mode, unsigned simulated, unsigned real)
{
    world.nodes_of_cpus = simulated == 0 && mode == PLAT_MODE_RSEQ_CPU;
    if (simulated != 0)
        world.nodes = (unsigned)sk_min(simulated, PLAT_NODES_MAX);
    else
        world.nodes = world.nodes_of_cpus ? real : 1;
}

/* The mode is stored last: until then nothing here can be mistaken for started. */
enum plat_mode plat_init(const struct plat_config *cfg)
{
    struct topology t;
    enum plat_mode mode;

    pages_set_aside();
    topology_read(&t);
    world.slots = (unsigned)sk_min(t.cpus, TOPOLOGY_CPUS_MAX);
    mode = map_slots(slots_choose(cfg->force, t.cpus, cfg->nodes != 0 ? 1 : t.nodes));
    choose_nodes(mode, cfg->nodes, t.nodes);
    sk_store_release(&world.mode, mode);
    return mode;
}

enum plat_mode plat_mode(void)
{
    return world.mode;
}

const char *plat_mode_name(enum plat_mode mode)
{
    static const char *const names[] = {"none", "rseq-cid", "rseq-cpu", "portable"};

    return names[mode];
}

const char *plat_mode_reason(void)
{
    return world.reason;
}

unsigned plat_nslots(void)
{
    return world.slots;
}

unsigned plat_nnodes(void)
{
    return world.nodes;
}

unsigned plat_slot_node(unsigned slot)
{
    return world.nodes_of_cpus ? topology_node_of_cpu(slot) : slot % world.nodes;
}
