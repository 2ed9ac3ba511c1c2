/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: caches begin and end.
 * Below: pcpu's registry; objects.c, spare.c.
 * Owns: the list of caches; the cache of caches, set up by hand, from which all others' structs come.
 * Concurrency: kmem.lock for the list. The end of a cache is its caller's: nobody else uses it.
 * Failure: NULL with errno; EBUSY at the end, and the cache is as it was.
 * Why: merged caches are handles of their own with the index of another's arrays: each has its name, and the hit paths do not
 *       know.
 */
#include "cache/internal.h"
#include "region/meta.h"

struct kmem kmem;

static struct kmem_cache cache_of_caches;

#define KMEM_FLAGS_ALL (KMEM_HWALIGN | KMEM_MERGE | KMEM_TYPESAFE | KMEM_DEBUG | KMEM_TRACE)

static const struct kmem_cache_args no_args;

/* ---- layout ----------------------------------------------------------------------------------- */

/* The power of two that divides a size, at most a cache line's. */
static size_t natural_align(size_t size)
{
    size = sk_align_up(size, sizeof(void *));
    return sk_min(size & -size, SK_CACHE_LINE);
}

static SK_START size_t align_of(size_t size, const struct kmem_cache_args *args)
{
    size_t align = args->align ? sk_max(args->align, sizeof(void *)) : natural_align(size);

    if (args->flags & KMEM_HWALIGN && size > SK_CACHE_LINE / 2)
        align = sk_max(align, SK_CACHE_LINE);
    return align;
}

static SK_START void lay_out(struct kmem_cache *c)
{
    struct slab_geom *g = &c->kc_pcpu.pc_geom;
    size_t stride = kmem_debug_layout(&c->kc_debug, c->kc_size, c->kc_align, c->kc_flags);

    slab_geom_init(g, c->kc_name, stride, c->kc_align, 0);
    slab_geom_colour(g);
    g->hooks = kmem_slab_hooks(c);
    /* The link's place in a debug object is its record. */
    g->link_beside =
        (c->kc_ctor || c->kc_flags & KMEM_TYPESAFE) && !(c->kc_debug.flags & KMEM_DEBUG);
}

static void copy_name(char *out, const char *name)
{
    size_t n = 0;

    for (; name && name[n] && n < KMEM_NAME_BYTES - 1; n++)
        out[n] = name[n];
    out[n] = 0;
}

static SK_START void describe(struct kmem_cache *c, const char *name, size_t size,
                              const struct kmem_cache_args *args)
{
    *c = (struct kmem_cache){
        .kc_root = c,
        .kc_flags = args->flags,
        .kc_size = size,
        .kc_align = align_of(size, args),
        .kc_ctor = args->ctor,
        .kc_dtor = args->dtor,
        .kc_reclaim = args->reclaim,
        .kc_priv = args->priv,
        .kc_users = 1,
        .kc_reserve.want = args->reserve,
        .kc_pcpu.pc_owner = c,
    };
    copy_name(c->kc_name, name);
    c->kc_flags |= kmem_debug_flags_for(c->kc_name) | (kmem.merge ? KMEM_MERGE : 0);
    list_init(&c->kc_link);
    lay_out(c);
}

/* ---- the list --------------------------------------------------------------------------------- */

static void list_add_locked(struct kmem_cache *c)
{
    c->kc_number = ++kmem.number;
    list_push_tail(&kmem.caches, &c->kc_link);
}

static SK_START void list_add(struct kmem_cache *c)
{
    plat_lock(&kmem.lock);
    list_add_locked(c);
    plat_unlock(&kmem.lock);
}

static unsigned looks(struct kmem_cache *c)
{
    unsigned n;

    plat_lock(&kmem.lock);
    n = c->kc_looks;
    plat_unlock(&kmem.lock);
    return n;
}

static SK_COLD void wait_for_looks(struct kmem_cache *c)
{
    while (looks(c))
        plat_yield();
}

/* Nobody finds it from here on, nor looks at it any more. */
static SK_COLD void list_remove(struct kmem_cache *c)
{
    plat_lock(&kmem.lock);
    list_del(&c->kc_link);
    plat_unlock(&kmem.lock);
    wait_for_looks(c);
}

/* Whether it was. Who gives back what it holds has some of it in his hands, which would count as live. */
static SK_COLD bool set_closed(struct kmem_cache *c, bool closed)
{
    bool before;

    plat_lock(&kmem.lock);
    before = c->kc_closed;
    c->kc_closed = closed;
    plat_unlock(&kmem.lock);
    if (closed)
        wait_for_looks(c);
    return before;
}

/* ---- merging ----------------------------------------------------------------------------------- */

static SK_START bool mergeable(const struct kmem_cache *c)
{
    return c->kc_flags & KMEM_MERGE && !(c->kc_flags & (KMEM_TYPESAFE | KMEM_DEBUG | KMEM_TRACE)) &&
           !c->kc_ctor && !c->kc_dtor && !c->kc_reclaim && !c->kc_reserve.want &&
           !c->kc_pcpu.pc_batch && !c->kc_pcpu.pc_tuning.cap;
}

static bool same_geometry(const struct kmem_cache *a, const struct kmem_cache *b)
{
    return a->kc_pcpu.pc_geom.size == b->kc_pcpu.pc_geom.size && a->kc_align == b->kc_align;
}

/* true: c goes to the slabs of a cache that is there. */
static SK_START bool merge(struct kmem_cache *c)
{
    struct kmem_cache *root = NULL;
    struct list *l;

    if (!mergeable(c))
        return false;
    plat_lock(&kmem.lock);
    list_for_each (l, &kmem.caches) {
        struct kmem_cache *other = SK_CONTAINER_OF(l, struct kmem_cache, kc_link);

        if (other->kc_root == other && mergeable(other) && same_geometry(other, c)) {
            root = other;
            break;
        }
    }
    if (root) {
        root->kc_users++;
        c->kc_root = root;
        c->kc_index = root->kc_index;
        list_add_locked(c);
    }
    plat_unlock(&kmem.lock);
    return root != NULL;
}

/* ---- create ------------------------------------------------------------------------------------ */

static bool args_valid(size_t size, const struct kmem_cache_args *args)
{
    return size > 0 && size <= SLAB_OBJ_MAX && (args->flags & ~KMEM_FLAGS_ALL) == 0 &&
           (args->align == 0 || (sk_is_pow2(args->align) && args->align <= KMEM_ALIGN_MAX)) &&
           sk_align_up(size, align_of(size, args)) <= SLAB_OBJ_MAX &&
           args->limit <= PARRAY_CAP_TUNED && args->reserve <= INT32_MAX;
}

static unsigned first_mode(const struct kmem_cache *c)
{
    if (kmem_has_debug(c))
        return PCPU_DIRECT;
    return c->kc_off ? PCPU_NO_ARRAYS : PCPU_ARRAYS;
}

/* 0, or an errno. */
static SK_START int open_slabs(struct kmem_cache *c, const struct kmem_cache_args *args)
{
    if (c->kc_pcpu.pc_geom.size > KMEM_ARRAYS_MAX)
        c->kc_off |= KMEM_OFF_LARGE;
    c->kc_pcpu.pc_mode = first_mode(c);
    c->kc_pcpu.pc_batch = args->batchcount;
    c->kc_pcpu.pc_tuning.cap = args->limit;
    if (!merge(c)) {
        bool entered = plat_enter(), open = pcpu_cache_open(&c->kc_pcpu); /* start-up has entered */

        if (entered)
            plat_leave();
        if (!open)
            return ENOSPC;
        c->kc_index = c->kc_pcpu.pc_geom.kind;
        list_add(c);
    }
    return 0;
}

static SK_COLD struct kmem_cache *fail(int error)
{
    *plat_errno() = error;
    return NULL;
}

SK_COLD struct kmem_cache *kmem_create(const char *name, size_t size,
                                       const struct kmem_cache_args *args)
{
    struct kmem_cache *c;
    int error;

    args = args ? args : &no_args;
    if (!args_valid(size, args))
        return fail(EINVAL);
    c = kmem_cache_alloc(&cache_of_caches, M_WAITOK);
    if (!c)
        return NULL;
    describe(c, name, size, args);
    if (args->flags & KMEM_TYPESAFE)
        kmem_grace_use();
    error = open_slabs(c, args);
    if (error) {
        kmem_cache_free(&cache_of_caches, c);
        return fail(error);
    }
    error = kmem_reserve_fill(c);
    if (error) {
        kmem_cache_destroy(c);
        return fail(error);
    }
    return c;
}

/* By hand: what it would be made of is itself. */
SK_START void kmem_init(const struct kmem_hooks *hooks, bool merge_all)
{
    struct kmem_cache *c = &cache_of_caches;

    list_init(&kmem.caches);
    kmem.hooks = *hooks;
    kmem_grace_init();
    kmem_defer_init();
    describe(c, "kmem_cache", sizeof(*c), &no_args);
    SK_REQUIRE(open_slabs(c, &no_args) == 0);
    kmem.merge = merge_all;
}

/* ---- destroy ----------------------------------------------------------------------------------- */

/* false: it was the last one; the cache ends. */
static bool only_handle_goes(struct kmem_cache *c)
{
    struct kmem_cache *root = c->kc_root;
    bool others;

    plat_lock(&kmem.lock);
    others = root->kc_users > 1;
    if (others) {
        root->kc_users--;
        root->kc_closed |= c == root;
    }
    plat_unlock(&kmem.lock);
    if (others && c != root) {
        list_remove(c);
        kmem_cache_free(&cache_of_caches, c);
    }
    return others;
}

#define OWNERS_SHOWN 16u

struct owners {
    const struct kmem_cache *c;
    unsigned shown;
};

static SK_COLD bool show_owner(void *raw, void *arg)
{
    struct owners *o = arg;
    char line[256];
    size_t n = 2;

    line[0] = line[1] = ' ';
    kmem_debug_owner(&o->c->kc_debug, raw, line + n, sizeof(line) - n - 1);
    while (line[n])
        n++;
    line[n++] = '\n';
    if (n > 3)
        plat_write_err(line, n);
    return ++o->shown < OWNERS_SHOWN;
}

static SK_COLD void say_busy(struct kmem_cache *c, uint64_t live)
{
    struct owners owners = {.c = c};
    char line[128];
    struct text t;

    text_init(&t, line, sizeof(line));
    text_str(&t, "slabkit: kmem_cache_destroy of ");
    text_str(&t, c->kc_name);
    text_str(&t, live == 1 ? ": 1 object lives\n" : ": ");
    if (live != 1) {
        text_number(&t, (int64_t)live);
        text_str(&t, " objects live\n");
    }
    text_end(&t);
    plat_write_err(line, text_len(&t));
    if (kmem_has_debug(c)) {
        kmem_enter(c);
        pcpu_walk(&c->kc_pcpu, show_owner, &owners);
        kmem_leave();
    }
}

/* Objects that live; 0: no slab is left. */
static SK_COLD uint64_t empty(struct kmem_cache *c)
{
    uint64_t live;

    kmem_reserve_drop(c);
    kmem_defer_wait(c);
    kmem_enter(c);
    pcpu_cache_hide(&c->kc_pcpu);
    pcpu_drain(&c->kc_pcpu);
    live = pcpu_objs_out(&c->kc_pcpu);
    if (live)
        pcpu_cache_show(&c->kc_pcpu);
    kmem_leave();
    kmem_defer_wait(c);
    return live;
}

static SK_COLD void end(struct kmem_cache *c)
{
    list_remove(c);
    kmem_enter(c);
    pcpu_cache_close(&c->kc_pcpu);
    meta_free(c->kc_reserve.raw, c->kc_reserve.want * sizeof(*c->kc_reserve.raw));
    kmem_leave();
}

SK_EXPORT SK_COLD int kmem_cache_destroy(struct kmem_cache *c)
{
    struct kmem_cache *root;
    uint64_t live;
    bool closed;

    if (!c || only_handle_goes(c))
        return 0;
    root = c->kc_root;
    closed = set_closed(root, true);
    live = empty(root);
    if (live) {
        set_closed(root, closed);
        kmem_reserve_fill(root);
        say_busy(root, live);
        return EBUSY;
    }
    end(root);
    if (c != root) {
        list_remove(c);
        kmem_cache_free(&cache_of_caches, c);
    }
    kmem_cache_free(&cache_of_caches, root);
    return 0;
}

/* ---- fork -------------------------------------------------------------------------------------- */

static SK_COLD void for_each_lock(void (*fn)(struct plat_lock *l))
{
    struct list *l;

    if (!kmem.caches.next)
        return;
    list_for_each (l, &kmem.caches)
        fn(&SK_CONTAINER_OF(l, struct kmem_cache, kc_link)->kc_lock);
}

SK_COLD void kmem_fork_prepare(void)
{
    plat_lock(&kmem.lock);
    for_each_lock(plat_lock);
    kmem_defer_fork(plat_lock);
}

SK_COLD void kmem_fork_parent(void)
{
    kmem_defer_fork(plat_unlock);
    for_each_lock(plat_unlock);
    plat_unlock(&kmem.lock);
}

/* Who looked at a cache is not here any more. */
SK_COLD void kmem_fork_child(void)
{
    struct list *l;

    kmem_defer_fork(plat_lock_reset);
    kmem_defer_fork_child();
    for_each_lock(plat_lock_reset);
    list_for_each (l, &kmem.caches)
        SK_CONTAINER_OF(l, struct kmem_cache, kc_link)->kc_looks = 0;
    plat_lock_reset(&kmem.lock);
}
