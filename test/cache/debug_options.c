/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: which caches the text of the options gives which flags.
 */
#include "debug_fixture.h"

#define F KMEM_CONSISTENCY
#define Z KMEM_REDZONE
#define P KMEM_POISON
#define U KMEM_STORE_USER
#define T KMEM_TRACE

/* Flags of caches by a text and a name. */
static void test_table(void **state)
{
    static const struct {
        const char *text, *name;
        unsigned flags;
    } rows[] = {
        {NULL, "conn", 0},
        {"", "conn", 0},
        {"F", "conn", F},
        {"FZPUT", "conn", F | Z | P | U | T},
        {"F", "", F},
        {"FZ,conn", "conn", F | Z},
        {"FZ,conn", "connection", 0},
        {"FZ,conn", "con", 0},
        {"FZ,conn", "", 0},
        {"FZ,conn*", "conn", F | Z},
        {"FZ,conn*", "connection", F | Z},
        {"FZ,*conn", "db-conn", F | Z},
        {"FZ,*conn", "db-conns", 0},
        {"FZ,*", "anything", F | Z},
        {"FZ,*", "", F | Z},
        {"FZ,c?nn", "conn", F | Z},
        {"FZ,c?nn", "cnn", 0},
        {"FZ,?", "", 0},
        {"FZ,a*b*c", "a-b-b-c", F | Z},
        {"FZ,a*b*c", "a-c-b", 0},
        {"FZ,a*b?c", "abbbxc", F | Z},
        {"FZ,**", "x", F | Z},
        {"P,conn,inode", "inode", P},
        {"P,conn,inode", "conn", P},
        {"P,conn,inode", "packet", 0},
        {"F;Z,conn;PU,inode*,c*", "conn", F | Z | P | U},
        {"F;Z,conn;PU,inode*,c*", "inode-1", F | P | U},
        {"F;Z,conn;PU,inode*,c*", "packet", F},
        {"Z,conn;F", "packet", F},
        {";F;", "conn", F},
        {"FXQ", "conn", F},
        {"X", "conn", 0},
        {"F,", "conn", 0},
    };

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(rows); i++) {
        kmem_debug_set_options(rows[i].text);
        if (kmem_debug_flags_for(rows[i].name) != rows[i].flags)
            fail_msg("'%s' gives '%s' %#x, not %#x", rows[i].text, rows[i].name,
                     kmem_debug_flags_for(rows[i].name), rows[i].flags);
    }
    kmem_debug_set_options(NULL);
}

/* A name of many stars takes no time that matters: each step of the match goes forward. */
static void test_stars(void **state)
{
    static const char *text = "F,*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";

    (void)state;
    kmem_debug_set_options(text);
    assert_int_equal(kmem_debug_flags_for("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 0);
    assert_int_equal(kmem_debug_flags_for("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), F);
    kmem_debug_set_options(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_stars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
