/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: every cache and size class in the shape of Linux's /proc/slabinfo, version 2.1, for the tools that read that.
 * Below: pcpu's figures, ctl/writer.h.
 * Failure: as the writer's.
 * Why: one line at a time from the caches themselves, not from a snapshot: there may be more of them than that holds.
 */
#include "ctl/start.h"
#include "ctl/writer.h"

#include <slabkit/kmem_cache.h>

static const char head[] =
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
    " : tunables <limit> <batchcount> <sharedfactor>"
    " : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

#define NAME_WIDTH 17u

/* Readers of the format split at spaces. */
static void put_name(struct writer *w, const char *name)
{
    unsigned n = 0;

    for (; name[n]; n++)
        writer_char(w, name[n] > ' ' && name[n] <= '~' ? name[n] : '_');
    if (n == 0) {
        writer_char(w, '_');
        n++;
    }
    writer_repeat(w, ' ', n < NAME_WIDTH ? NAME_WIDTH - n : 0);
}

static void put_number(struct writer *w, uint64_t v, unsigned width)
{
    unsigned digits = 1;

    for (uint64_t rest = v; rest > 9; rest /= 10)
        digits++;
    writer_char(w, ' ');
    writer_repeat(w, ' ', digits < width ? width - digits : 0);
    writer_u64(w, v);
}

static uint64_t shared_limit(const struct pcpu_cache *c)
{
    uint64_t n = 0;

    for (unsigned node = 0; node < plat_nnodes(); node++) {
        struct node_cache *nd = sk_load_acquire(&c->pc_node[node]);

        n += nd ? sk_load_relaxed(&nd->nd_full_limit) : 0;
    }
    return n;
}

static void put_line(struct writer *w, struct pcpu_cache *c)
{
    const struct slab_geom *g = &c->pc_geom;
    unsigned batch = sk_load_relaxed(&c->pc_batch);
    struct pcpu_figures f;

    pcpu_get_figures(c, &f);
    put_name(w, g->name);
    put_number(w, f.live_objs, 6);
    put_number(w, f.slabs * g->objs, 6);
    put_number(w, g->size, 6);
    put_number(w, g->objs, 4);
    put_number(w, g->pages * (PLAT_PAGE_BYTES / plat_sys_page_bytes()), 4);
    writer_str(w, " : tunables");
    put_number(w, f.array_limit, 4);
    put_number(w, batch ? batch : f.array_limit, 4);
    put_number(w, shared_limit(c), 4);
    writer_str(w, " : slabdata");
    put_number(w, f.slabs - f.slabs_idle, 6);
    put_number(w, f.slabs, 6);
    put_number(w, f.depot_objs, 6);
    writer_char(w, '\n');
}

static void put_all(struct writer *w)
{
    struct pcpu_cache *c;
    unsigned idx;

    if (!km_started() || !plat_enter())
        return;
    pcpu_for_each(c, idx) put_line(w, c);
    plat_leave();
}

SK_EXPORT int slabkit_slabinfo_write(int fd)
{
    char buf[1024];
    struct writer w;

    writer_init(&w, buf, sizeof(buf), fd);
    writer_str(&w, head);
    put_all(&w);
    return writer_finish(&w);
}
