/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the engine must stand, on caches with each debug flag, with a constructor and without: a random sequence
 *       against a model, threads, refused memory. What is right is never reported, and nothing is lost.
 */
#include "fixture.h"

#define CONSTRUCTED 0x3c

struct kind {
    const char *name;
    unsigned flags;
};

static const struct kind kinds[] = {
    {"none", 0},
    {"F", KMEM_CONSISTENCY},
    {"Z", KMEM_REDZONE},
    {"P", KMEM_POISON},
    {"U", KMEM_STORE_USER},
    {"FZPU", KMEM_DEBUG},
    {"FZPU-typesafe", KMEM_DEBUG | KMEM_TYPESAFE},
};

static const size_t sizes[] = {1, 24, 600, 40000};

/* A sanitizer that looks at every access takes its time, and so does an emulator, which defines this itself. */
#ifdef SLABKIT_TSAN
#define EFFORT_DIV 8u
#elif !defined EFFORT_DIV
#define EFFORT_DIV 1u
#endif

/* ---- objects ------------------------------------------------------------------------------------- */

static int fill_ctor(void *obj, void *priv, int flags)
{
    (void)flags;
    memset(obj, CONSTRUCTED, *(size_t *)priv);
    return 0;
}

static size_t unconstructed; /* atomic: objects the destructor did not find as they should be */

static bool all_bytes(const void *obj, size_t size, int byte)
{
    const unsigned char *p = obj;

    for (size_t i = 0; i < size; i++)
        if (p[i] != byte)
            return false;
    return true;
}

static void check_dtor(void *obj, void *priv)
{
    sk_add_relaxed(&unconstructed, !all_bytes(obj, *(size_t *)priv, CONSTRUCTED));
}

struct subject {
    struct kmem_cache *c;
    size_t size;
    bool constructed;
};

static void subject_open(struct subject *s, const struct kind *kind, size_t size, bool constructed)
{
    struct kmem_cache_args args = {.flags = kind->flags, .priv = &s->size};

    *s = (struct subject){.size = size, .constructed = constructed};
    if (constructed) {
        args.ctor = fill_ctor;
        args.dtor = check_dtor;
    }
    unconstructed = 0;
    s->c = kmem_create(kind->name, size, &args);
    assert_non_null(s->c);
}

static void subject_close(struct subject *s)
{
    assert_int_equal(live(s->c), 0);
    assert_int_equal(kmem_cache_verify(s->c), 0);
    assert_int_equal(kmem_cache_destroy(s->c), 0);
    assert_int_equal(unconstructed, 0);
}

/* The object as its user leaves it: all bytes are one. false: it was not as it should be. */
static bool object_begin(const struct subject *s, void *obj, int byte)
{
    bool good = !s->constructed || all_bytes(obj, s->size, CONSTRUCTED);

    memset(obj, byte, s->size);
    return good;
}

static bool object_end(const struct subject *s, void *obj, int byte)
{
    bool good = all_bytes(obj, s->size, byte);

    if (s->constructed)
        memset(obj, CONSTRUCTED, s->size);
    return good;
}

/* A slot that meets the cache of caches for the first time keeps a pair of it. */
#define META_PER_SLOT 1024u

static void for_each_subject(void (*fn)(struct subject *s))
{
    struct balance before = balance_now();
    struct subject s;

    for (unsigned k = 0; k < SK_ARRAY_SIZE(kinds); k++)
        for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++)
            for (unsigned constructed = 0; constructed < 2; constructed++) {
                subject_open(&s, &kinds[k], sizes[i], constructed);
                fn(&s);
                subject_close(&s);
                assert_int_equal(balance_now().used, before.used);
            }
    assert_true(balance_now().meta <= before.meta + plat_nslots() * META_PER_SLOT);
}

/* ---- a model ------------------------------------------------------------------------------------ */

#define TABLE 400u
#define BULK  30u

struct entry {
    void *obj;
    int byte;
};

static struct entry table[TABLE];
static size_t nlive;

static size_t room_bytes(const struct subject *s)
{
    return s->size > 10000 ? 40 : TABLE;
}

static void entry_set(const struct subject *s, struct entry *e, void *obj, int byte)
{
    assert_non_null(obj);
    if (!object_begin(s, obj, byte))
        fail_msg("%s, %zu bytes, %s: an object is not what it was left as", kmem_cache_name(s->c),
                 s->size, s->constructed ? "constructed" : "plain");
    *e = (struct entry){obj, byte};
    nlive++;
}

static void *entry_take(const struct subject *s, struct entry *e)
{
    void *obj = e->obj;

    assert_true(object_end(s, obj, e->byte));
    e->obj = NULL;
    nlive--;
    return obj;
}

static void model_one(const struct subject *s, struct entry *e, uint64_t *seed)
{
    int zero = s->constructed ? 0 : draw(seed, 2) * M_ZERO;
    void *obj;

    if (e->obj) {
        kmem_cache_free(s->c, entry_take(s, e));
        return;
    }
    obj = kmem_cache_alloc(s->c, M_WAITOK | zero);
    assert_non_null(obj);
    assert_true(!zero || all_bytes(obj, s->size, 0));
    assert_ptr_equal(kmem_cache_of((char *)obj + s->size - 1), s->c);
    entry_set(s, e, obj, (int)draw(seed, 256));
}

/* The entries from `at` on that are free get objects; the others lose theirs. */
static void model_bulk(const struct subject *s, unsigned at, uint64_t *seed)
{
    void *in[BULK], *out[BULK];
    struct entry *empty[BULK];
    unsigned nin = 0, nout = 0;

    for (struct entry *e = &table[at]; e < &table[at + BULK]; e++) {
        if (e->obj)
            out[nout++] = entry_take(s, e);
        else
            empty[nin++] = e;
    }
    kmem_cache_free_bulk(s->c, nout, out);
    assert_int_equal(kmem_cache_alloc_bulk(s->c, M_WAITOK, nin, in), nin);
    for (unsigned i = 0; i < nin; i++)
        entry_set(s, empty[i], in[i], (int)draw(seed, 256));
}

static int is_in_table(void *obj, void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < TABLE; i++)
        if (table[i].obj == obj)
            return 0;
    return 1;
}

static void model_look(const struct subject *s)
{
    assert_int_equal(live(s->c), nlive);
    assert_int_equal(kmem_cache_walk(s->c, is_in_table, NULL), nlive);
    assert_int_equal(kmem_cache_verify(s->c), 0);
    assert_int_equal(kmem_cache_shrink(s->c), nlive != 0);
}

static void run_model(struct subject *s)
{
    unsigned room = (unsigned)room_bytes(s);
    uint64_t seed = s->size;

    for (unsigned op = 0; op < 1500 / EFFORT_DIV; op++) {
        model_one(s, &table[draw(&seed, room)], &seed);
        if (op % 50 == 20)
            model_bulk(s, draw(&seed, room - BULK), &seed);
        if (op % 300 == 160)
            model_look(s);
    }
    for (unsigned i = 0; i < TABLE; i++)
        if (table[i].obj)
            kmem_cache_free(s->c, entry_take(s, &table[i]));
}

static void test_model(void **state)
{
    (void)state;
    for_each_subject(run_model);
}

/* ---- threads ------------------------------------------------------------------------------------- */

#define THREADS 4u
#define ROUNDS  (1500u / EFFORT_DIV)
#define CELLS   64u

static void
    *cells[CELLS]; /* atomic: objects on their way to another thread, filled with THREADED */
#define THREADED 0x77

static unsigned wrong; /* atomic */

static void cell_swap(const struct subject *s, void **cell, void *obj)
{
    void *other = sk_xchg_acq_rel(cell, obj);

    if (!other)
        return;
    sk_add_relaxed(&wrong, !object_end(s, other, THREADED));
    kmem_cache_free(s->c, other);
}

static void *swap_objects(void *arg)
{
    const struct subject *s = arg;
    uint64_t seed = (uintptr_t)&seed;

    for (unsigned round = 0; round < (s->size > 10000 ? ROUNDS / 8 : ROUNDS); round++) {
        void *obj = kmem_cache_alloc(s->c, round % 2 ? M_WAITOK : M_NOWAIT);

        if (!obj)
            continue;
        sk_add_relaxed(&wrong, !object_begin(s, obj, THREADED));
        cell_swap(s, &cells[draw(&seed, CELLS)], obj);
    }
    return NULL;
}

static void *look_beside(void *arg)
{
    const struct subject *s = arg;

    for (unsigned round = 0; round < 10; round++) {
        sk_add_relaxed(&wrong, kmem_cache_verify(s->c) != 0);
        kmem_cache_shrink(s->c);
    }
    return NULL;
}

static void run_threads(struct subject *s)
{
    pthread_t threads[THREADS + 1];

    wrong = 0;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, swap_objects, s), 0);
    assert_int_equal(pthread_create(&threads[THREADS], NULL, look_beside, s), 0);
    for (unsigned i = 0; i <= THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < CELLS; i++)
        cell_swap(s, &cells[i], NULL);
    assert_int_equal(wrong, 0);
}

static void test_threads(void **state)
{
    (void)state;
    for_each_subject(run_threads);
}

/* ---- refused memory -------------------------------------------------------------------------------- */

static void load_with_refusals(const struct subject *s, unsigned *refused)
{
    for (unsigned i = 0; i < TABLE / EFFORT_DIV; i++) {
        void *obj = kmem_cache_alloc(s->c, M_WAITOK);

        *refused += !obj;
        if (obj)
            entry_set(s, &table[i], obj, (int)(i & 0xff));
    }
    for (unsigned i = 0; i < TABLE / EFFORT_DIV; i++)
        if (table[i].obj)
            kmem_cache_free(s->c, entry_take(s, &table[i]));
}

/* The n-th call for memory fails, and all after it if sticky. true: it was reached. */
static bool refuse(struct subject *s, unsigned nth, bool sticky)
{
    unsigned refused = 0;
    uint64_t calls;

    kmem_cache_shrink(s->c);
    region_reap(0, true);
    calls = plat_memory_calls();
    plat_fail_after(nth, sticky);
    load_with_refusals(s, &refused);
    calls = plat_memory_calls() - calls;
    plat_fail_after(0, false);
    assert_true(calls >= nth || refused == 0);
    assert_int_equal(kmem_cache_verify(s->c), 0);
    refused = 0;
    load_with_refusals(s, &refused);
    assert_int_equal(refused, 0);
    return calls >= nth;
}

static void run_refusals(struct subject *s)
{
    for (unsigned nth = 1; refuse(s, nth, false) && nth < 20; nth++)
        refuse(s, nth, true);
}

static void test_refusals(void **state)
{
    (void)state;
    for_each_subject(run_refusals);
}

/* ---- trace --------------------------------------------------------------------------------------- */

static void trace_some(void *arg)
{
    struct subject s;

    (void)arg;
    subject_open(&s, &(struct kind){"T", KMEM_TRACE}, 24, false);
    for (unsigned i = 0; i < 3; i++)
        kmem_cache_free(s.c, kmem_cache_alloc(s.c, M_WAITOK));
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    for (; (text = strstr(text, word)) != NULL; text++)
        n++;
    return n;
}

/* A line for each call, though the object could have come from an array. */
static void test_trace(void **state)
{
    struct death d;

    (void)state;
    d = die_in_child(trace_some, NULL);
    assert_int_equal(d.status, 0);
    assert_int_equal(count(d.text, "slabkit: T alloc 0x"), 3);
    assert_int_equal(count(d.text, "slabkit: T free 0x"), 3);
    assert_int_equal(count(d.text, "\n"), 6);
}

/* ---- options ------------------------------------------------------------------------------------- */

static size_t stride_of(const char *name)
{
    struct kmem_cache *c = kmem_create(name, 64, NULL);
    size_t stride = (size_t)stats(c).stride;

    assert_int_equal(kmem_cache_destroy(c), 0);
    return stride;
}

/* Caches created later have the flags, and the others, and earlier ones, none. */
static void test_options(void **state)
{
    struct kmem_cache *before = kmem_create("conn", 64, NULL);

    (void)state;
    kmem_debug_set_options("FZPU,conn*");
    assert_true(stride_of("conn") >= 64 + 16 + 16 + 384);
    assert_true(stride_of("conn-2") >= 64 + 16 + 16 + 384);
    assert_int_equal(stride_of("inode"), 64);
    kmem_debug_set_options(NULL);
    assert_int_equal(stride_of("conn"), 64);
    assert_int_equal(stats(before).stride, 64);
    assert_int_equal(kmem_cache_destroy(before), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),    cmocka_unit_test(test_threads),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_trace),
        cmocka_unit_test(test_options),
    };
    start(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
