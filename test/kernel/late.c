/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: messages that come late, delayed on purpose: a tell for a slab that went meanwhile, and
 *       messages naming objects of slabs that are gone, or are somebody else's now. The page map tells.
 */
#include "engine.h"
#include "ipi/oldway.h"

#define MANY 400u

static void *objs[MANY];
static struct pcpu_cache *cache;

/* ---- a tell ------------------------------------------------------------------------------------------- */

static void *free_all(void *arg)
{
    for (unsigned i = 0; i < MANY; i++)
        km_free(objs[i]);
    (void)arg;
    return NULL;
}

static uint64_t tells(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        sum += kern64_cpu[cpu].tells;
    return sum;
}

/* All from slabs of this CPU; what its array has left over stays. */
static void take_many(size_t size)
{
    cache = pcpu_cache_at(km_class(size));
    for (unsigned i = 0; i < MANY; i++)
        assert_non_null(objs[i] = km_alloc(size));
}

/* This CPU sleeps meanwhile. */
static void on_cpu_1(void *(*fn)(void *))
{
    pthread_t thread;

    kern64_fall_asleep();
    pthread_create(&thread, NULL, fn, NULL);
    pthread_join(thread, NULL);
    kern64_wake_up();
}

/* The other CPU's arrays and the depot are emptied by it, so that all of it goes home. */
static void *free_and_send_home(void *arg)
{
    free_all(arg);
    plat_enter();
    pcpu_drain(cache);
    plat_leave();
    return NULL;
}

/* Told, but it looks before the interrupt comes: everything goes back, the pages too. The tell then
 * finds nothing, and touches nothing. */
static void test_tell_after_its_slab(void **state)
{
    uint64_t before;
    void *run;

    (void)state;
    ipi_hold(0, true);
    take_many(3000);
    run = region_info(objs[MANY / 2])->slab->sl_run;
    before = tells();
    on_cpu_1(free_and_send_home);
    assert_true(tells() > before);
    assert_int_equal(ipi_held(0), true);
    expect_all_free();
    assert_int_equal(region_kind(run), 0);
    assert_false(kern64_is_backed(run));
    assert_true(kern64_cpu[0].told != 0);
    ipi_hold(0, false);
    while (sk_load_acquire(&kern64_cpu[0].told))
        cpu_rest();
    expect_all_free();
}

/* The same with somebody else's slab in the place of the old one. */
static void test_tell_with_another_slab_there(void **state)
{
    void *run, *p;

    (void)state;
    ipi_hold(0, true);
    take_many(3000);
    run = region_info(objs[MANY / 2])->slab->sl_run;
    on_cpu_1(free_and_send_home);
    expect_all_free();
    p = km_alloc(20 * MIB);
    assert_non_null(p);
    assert_true((char *)run >= (char *)p && (char *)run < (char *)p + 20 * MIB);
    stamp(p, 20 * MIB, 3);
    ipi_hold(0, false);
    while (sk_load_acquire(&kern64_cpu[0].told))
        cpu_rest();
    assert_true(stamp_holds(p, 20 * MIB, 3));
    km_free(p);
    expect_all_free();
}

/* ---- messages with objects ------------------------------------------------------------------------------ */

static void *send_all_twice(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < MANY; i++)
        oldway_free(objs[i]);
    return NULL;
}

static unsigned resend;

/* What a sender does that does not know: the message is written, the object is not touched before it is
 * looked up. */
static void *send_some_again(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < resend; i++)
        oldway_post(0, objs[i]);
    return NULL;
}

static void oldway_take_many(void)
{
    oldway_start(512);
    for (unsigned i = 0; i < MANY; i++)
        assert_non_null(objs[i] = oldway_alloc());
}

static void wait_for(uint64_t came)
{
    while (oldway_figures().came != came)
        kern64_wait_turn();
}

/* Sent twice, the second time held back until the slabs have gone: each is recognised, nothing is
 * freed. The pages are there still, dirty, in no slab. */
static void test_message_for_a_slab_that_is_gone(void **state)
{
    (void)state;
    oldway_take_many();
    oldway_hold(0);
    on_cpu_1(send_all_twice);
    assert_int_equal(oldway_figures().came, 0);
    oldway_release(0);
    wait_for(MANY);
    oldway_hold(0);
    resend = MANY;
    on_cpu_1(send_some_again);
    oldway_unmake_idle();
    assert_int_equal(used_bytes(), 0);
    oldway_release(0);
    wait_for(2 * MANY);
    assert_int_equal(oldway_figures().gone, MANY);
    assert_int_equal(oldway_figures().refused, 0);
    assert_int_equal(used_bytes(), 0);
    assert_true(region_verify());
}

/* The slab is there, the object is free already. */
static void test_message_for_a_free_object(void **state)
{
    (void)state;
    oldway_take_many();
    on_cpu_1(send_all_twice);
    wait_for(MANY);
    void *keep = oldway_alloc(); /* its slab stays */

    assert_non_null(keep);
    objs[0] = region_info(keep)->slab->sl_first == keep ? region_info(keep)->slab->sl_first + 512
                                                        : region_info(keep)->slab->sl_first;
    resend = 1;
    on_cpu_1(send_some_again);
    wait_for(MANY + 1);
    assert_int_equal(oldway_figures().refused, 1);
    oldway_free(keep);
    oldway_end();
    assert_int_equal(oldway_figures().slabs, 0);
    assert_int_equal(used_bytes(), 0);
}

/* The place belongs to a cache of slabkit's now. */
static void test_message_for_another_cache(void **state)
{
    void *p[MANY];

    (void)state;
    oldway_take_many();
    on_cpu_1(send_all_twice);
    wait_for(MANY);
    oldway_unmake_idle();
    for (unsigned i = 0; i < MANY; i++) {
        assert_non_null(p[i] = km_alloc(512));
        objs[i] = p[i];
    }
    resend = MANY;
    on_cpu_1(send_some_again);
    wait_for(2 * MANY);
    assert_int_equal(oldway_figures().gone, MANY);
    for (unsigned i = 0; i < MANY; i++)
        km_free(p[i]);
    expect_all_free();
}

/* And what slabkit says of such a free: not silence, and no damage. */
static void free_of_gone_slab(void *arg)
{
    plat_enter();
    pcpu_free_slow(cache, arg);
    pcpu_drain_all();
    plat_leave();
}

static void test_slabkit_reports_it(void **state)
{
    (void)state;
    take_many(3000);
    free_all(NULL);
    expect_all_free();
    expect_death(free_of_gone_slab, objs[7],
                 "slabkit: free of %p, which is not allocated (freed already?)\n", objs[7]);
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tell_after_its_slab),
        cmocka_unit_test(test_tell_with_another_slab_there),
        cmocka_unit_test(test_message_for_a_slab_that_is_gone),
        cmocka_unit_test(test_message_for_a_free_object),
        cmocka_unit_test(test_message_for_another_cache),
        cmocka_unit_test(test_slabkit_reports_it),
    };

    (void)argc;
    (void)argv;
    start_engine(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
