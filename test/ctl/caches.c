/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: object caches as a program uses them: created before main and from a shared object's constructor, in snapshots and
 *       slabinfo, verified, across fork.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "slabkit/kmem_cache.h"
#include "slabkit/slabkit.h"

#include "early_cache.h"

static struct kmem_cache *early, *empty;
static void *early_obj;

__attribute__((visibility("default"))) int make_item(void *obj, void *priv, int flags);

/* Exported, so that its name is known. */
int make_item(void *obj, void *priv, int flags)
{
    (void)priv;
    (void)flags;
    *(uint64_t *)obj = 0x1234;
    return 0;
}

/* Before main, and maybe before slabkit's own constructor. */
__attribute__((constructor)) static void create_early(void)
{
    struct kmem_cache_args args = {.ctor = make_item, .reserve = 4, .align = 32};

    early = kmem_cache_create("early one", 200, &args);
    early_obj = early ? kmem_cache_alloc(early, M_WAITOK) : NULL;
    empty = kmem_cache_create("empty", 64, NULL);
}

static void test_created_before_main(void **state)
{
    (void)state;
    assert_non_null(early_obj);
    assert_int_equal(*(uint64_t *)early_obj, 0x1234);
    assert_ptr_equal(kmem_cache_of(early_obj), early);
    assert_non_null(early_cache());
    assert_string_equal(kmem_cache_name(early_cache()), "of a shared object");
    assert_non_null(early_object());
}

static struct slabkit_class *class_named(struct slabkit_snapshot *s, const char *name)
{
    for (unsigned i = 0; i < s->classes; i++)
        if (strcmp(s->class_[i].name, name) == 0)
            return &s->class_[i];
    return NULL;
}

static void test_in_the_snapshot(void **state)
{
    static struct slabkit_snapshot s;
    struct slabkit_class *k;

    (void)state;
    assert_int_equal(slabkit_snapshot(&s), 0);
    k = class_named(&s, "early one");
    assert_non_null(k);
    assert_int_equal(k->cache, 1);
    assert_int_equal(k->size, 200);
    assert_int_equal(k->align, 32);
    assert_int_equal(k->object_bytes, 224);
    assert_int_equal(k->reserve, 4);
    assert_int_equal(k->live_objs, 1);
    assert_string_equal(k->ctor, "make_item");
    k = class_named(&s, "kmem_cache");
    assert_non_null(k);
    assert_int_equal(k->live_objs, 3);
    k = class_named(&s, "malloc-64");
    assert_non_null(k);
    assert_int_equal(k->cache, 0);
    assert_string_equal(k->ctor, "");
}

static char text[1 << 16];

static void read_slabinfo(void)
{
    FILE *f = tmpfile();
    size_t n;

    assert_non_null(f);
    assert_int_equal(slabkit_slabinfo_write(fileno(f)), 0);
    rewind(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = 0;
    fclose(f);
}

/* As the readers of /proc/slabinfo take it apart. */
static void test_slabinfo(void **state)
{
    unsigned active, all, size, objs, pages, limit, batch, shared, lines = 0, active_slabs, slabs,
                                                                   avail;
    static struct slabkit_snapshot s;
    const struct slabkit_class *k;
    char name[64], *line, *rest;

    (void)state;
    assert_int_equal(slabkit_snapshot(&s), 0);
    k = class_named(&s, "early one");
    assert_non_null(k);
    read_slabinfo();
    line = strtok_r(text, "\n", &rest);
    assert_string_equal(line, "slabinfo - version: 2.1");
    line = strtok_r(NULL, "\n", &rest);
    assert_true(strncmp(line, "# name            <active_objs> <num_objs>", 41) == 0);
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        assert_int_equal(sscanf(line, "%63s %u %u %u %u %u : tunables %u %u %u : slabdata %u %u %u",
                                name, &active, &all, &size, &objs, &pages, &limit, &batch, &shared,
                                &active_slabs, &slabs, &avail),
                         12);
        lines++;
        assert_true(active <= all && active_slabs <= slabs && all == slabs * objs);
        if (strcmp(name, "early_one") == 0) {
            assert_int_equal(size, 224);
            assert_int_equal(slabs, 1);
            assert_int_equal((size_t)pages * (size_t)getpagesize(), k->slab_bytes);
        }
    }
    assert_true(lines > 70);
    errno = 0;
    assert_int_equal(slabkit_slabinfo_write(9999), -1);
    assert_int_equal(errno, EBADF);
}

static void test_verified(void **state)
{
    (void)state;
    assert_int_equal(slabkit_verify(), 0);
    assert_int_equal(kmem_cache_verify(early), 0);
}

static void test_fork(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct kmem_cache *c = kmem_cache_create("child", 100, NULL);

        kmem_cache_free(early, early_obj);
        kmem_cache_free(c, kmem_cache_alloc(c, M_WAITOK));
        _exit(kmem_cache_destroy(early) | kmem_cache_destroy(c));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(*(uint64_t *)early_obj, 0x1234);
}

static void test_ends(void **state)
{
    (void)state;
    kmem_cache_free(early, early_obj);
    assert_int_equal(kmem_cache_destroy(early), 0);
    assert_int_equal(kmem_cache_destroy(empty), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_created_before_main),
        cmocka_unit_test(test_in_the_snapshot),
        cmocka_unit_test(test_slabinfo),
        cmocka_unit_test(test_verified),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
