/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see origin.h.
 * Below: the C library's _dl_find_object, which takes no lock and allocates nothing; meta.
 * Owns: two tables that only grow: the shared objects seen, and the types seen, by shared object and
 *       address, or by token.
 * Concurrency: read without a lock: an entry is complete when a compare-and-swap puts it at the head
 *       of its chain. Two threads may make the same entry at once; the later one finds the earlier
 *       and unmakes its own.
 * Failure: no memory for an entry: NULL, the allocation is of no type.
 * Why: the shared object is asked for at each call, not remembered by address: after dlclose
 *      another one may lie there. Asking costs a binary search among a few tens.
 */
#define _GNU_SOURCE
#include "front/origin.h"
#include "ctl/start.h"
#include "ctl/system.h"
#include "region/meta.h"

#include <link.h>
#include <string.h>

#define TABLE_BITS 12u
#define NAME_BYTES 32u
#define PATH_BYTES 200u

/* ---- shared objects --------------------------------------------------------------------------- */

/* As <dlfcn.h> has it since glibc 2.35; the first fields are all that is used. */
struct found {
    unsigned long long flags;
    void *start, *end;
    struct link_map *map;
    void *rest[12];
};
extern int find_object(void *address, struct found *out) __asm__("_dl_find_object")
    __attribute__((weak));

struct dso {
    struct dso *next;
    uintptr_t start;
    char path[PATH_BYTES]; /* cut; as the loader has it, empty for the program */
    char name[NAME_BYTES];
};

static struct dso *dsos; /* atomic: head of the list, pushed */

/* Cut and terminated. */
static void copy_text(char *out, const char *text, size_t bytes)
{
    size_t n = sk_min(strlen(text), bytes - 1);

    memcpy(out, text, n);
    out[n] = 0;
}

static bool same_path(const struct dso *d, const char *path)
{
    return strncmp(d->path, path, PATH_BYTES - 1) == 0;
}

static struct dso *dso_known(struct dso *from, const struct found *f)
{
    struct dso *d = from;

    while (d && (d->start != (uintptr_t)f->start || !same_path(d, f->map->l_name)))
        d = d->next;
    return d;
}

static void dso_name(struct dso *d)
{
    const char *slash = strrchr(d->path, '/');

    if (d->path[0])
        copy_text(d->name, slash ? slash + 1 : d->path, NAME_BYTES);
    else
        system_process_name(d->name, NAME_BYTES);
}

static struct dso *dso_make(const struct found *f)
{
    struct dso *d = meta_alloc(sizeof(*d)), *head = sk_load_acquire(&dsos), *other;

    if (!d)
        return NULL;
    d->start = (uintptr_t)f->start;
    copy_text(d->path, f->map->l_name, PATH_BYTES);
    dso_name(d);
    do {
        other = dso_known(head, f);
        if (other) {
            meta_free(d, sizeof(*d));
            return other;
        }
        d->next = head;
    } while (!sk_cas_acq_rel(&dsos, &head, d));
    return d;
}

/* Code that is in no shared object: made at run time, or the loader cannot tell. */
static struct dso nowhere = {.name = "(unknown)"};
static const struct dso no_token = {.name = "(no token)"};

static const struct dso *dso_of(const void *site)
{
    struct dso *d;
    struct found f;

    if (!find_object || find_object((void *)(uintptr_t)site, &f) != 0)
        return &nowhere;
    d = dso_known(sk_load_acquire(&dsos), &f);
    if (SK_LIKELY(d != NULL) || !plat_enter())
        return d;
    d = dso_make(&f);
    plat_leave();
    return d;
}

/* ---- types ------------------------------------------------------------------------------------ */

struct origin {
    struct origin *next;
    const struct dso *dso; /* NULL: key is a token */
    uint64_t key;          /* offset in the shared object, or 0 for all of it; or a token */
    struct type *type;
};

static SK_SELDOM_BSS struct origin *origins[1u << TABLE_BITS]; /* atomic heads */

static struct origin **chain_of(const struct dso *dso, uint64_t key)
{
    return &origins[((uintptr_t)dso / 64 + key) * 0x9e3779b97f4a7c15ull >> (64 - TABLE_BITS)];
}

static struct origin *known(struct origin *from, const struct dso *dso, uint64_t key)
{
    struct origin *o = from;

    while (o && (o->dso != dso || o->key != key))
        o = o->next;
    return o;
}

static char *put_number(char *at, uint64_t v, unsigned radix)
{
    char digits[24];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % radix];
        v /= radix;
    } while (v);
    while (n)
        *at++ = digits[--n];
    *at = 0;
    return at;
}

/* libc.so.6, or libc.so.6+0x1a2b3; a long name gives way to its number. */
static void origin_name(char out[NAME_BYTES], const struct dso *dso, uint64_t key)
{
    char number[24];
    size_t n;

    if (!dso) {
        strcpy(out, "token-");
        put_number(out + strlen(out), key, 10);
        return;
    }
    number[0] = 0;
    if (key) {
        strcpy(number, "+0x");
        put_number(number + 3, key, 16);
    }
    n = sk_min(strlen(dso->name), NAME_BYTES - 1 - strlen(number));
    memcpy(out, dso->name, n);
    strcpy(out + n, number);
}

static struct type *new_type(const struct dso *dso, uint64_t key)
{
    char name[NAME_BYTES];
    enum type_error error;
    struct type *t;

    origin_name(name, dso, key);
    t = type_make(name, dso ? dso->path : "", 0, &error);
    if (t && ctl_types == OPTIONS_TYPES_SITE)
        t->t_weight = ctl_options()->types_sample;
    return t;
}

/* Inside plat_enter. */
static struct type *origin_make(const struct dso *dso, uint64_t key)
{
    struct origin **chain = chain_of(dso, key), *head = sk_load_acquire(chain), *other;
    struct origin *o = meta_alloc(sizeof(*o));
    struct type *t = o ? new_type(dso, key) : NULL;

    if (!t) {
        meta_free(o, sizeof(*o));
        return NULL;
    }
    *o = (struct origin){NULL, dso, key, t};
    do {
        other = known(head, dso, key);
        if (other) {
            type_unmake(t);
            meta_free(o, sizeof(*o));
            return other->type;
        }
        o->next = head;
    } while (!sk_cas_acq_rel(chain, &head, o));
    return t;
}

static struct type *origin_of(const struct dso *dso, uint64_t key)
{
    struct origin *o = known(sk_load_acquire(chain_of(dso, key)), dso, key);
    struct type *t;

    if (SK_LIKELY(o != NULL))
        return o->type;
    if (!plat_enter())
        return NULL;
    t = origin_make(dso, key);
    plat_leave();
    return t;
}

struct type *origin_of_site(const void *site)
{
    const struct dso *dso = dso_of(site);
    uint64_t key = 0;

    if (!dso)
        return NULL;
    if (ctl_types == OPTIONS_TYPES_SITE)
        key = (uintptr_t)site - dso->start;
    return origin_of(dso, key);
}

struct type *origin_of_token(uint64_t token)
{
    return origin_of(NULL, token);
}

struct type *origin_without_token(void)
{
    return origin_of(&no_token, 0);
}
