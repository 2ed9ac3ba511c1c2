/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: pages: alignment, contents, access, refusal.
 */
#define _GNU_SOURCE
#include "arrays.h"
#include "plat/linux/file.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

/* Defined in every build with a sanitizer. */
#ifdef SLABKIT_NO_REPLACE
#define TEST_SHADOW true
#else
#define TEST_SHADOW false
#endif

static bool all_bytes_are(const char *p, size_t n, char c)
{
    return p[0] == c && memcmp(p, p + 1, n - 1) == 0;
}

static bool aligned(const void *p, size_t align)
{
    return ((uintptr_t)p & (align - 1)) == 0;
}

static size_t resident_pages(void *p, size_t bytes)
{
    static unsigned char in[1024];
    size_t n = 0;

    assert_int_equal(mincore(p, bytes, in), 0);
    for (size_t i = 0; i < bytes / plat_sys_page_bytes(); i++)
        n += in[i] & 1;
    return n;
}

static int child_status(void (*body)(void *), void *arg)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        body(arg);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* ---- reserve, commit, discard -------------------------------------------------------------- */

static void test_reserve_is_aligned_and_free_of_charge(void **state)
{
    size_t aligns[] = {4096, PLAT_PAGE_BYTES, 2 * MIB, 64 * MIB};

    (void)state;
    for (size_t i = 0; i < SK_ARRAY_SIZE(aligns); i++) {
        size_t align = sk_max(aligns[i], plat_sys_page_bytes());
        char *p = plat_reserve(3 * align, align);
        unsigned char gone;

        assert_non_null(p);
        assert_true(aligned(p, align));
        /* Committed: of pages without access an emulator does not say what is resident. */
        assert_true(plat_commit(p + align, align));
        assert_int_equal(resident_pages(p + align, sk_min(align, MIB)), 0);
        assert_true(all_bytes_are(p + align, align, 0));
        memset(p + align, 1, plat_sys_page_bytes());
        plat_release(p, 3 * align);
        assert_int_equal(mincore(p, plat_sys_page_bytes(), &gone), -1);
    }
}

static void test_reserve_refuses_the_absurd(void **state)
{
    (void)state;
    assert_null(plat_reserve(SIZE_MAX & ~(PLAT_PAGE_BYTES - 1), PLAT_PAGE_BYTES));
    assert_null(plat_reserve((size_t)1 << 62, PLAT_PAGE_BYTES));
    assert_null(plat_map((size_t)1 << 62, PLAT_PAGE_BYTES));
}

static void test_discard_gives_back_and_zeroes(void **state)
{
    char *p = plat_reserve(MIB, PLAT_PAGE_BYTES);

    (void)state;
    assert_true(plat_commit(p, MIB));
    memset(p, 0x5a, MIB);
    assert_int_equal(resident_pages(p, MIB), MIB / plat_sys_page_bytes());
    plat_discard(p + MIB / 2, MIB / 2);
    assert_int_equal(resident_pages(p, MIB), MIB / 2 / plat_sys_page_bytes());
    assert_true(all_bytes_are(p, MIB / 2, 0x5a));
    assert_true(all_bytes_are(p + MIB / 2, MIB / 2, 0));
    plat_release(p, MIB);
}

/* ---- map, remap ---------------------------------------------------------------------------- */

static void test_remap_keeps_contents_and_alignment(void **state)
{
    char *p = plat_map(MIB, PLAT_PAGE_BYTES), *wall, *q;

    (void)state;
    assert_non_null(p);
    assert_true(all_bytes_are(p, MIB, 0));
    memset(p, 7, MIB);
    p = plat_remap(p, MIB, MIB / 2);
    /* Something right behind it makes it move. */
    wall = mmap(p + MIB / 2, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                0);
    assert_ptr_equal(wall, p + MIB / 2);
    q = plat_remap(p, MIB / 2, 5 * MIB);
    assert_non_null(q);
    assert_ptr_not_equal(q, p);
    assert_true(aligned(q, PLAT_PAGE_BYTES));
    assert_true(all_bytes_are(q, MIB / 2, 7));
    assert_true(all_bytes_are(q + MIB / 2, 5 * MIB - MIB / 2, 0));
    plat_release(q, 5 * MIB);
    munmap(wall, 4096);
}

static void test_remap_refused_leaves_the_block(void **state)
{
    char *p = plat_map(MIB, PLAT_PAGE_BYTES);

    (void)state;
    memset(p, 9, MIB);
    assert_null(plat_remap(p, MIB, (size_t)1 << 62));
    assert_true(all_bytes_are(p, MIB, 9));
    plat_release(p, MIB);
}

/* Only advice: what can be seen is that it does no harm. */
static void test_hugepages_keep_contents(void **state)
{
    char *p = plat_map(4 * MIB, 2 * MIB);

    (void)state;
    memset(p, 3, MIB);
    plat_hugepages(p, 4 * MIB, true);
    memset(p + MIB, 3, 3 * MIB);
    plat_hugepages(p, 4 * MIB, false);
    assert_true(all_bytes_are(p, 4 * MIB, 3));
    plat_release(p, 4 * MIB);
}

/* ---- refusal ------------------------------------------------------------------------------- */

static void test_the_nth_call_fails_once(void **state)
{
    uint64_t before = plat_memory_calls();
    char *p;

    (void)state;
    plat_fail_after(3, false);
    p = plat_map(MIB, PLAT_PAGE_BYTES);
    assert_non_null(p);
    assert_true(plat_commit(p, MIB));
    assert_null(plat_remap(p, MIB, 2 * MIB));
    p = plat_remap(p, MIB, 2 * MIB);
    assert_non_null(p);
    plat_release(p, 2 * MIB);
    assert_int_equal(plat_memory_calls() - before, 4);
}

static void test_sticky_failure_lasts_until_switched_off(void **state)
{
    char *p = plat_reserve(MIB, PLAT_PAGE_BYTES);

    (void)state;
    plat_fail_after(1, true);
    for (int i = 0; i < 3; i++) {
        assert_null(plat_reserve(MIB, PLAT_PAGE_BYTES));
        assert_null(plat_map(MIB, PLAT_PAGE_BYTES));
        assert_false(plat_commit(p, MIB));
    }
    plat_fail_after(0, false);
    assert_true(plat_commit(p, MIB));
    plat_release(p, MIB);
}

static void under_a_limit(void *arg)
{
    struct rlimit limit = {1024 * MIB, 1024 * MIB};
    size_t room;
    char *p;

    (void)arg;
    if (plat_resident_limit_bytes() != SIZE_MAX)
        _exit(1);
    setrlimit(RLIMIT_AS, &limit);
    getrlimit(RLIMIT_AS, &limit);
    if (limit.rlim_cur == RLIM_INFINITY)
        _exit(TEST_SKIPPED);
    room = plat_resident_limit_bytes();
    if (room == 0 || room >= 1024 * MIB)
        _exit(2);
    if (plat_reserve(room + MIB, PLAT_PAGE_BYTES) != NULL)
        _exit(3);
    p = plat_reserve(sk_align_down(room / 2, MIB), PLAT_PAGE_BYTES);
    if (p == NULL || plat_resident_limit_bytes() > room / 2 + 2 * MIB)
        _exit(4);
}

static void test_the_address_space_limit_is_known(void **state)
{
    struct rlimit now;
    int status;

    (void)state;
    getrlimit(RLIMIT_AS, &now);
    /* Not under a limit already, nor with a sanitizer's shadow, which fits under none. */
    if (now.rlim_cur != RLIM_INFINITY || TEST_SHADOW)
        skip();
    status = child_status(under_a_limit, NULL);
    /* An emulator may take the limit for its own memory's and drop it. */
    if (WEXITSTATUS(status) == TEST_SKIPPED)
        skip();
    assert_int_equal(status, 0);
}

static void touch(void *p)
{
    signal(SIGSEGV, SIG_DFL);
    *(volatile char *)p = 1;
}

static void test_pages_have_no_access_before_commit(void **state)
{
    char *p = plat_reserve(MIB, PLAT_PAGE_BYTES);
    int status;

    (void)state;
    assert_true(plat_commit(p, MIB / 2));
    assert_int_equal(child_status(touch, p), 0);
    status = child_status(touch, p + MIB / 2);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    plat_release(p, MIB);
    assert_false(plat_commit(p, MIB));
}

static void test_zeros_are_read_only_and_cost_nothing(void **state)
{
    char *p = plat_reserve(MIB, PLAT_PAGE_BYTES);
    int status;

    (void)state;
    assert_true(plat_commit_zeros(p, MIB));
    assert_true(all_bytes_are(p, MIB, 0));
    status = child_status(touch, p);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_true(plat_commit(p, MIB / 2));
    assert_int_equal(child_status(touch, p), 0);
    plat_release(p, MIB);
}

/* Nothing that is reserved may become resident by mlockall, nor be charged. */
static void test_reserved_space_has_no_access_and_is_aligned(void **state)
{
    static const size_t bytes[] = {PLAT_PAGE_BYTES, 3 * MIB, (size_t)512 << 20, (size_t)512 << 20,
                                   (size_t)4 << 30};

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(bytes); i++) {
        char *p = plat_reserve(bytes[i], MIB);
        int status;

        assert_non_null(p);
        assert_true(aligned(p, MIB));
        status = child_status(touch, p);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        assert_true(plat_commit(p + bytes[i] - PLAT_PAGE_BYTES, PLAT_PAGE_BYTES));
        assert_int_equal(child_status(touch, p + bytes[i] - PLAT_PAGE_BYTES), 0);
    }
}

/* ---- lists of ids -------------------------------------------------------------------------- */

struct ids {
    unsigned n, id[16];
};

static void note(unsigned id, void *ctx)
{
    struct ids *ids = ctx;

    if (ids->n < SK_ARRAY_SIZE(ids->id))
        ids->id[ids->n++] = id;
}

static bool list_of(const char *text, struct ids *ids)
{
    char path[] = "/tmp/slabkit-list-XXXXXX";
    int fd = mkstemp(path);
    bool any;

    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
    ids->n = 0;
    any = file_each_id(path, note, ids);
    unlink(path);
    return any;
}

static void test_lists_of_ids_are_read(void **state)
{
    struct ids ids;

    (void)state;
    assert_true(list_of("0-2,8,10-11\n", &ids));
    assert_int_equal(ids.n, 6);
    assert_int_equal(ids.id[2], 2);
    assert_int_equal(ids.id[3], 8);
    assert_int_equal(ids.id[5], 11);
    assert_true(list_of("7", &ids));
    assert_int_equal(ids.id[0], 7);
    assert_false(list_of("\n", &ids));
    assert_false(list_of("", &ids));
    assert_false(list_of("99999999999999999999", &ids));
    assert_false(list_of("3-", &ids));
    assert_false(file_each_id("/nonexistent", note, &ids));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserve_is_aligned_and_free_of_charge),
        cmocka_unit_test(test_reserve_refuses_the_absurd),
        cmocka_unit_test(test_discard_gives_back_and_zeroes),
        cmocka_unit_test(test_remap_keeps_contents_and_alignment),
        cmocka_unit_test(test_remap_refused_leaves_the_block),
        cmocka_unit_test(test_hugepages_keep_contents),
        cmocka_unit_test(test_the_nth_call_fails_once),
        cmocka_unit_test(test_sticky_failure_lasts_until_switched_off),
        cmocka_unit_test(test_the_address_space_limit_is_known),
        cmocka_unit_test(test_pages_have_no_access_before_commit),
        cmocka_unit_test(test_zeros_are_read_only_and_cost_nothing),
        cmocka_unit_test(test_reserved_space_has_no_access_and_is_aligned),
        cmocka_unit_test(test_lists_of_ids_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
