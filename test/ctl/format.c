/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a snapshot as text, compared with the text it must be.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/format.h"
#include "sample.h"

static char text_buf[1u << 19];
static struct slabkit_snapshot sample;

static const char *formatted(void)
{
    struct writer w;
    writer_init(&w, text_buf, sizeof text_buf, WRITER_NO_FD);
    format_text(&w, &sample);
    assert_int_equal(w.error, 0);
    return writer_text(&w);
}

/* clang-format off */
static const char *const golden =
    "slabkit: demo (pid 4711)\n"
    "  live            11.8 MiB  in the program's hands\n"
    "  peak            22.4 MiB  most ever mapped for objects\n"
    "  mapped          19.1 MiB  slabs, large and huge blocks, free pages kept\n"
    "  dirty            1.0 MiB  of it: free pages kept\n"
    "  returned         5.0 GiB  given back to the system, in sum\n"
    "  arrays           2.0 KiB  objects free in arrays and depots\n"
    "  meta            64.0 KiB  slabkit's own descriptors and arrays\n"
    "  reserved         1.0 TiB  address space\n"
    "  large          768.0 KiB  in 3 live of 30 ever\n"
    "  huge                 0 B  in 0 live of 1 ever\n"
    "  slots       rseq-cid (the kernel has concurrency ids), 2 slots on 1 node\n"
    "  reaper      runs, 1 reap, 4 trims\n"
    "  signals     2 nested allocations, 1 deferred free\n"
    "\n"
    "  class          size  live  allocated  slabs    fill  array hits  depot hits  remote  chains  objs/chain  tells\n"
    "  malloc-16        16  3072    1000000      1   75.0%       99.8%       50.0%    3300     200        16.5      5\n"
    "  malloc-32768  32768     1          1      2   12.5%        0.0%        0.0%       0       0           -      0\n"
    "  connections     256   255        400      1  100.0%       99.0%        0.0%       0       0           -      0\n"
    "  all                  3328    1000401      4   37.4%       99.7%       49.8%    3300     200        16.5      5\n"
    "  'allocated' and 'array hits' are bounds from below: hits are not counted\n"
    "  allocations that failed: 2\n"
    "\n"
    "  cache        asked  align  stride  objs/slab  slab bytes  colours  array  reserve  constructor\n"
    "  connections    250     16     256        255       65536        5     59        8  conn_init\n";
/* clang-format on */

static void test_text(void **state)
{
    (void)state;
    sample_snapshot(&sample);
    assert_string_equal(formatted(), golden);
}

/* The lines that speak of trouble are there only if there is some. */
static void test_quiet(void **state)
{
    (void)state;
    sample_snapshot(&sample);
    sample.nested_allocs = sample.deferred_frees = 0;
    sample.allocs_exact = 1;
    sample.class_[2].failures = 0;
    sample.reaper = 0;
    const char *text = formatted();
    assert_null(strstr(text, "signals"));
    assert_null(strstr(text, "bounds from below"));
    assert_null(strstr(text, "failed"));
    assert_non_null(strstr(text, "  reaper      does not run, 1 reap, 4 trims\n"));
}

static void test_no_classes(void **state)
{
    (void)state;
    memset(&sample, 0, sizeof sample);
    sample.allocs_exact = 1;
    assert_non_null(strstr(formatted(), "\n  all             0          0      0     -"));
}

/* A snapshot from a file may hold anything. */
static void test_damaged(void **state)
{
    (void)state;
    memset(&sample, 0xff, sizeof sample);
    const char *text = formatted();
    assert_non_null(strstr(text, "16777216.0 TiB"));
    for (const char *p = text; *p != '\0'; p++)
        assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
}

static void test_allocs(void **state)
{
    (void)state;
    sample_snapshot(&sample);
    assert_true(format_allocs(&sample) == 1000000 + 1 + 400 + 30 + 1);
}

static void test_write_fails(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd >= 0);
    sample_snapshot(&sample);
    errno = 0;
    assert_int_equal(slabkit_snapshot_write(&sample, fd, SLABKIT_TEXT), -1);
    assert_int_equal(errno, EBADF);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),       cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_no_classes), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_allocs),     cmocka_unit_test(test_write_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
