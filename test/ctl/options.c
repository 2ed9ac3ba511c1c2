/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the parser of options: every kind of value, its bounds, and the exact complaints. What is
 * said of all options holds for whatever options.def lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/options.h"

static char complaints[4096];
static unsigned ncomplaints;
static struct options opt;

static void note(void *arg, const char *line)
{
    assert_ptr_equal(arg, &ncomplaints);
    assert_true(strlen(complaints) + strlen(line) < sizeof complaints);
    strcat(complaints, line);
    ncomplaints++;
}

static void parse_more(const char *text)
{
    complaints[0] = '\0';
    ncomplaints = 0;
    options_parse(text, &opt, note, &ncomplaints);
}

static void parse(const char *text)
{
    memset(&opt, 0xa5, sizeof opt);
    options_default(&opt);
    parse_more(text);
}

static void good(const char *text)
{
    parse(text);
    assert_string_equal(complaints, "");
}

static void bad(const char *text, const char *want)
{
    parse(text);
    assert_string_equal(complaints, want);
}

/* The field of every option, as its index in the table. */
static bool same_options(const struct options *a, const struct options *b)
{
#define OPT_ENUM(field, key, def, help, names)    &&a->field == b->field
#define OPT_NUM(field, key, def, min, max, help)  &&a->field == b->field
#define OPT_SIZE(field, key, def, min, max, help) &&a->field == b->field
#define OPT_BOOL(field, key, def, help)           &&a->field == b->field
#define OPT_PATH(field, key, help)                &&strcmp(a->field, b->field) == 0
#define OPT_DEBUG(field, key, letters, help)      &&strcmp(a->field, b->field) == 0
    return true
#include "ctl/options.def"
        ;
#undef OPT_ENUM
#undef OPT_NUM
#undef OPT_SIZE
#undef OPT_BOOL
#undef OPT_PATH
#undef OPT_DEBUG
}

/* ---- all options ----------------------------------------------------------------------------- */

static void item(char *out, size_t cap, const char *key, const char *value)
{
    assert_true(snprintf(out, cap, "%s=%s", key, value) < (int)cap);
}

/* The default, written out, is the default; and it is a value that is accepted. */
static void test_defaults_are_values(void **state)
{
    (void)state;
    struct option_info info;
    struct options defaults;
    char text[256];
    unsigned n = 0;
    options_default(&defaults);
    for (; options_describe(n, &info); n++) {
        if (info.def[0] == '\0')
            continue;
        item(text, sizeof text, info.key, info.def);
        good(text);
        assert_true(same_options(&opt, &defaults));
    }
    assert_true(n > 10);
    assert_false(options_describe(n, &info));
    assert_false(options_describe(UINT32_MAX, &info));
}

/* Each of a|b|c and both ends of a..b are accepted, and the complaint about anything else lists
 * them. */
static void test_values_listed_are_accepted(void **state)
{
    (void)state;
    struct option_info info;
    char text[512], want[512], values[OPTION_TEXT_BYTES];
    for (unsigned i = 0; options_describe(i, &info); i++) {
        strcpy(values, info.values);
        for (char *rest = values, *v; (v = strtok_r(rest, "|.", &rest)) != NULL;) {
            item(text, sizeof text, info.key, v);
            good(text);
        }
        item(text, sizeof text, info.key, "");
        snprintf(want, sizeof want,
                 "slabkit: SLABKIT_OPTIONS: bad value '' for '%s' (%s), ignored\n", info.key,
                 info.values);
        bad(text, want);
    }
}

static void test_described(void **state)
{
    (void)state;
    struct option_info info;
    unsigned seen = 0;
    for (unsigned i = 0; options_describe(i, &info); i++) {
        assert_true(info.help[0] != '\0');
        assert_true(strlen(info.values) < OPTION_TEXT_BYTES - 1);
        seen += strcmp(info.key, "slots") == 0 &&
                strcmp(info.values, "auto|rseq-cid|rseq-cpu|portable") == 0 &&
                strcmp(info.def, "auto") == 0;
        seen += strcmp(info.key, "reserve") == 0 && strcmp(info.values, "64m..64t") == 0 &&
                strcmp(info.def, "1t") == 0;
        seen += strcmp(info.key, "reaper") == 0 && strcmp(info.values, "on|off") == 0 &&
                strcmp(info.def, "on") == 0;
        seen += strcmp(info.key, "nodes") == 0 && strcmp(info.values, "0..16") == 0 &&
                strcmp(info.def, "0") == 0;
        seen += strcmp(info.key, "report_file") == 0 && strcmp(info.values, "FILE") == 0 &&
                info.def[0] == '\0';
    }
    assert_int_equal(seen, 5);
}

/* ---- each kind ------------------------------------------------------------------------------- */

static void test_default(void **state)
{
    (void)state;
    good("");
    assert_int_equal(opt.slots, OPTIONS_SLOTS_AUTO);
    assert_int_equal(opt.hugepages, OPTIONS_HUGEPAGES_AUTO);
    assert_int_equal(opt.report, OPTIONS_REPORT_NONE);
    assert_true(opt.reaper);
    assert_false(opt.verify);
    assert_string_equal(opt.report_file, "");
    assert_true(opt.reserve == 1ull << 40);
    good(NULL);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned slots;
    } rows[] = {{"slots=auto", OPTIONS_SLOTS_AUTO},
                {"slots=rseq-cid", OPTIONS_SLOTS_RSEQ_CID},
                {"slots=rseq-cpu", OPTIONS_SLOTS_RSEQ_CPU},
                {"slots=portable", OPTIONS_SLOTS_PORTABLE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        good(rows[i].text);
        assert_int_equal(opt.slots, rows[i].slots);
    }
    good("hugepages=never,report=binary");
    assert_int_equal(opt.hugepages, OPTIONS_HUGEPAGES_NEVER);
    assert_int_equal(opt.report, OPTIONS_REPORT_BINARY);
    good("hugepages=always,report=text");
    assert_int_equal(opt.hugepages, OPTIONS_HUGEPAGES_ALWAYS);
    assert_int_equal(opt.report, OPTIONS_REPORT_TEXT);
    good("report=json");
    assert_int_equal(opt.report, OPTIONS_REPORT_JSON);
}

#define SLOTS_BAD(v)                                                                               \
    "slabkit: SLABKIT_OPTIONS: bad value '" v                                                      \
    "' for 'slots' (auto|rseq-cid|rseq-cpu|portable), ignored\n"

static void test_names_wrong(void **state)
{
    (void)state;
    bad("slots=x", SLOTS_BAD("x"));
    bad("slots=aut", SLOTS_BAD("aut"));
    bad("slots=autoo", SLOTS_BAD("autoo"));
    bad("slots=AUTO", SLOTS_BAD("AUTO"));
    bad("slots=auto|rseq-cid", SLOTS_BAD("auto|rseq-cid"));
    bad("slots=", SLOTS_BAD(""));
    bad("slots", SLOTS_BAD(""));
    bad("slots= auto", SLOTS_BAD(" auto"));
    assert_int_equal(opt.slots, OPTIONS_SLOTS_AUTO);
}

static void test_numbers(void **state)
{
    (void)state;
    good("nodes=16");
    assert_int_equal(opt.nodes, 16);
    good("nodes=007");
    assert_int_equal(opt.nodes, 7);
    good("reap_ms=10");
    assert_int_equal(opt.reap_ms, 10);
}

#define NODES_BAD(v) "slabkit: SLABKIT_OPTIONS: bad value '" v "' for 'nodes' (0..16), ignored\n"

static void test_numbers_wrong(void **state)
{
    (void)state;
    bad("nodes=17", NODES_BAD("17"));
    bad("nodes=-1", NODES_BAD("-1"));
    bad("nodes=+1", NODES_BAD("+1"));
    bad("nodes=1k", NODES_BAD("1k"));
    bad("nodes=0x1", NODES_BAD("0x1"));
    bad("nodes=1.0", NODES_BAD("1.0"));
    bad("nodes=18446744073709551617", NODES_BAD("18446744073709551617")); /* 1 modulo 2^64 */
    bad("nodes=4294967297", NODES_BAD("4294967297"));                     /* 1 modulo 2^32 */
    assert_int_equal(opt.nodes, 0);
}

static void test_sizes(void **state)
{
    (void)state;
    good("reserve=64m");
    assert_true(opt.reserve == 64ull << 20);
    good("reserve=67108864");
    assert_true(opt.reserve == 64ull << 20);
    good("reserve=2G");
    assert_true(opt.reserve == 2ull << 30);
    good("reserve=64t");
    assert_true(opt.reserve == 64ull << 40);
    good("dirty_floor=0k");
    assert_true(opt.dirty_floor == 0);
}

#define RESERVE_BAD(v)                                                                             \
    "slabkit: SLABKIT_OPTIONS: bad value '" v "' for 'reserve' (64m..64t), ignored\n"

static void test_sizes_wrong(void **state)
{
    (void)state;
    bad("reserve=67108863", RESERVE_BAD("67108863"));
    bad("reserve=65t", RESERVE_BAD("65t"));
    bad("reserve=k", RESERVE_BAD("k"));
    bad("reserve=64mm", RESERVE_BAD("64mm"));
    bad("reserve=64mb", RESERVE_BAD("64mb"));
    bad("reserve=16777280t", RESERVE_BAD("16777280t")); /* 64t modulo 2^64 */
    assert_true(opt.reserve == 1ull << 40);
}

static void test_switches(void **state)
{
    (void)state;
    good("reaper=off,verify=on");
    assert_false(opt.reaper);
    assert_true(opt.verify);
    good("reaper=on,verify=off");
    assert_true(opt.reaper);
    assert_false(opt.verify);
    bad("reaper=0", "slabkit: SLABKIT_OPTIONS: bad value '0' for 'reaper' (on|off), ignored\n");
    assert_true(opt.reaper);
}

static void test_paths(void **state)
{
    (void)state;
    good("report_file=/tmp/a=b c:d|'\"\xc3\xa9,nodes=2");
    assert_string_equal(opt.report_file, "/tmp/a=b c:d|'\"\xc3\xa9");
    assert_int_equal(opt.nodes, 2);
    bad("report_file=",
        "slabkit: SLABKIT_OPTIONS: bad value '' for 'report_file' (FILE), ignored\n");
}

static void test_paths_length(void **state)
{
    (void)state;
    static char text[OPTIONS_PATH_BYTES + 32] = "report_file=";
    const size_t prefix = strlen(text);
    memset(text + prefix, 'x', OPTIONS_PATH_BYTES - 1);
    good(text);
    assert_int_equal(strlen(opt.report_file), OPTIONS_PATH_BYTES - 1);

    text[strlen(text)] = 'x';
    parse(text);
    assert_int_equal(ncomplaints, 1);
    assert_string_equal(opt.report_file, "");
}

static void good_debug(const char *text, const char *want)
{
    good(text);
    assert_string_equal(opt.debug, want);
}

/* Names stand behind the letters; what has a '=' is the next option. */
static void test_debug(void **state)
{
    (void)state;
    good_debug("", "");
    good_debug("debug=F", "F");
    good_debug("debug=UTZPF", "FZPUT");
    good_debug("debug=FF", "F");
    good_debug("debug=FZPU,conn*", "FZPU,conn*");
    good_debug("debug=FZ,conn*,in?de,nodes=2", "FZ,conn*,in?de");
    assert_int_equal(opt.nodes, 2);
    good_debug("nodes=2,debug=Z,a b/c:d", "Z,a b/c:d");
    good_debug("debug=F,,conn,", "F,conn");
    good_debug("debug=F,debug=Z,conn,verify=on,debug=U,x", "F;Z,conn;U,x");
    parse_more("debug=T"); /* onto what is there */
    assert_string_equal(opt.debug, "F;Z,conn;U,x;T");
}

#define DEBUG_BAD(what, v)                                                                         \
    "slabkit: SLABKIT_OPTIONS: bad " what " '" v "' for 'debug' (FZPUT,NAME,...), ignored\n"

static void test_debug_wrong(void **state)
{
    (void)state;
    bad("debug=FXQZ,conn", DEBUG_BAD("letters", "XQ"));
    assert_string_equal(opt.debug, "FZ,conn");
    bad("debug=f", DEBUG_BAD("value", "f"));
    assert_string_equal(opt.debug, "");
    bad("debug=conn*,inode,nodes=2", DEBUG_BAD("value", "conn*"));
    assert_string_equal(opt.debug, "");
    assert_int_equal(opt.nodes, 2);
    bad("debug=F,a;b,c", DEBUG_BAD("value", "a;b"));
    assert_string_equal(opt.debug, "F,c");
    bad("debug=F,nodes=2,conn", "slabkit: SLABKIT_OPTIONS: unknown key 'conn' ignored\n");
    bad("debug", DEBUG_BAD("value", ""));
    assert_false(options_check("debug=Fx", note, &ncomplaints));
    assert_true(options_check("debug=F,conn*", note, &ncomplaints));
}

static void test_debug_length(void **state)
{
    (void)state;
    static char text[OPTIONS_DEBUG_BYTES + 32] = "debug=F,";
    const size_t prefix = strlen(text), room = OPTIONS_DEBUG_BYTES - 1 - strlen("F,");
    memset(text + prefix, 'x', room);
    good(text);
    assert_int_equal(strlen(opt.debug), OPTIONS_DEBUG_BYTES - 1);

    text[strlen(text)] = 'x';
    parse(text);
    assert_int_equal(ncomplaints, 1);
    assert_string_equal(opt.debug, "F");
}

/* ---- the list -------------------------------------------------------------------------------- */

static void test_unknown(void **state)
{
    (void)state;
    bad("foo=1", "slabkit: SLABKIT_OPTIONS: unknown key 'foo' ignored\n");
    bad("foo", "slabkit: SLABKIT_OPTIONS: unknown key 'foo' ignored\n");
    bad("=1", "slabkit: SLABKIT_OPTIONS: unknown key '' ignored\n");
    bad("slot=auto", "slabkit: SLABKIT_OPTIONS: unknown key 'slot' ignored\n");
    bad("slotss=auto", "slabkit: SLABKIT_OPTIONS: unknown key 'slotss' ignored\n");
    bad(" slots=auto", "slabkit: SLABKIT_OPTIONS: unknown key ' slots' ignored\n");
}

static void test_rest_is_kept(void **state)
{
    (void)state;
    bad("nodes=2,foo=1,slots=portable,reaper=maybe,verify=on",
        "slabkit: SLABKIT_OPTIONS: unknown key 'foo' ignored\n"
        "slabkit: SLABKIT_OPTIONS: bad value 'maybe' for 'reaper' (on|off), ignored\n");
    assert_int_equal(ncomplaints, 2);
    assert_int_equal(opt.nodes, 2);
    assert_int_equal(opt.slots, OPTIONS_SLOTS_PORTABLE);
    assert_true(opt.reaper);
    assert_true(opt.verify);
}

static void test_empty_items(void **state)
{
    (void)state;
    good(",,nodes=2,,");
    assert_int_equal(opt.nodes, 2);
}

static void test_last_good_stays(void **state)
{
    (void)state;
    good("nodes=2,nodes=3");
    assert_int_equal(opt.nodes, 3);
    bad("nodes=2,nodes=x", NODES_BAD("x"));
    assert_int_equal(opt.nodes, 2);
    parse_more("reaper=off"); /* onto what is there */
    assert_int_equal(opt.nodes, 2);
    assert_false(opt.reaper);
}

/* However long or strange the item is, the complaint is one line. */
static void test_line_is_one_line(void **state)
{
    (void)state;
    static char text[10000] = "reserve=\n\x1b[31m";
    memset(text + strlen(text), 'y', 5000);
    parse(text);
    assert_int_equal(ncomplaints, 1);
    assert_memory_equal(complaints, "slabkit: SLABKIT_OPTIONS: bad value '??[31myyy", 46);
    assert_ptr_equal(strchr(complaints, '\n'), complaints + strlen(complaints) - 1);
    assert_non_null(strstr(complaints, "y...' for 'reserve' (64m..64t), ignored\n"));

    memset(text, 'z', sizeof text - 1);
    parse(text);
    assert_int_equal(ncomplaints, 1);
    assert_non_null(strstr(complaints, "z...' ignored\n"));
}

static void test_check(void **state)
{
    (void)state;
    good("nodes=2");
    complaints[0] = '\0';
    assert_true(options_check("nodes=3,report_file=/x", note, &ncomplaints));
    assert_false(options_check("nodes=4,nodes=99,foo=1", note, &ncomplaints));
    assert_string_equal(complaints, "slabkit: --options: bad value '99' for 'nodes' (0..16)\n"
                                    "slabkit: --options: unknown key 'foo'\n");
    assert_int_equal(opt.nodes, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_values),
        cmocka_unit_test(test_values_listed_are_accepted),
        cmocka_unit_test(test_described),
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_wrong),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_wrong),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sizes_wrong),
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_paths_length),
        cmocka_unit_test(test_debug),
        cmocka_unit_test(test_debug_wrong),
        cmocka_unit_test(test_debug_length),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_rest_is_kept),
        cmocka_unit_test(test_empty_items),
        cmocka_unit_test(test_last_good_stays),
        cmocka_unit_test(test_line_is_one_line),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
