/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: a process with little address space (RLIMIT_AS): the region takes a part of what there is. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t mapped_now(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * plat_sys_page_bytes();
}

#define NO_LIMITS 77

/* Emulators accept the limit and go on as before. */
static bool limit_has_effect(size_t room)
{
    void *p = mmap(NULL, room * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return true;
    munmap(p, room * 2);
    return false;
}

/* In a child, since a limit cannot be taken back. Exit status 0: as it should be; NO_LIMITS: they
 * have no effect here. */
static int under_limit(size_t room)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit))
        return 1;
    limit.rlim_cur = mapped_now() + room;
    if (setrlimit(RLIMIT_AS, &limit))
        return 1;
    if (!limit_has_effect(room))
        return NO_LIMITS;
    start(((size_t)1 << 40) >> PLAT_PAGE_SHIFT, 0, 0);
    size_t taken = PAGES(region_map.npages);
    if (taken == 0 || taken > room / 2 || taken < room / 8)
        return 2;
    void *huge = region_huge_alloc(room / 4, 1);
    if (!huge)
        return 3;
    size_t pages = 0;
    while (region_alloc(1, 1, NULL))
        pages++;
    if (pages != region_map.npages || !sound())
        return 4;
    return region_huge_free(huge) ? 0 : 5;
}

static void test_address_space_limit(void **state)
{
    (void)state;
    for (size_t room = (size_t)8 << 20; room <= (size_t)1 << 30; room *= 2) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(under_limit(room));
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == NO_LIMITS)
            skip();
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_address_space_limit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
