/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the depot: whole arrays on their way between slots. See node.h.
 * Below: region's metadata.
 * Concurrency: nd_lock around every list operation; arrays are made and unmade outside of it.
 */
#include "node/node.h"
#include "region/meta.h"

#define ARRAY_BYTES_MAX   ((size_t)256 << 10) /* objects in one array */
#define MEDIUM_BYTES_MAX  ((size_t)8 << 20)
#define ARRAY_BYTES_FIRST ((size_t)8 << 10) /* and in the first one a slot gets */

struct parray *parray_make(unsigned cap)
{
    struct parray *pa = meta_alloc(parray_bytes(cap));

    if (!pa)
        return NULL;
    pa->pa_cap = cap;
    list_init(&pa->pa_link);
    pa->pa_a[cap + 1] = PLAT_MARK;
    return pa;
}

void parray_unmake(struct parray *pa)
{
    if (pa)
        meta_free(pa, parray_bytes(pa->pa_cap));
}

static struct parray *parray_of(struct list *l)
{
    return l ? SK_CONTAINER_OF(l, struct parray, pa_link) : NULL;
}

static uint32_t depot_limit(const struct node_cache *nd)
{
    size_t array_bytes = (size_t)nd->nd_cap * nd->nd_geom->size;

    if (nd->nd_tuning.arrays)
        return nd->nd_tuning.arrays;
    return (uint32_t)(nd->nd_depot_bytes / array_bytes);
}

/*
 * A refill that finds nothing after a flush found no room: the program takes and gives more at a
 * time than the depot holds. It may hold twice as much, within the budget of the whole node, until
 * the class is idle for a pass of the reaper.
 */
static void depot_note_miss(struct node_cache *nd)
{
    if (nd->nd_overflows == 0)
        return;
    sk_store_relaxed(&nd->nd_overflows, 0);
    if (nd->nd_tuning.arrays)
        return;
    nd->nd_full_limit =
        (uint32_t)sk_min(2 * (size_t)nd->nd_full_limit + 1,
                         nd->nd_total_bytes / ((size_t)nd->nd_cap * nd->nd_geom->size));
}

/* Bytes of capacity of all arrays in a group's depots on a node. Atomic, on lines of their own. */
static struct {
    SK_CACHE_ALIGNED int64_t bytes;
} depot_total[NODE_GROUPS][PLAT_NODES_MAX];

static int64_t *depot_total_of(const struct node_cache *nd)
{
    return &depot_total[node_group_of(nd->nd_geom)][nd->nd_node].bytes;
}

static void depot_count(struct node_cache *nd, const struct parray *pa, int sign)
{
    sk_store_relaxed(&nd->nd_nfull, nd->nd_nfull + (unsigned)sign);
    sk_add_relaxed(depot_total_of(nd), sign * (int64_t)pa->pa_cap * (int64_t)nd->nd_geom->size);
}

static bool depot_over_limit(const struct node_cache *nd)
{
    return nd->nd_nfull > nd->nd_full_limit ||
           sk_load_relaxed(depot_total_of(nd)) > (int64_t)nd->nd_total_bytes;
}

struct parray *node_get_full(struct node_cache *nd)
{
    struct parray *pa = NULL;

    /* Stale values cost one refill from slabs; nothing is missed for good. */
    if (sk_load_relaxed(&nd->nd_nfull) == 0 && sk_load_relaxed(&nd->nd_overflows) == 0)
        return NULL;
    plat_lock(&nd->nd_lock);
    pa = parray_of(list_pop(&nd->nd_full));
    if (!pa)
        depot_note_miss(nd);
    if (pa) {
        depot_count(nd, pa, -1);
        nd->nd_full_low = (uint32_t)sk_min(nd->nd_full_low, nd->nd_nfull);
        nd->nd_depot_gets++;
    }
    plat_unlock(&nd->nd_lock);
    return pa;
}

static SK_NOINLINE struct parray *depot_take_oldest(struct node_cache *nd)
{
    struct parray *pa = parray_of(nd->nd_full.prev);

    list_del(&pa->pa_link);
    depot_count(nd, pa, -1);
    nd->nd_full_low = (uint32_t)sk_min(nd->nd_full_low, nd->nd_nfull);
    return pa;
}

struct parray *node_put_full(struct node_cache *nd, struct parray *pa)
{
    struct parray *over;

    plat_lock(&nd->nd_lock);
    list_push(&nd->nd_full, &pa->pa_link);
    depot_count(nd, pa, 1);
    nd->nd_depot_puts++;
    over = depot_over_limit(nd) ? depot_take_oldest(nd) : NULL;
    sk_store_relaxed(&nd->nd_overflows, nd->nd_overflows + (over != NULL));
    plat_unlock(&nd->nd_lock);
    return over;
}

struct parray *node_get_over(struct node_cache *nd)
{
    struct parray *over;

    plat_lock(&nd->nd_lock);
    over = nd->nd_nfull > nd->nd_full_limit ? depot_take_oldest(nd) : NULL;
    plat_unlock(&nd->nd_lock);
    return over;
}

struct parray *node_get_empty(struct node_cache *nd)
{
    struct parray *pa;

    plat_lock(&nd->nd_lock);
    pa = parray_of(list_pop(&nd->nd_empty));
    if (pa)
        nd->nd_nempty--;
    plat_unlock(&nd->nd_lock);
    return pa;
}

#define DEPOT_EMPTIES 4u

void node_put_empty(struct node_cache *nd, struct parray *pa)
{
    pa->pa_avail = 0;
    plat_lock(&nd->nd_lock);
    if (pa->pa_cap == nd->nd_cap && nd->nd_nempty < DEPOT_EMPTIES) {
        list_push(&nd->nd_empty, &pa->pa_link);
        nd->nd_nempty++;
        pa = NULL;
    }
    plat_unlock(&nd->nd_lock);
    parray_unmake(pa);
}

/* Arrays of another capacity are of no use any more. */
static SK_START void depot_set_cap(struct node_cache *nd, unsigned cap, struct list *old)
{
    struct list *l;

    sk_store_relaxed(&nd->nd_cap, cap);
    nd->nd_full_limit = depot_limit(nd);
    nd->nd_resizes++;
    while ((l = list_pop(&nd->nd_empty)) != NULL)
        list_push(old, l);
    nd->nd_nempty = 0;
}

static SK_START void parray_unmake_all(struct list *old)
{
    struct list *l;

    while ((l = list_pop(old)) != NULL)
        parray_unmake(parray_of(l));
}

SK_START void node_grow_arrays(struct node_cache *nd, unsigned from_cap)
{
    struct list old;

    if (from_cap >= sk_load_relaxed(&nd->nd_cap_max))
        return;
    list_init(&old);
    plat_lock(&nd->nd_lock);
    if (nd->nd_cap == from_cap && from_cap < nd->nd_cap_max)
        depot_set_cap(nd, parray_cap_next(from_cap), &old);
    plat_unlock(&nd->nd_lock);
    parray_unmake_all(&old);
}

static size_t array_bytes_max(const struct slab_geom *g)
{
    return node_group_of(g) == NODE_MEDIUM ? MEDIUM_BYTES_MAX : ARRAY_BYTES_MAX;
}

static unsigned cap_for(size_t bytes, size_t size)
{
    unsigned cap = PARRAY_CAP_MIN;

    if (size > ARRAY_BYTES_MAX)
        return 1;
    while (cap < PARRAY_CAP_MAX && parray_cap_next(cap) * size <= bytes)
        cap = parray_cap_next(cap);
    return cap;
}

SK_START void node_tune(struct node_cache *nd, const struct node_tuning *tuning)
{
    size_t size = nd->nd_geom->size;
    unsigned first = (unsigned)sk_min(cap_for(ARRAY_BYTES_FIRST, size), PARRAY_CAP_FIRST);
    struct list old;

    list_init(&old);
    plat_lock(&nd->nd_lock);
    nd->nd_tuning = *tuning;
    sk_store_relaxed(&nd->nd_cap_max,
                     tuning->cap ? tuning->cap : cap_for(array_bytes_max(nd->nd_geom), size));
    depot_set_cap(nd, tuning->cap ? tuning->cap : first, &old);
    plat_unlock(&nd->nd_lock);
    parray_unmake_all(&old);
}

SK_COLD void node_fini(struct node_cache *nd)
{
    struct list *l;

    SK_REQUIRE(list_empty(&nd->nd_full) && list_empty(&nd->nd_all));
    while ((l = list_pop(&nd->nd_empty)) != NULL)
        parray_unmake(parray_of(l));
}

SK_COLD struct parray *node_reap_full(struct node_cache *nd, bool all)
{
    struct parray *pa = NULL;

    plat_lock(&nd->nd_lock);
    if (all ? nd->nd_nfull : nd->nd_full_low) {
        nd->nd_full_low -= !all;
        nd->nd_reaped++;
        pa = depot_take_oldest(nd);
    }
    plat_unlock(&nd->nd_lock);
    return pa;
}

SK_COLD void node_reap_end(struct node_cache *nd, bool idle)
{
    struct list old;

    list_init(&old);
    plat_lock(&nd->nd_lock);
    nd->nd_full_low = nd->nd_nfull;
    nd->nd_idle_low = nd->nd_nidle;
    if (idle)
        nd->nd_full_limit = depot_limit(nd);
    if (idle && nd->nd_cap > PARRAY_CAP_MIN && !nd->nd_tuning.cap)
        depot_set_cap(nd, parray_cap_prev(nd->nd_cap), &old);
    plat_unlock(&nd->nd_lock);
    parray_unmake_all(&old);
}
