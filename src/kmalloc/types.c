/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the table of types: making, attaching, finding and unmaking them; fork.
 * Below: region's meta.
 * Owns: the table: every type by its id, and the list of retired ones, whose library is gone and
 *       whose figures stay.
 * Concurrency: table.lock for changes; ids are read without it (a type in use is not unmade).
 */
#include "kmalloc/types.h"
#include "kmalloc/internal.h"
#include "region/meta.h"

#define IDS_MAX   65536u
#define CHUNK_IDS 256u
#define CHUNKS    (IDS_MAX / CHUNK_IDS)

static struct {
    struct plat_lock lock;
    struct type **chunks[CHUNKS]; /* atomic; each set once */
    unsigned end;                 /* atomic */
    struct list retired;
} table;

SK_SELDOM_BSS uint64_t km_amount[PLAT_SLOT_ARRAYS];

SK_START void types_init(void)
{
    list_init(&table.retired);
    sk_store_relaxed(&table.end, 1);
}

/* With the first type, not at the start: without a type nobody reads them. Who finds credit in a slot's
 * cells comes after one who found them closed there, and took a lock in the slow path. */
static void amounts_init_locked(void)
{
    for (unsigned i = 0; table.end == 1 && i < PLAT_SLOT_ARRAYS; i++)
        km_amount[i] =
            i >= 1 && i <= KM_CACHES ? type_amount(km_caches[i].pc_geom.size, 1) : TYPE_NEVER;
}

/* ---- ids -------------------------------------------------------------------------------------- */

static struct type **entry(unsigned id)
{
    struct type **chunk = id < IDS_MAX ? sk_load_acquire(&table.chunks[id / CHUNK_IDS]) : NULL;

    return chunk ? &chunk[id % CHUNK_IDS] : NULL;
}

struct type *type_at(unsigned id)
{
    struct type **e = entry(id);

    return e ? sk_load_acquire(e) : NULL;
}

unsigned types_end(void)
{
    return sk_load_acquire(&table.end);
}

static unsigned free_id_locked(void)
{
    for (unsigned id = 1; id < table.end; id++)
        if (!type_at(id))
            return id;
    return table.end;
}

/* `spare` is memory for a chunk, which is taken if one is missing. false: no id is left, or no
 * chunk. */
static bool enter_locked(struct type *t, struct type ***spare)
{
    unsigned id = free_id_locked();
    struct type ***chunk = &table.chunks[id / CHUNK_IDS];

    if (id >= IDS_MAX || (!*chunk && !*spare))
        return false;
    if (!*chunk) {
        sk_store_release(chunk, *spare);
        *spare = NULL;
    }
    t->t_id = (uint16_t)id;
    sk_store_release(entry(id), t);
    if (id == table.end)
        sk_store_release(&table.end, id + 1);
    return true;
}

/* ---- making ----------------------------------------------------------------------------------- */

static void copy_text(char *out, const char *text, size_t bytes)
{
    size_t i = 0;

    for (; text && text[i] && i < bytes - 1; i++)
        out[i] = text[i];
    out[i] = 0;
}

static bool same_text(const char *copy, const char *text, size_t bytes)
{
    size_t i = 0;

    while (i < bytes - 1 && text && text[i] && copy[i] == text[i])
        i++;
    return i == bytes - 1 || copy[i] == (text ? text[i] : 0);
}

static size_t cells_bytes(void)
{
    return ((size_t)plat_nslots() + 2) << PLAT_CREDIT_SHIFT;
}

static void set_defaults(struct type *t)
{
    t->t_limit = t->t_soft = KMALLOC_NO_LIMIT;
    t->t_full.wait_ms = MALLOC_WAIT_MS;
    for (unsigned i = 0; i <= KM_CACHES; i++) {
        t->t_idx[i] = type_has_own(t) ? 0 : (uint16_t)i;
        t->t_amount[i] = TYPE_NEVER;
    }
}

/* Not in the table yet. */
static struct type *new_type(const char *name, const char *desc, unsigned flags)
{
    struct type *t = meta_alloc(sizeof(*t));
    char *cells = t ? meta_alloc(cells_bytes()) : NULL;
    struct type_cell *zero;

    if (!cells) {
        meta_free(t, sizeof(*t));
        return NULL;
    }
    zero = (struct type_cell *)(void *)(cells + 2 * PLAT_CREDIT_BYTES);
    t->t_memory = cells;
    t->t_alloc = &zero->tc_alloc.cr_word;
    t->t_free = &zero->tc_free.cr_word;
    t->t_flags = flags;
    t->t_weight = 1;
    copy_text(t->t_name, name, sizeof(t->t_name));
    copy_text(t->t_desc, desc, sizeof(t->t_desc));
    list_init(&t->t_link);
    set_defaults(t);
    return t;
}

static void free_type(struct type *t)
{
    meta_free(t->t_memory, cells_bytes());
    meta_free(t, sizeof(*t));
}

SK_COLD struct type *type_make(const char *name, const char *desc, unsigned flags,
                               enum type_error *error)
{
    struct type *t = NULL, **spare;
    bool entered;

    *error = TYPE_INVALID;
    if (flags & ~(MT_ISOLATE | MT_TRACK))
        return NULL;
    *error = TYPE_NO_MEMORY;
    spare = meta_alloc(CHUNK_IDS * sizeof(*spare));
    t = spare ? new_type(name, desc, flags) : NULL;
    if (!t) {
        meta_free(spare, CHUNK_IDS * sizeof(*spare));
        return NULL;
    }
    plat_lock(&table.lock);
    amounts_init_locked();
    entered = enter_locked(t, &spare);
    plat_unlock(&table.lock);
    meta_free(spare, CHUNK_IDS * sizeof(*spare));
    if (entered)
        return t;
    free_type(t);
    *error = TYPE_NO_ID;
    return NULL;
}

static SK_COLD void leave(struct type *t)
{
    plat_lock(&table.lock);
    list_del(&t->t_link);
    sk_store_release(entry(t->t_id), NULL);
    plat_unlock(&table.lock);
    free_type(t);
}

SK_COLD void type_unmake(struct type *t)
{
    struct type *next;

    for (struct type *at = t->t_sites; at; at = next) {
        next = at->t_next_site;
        leave(at);
    }
    type_caches_close(t);
    leave(t);
}

/* ---- places of a tracked type ------------------------------------------------------------------- */

static struct type *site_known(struct type *from, const void *site)
{
    struct type *at = from;

    while (at && at->t_site != site)
        at = at->t_next_site;
    return at;
}

/* conn@0x55d0c0de */
static SK_COLD struct type *site_make(struct type *t, const void *site)
{
    char name[sizeof(t->t_name)];
    enum type_error error;
    struct text text;
    struct type *at;

    text_init(&text, name, sizeof(name));
    text_str(&text, t->t_name);
    text_char(&text, '@');
    text_address(&text, site);
    at = type_make(text_end(&text), t->t_desc, 0, &error);
    if (at) {
        at->t_parent = t;
        at->t_site = site;
    }
    return at;
}

SK_COLD struct type *type_site(struct type *t, const void *site)
{
    struct type *head = sk_load_acquire(&t->t_sites), *at = site_known(head, site), *other;

    if (at)
        return at;
    at = site_make(t, site);
    if (!at)
        return NULL;
    do {
        other = site_known(head, site);
        if (other) {
            leave(at);
            return other;
        }
        at->t_next_site = head;
    } while (!sk_cas_acq_rel(&t->t_sites, &head, at));
    return at;
}

/* ---- attaching -------------------------------------------------------------------------------- */

static struct type *retired_locked(const struct malloc_type *mt)
{
    for (struct list *l = table.retired.next; l != &table.retired; l = l->next) {
        struct type *t = SK_CONTAINER_OF(l, struct type, t_link);

        if (t->t_flags == mt->mt_flags && same_text(t->t_name, mt->mt_name, sizeof(t->t_name)) &&
            same_text(t->t_desc, mt->mt_desc, sizeof(t->t_desc)))
            return t;
    }
    return NULL;
}

/* Gives mt its type: the retired one of its name, or else `fresh`. The type that was not needed. */
static SK_COLD struct type *bind(struct malloc_type *mt, struct type *fresh)
{
    struct type *t = NULL;

    plat_lock(&table.lock);
    if (!mt->mt_type) {
        t = retired_locked(mt);
        if (t)
            list_del(&t->t_link);
        else
            t = fresh;
        if (t) {
            t->t_public = mt;
            sk_store_release((struct type **)&mt->mt_type, t);
        }
    }
    plat_unlock(&table.lock);
    return t == fresh ? NULL : fresh;
}

SK_COLD struct type *type_attach(struct malloc_type *mt)
{
    struct type *fresh;
    enum type_error error;

    bind(mt, NULL);
    if (sk_load_acquire(&mt->mt_type))
        return mt->mt_type;
    fresh = type_make(mt->mt_name, mt->mt_desc, mt->mt_flags & (MT_ISOLATE | MT_TRACK), &error);
    if (!fresh)
        return NULL;
    fresh = bind(mt, fresh);
    if (fresh)
        type_unmake(fresh);
    return mt->mt_type;
}

/* What was never used leaves no trace. */
SK_COLD void type_detach(struct malloc_type *mt)
{
    struct type *t = mt->mt_type;
    struct malloc_type_stats s;

    if (!t)
        return;
    type_stats(t, &s);
    plat_lock(&table.lock);
    t->t_public = NULL;
    mt->mt_type = NULL;
    if (s.calls)
        list_push(&table.retired, &t->t_link);
    plat_unlock(&table.lock);
    if (!s.calls)
        type_unmake(t);
}

/* ---- looking ---------------------------------------------------------------------------------- */

SK_COLD struct type *type_named(const char *name)
{
    for (unsigned id = 1; id < types_end(); id++) {
        struct type *t = type_at(id);

        if (t && same_text(t->t_name, name, sizeof(t->t_name)))
            return t;
    }
    return NULL;
}

SK_COLD unsigned types_verify(void (*fault)(const char *name))
{
    unsigned faults = 0;

    plat_lock(&table.lock);
    for (unsigned id = 1; id < table.end; id++) {
        struct type *t = type_at(id);

        if (t && !type_verify(t)) {
            fault(t->t_name);
            faults++;
        }
    }
    plat_unlock(&table.lock);
    return faults;
}

SK_COLD bool types_stats(unsigned id, struct malloc_type_stats *out)
{
    struct type *t;

    plat_lock(&table.lock);
    t = type_at(id);
    if (t)
        type_stats(t, out);
    plat_unlock(&table.lock);
    return t != NULL;
}

/* ---- fork ------------------------------------------------------------------------------------- */

static SK_COLD void each_locked(void (*fn)(struct plat_lock *l))
{
    for (unsigned id = 1; id < table.end; id++) {
        struct type *t = type_at(id);

        if (t)
            fn(&t->t_lock);
    }
}

SK_COLD void types_fork_prepare(void)
{
    plat_lock(&table.lock);
    each_locked(plat_lock);
}

SK_COLD void types_fork_parent(void)
{
    each_locked(plat_unlock);
    plat_unlock(&table.lock);
}

/* Who waited in the parent is not here. */
SK_COLD void types_fork_child(void)
{
    each_locked(plat_lock_reset);
    for (unsigned id = 1; id < table.end; id++) {
        struct type *t = type_at(id);

        if (t)
            t->t_waiters = 0;
    }
    plat_lock_reset(&table.lock);
}
