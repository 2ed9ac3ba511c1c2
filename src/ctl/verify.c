/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit_verify: every invariant that can be checked while the program runs.
 * Below: pcpu, region.
 * Concurrency: takes the locks of what it checks, one after the other.
 */
#include "ctl/start.h"
#include "kmalloc/types.h"
#include <slabkit/slabkit.h>

#include <string.h>

static void tell(const char *name, const char *what)
{
    const char *parts[] = {"slabkit: verify: ", name, ": ", what, "\n"};
    char line[256];
    size_t at = 0;

    for (unsigned i = 0; i < SK_ARRAY_SIZE(parts); i++) {
        size_t n = sk_min(strlen(parts[i]), sizeof(line) - at);

        memcpy(line + at, parts[i], n);
        at += n;
    }
    plat_write_err(line, at);
}

static void fault(const struct pcpu_cache *c, const char *what)
{
    tell(c->pc_geom.name, what);
}

/* What arrays and depots hold cannot be more than slabs have handed out. */
static unsigned verify_sum(struct pcpu_cache *c)
{
    uint64_t arrays, depots;

    pcpu_count_free(c, &arrays, &depots);
    if ((int64_t)pcpu_objs_out(c) >= 0)
        return 0;
    fault(c, "more objects came back than were handed out");
    return 1;
}

static void type_fault(const char *name)
{
    tell(name, "more was freed than allocated (with a wrong type?)");
}

SK_EXPORT unsigned slabkit_verify(void)
{
    struct pcpu_cache *c;
    unsigned faults = 0, idx;

    if (!km_started() || !plat_enter())
        return 0;
    pcpu_for_each(c, idx) faults += pcpu_verify(c, fault) + verify_sum(c);
    if (!region_verify()) {
        tell("region", "the free runs and the page map disagree");
        faults++;
    }
    faults += types_verify(type_fault);
    plat_leave();
    return faults;
}
