/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the reader of device trees, hosted, over a tree that is written out here: nodes at all depths in
 *       order, properties of a node and not of its children, numbers of one and two words, padding, and
 *       words that say nothing in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/aarch64/fdt.h"

enum {
    NODE = 1,
    NODE_END,
    PROP,
    NOP,
    END = 9
};

/* Offsets in the strings. */
#define STRINGS "reg\0device_type\0#size-cells"
#define REG     0
#define TYPE    4
#define CELLS   16

static struct {
    uint32_t header[10], structure[80];
    char strings[sizeof(STRINGS)];
} tree;
static unsigned words;

static void word(uint32_t v)
{
    tree.structure[words++] = __builtin_bswap32(v);
}

static void bytes(const void *from, size_t n)
{
    memcpy(&tree.structure[words], from, n);
    words += (unsigned)(n + 3) / 4;
}

static void node(const char *name)
{
    word(NODE);
    bytes(name, strlen(name) + 1);
}

static void property(uint32_t name, const void *value, uint32_t n)
{
    word(PROP);
    word(n);
    word(name);
    bytes(value, n);
}

static void tree_make(void)
{
    const uint32_t reg[] = {0, __builtin_bswap32(0x40000000), __builtin_bswap32(1), 0};

    memset(&tree, 0, sizeof(tree));
    words = 0;
    word(NOP);
    node("");
    property(CELLS, reg + 2, 4);
    node("memory@40000000");
    word(NOP);
    property(TYPE, "memory", 7);
    property(REG, reg, sizeof(reg));
    word(NODE_END);
    node("cpus");
    node("cpu@1");
    property(TYPE, "cpu", 4);
    word(NODE_END);
    word(NODE_END);
    node("empty");
    word(NODE_END);
    word(NODE_END);
    word(END);
    memcpy(tree.strings, STRINGS, sizeof(STRINGS));
    tree.header[0] = __builtin_bswap32(0xd00dfeed);
    tree.header[2] = __builtin_bswap32(offsetof(typeof(tree), structure));
    tree.header[3] = __builtin_bswap32(offsetof(typeof(tree), strings));
}

static void test_nodes_in_order(void **state)
{
    const char *names[] = {"", "memory@40000000", "cpus", "cpu@1", "empty"};
    struct fdt_node n = {NULL, NULL};

    (void)state;
    tree_make();
    for (unsigned i = 0; i < SK_ARRAY_SIZE(names); i++) {
        assert_true(fdt_next(&tree, &n));
        assert_string_equal(n.name, names[i]);
    }
    assert_false(fdt_next(&tree, &n));
}

static void test_properties(void **state)
{
    struct fdt_node n = {NULL, NULL};
    struct fdt_value v;

    (void)state;
    tree_make();
    assert_true(fdt_next(&tree, &n));
    assert_int_equal(fdt_number(fdt_property(&tree, &n, "#size-cells"), 0, 1), 1);
    assert_null(fdt_property(&tree, &n, "reg").at); /* its child's */
    assert_true(fdt_next(&tree, &n));
    assert_string_equal(fdt_property(&tree, &n, "device_type").at, "memory");
    v = fdt_property(&tree, &n, "reg");
    assert_int_equal(v.bytes, 16);
    assert_int_equal(fdt_number(v, 0, 2), 0x40000000);
    assert_int_equal(fdt_number(v, 2, 2), (uint64_t)1 << 32);
    assert_int_equal(fdt_number(v, 2, 1), 1);
    assert_int_equal(fdt_number(v, 3, 2), 0); /* more than it has */
    assert_null(fdt_property(&tree, &n, "re").at);
    assert_null(fdt_property(&tree, &n, "reg2").at);
    assert_true(fdt_next(&tree, &n)); /* without any */
    assert_null(fdt_property(&tree, &n, "reg").at);
    assert_int_equal(fdt_number(fdt_property(&tree, &n, "reg"), 0, 1), 0);
}

static void test_no_tree(void **state)
{
    struct fdt_node n = {NULL, NULL};

    (void)state;
    tree_make();
    tree.header[0] = 0;
    assert_false(fdt_next(&tree, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_in_order),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_no_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
