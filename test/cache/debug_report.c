/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: reports, whole: the first line, the picture, the history, with a world and without; and what is misuse at the
 *       call.
 */
#include "debug_fixture.h"

static struct bench b;
static bool constructed;

static void open_live(size_t size, unsigned flags)
{
    bench_open(&b, size, 8, flags);
    kmem_debug_made(&b.d, NAME, b.raw);
    if (constructed)
        kmem_debug_constructed(&b.d, NAME, b.raw);
    kmem_debug_alloc(&b.d, NAME, b.raw, constructed, (void *)0x1000);
}

static void open_freed(size_t size, unsigned flags)
{
    open_live(size, flags);
    kmem_debug_free(&b.d, NAME, b.raw, constructed, (void *)0x2000);
}

static void alloc_now(void *arg)
{
    (void)arg;
    kmem_debug_alloc(&b.d, NAME, b.raw, constructed, (void *)0x3000);
}

static void free_now(void *arg)
{
    (void)arg;
    kmem_debug_free(&b.d, NAME, b.raw, constructed, (void *)0x4000);
}

static void gone_now(void *arg)
{
    (void)arg;
    kmem_debug_gone(&b.d, NAME, b.raw, constructed);
}

static int with_world(void **state)
{
    (void)state;
    constructed = false;
    kmem_debug_set_world(&known_world);
    return 0;
}

static int without_world(void **state)
{
    (void)state;
    constructed = false;
    kmem_debug_set_world(NULL);
    return 0;
}

/* ---- whole reports ------------------------------------------------------------------------------- */

#define STACK(at)                                                                                  \
    "    0x" #at "000 fn+%u\n"                                                                     \
    "    0x" #at "100 fn+%u\n"                                                                     \
    "    0x" #at "200 fn+%u\n"
#define FRAMES(at) (at) * 4096u, (at)*4096u + 256, (at)*4096u + 512

static void test_overrun(void **state)
{
    (void)state;
    open_live(24, KMEM_REDZONE | KMEM_STORE_USER);
    memset(b.obj, 'a', 28);
    expect_report(
        free_now, NULL,
        "slabkit: overrun of %p, a 24-byte object of shelf: 4 bytes written from offset 24\n"
        "  bytes by offset from the object's begin, ! the damage:\n"
        "         0: 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61  |aaaaaaaaaaaaaaaa|\n"
        "        16: 61 61 61 61 61 61 61 61!61!61!61!61 bb bb bb bb  |aaaaaaaaaaaa....|\n"
        "        32: bb bb bb bb bb bb bb bb                          |........        |\n"
        "  last allocated: pid 11, tid 22, slot N, AGE\n" STACK(
            1) "  last freed: never\n"
               "  found: pid 11, tid 22, slot N, AGE\n" STACK(4),
        (void *)b.obj, FRAMES(1), FRAMES(4));
    bench_close(&b);
}

static void test_underrun_without_history(void **state)
{
    (void)state;
    open_live(8, KMEM_REDZONE);
    b.obj[-3] = 0;
    expect_report(
        free_now, NULL,
        "slabkit: underrun of %p, a 8-byte object of shelf: 1 byte written from offset -3\n"
        "  bytes by offset from the object's begin, ! the damage:\n"
        "       -16: bb bb bb bb bb bb bb bb bb bb bb bb bb!00 bb bb  |................|\n"
        "         0: 11 11 11 11 11 11 11 11 bb bb bb bb bb bb bb bb  |................|\n"
        "  who allocated and freed it: not remembered (debug flag U)\n"
        "  found: pid 11, tid 22, slot N, AGE\n" STACK(4),
        (void *)b.obj, FRAMES(4));
    bench_close(&b);
}

static void test_use_after_free(void **state)
{
    (void)state;
    open_freed(40, KMEM_POISON | KMEM_STORE_USER);
    memcpy(b.obj + 8, "late", 4);
    expect_report(
        alloc_now, NULL,
        "slabkit: use after free of %p, a 40-byte object of shelf: 4 bytes written from offset 8\n"
        "  bytes by offset from the object's begin, ! the damage:\n"
        "         0: 6b 6b 6b 6b 6b 6b 6b 6b!6c!61!74!65 6b 6b 6b 6b  |kkkkkkkklatekkkk|\n"
        "        16: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  |kkkkkkkkkkkkkkkk|\n"
        "  last allocated: pid 11, tid 22, slot N, AGE\n" STACK(
            1) "  last freed: pid 11, tid 22, slot N, AGE\n" STACK(2) "  found: pid 11, tid 22, "
                                                                      "slot N, AGE\n" STACK(3),
        (void *)b.obj, FRAMES(1), FRAMES(2), FRAMES(3));
    bench_close(&b);
}

/* Nobody calls us when a slab goes: no stack. */
static void test_use_found_when_the_slab_goes(void **state)
{
    (void)state;
    open_freed(16, KMEM_POISON);
    b.obj[15] = 0;
    expect_report(
        gone_now, NULL,
        "slabkit: use after free of %p, a 16-byte object of shelf: 1 byte written from offset 15\n"
        "  bytes by offset from the object's begin, ! the damage:\n"
        "         0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b!00  |kkkkkkkkkkkkkkk.|\n"
        "  who allocated and freed it: not remembered (debug flag U)\n",
        (void *)b.obj);
    bench_close(&b);
}

static void test_constructed_use(void **state)
{
    (void)state;
    constructed = true;
    open_freed(64, KMEM_POISON);
    b.obj[35] = 'X';
    expect_report(
        alloc_now, NULL,
        "slabkit: use after free of %p, a constructed 64-byte object of shelf: written within 8 "
        "bytes from offset 32\n"
        "  bytes by offset from the object's begin, ! the damage:\n"
        "        16: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  |kkkkkkkkkkkkkkkk|\n"
        "        32:!6b!6b!6b!58!6b!6b!6b!6b 6b 6b 6b 6b 6b 6b 6b 6b  |kkkXkkkkkkkkkkkk|\n"
        "        48: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b a5  |kkkkkkkkkkkkkkk.|\n"
        "  who allocated and freed it: not remembered (debug flag U)\n"
        "  found: pid 11, tid 22, slot N, AGE\n" STACK(3),
        (void *)b.obj, FRAMES(3));
    bench_close(&b);
}

/* Large damage is cut after eight rows. */
static void test_large_damage(void **state)
{
    struct death report;
    unsigned rows = 0;

    (void)state;
    open_freed(4096, KMEM_POISON);
    memset(b.obj + 100, 0, 3000);
    report = report_of(alloc_now, NULL);
    for (char *p = report.text; (p = strchr(p, '|')) != NULL; p = strchr(p + 1, '|') + 1)
        rows++;
    assert_int_equal(rows, 8);
    assert_non_null(strstr(report.text, ": 3000 bytes written from offset 100\n"));
    assert_non_null(strstr(report.text, "\n  ...\n  who allocated"));
    bench_close(&b);
}

static void test_double_free(void **state)
{
    (void)state;
    open_freed(24, KMEM_CONSISTENCY | KMEM_STORE_USER);
    expect_report(
        free_now, NULL,
        "slabkit: double free of %p, a 24-byte object of shelf\n"
        "  last allocated: pid 11, tid 22, slot N, AGE\n" STACK(
            1) "  last freed: pid 11, tid 22, slot N, AGE\n" STACK(2) "  found: pid 11, tid 22, "
                                                                      "slot N, AGE\n" STACK(4),
        (void *)b.obj, FRAMES(1), FRAMES(2), FRAMES(4));
    bench_close(&b);
}

/* ---- without a world: addresses ------------------------------------------------------------------ */

static void test_no_world(void **state)
{
    (void)state;
    open_freed(24, KMEM_CONSISTENCY | KMEM_STORE_USER);
    expect_report(free_now, NULL,
                  "slabkit: double free of %p, a 24-byte object of shelf\n"
                  "  last allocated: slot N, AGE\n"
                  "    0x1000\n"
                  "  last freed: slot N, AGE\n"
                  "    0x2000\n"
                  "  found: slot N, AGE\n"
                  "    0x4000\n",
                  (void *)b.obj);
    bench_close(&b);
}

static void test_owner(void **state)
{
    char line[128];

    (void)state;
    open_live(24, KMEM_STORE_USER);
    kmem_debug_owner(&b.d, b.raw, line, sizeof(line));
    mask_digits(line, "slot ");
    line[strcspn(line, "N") + 1] = 0;
    char want[128];
    snprintf(want, sizeof(want), "%p allocated by 0x1000, slot N", (void *)b.obj);
    assert_string_equal(line, want);
    bench_close(&b);
    open_live(24, KMEM_CONSISTENCY);
    kmem_debug_owner(&b.d, b.raw, line, sizeof(line));
    assert_string_equal(line, "");
    bench_close(&b);
}

/* ---- states ------------------------------------------------------------------------------------------ */

static void test_never_allocated(void **state)
{
    (void)state;
    bench_open(&b, 24, 8, KMEM_CONSISTENCY);
    kmem_debug_made(&b.d, NAME, b.raw);
    expect_first_line(free_now, NULL,
                      "slabkit: free of %p, an object of shelf (24 bytes) that was never allocated",
                      (void *)b.obj);
    bench_close(&b);
}

static void test_damaged_record(void **state)
{
    (void)state;
    open_live(24, KMEM_CONSISTENCY);
    memset(b.raw, 'x', 24);
    expect_first_line(free_now, NULL,
                      "slabkit: damage to the record of %p, a 24-byte object of shelf: written "
                      "before it, or beyond its neighbour's end",
                      (void *)b.obj);
    bench_close(&b);
    open_freed(24, KMEM_CONSISTENCY);
    memset(b.raw, 'x', 24);
    expect_first_line(alloc_now, NULL,
                      "slabkit: damage to the record of %p, a 24-byte object of shelf: written "
                      "before it, or beyond its neighbour's end",
                      (void *)b.obj);
    bench_close(&b);
}

/* Given out twice. */
static void test_alloc_of_a_live_object(void **state)
{
    (void)state;
    open_live(24, KMEM_CONSISTENCY);
    expect_first_line(alloc_now, NULL,
                      "slabkit: damage to the record of %p, a 24-byte object of shelf: written "
                      "before it, or beyond its neighbour's end",
                      (void *)b.obj);
    bench_close(&b);
}

/* Without F the state is kept, and nobody is stopped for it. */
static void test_states_without_F(void **state)
{
    (void)state;
    open_freed(24, KMEM_REDZONE);
    free_now(NULL);
    assert_false(kmem_debug_live(b.raw));
    alloc_now(NULL);
    assert_true(kmem_debug_live(b.raw));
    bench_close(&b);
}

static void construct_too_much(void *arg)
{
    (void)arg;
    bench_open(&b, 24, 8, KMEM_REDZONE);
    kmem_debug_made(&b.d, NAME, b.raw);
    memset(b.obj, 0, 25);
    kmem_debug_constructed(&b.d, NAME, b.raw);
}

static void test_constructor_overruns(void **state)
{
    struct death report;

    (void)state;
    report = report_of(construct_too_much, NULL);
    assert_non_null(strstr(report.text, "slabkit: overrun of 0x"));
    assert_non_null(strstr(report.text, ": 1 byte written from offset 24\n"));
}

/* ---- addresses ------------------------------------------------------------------------------------- */

static struct slab_geom geom;
static struct slab *slab;
static void *victim;

static void raw_of_victim(void *arg)
{
    (void)arg;
    kmem_debug_raw(&b.d, &geom, victim, (void *)0x4000);
}

static void address_cache(size_t size, unsigned flags)
{
    size_t stride = kmem_debug_layout(&b.d, size, 8, flags);
    void *out[2];

    slab_geom_init(&geom, NAME, stride, 8, KIND);
    slab = slab_new(&geom, 0);
    slab_take(slab, out, 2);
    for (unsigned i = 0; i < 2; i++) {
        kmem_debug_made(&b.d, NAME, out[i]);
        kmem_debug_alloc(&b.d, NAME, out[i], false, (void *)0x1000);
    }
}

static void test_address_is_an_object(void **state)
{
    (void)state;
    address_cache(24, ALL);
    for (unsigned i = 0; i < geom.objs; i++)
        assert_ptr_equal(
            kmem_debug_raw(&b.d, &geom, kmem_debug_object(&b.d, object(slab, i)), NULL),
            object(slab, i));
}

static void misuse_of_victim(void *arg)
{
    (void)arg;
    kmem_debug_misuse(&b.d, MISUSE_CACHE, victim, NAME, (void *)0x4000);
}

/* Only where there are debug flags is there a stack. */
static void test_foreign(void **state)
{
    (void)state;
    victim = (void *)0x10;
    kmem_debug_layout(&b.d, 24, 8, ALL);
    expect_report(misuse_of_victim, NULL,
                  "slabkit: free of 0x10, which is no object of shelf\n"
                  "  found: pid 11, tid 22, slot N, AGE\n" STACK(4),
                  FRAMES(4));
    kmem_debug_layout(&b.d, 24, 8, 0);
    expect_report(misuse_of_victim, NULL, "slabkit: free of 0x10, which is no object of shelf\n");
}

static void test_interior(void **state)
{
    (void)state;
    address_cache(24, ALL);
    victim = (char *)kmem_debug_object(&b.d, object(slab, 1)) + 1;
    expect_report(raw_of_victim, NULL,
                  "slabkit: free of %p, which points inside a 24-byte object of shelf\n"
                  "  last allocated: pid 11, tid 22, slot N, AGE\n" STACK(
                      1) "  last freed: never\n"
                         "  found: pid 11, tid 22, slot N, AGE\n" STACK(4),
                  victim, FRAMES(1), FRAMES(4));
}

/* Of objects that do not fill their slab. */
static void test_outside(void **state)
{
    (void)state;
    address_cache(5000, ALL);
    assert_true(geom.objs * (size_t)geom.size < geom.pages * PLAT_PAGE_BYTES);
    victim = kmem_debug_object(&b.d, object(slab, geom.objs));
    expect_first_line(raw_of_victim, NULL,
                      "slabkit: free of %p, which lies outside of the objects of its slab of shelf "
                      "(5000 bytes each)",
                      victim);
}

/* ---- trace --------------------------------------------------------------------------------------- */

static void trace_a_life(void *arg)
{
    (void)arg;
    open_freed(24, KMEM_TRACE);
    fprintf(stderr, "%p\n", (void *)b.obj);
    abort();
}

static void test_trace(void **state)
{
    struct death d;
    char want[256], *address;

    (void)state;
    d = die_in_child(trace_a_life, NULL);
    address = strstr(d.text, "alloc ") + strlen("alloc ");
    address = strndup(address, strcspn(address, " "));
    snprintf(want, sizeof(want),
             "slabkit: shelf alloc %s by 0x1000 fn+4096\n"
             "slabkit: shelf free %s by 0x2000 fn+8192\n%s\n",
             address, address, address);
    assert_string_equal(d.text, want);
    free(address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_overrun, with_world),
        cmocka_unit_test_setup(test_underrun_without_history, with_world),
        cmocka_unit_test_setup(test_use_after_free, with_world),
        cmocka_unit_test_setup(test_use_found_when_the_slab_goes, with_world),
        cmocka_unit_test_setup(test_constructed_use, with_world),
        cmocka_unit_test_setup(test_large_damage, with_world),
        cmocka_unit_test_setup(test_double_free, with_world),
        cmocka_unit_test_setup(test_no_world, without_world),
        cmocka_unit_test_setup(test_owner, without_world),
        cmocka_unit_test_setup(test_never_allocated, without_world),
        cmocka_unit_test_setup(test_damaged_record, without_world),
        cmocka_unit_test_setup(test_alloc_of_a_live_object, without_world),
        cmocka_unit_test_setup(test_states_without_F, without_world),
        cmocka_unit_test_setup(test_constructor_overruns, without_world),
        cmocka_unit_test_setup(test_address_is_an_object, with_world),
        cmocka_unit_test_setup(test_foreign, with_world),
        cmocka_unit_test_setup(test_interior, with_world),
        cmocka_unit_test_setup(test_outside, with_world),
        cmocka_unit_test_setup(test_trace, with_world),
    };
    return cmocka_run_group_tests(tests, start_region, NULL);
}
