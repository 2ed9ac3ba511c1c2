/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the end of caches: objects on their way from other threads are found, live ones are told, nothing is left;
 *       caches without number; merged ones. usage: ends [MODE [ROUNDS]]
 */
#include "fixture.h"

#define OBJS   4000u
#define ROUNDS 3000u

static void *objs[OBJS];

static void take(struct kmem_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_non_null(objs[i] = kmem_cache_alloc(c, M_WAITOK));
}

struct share {
    struct kmem_cache *c;
    unsigned from, step;
};

static void *give_share(void *arg)
{
    const struct share *s = arg;

    pin(s->from % 2);
    for (unsigned i = s->from; i < OBJS; i += s->step)
        kmem_cache_free(s->c, objs[i]);
    return NULL;
}

/* Frees of threads that are gone: in foreign arrays, depots, remote lists of other slots. */
static void test_objects_on_their_way_are_found(void **state)
{
    struct balance before = balance_now();

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct kmem_cache *c = counted_cache(40 + round * 50, 0);
        struct share shares[4];
        pthread_t threads[4];

        take(c, OBJS);
        for (unsigned i = 0; i < 4; i++) {
            shares[i] = (struct share){c, i, 4};
            pthread_create(&threads[i], NULL, give_share, &shares[i]);
        }
        for (unsigned i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(live(c), 0);
        assert_int_equal(kmem_cache_destroy(c), 0);
        assert_int_equal(counts.ctors, counts.dtors);
        assert_int_equal(counts.bad, 0);
    }
    expect_balance(before);
}

/* ---- live objects ------------------------------------------------------------------ */

static char *destroy_says(struct kmem_cache *c, int want)
{
    static char text[4096];
    int pipes[2], saved = dup(2);
    ssize_t n;

    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], 2);
    assert_int_equal(kmem_cache_destroy(c), want);
    dup2(saved, 2);
    close(pipes[1]);
    n = read(pipes[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = 0;
    close(pipes[0]);
    close(saved);
    return text;
}

static void test_busy(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache_args args = {.ctor = count_ctor, .priv = &counts, .reserve = 30};
    struct kmem_cache *c = kmem_create("busy", 100, &args);

    (void)state;
    take(c, 5);
    assert_string_equal(destroy_says(c, EBUSY),
                        "slabkit: kmem_cache_destroy of busy: 5 objects live\n");
    for (unsigned i = 1; i < 5; i++)
        kmem_cache_free(c, objs[i]);
    assert_string_equal(destroy_says(c, EBUSY),
                        "slabkit: kmem_cache_destroy of busy: 1 object lives\n");
    assert_int_equal(stats(c).reserve, 30);
    take(c, 0);
    objs[1] = kmem_cache_alloc(c, M_WAITOK);
    assert_non_null(objs[1]);
    assert_int_equal(live(c), 2);
    kmem_cache_free(c, objs[0]);
    kmem_cache_free(c, objs[1]);
    assert_string_equal(destroy_says(c, 0), "");
    expect_balance(before);
}

/* Who has them, where the cache knows. */
static void test_busy_says_who(void **state)
{
    struct kmem_cache_args args = {.flags = KMEM_STORE_USER};
    struct kmem_cache *c = kmem_create("tracked", 100, &args);
    char *text;

    (void)state;
    take(c, 2);
    text = destroy_says(c, EBUSY);
    assert_non_null(strstr(text, "slabkit: kmem_cache_destroy of tracked: 2 objects live\n  "));
    assert_non_null(strstr(strchr(text, '\n') + 1, "\n  "));
    kmem_cache_free(c, objs[0]);
    kmem_cache_free(c, objs[1]);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(kmem_cache_destroy(NULL), 0);
}

/* ---- many --------------------------------------------------------------------------- */

static unsigned long rounds = ROUNDS;

static void test_rounds_leak_nothing(void **state)
{
    static const unsigned flags[] = {0, KMEM_HWALIGN, KMEM_MERGE, KMEM_CONSISTENCY | KMEM_POISON};
    struct balance before = balance_now();

    (void)state;
    for (unsigned long round = 0; round < rounds; round++) {
        struct kmem_cache_args args = {.flags = flags[round % 4],
                                       .ctor = round % 3 ? NULL : count_ctor,
                                       .dtor = round % 3 ? NULL : count_dtor,
                                       .priv = &counts,
                                       .reserve = round % 7 ? 0 : 3};
        struct kmem_cache *c = kmem_create("round", 32 + round % 900, &args);

        assert_non_null(c);
        take(c, 20);
        for (unsigned i = 0; i < 20; i++)
            kmem_cache_free(c, objs[i]);
        assert_int_equal(kmem_cache_destroy(c), 0);
    }
    expect_balance(before);
}

static void *many_rounds(void *arg)
{
    void *mine[10];

    for (unsigned round = 0; round < ROUNDS / 6; round++) {
        struct kmem_cache *c = kmem_create("thread", 64 + (uintptr_t)arg, NULL);

        for (unsigned i = 0; i < 10; i++)
            mine[i] = kmem_cache_alloc(c, M_WAITOK);
        kmem_cache_free_bulk(c, 10, mine);
        if (kmem_cache_destroy(c) != 0)
            sk_add_relaxed(&counts.bad, 1);
        if (round % 64 == 0)
            kmem_cache_reap();
    }
    return NULL;
}

static int count_one(struct kmem_cache *c, void *arg)
{
    ++*(unsigned *)arg;
    return kmem_cache_size(c) == 0;
}

static void test_rounds_of_several_threads(void **state)
{
    pthread_t threads[4];
    unsigned n = 0;

    (void)state;
    counts = (struct counts){0};
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, many_rounds, (void *)i);
    /* Who gives back what a cache holds has it in hand meanwhile: nothing of that lives. */
    for (unsigned i = 0; i < 200; i++) {
        kmem_cache_foreach(count_one, &n);
        kmem_cache_reap();
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counts.bad, 0);
    assert_true(n >= 200);
    n = 0;
    kmem_cache_foreach(count_one, &n);
    assert_int_equal(n, 1); /* the cache of caches */
}

/* ---- what create refuses --------------------------------------------------------------- */

static void refuse(size_t size, struct kmem_cache_args args, int error)
{
    errno = 0;
    assert_null(kmem_create("refused", size, &args));
    assert_int_equal(errno, error);
}

static void test_refused(void **state)
{
    (void)state;
    refuse(0, (struct kmem_cache_args){0}, EINVAL);
    refuse((16u << 20) + 1, (struct kmem_cache_args){0}, EINVAL);
    refuse(64, (struct kmem_cache_args){.align = 24}, EINVAL);
    refuse(64, (struct kmem_cache_args){.align = 1u << 17}, EINVAL);
    refuse((16u << 20) - 9, (struct kmem_cache_args){.align = 16, .flags = 0x80000000u}, EINVAL);
    refuse(64, (struct kmem_cache_args){.limit = 1u << 20}, EINVAL);
}

static void test_indices_run_out(void **state)
{
    static struct kmem_cache *all[PLAT_SLOT_ARRAYS];
    struct balance before = balance_now();
    unsigned n = 0;

    (void)state;
    while ((all[n] = kmem_create("one of many", 64, NULL)) != NULL)
        n++;
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(n, PLAT_SLOT_ARRAYS - PCPU_DYNAMIC_FIRST - 1);
    while (n)
        assert_int_equal(kmem_cache_destroy(all[--n]), 0);
    expect_balance(before);
}

/* ---- merging ----------------------------------------------------------------------------- */

static void test_merged(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache_args merge = {.flags = KMEM_MERGE};
    struct kmem_cache *a = kmem_create("a", 100, &merge), *b = kmem_create("b", 97, &merge);
    struct kmem_cache *apart = kmem_create("apart", 100, NULL);
    struct kmem_cache *other = kmem_create("other", 200, &merge);
    void *p, *q;

    (void)state;
    p = kmem_cache_alloc(a, M_WAITOK);
    q = kmem_cache_alloc(b, M_WAITOK | M_ZERO);
    assert_ptr_equal(kmem_cache_of(p), kmem_cache_of(q));
    assert_int_equal(live(a), 2);
    assert_int_equal(live(b), 2);
    assert_int_equal(live(apart), 0);
    assert_int_equal(live(other), 0);
    assert_string_equal(kmem_cache_name(b), "b");
    assert_int_equal(kmem_cache_size(b), 97);
    kmem_cache_free(a, q);
    kmem_cache_free(b, p);
    p = kmem_cache_alloc(b, M_WAITOK);
    assert_int_equal(kmem_cache_destroy(a), 0);
    *(char *)p = 1;
    q = kmem_cache_alloc(b, M_WAITOK);
    kmem_cache_free(b, p);
    assert_string_equal(destroy_says(b, EBUSY),
                        "slabkit: kmem_cache_destroy of a: 1 object lives\n");
    kmem_cache_free(b, q);
    assert_int_equal(kmem_cache_destroy(b), 0);
    assert_int_equal(kmem_cache_destroy(apart), 0);
    assert_int_equal(kmem_cache_destroy(other), 0);
    expect_balance(before);
}

/* ---- misuse -------------------------------------------------------------------------------- */

struct shot {
    struct kmem_cache *c;
    void *p;
};

static void shoot(void *arg)
{
    struct shot *s = arg;

    kmem_cache_free(s->c, s->p);
}

static void test_wrong_cache(void **state)
{
    struct kmem_cache *a = kmem_create("apples", 64, NULL), *b = kmem_create("pears", 64, NULL);
    struct shot s = {b, kmem_cache_alloc(a, M_WAITOK)};
    int local;

    (void)state;
    expect_death(shoot, &s, "slabkit: free of %p, an object of apples, to pears\n", s.p);
    kmem_cache_free(a, s.p);
    s.p = &local;
    expect_death(shoot, &s, "slabkit: free of %p, which is no object of pears\n", s.p);
    assert_int_equal(kmem_cache_destroy(a), 0);
    assert_int_equal(kmem_cache_destroy(b), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_on_their_way_are_found),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_busy_says_who),
        cmocka_unit_test(test_rounds_leak_nothing),
        cmocka_unit_test(test_rounds_of_several_threads),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_indices_run_out),
        cmocka_unit_test(test_merged),
        cmocka_unit_test(test_wrong_cache),
    };
    start(argc, argv);
    if (argc > 2)
        rounds = strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
