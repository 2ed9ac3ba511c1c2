/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a snapshot as JSON, read back by a parser that is not ours and compared field by field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "sample.h"

static json_t *written(const struct slabkit_snapshot *s)
{
    FILE *f = tmpfile();
    json_error_t error;
    assert_non_null(f);
    assert_int_equal(slabkit_snapshot_write(s, fileno(f), SLABKIT_JSON), 0);
    rewind(f);
    json_t *root =
        json_loadf(f, JSON_REJECT_DUPLICATES, &error); /* all of the file is one object */
    if (root == NULL)
        fail_msg("%s at %d", error.text, error.position);
    fclose(f);
    return root;
}

static unsigned compared;

static void same_u64(const json_t *o, const char *key, uint64_t want)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || (uint64_t)json_integer_value(v) != want)
        fail_msg("%s is not %ju", key, (uintmax_t)want);
    compared++;
}

static void same_bool(const json_t *o, const char *key, bool want)
{
    const json_t *v = json_object_get(o, key);
    assert_true(json_is_boolean(v));
    assert_int_equal(json_is_true(v), want);
    compared++;
}

static void same_str(const json_t *o, const char *key, const char *want)
{
    const json_t *v = json_object_get(o, key);
    assert_true(json_is_string(v));
    assert_string_equal(json_string_value(v), want);
    compared++;
}

#define U64(o, s, field) same_u64(o, #field, (uint64_t)(s)->field)

static void same_bytes(const json_t *o, const struct slabkit_snapshot *s)
{
    U64(o, s, live_bytes);
    U64(o, s, peak_bytes);
    U64(o, s, mapped_bytes);
    U64(o, s, dirty_bytes);
    U64(o, s, returned_bytes);
    U64(o, s, reserved_bytes);
    U64(o, s, meta_bytes);
    U64(o, s, array_bytes);
    U64(o, s, large_bytes);
    U64(o, s, huge_bytes);
}

static void same_events(const json_t *o, const struct slabkit_snapshot *s)
{
    U64(o, s, large_allocs);
    U64(o, s, large_frees);
    U64(o, s, large_live);
    U64(o, s, huge_allocs);
    U64(o, s, huge_frees);
    U64(o, s, huge_live);
    U64(o, s, reaps);
    U64(o, s, trims);
    U64(o, s, nested_allocs);
    U64(o, s, deferred_frees);
    same_bool(o, "allocs_exact", s->allocs_exact);
}

static void same_head(const json_t *o, const struct slabkit_snapshot *s)
{
    U64(o, s, version);
    U64(o, s, bytes);
    U64(o, s, pid);
    U64(o, s, ppid);
    same_str(o, "process", s->process);
    same_str(o, "slots_mode", s->slots_mode);
    same_str(o, "slots_reason", s->slots_reason);
    U64(o, s, slots);
    U64(o, s, nodes);
    same_bool(o, "reaper", s->reaper);
}

static void same_class(const json_t *o, const struct slabkit_class *k)
{
    compared = 0;
    same_str(o, "name", k->name);
    same_str(o, "ctor", k->ctor);
    same_bool(o, "cache", k->cache);
    U64(o, k, size);
    U64(o, k, align);
    U64(o, k, colours);
    U64(o, k, object_bytes);
    U64(o, k, slab_bytes);
    U64(o, k, slab_objs);
    U64(o, k, array_limit);
    U64(o, k, live_objs);
    U64(o, k, array_objs);
    U64(o, k, depot_objs);
    U64(o, k, slab_free_objs);
    U64(o, k, slabs);
    U64(o, k, slabs_partial);
    U64(o, k, slabs_away);
    U64(o, k, slabs_free);
    U64(o, k, allocs);
    U64(o, k, alloc_misses);
    U64(o, k, free_misses);
    U64(o, k, depot_gets);
    U64(o, k, depot_puts);
    U64(o, k, refills);
    U64(o, k, refill_objs);
    U64(o, k, flushes);
    U64(o, k, flush_objs);
    U64(o, k, remote_objs);
    U64(o, k, remote_chains);
    U64(o, k, tells);
    U64(o, k, grows);
    U64(o, k, shrinks);
    U64(o, k, adoptions);
    U64(o, k, array_resizes);
    U64(o, k, failures);
    U64(o, k, reserve);
    U64(o, k, deferred);
    assert_int_equal(json_object_size(o), compared);
}

static void test_every_field(void **state)
{
    (void)state;
    static struct slabkit_snapshot s;
    sample_snapshot(&s);
    json_t *root = written(&s);
    json_t *classes = json_object_get(root, "classes");
    compared = 0;
    same_head(root, &s);
    same_bytes(root, &s);
    same_events(root, &s);
    assert_int_equal(json_object_size(root), compared + 1);
    assert_int_equal(json_array_size(classes), 4);
    for (unsigned i = 0; i < 4; i++)
        same_class(json_array_get(classes, i), &s.class_[i]);
    json_decref(root);
}

static void test_nothing_filled(void **state)
{
    (void)state;
    static struct slabkit_snapshot s;
    memset(&s, 0, sizeof s);
    s.pid = -1;
    json_t *root = written(&s);
    assert_int_equal(json_array_size(json_object_get(root, "classes")), 0);
    assert_true(json_integer_value(json_object_get(root, "pid")) == -1);
    json_decref(root);
}

/* Names without end, names that are not text, and a count beyond the array. */
static void test_damaged(void **state)
{
    (void)state;
    static struct slabkit_snapshot s;
    sample_snapshot(&s);
    memset(s.process, 'p', sizeof s.process);
    memset(s.slots_mode, '"', sizeof s.slots_mode);
    memset(s.class_[0].name, 0xff, sizeof s.class_[0].name);
    s.classes = UINT32_MAX;
    json_t *root = written(&s);
    json_t *classes = json_object_get(root, "classes");
    assert_int_equal(json_string_length(json_object_get(root, "process")), sizeof s.process);
    assert_int_equal(json_string_length(json_object_get(root, "slots_mode")), sizeof s.slots_mode);
    assert_int_equal(json_array_size(classes), SLABKIT_SNAPSHOT_CLASSES);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field),
        cmocka_unit_test(test_nothing_filled),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
