/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the writer: numbers at their edges, JSON strings, and a descriptor that interrupts, takes
 * bytes one by one, or refuses. write and poll are wrapped at link time.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/writer.h"

/* ---- a descriptor under control -------------------------------------------------------------- */

#define FAKE_FD 1000

static struct {
    char text[512];
    size_t len;
    unsigned calls;
    unsigned interrupt_every, full_every; /* every n-th call fails so; 0: never */
    int error;                            /* every call fails so */
    unsigned polls;
} sink;

ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
ssize_t __real_write(int fd, const void *p, size_t n);

static int sink_error(void)
{
    sink.calls++;
    if (sink.error != 0)
        return sink.error;
    if (sink.interrupt_every != 0 && sink.calls % sink.interrupt_every == 0)
        return EINTR;
    return sink.full_every != 0 && sink.calls % sink.full_every == 0 ? EAGAIN : 0;
}

/* Takes one byte at a time. */
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (fd != FAKE_FD)
        return __real_write(fd, p, n);
    errno = sink_error();
    if (errno != 0)
        return -1;
    assert_true(n > 0 && sink.len < sizeof sink.text);
    sink.text[sink.len++] = *(const char *)p;
    return 1;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    assert_int_equal(n, 1);
    assert_int_equal(fds->fd, FAKE_FD);
    assert_int_equal(fds->events, POLLOUT);
    assert_int_equal(timeout, -1);
    sink.polls++;
    fds->revents = POLLOUT;
    return 1;
}

static int write_alphabet(size_t cap)
{
    char buf[64];
    struct writer w;
    writer_init(&w, buf, cap, FAKE_FD);
    writer_str(&w, "abcdefghijklmnopqrstuvwxyz");
    return writer_finish(&w);
}

static void sink_reset(void)
{
    memset(&sink, 0, sizeof sink);
}

static void test_short_writes(void **state)
{
    (void)state;
    for (size_t cap = 2; cap < 40; cap++) {
        sink_reset();
        assert_int_equal(write_alphabet(cap), 0);
        assert_string_equal(sink.text, "abcdefghijklmnopqrstuvwxyz");
    }
}

static void test_interrupted_and_full(void **state)
{
    (void)state;
    sink_reset();
    sink.interrupt_every = 2;
    sink.full_every = 3;
    assert_int_equal(write_alphabet(8), 0);
    assert_string_equal(sink.text, "abcdefghijklmnopqrstuvwxyz");
    assert_true(sink.polls > 0);
    assert_true(sink.calls > 26);
}

static void test_error_ends_it(void **state)
{
    (void)state;
    sink_reset();
    sink.error = EIO;
    errno = 0;
    assert_int_equal(write_alphabet(8), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(sink.calls, 1);
}

/* ---- text in memory -------------------------------------------------------------------------- */

static char text_buf[256];
static struct writer text;

static struct writer *fresh(void)
{
    writer_init(&text, text_buf, sizeof text_buf, WRITER_NO_FD);
    return &text;
}

#define expect(call, want)                                                                         \
    do {                                                                                           \
        struct writer *w = fresh();                                                                \
        call;                                                                                      \
        assert_string_equal(writer_text(w), want);                                                 \
        assert_int_equal(writer_finish(w), 0);                                                     \
    } while (0)

static void test_numbers(void **state)
{
    (void)state;
    expect(writer_u64(w, 0), "0");
    expect(writer_u64(w, UINT64_MAX), "18446744073709551615");
    expect(writer_i64(w, INT64_MIN), "-9223372036854775808");
    expect(writer_i64(w, -1), "-1");
    expect(writer_i64(w, 7), "7");
    expect(writer_fixed(w, 0, 1), "0.0");
    expect(writer_fixed(w, 5, 3), "0.005");
    expect(writer_fixed(w, 1234, 3), "1.234");
    expect(writer_fixed(w, UINT64_MAX, 6), "18446744073709.551615");
}

static void test_sizes(void **state)
{
    (void)state;
    expect(writer_size(w, 0), "0");
    expect(writer_size(w, 1000), "1000");
    expect(writer_size(w, 1024), "1k");
    expect(writer_size(w, 1536), "1536");
    expect(writer_size(w, 64u << 20), "64m");
    expect(writer_size(w, 1ull << 40), "1t");
    expect(writer_size(w, 1ull << 50), "1024t");
}

static void test_human(void **state)
{
    (void)state;
    expect(writer_human(w, 0), "0 B");
    expect(writer_human(w, 1023), "1023 B");
    expect(writer_human(w, 1024), "1.0 KiB");
    expect(writer_human(w, 1536), "1.5 KiB");
    expect(writer_human(w, (1u << 20) - 1), "1.0 MiB"); /* never 1024.0 KiB */
    expect(writer_human(w, 3ull << 29), "1.5 GiB");
    expect(writer_human(w, 1ull << 40), "1.0 TiB");
    expect(writer_human(w, UINT64_MAX), "16777216.0 TiB");
}

static void test_quotients(void **state)
{
    (void)state;
    expect(writer_percent(w, 1, 0), "-");
    expect(writer_percent(w, 0, 5), "0.0%");
    expect(writer_percent(w, 1, 3), "33.3%");
    expect(writer_percent(w, 99999, 100000), "99.9%"); /* rounded down: not all of them */
    expect(writer_percent(w, UINT64_MAX, UINT64_MAX), "100.0%");
    expect(writer_percent(w, UINT64_MAX / 2, UINT64_MAX), "49.9%");
    expect(writer_ratio(w, 1, 0), "-");
    expect(writer_ratio(w, 33, 2), "16.5");
}

static void test_full_buffer_drops(void **state)
{
    (void)state;
    char buf[4];
    struct writer w;
    writer_init(&w, buf, sizeof buf, WRITER_NO_FD);
    writer_str(&w, "abcdef");
    assert_string_equal(writer_text(&w), "abc");
    assert_int_equal(writer_finish(&w), -1);
    assert_int_equal(errno, ENOSPC);
}

static void test_printable(void **state)
{
    (void)state;
    expect(writer_printable(w, "a\nb\xc3\xa9~", 99), "a?b\?\?~");
    expect(writer_printable(w, "abcdef", 3), "abc");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_example(struct writer *w)
{
    writer_char(w, '{');
    writer_json_key(w, "a");
    writer_char(w, '[');
    writer_json_next(w);
    writer_u64(w, 1);
    writer_json_next(w);
    writer_u64(w, 2);
    writer_char(w, ']');
    writer_json_key(w, "b");
    writer_str(w, "{}");
    writer_char(w, '}');
}

static void test_json_commas(void **state)
{
    (void)state;
    expect(json_example(w), "{\"a\":[1,2],\"b\":{}}");
}

static void test_json_strings(void **state)
{
    (void)state;
    expect(writer_json_str(w, "a\"\\b", 99), "\"a\\\"\\\\b\"");
    expect(writer_json_str(w, "\n\x1f\x7f", 99), "\"\\u000a\\u001f\\u007f\"");
    expect(writer_json_str(w, "abc", 2), "\"ab\"");
    expect(writer_json_str(w, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 99),
           "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

#define REPLACED "\xef\xbf\xbd"

static void test_json_not_utf8(void **state)
{
    (void)state;
    expect(writer_json_str(w, "\xff", 99), "\"" REPLACED "\"");
    expect(writer_json_str(w, "\xc0\x80", 99), "\"" REPLACED REPLACED "\""); /* overlong */
    expect(writer_json_str(w, "\xed\xa0\x80", 99),
           "\"" REPLACED REPLACED REPLACED "\"");                               /* surrogate */
    expect(writer_json_str(w, "\xe2\x82", 99), "\"" REPLACED REPLACED "\"");    /* cut short */
    expect(writer_json_str(w, "\xe2\x82\xac", 2), "\"" REPLACED REPLACED "\""); /* cut by max */
    expect(writer_json_str(w, "\xf4\x90\x80\x80", 99),
           "\"" REPLACED REPLACED REPLACED REPLACED "\""); /* above U+10FFFF */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_writes),  cmocka_unit_test(test_interrupted_and_full),
        cmocka_unit_test(test_error_ends_it), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_human),
        cmocka_unit_test(test_quotients),     cmocka_unit_test(test_full_buffer_drops),
        cmocka_unit_test(test_printable),     cmocka_unit_test(test_json_commas),
        cmocka_unit_test(test_json_strings),  cmocka_unit_test(test_json_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
