/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the table of geometries in docs/slab.md is what the rule gives. Says what it should be if it is not.
 */
#include "fixture.h"

static const size_t sizes[] = {
    8,      16,     64,     100,     192,      1000,    1024,     4096,     5000,     9000,
    16384,  24576,  32768,  33000,   40960,    65536,   70000,    100000,   131072,   200000,
    262144, 300000, 524288, 1000000, 1u << 20, 3000000, 1u << 22, 10000000, 1u << 24,
};

static void row(char *out, size_t bytes, size_t size)
{
    struct slab_geom g;
    size_t run, left;

    slab_geom_init(&g, "g", size, 8, KIND);
    run = g.pages * PLAT_PAGE_BYTES;
    left = run - (size_t)g.objs * g.size;
    snprintf(out, bytes, "| %zu | %u | %u | %zu | %.1f %% | %u |\n", size, g.pages, g.objs, left,
             100.0 * (double)left / (double)run, g.colours);
}

static void test_table(void **state)
{
    static char text[1 << 16], line[128];
    bool same = true;
    FILE *f;

    (void)state;
    if (PLAT_PAGE_BYTES != 16384)
        skip(); /* it is of these */
    f = fopen(SLAB_PAGE, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    fclose(f);
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
        row(line, sizeof(line), sizes[i]);
        if (!strstr(text, line)) {
            print_error("%s", line);
            same = false;
        }
    }
    assert_true(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
