/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: all memory of the machine is used up, by all CPUs and their interrupt handlers at once, and comes
 *       back; round after round the same amount.
 * Owns: for each CPU a list of its blocks, through their first words.
 */
#include "engine.h"

#define ROUNDS 3u
#define SLACK  2u /* a later round may get half of what the first got: who is refused first stops */

struct block {
    struct block *next;
    size_t size;
};

static struct {
    struct block *mine;
    uint64_t seed;
    void *in_handler[8];
    uint64_t handler_seed, handled, handler_refused;
} SK_CACHE_ALIGNED cpus[KERN64_CPUS_MAX];

static uint64_t got_bytes; /* atomic */
static unsigned faults;

static size_t draw_size(uint64_t *seed)
{
    unsigned kind = draw(seed, 64);

    if (kind == 0)
        return 4096 + draw(seed, 300000);
    return sizeof(struct block) + (kind < 8 ? draw(seed, 30000) : draw(seed, 500));
}

/* What only an interrupt can do: ask for memory while its CPU waits in a slow path that has none. */
static void handler(void)
{
    unsigned cpu = plat_slot();
    void **p = &cpus[cpu].in_handler[draw(&cpus[cpu].handler_seed, 8)];

    cpus[cpu].handled++;
    if (*p) {
        if (**(unsigned char **)p != 0x77)
            sk_add_relaxed(&faults, 1);
        km_free(*p);
        *p = NULL;
    } else if ((*p = km_alloc(1 + draw(&cpus[cpu].handler_seed, 2000))) != NULL) {
        memset(*p, 0x77, 1);
    } else {
        cpus[cpu].handler_refused++;
    }
}

static void take_all(void)
{
    unsigned cpu = plat_slot(), refused = 0;
    uint64_t sum = 0;

    cpus[cpu].seed = cpus[cpu].handler_seed = cpu + 1;
    timer_every(100000, 1000000);
    while (refused < 2) {
        size_t size = draw_size(&cpus[cpu].seed);
        struct block *b = km_alloc(size);

        if (!b) {
            refused++;
            continue;
        }
        *b = (struct block){cpus[cpu].mine, size};
        ((unsigned char *)b)[size - 1] ^= 0x5a;
        cpus[cpu].mine = b;
        sum += size;
    }
    timer_usual();
    sk_add_relaxed(&got_bytes, sum);
}

/* Another CPU's blocks. */
static void give_all(void)
{
    unsigned from = (plat_slot() + 1) % plat_nslots();

    while (cpus[from].mine) {
        struct block *b = cpus[from].mine;

        cpus[from].mine = b->next;
        km_free(b);
    }
}

static void handlers_drop(void)
{
    for (unsigned cpu = 0; cpu < plat_nslots(); cpu++)
        for (unsigned i = 0; i < 8; i++) {
            km_free(cpus[cpu].in_handler[i]);
            cpus[cpu].in_handler[i] = NULL;
        }
    km_free(km_alloc(KM_MEDIUM_MAX + 1)); /* a slow path: frees what waits */
}

static uint64_t round_once(void)
{
    got_bytes = 0;
    timer_hook = handler;
    on_all_cpus(take_all);
    timer_hook = NULL;
    on_all_cpus(give_all);
    handlers_drop();
    expect_all_free();
    assert_true(kern64_frames_verify());
    return got_bytes;
}

static void test_everything_and_again(void **state)
{
    size_t memory = kern64_frames_free_bytes(KERN64_ALL_NODES), after;
    uint64_t first = round_once(), later;

    (void)state;
    after = kern64_frames_free_bytes(KERN64_ALL_NODES);
    printf("%zu KiB free, %lu KiB given out, %zu KiB free again\n", memory / KIB, first / KIB,
           after / KIB);
    assert_true(first > memory / 3);
    assert_true(after > memory - memory / 4); /* descriptors stay */
    for (unsigned i = 1; i < ROUNDS; i++) {
        later = round_once();
        printf("round %u: %lu KiB given out\n", i, later / KIB);
        assert_true(later > first - first / SLACK);
        assert_true(kern64_frames_free_bytes(KERN64_ALL_NODES) > after - after / SLACK);
    }
    assert_int_equal(faults, 0);
}

/* The region tells: never more in use than there is, and no call that waits for ever. */
static void test_one_block_too_large(void **state)
{
    size_t memory = kern64_frames_free_bytes(KERN64_ALL_NODES);
    void *p;

    (void)state;
    assert_null(km_alloc(memory + MIB));
    assert_null(km_alloc(SIZE_MAX / 2));
    p = km_alloc(memory / 2);
    assert_non_null(p);
    memset(p, 0xff, memory / 2);
    km_free(p);
    expect_all_free();
    assert_true(kern64_frames_free_bytes(KERN64_ALL_NODES) + MIB > memory);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_block_too_large),
        cmocka_unit_test(test_everything_and_again),
    };

    void *first;

    (void)argc;
    (void)argv;
    start_engine(0);
    first = km_alloc(100);
    printf("first allocation: %p of %lu KiB\n", first,
           kern64_frames_free_bytes(KERN64_ALL_NODES) / KIB);
    if (!first)
        return 1;
    km_free(first);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
