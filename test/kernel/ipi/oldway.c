/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see oldway.h.
 * Below: slab, region, the kernel.
 */
#include "oldway.h"

#include "kernel/kernel.h"

#define IDLE_MAX 2u /* slabs without objects in use that a CPU keeps */

struct message {
    struct message *next;
    uint64_t idx;
};

static struct slab_geom geom;

static struct {
    struct message *inbox; /* atomic */
    bool held;             /* atomic */
    struct list partial, doomed;
    unsigned idle;
    struct oldway_figures figures;
} SK_CACHE_ALIGNED cpus[KERN64_CPUS_MAX];

static struct slab *slab_of(struct list *l)
{
    return SK_CONTAINER_OF(l, struct slab, sl_link);
}

/* ---- own slabs, interrupts off ------------------------------------------------------------------ */

static void *take_one(unsigned cpu)
{
    struct slab *s;
    void *p;

    if (list_empty(&cpus[cpu].partial))
        return NULL;
    s = slab_of(cpus[cpu].partial.next);
    cpus[cpu].idle -= s->sl_inuse == 0;
    slab_take(s, &p, 1);
    if (slab_avail(s) == 0)
        list_del(&s->sl_link);
    return p;
}

static void put_one(unsigned cpu, struct slab *s, void *p)
{
    bool was_full = slab_avail(s) == 0;

    if (slab_put(s, p) != MISUSE_KINDS) {
        cpus[cpu].figures.refused++;
        return;
    }
    if (was_full)
        list_push(&cpus[cpu].partial, &s->sl_link);
    if (s->sl_inuse != 0)
        return;
    if (cpus[cpu].idle < IDLE_MAX) {
        cpus[cpu].idle++;
    } else {
        list_del(&s->sl_link);
        list_push(&cpus[cpu].doomed, &s->sl_link);
    }
}

/* ---- messages ------------------------------------------------------------------------------------- */

/* What the page map says of the place that a message names. */
static struct slab *message_slab(const struct message *m, unsigned cpu)
{
    return region_kind(m) == PLAT_KIND(m->idx, cpu) ? region_info(m)->slab : NULL;
}

static void inbox_empty(void)
{
    unsigned cpu = plat_slot();
    struct message *m, *next;

    for (m = sk_xchg_acquire(&cpus[cpu].inbox, NULL); m; m = next) {
        struct slab *s = message_slab(m, cpu);

        next = m->next;
        if (s)
            put_one(cpu, s, m);
        else
            cpus[cpu].figures.gone++;
        sk_count(&cpus[cpu].figures.came, 1);
    }
}

static void message_post(unsigned to, void *p)
{
    struct message *m = p, *old = sk_load_relaxed(&cpus[to].inbox);
    struct oldway_figures *f = &cpus[plat_slot()].figures;

    m->idx = OLDWAY_IDX;
    do {
        m->next = old;
        f->swaps++;
    } while (!sk_cas_release(&cpus[to].inbox, &old, m));
    f->sent++;
    if (!sk_load_acquire(&cpus[to].held))
        message_send(to);
}

void oldway_post(unsigned cpu, void *p)
{
    uint64_t flags = cpu_irq_save();

    message_post(cpu, p);
    cpu_irq_restore(flags);
}

void oldway_hold(unsigned cpu)
{
    sk_store_release(&cpus[cpu].held, true);
}

void oldway_release(unsigned cpu)
{
    sk_store_release(&cpus[cpu].held, false);
    message_send(cpu);
}

/* ---- the allocator ---------------------------------------------------------------------------------- */

void oldway_start(size_t size)
{
    slab_geom_init(&geom, "old", size, 16, OLDWAY_IDX);
    for (unsigned cpu = 0; cpu < KERN64_CPUS_MAX; cpu++) {
        __builtin_memset(&cpus[cpu], 0, sizeof(cpus[cpu]));
        list_init(&cpus[cpu].partial);
        list_init(&cpus[cpu].doomed);
    }
    sk_store_release(&message_hook, inbox_empty);
}

static void doomed_unmake(unsigned cpu)
{
    for (;;) {
        uint64_t flags = cpu_irq_save();
        struct list *l = list_pop(&cpus[cpu].doomed);

        cpus[cpu].figures.slabs -= l != NULL;
        cpu_irq_restore(flags);
        if (!l)
            return;
        plat_enter();
        slab_unmake(slab_of(l));
        plat_leave();
    }
}

static bool add_slab(unsigned cpu)
{
    struct slab *s = NULL;
    uint64_t flags;
    void *run;

    plat_enter();
    run = region_alloc(geom.pages, geom.run_align, NULL);
    if (run)
        s = slab_make(&geom, run, 0, 0, cpu);
    plat_leave();
    if (!s)
        return false;
    flags = cpu_irq_save();
    list_push(&cpus[cpu].partial, &s->sl_link);
    cpus[cpu].idle++;
    cpus[cpu].figures.slabs++;
    cpu_irq_restore(flags);
    return true;
}

void *oldway_alloc(void)
{
    unsigned cpu = plat_slot();
    void *p;

    doomed_unmake(cpu);
    do {
        uint64_t flags = cpu_irq_save();

        p = take_one(cpu);
        cpu_irq_restore(flags);
    } while (!p && add_slab(cpu));
    return p;
}

void oldway_free(void *p)
{
    unsigned owner = PLAT_KIND_SLOT(region_kind(p));
    uint64_t flags = cpu_irq_save();

    if (owner == plat_slot())
        put_one(owner, region_info(p)->slab, p);
    else
        message_post(owner, p);
    cpu_irq_restore(flags);
}

struct oldway_figures oldway_figures(void)
{
    struct oldway_figures sum = {0};

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++) {
        sum.sent += cpus[cpu].figures.sent;
        sum.came += sk_load_acquire(&cpus[cpu].figures.came);
        sum.swaps += cpus[cpu].figures.swaps;
        sum.gone += cpus[cpu].figures.gone;
        sum.refused += cpus[cpu].figures.refused;
        sum.slabs += cpus[cpu].figures.slabs;
    }
    return sum;
}

static void unmake_idle(unsigned cpu)
{
    uint64_t flags = cpu_irq_save();
    struct list *l, *tmp;

    list_for_each_safe (l, tmp, &cpus[cpu].partial)
        if (slab_of(l)->sl_inuse == 0) {
            list_del(l);
            list_push(&cpus[cpu].doomed, l);
        }
    cpus[cpu].idle = 0;
    cpu_irq_restore(flags);
    doomed_unmake(cpu);
}

void oldway_unmake_idle(void)
{
    unmake_idle(plat_slot());
}

static void wait_for_messages(void)
{
    struct oldway_figures f;

    do {
        kern64_wait_turn();
        f = oldway_figures();
    } while (f.came != f.sent);
}

void oldway_end(void)
{
    wait_for_messages();
    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        unmake_idle(cpu);
}
