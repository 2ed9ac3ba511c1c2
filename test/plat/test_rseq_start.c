/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: start-up where something is refused, and the self-test against a kernel that errs. Each
 *       start happens in a child of its own. argv[1] "own": libc does not register.
 */
#define _GNU_SOURCE
#include "arrays.h"
#include "plat/linux/rseq_test.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool libc_registers;

/* The system call `nr` fails with ENOSYS from now on, as in an older kernel. */
static bool refuse(unsigned nr)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {SK_ARRAY_SIZE(code), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

/* Whatever the mode: an array that is opened gives what was put in. */
static bool slots_work(void)
{
    struct array arr;
    int thing;

    array_init(&arr, 4);
    for (unsigned i = 0; i < 100; i++) {
        unsigned slot = plat_slot();
        bool there;

        plat_slot_open(slot, 1, array_word(&arr, 0));
        there = plat_slot_push_retry(1, &thing) && plat_slot_pop_retry(1) == &thing;
        plat_slot_stop(slot, 1);
        if (there)
            return true;
        array_init(&arr, 4);
    }
    return false;
}

/* 0 when a start with that call refused gives the mode and a reason with the text in it. */
static int start_without(unsigned nr, const struct plat_config *cfg, enum plat_mode mode,
                         const char *text)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (nr != 0 && !refuse(nr))
            _exit(TEST_SKIPPED);
        if (plat_init(cfg) != mode)
            _exit(1);
        if (strstr(plat_mode_reason(), text) == NULL)
            _exit(2);
        _exit(slots_work() ? 0 : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WEXITSTATUS(status) == TEST_SKIPPED)
        skip();
    return status;
}

static void test_without_membarrier_it_is_portable(void **state)
{
    struct plat_config cfg = {PLAT_MODE_NONE, 0};

    (void)state;
    assert_int_equal(start_without(SYS_membarrier, &cfg, PLAT_MODE_PORTABLE, "no membarrier"), 0);
}

/* libc's registration is older than the refusal; ours is not. */
static void test_a_refused_registration_is_portable(void **state)
{
    struct plat_config cfg = {PLAT_MODE_RSEQ_CPU, 0};

    (void)state;
    if (libc_registers)
        assert_int_equal(start_without(SYS_rseq, &cfg, PLAT_MODE_RSEQ_CPU, "libc's"), 0);
    else
        assert_int_equal(start_without(SYS_rseq, &cfg, PLAT_MODE_PORTABLE, "no registration"), 0);
}

static void test_without_tgkill_the_abort_is_not_tested(void **state)
{
    struct plat_config cfg = {PLAT_MODE_RSEQ_CPU, 0};

    (void)state;
    assert_int_equal(start_without(SYS_tgkill, &cfg, PLAT_MODE_RSEQ_CPU, "not tested"), 0);
}

/* The ids cannot be compared with the kernel's word. */
static void test_ids_that_cannot_be_checked_are_not_believed(void **state)
{
    struct plat_config cfg = {PLAT_MODE_NONE, 0};

    (void)state;
    assert_int_equal(start_without(SYS_getcpu, &cfg, PLAT_MODE_PORTABLE, "wrong ids"), 0);
}

/* mmap is refused: the areas of the last resort. */
static void test_without_memory_there_is_one_slot(void **state)
{
    struct plat_config cfg = {PLAT_MODE_NONE, 0};

    (void)state;
    plat_fail_after(1, true);
    assert_int_equal(start_without(0, &cfg, PLAT_MODE_PORTABLE, "no address space"), 0);
    plat_fail_after(0, false);
}

static void test_portable_on_request(void **state)
{
    struct plat_config cfg = {PLAT_MODE_PORTABLE, 0};

    (void)state;
    assert_int_equal(start_without(0, &cfg, PLAT_MODE_PORTABLE, "asked for"), 0);
}

static void start_with_nodes(void)
{
    struct plat_config cfg = {PLAT_MODE_NONE, 3};

    plat_init(&cfg);
    if (plat_nnodes() != 3)
        _exit(1);
    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        if (plat_slot_node(slot) != slot % 3)
            _exit(2);
    _exit(0);
}

static void test_simulated_nodes(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        start_with_nodes();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* ---- the self-test ------------------------------------------------------------------------- */

static void on_urg(int sig)
{
    (void)sig;
}

/* A struct that the kernel does not know stands for a kernel that does not look at it. */
static void test_a_kernel_that_does_not_abort_is_found_out(void **state)
{
    struct plat_rseq unknown = {.cpu_id = 0};

    (void)state;
    assert_int_equal(rseq_test_abort(&unknown), RSEQ_DOES_NOT_ABORT);
}

static void test_wrong_ids_are_found_out(void **state)
{
    struct plat_rseq r = {.cpu_id = sched_getcpu(), .mm_cid = 0};
    cpu_set_t set;

    (void)state;
    CPU_ZERO(&set);
    CPU_SET(r.cpu_id, &set);
    assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
    assert_true(rseq_test_ids(&r, 4096, true));
    r.mm_cid = 4096;
    assert_true(rseq_test_ids(&r, 4096, false));
    assert_false(rseq_test_ids(&r, 4096, true));
    r.mm_cid = -1;
    assert_false(rseq_test_ids(&r, 4096, true));
    r.mm_cid = 0;
    r.cpu_id++;
    assert_false(rseq_test_ids(&r, 4096, true));
}

static void test_the_self_test_gives_the_signal_back(void **state)
{
    struct plat_rseq unknown = {.cpu_id = 0};
    struct sigaction action;
    sigset_t set, now;

    (void)state;
    signal(SIGURG, on_urg);
    signal(SIGSEGV, on_urg);
    sigemptyset(&set);
    sigaddset(&set, SIGURG);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_SETMASK, &set, NULL);
    rseq_test_abort(&unknown);
    sigprocmask(SIG_SETMASK, NULL, &now);
    sigaction(SIGURG, NULL, &action);
    assert_true(sigismember(&now, SIGURG) && sigismember(&now, SIGUSR2));
    assert_ptr_equal(action.sa_handler, on_urg);
    sigaction(SIGSEGV, NULL, &action);
    assert_ptr_equal(action.sa_handler, on_urg);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_membarrier_it_is_portable),
        cmocka_unit_test(test_a_refused_registration_is_portable),
        cmocka_unit_test(test_without_tgkill_the_abort_is_not_tested),
        cmocka_unit_test(test_ids_that_cannot_be_checked_are_not_believed),
        cmocka_unit_test(test_without_memory_there_is_one_slot),
        cmocka_unit_test(test_portable_on_request),
        cmocka_unit_test(test_simulated_nodes),
        cmocka_unit_test(test_a_kernel_that_does_not_abort_is_found_out),
        cmocka_unit_test(test_wrong_ids_are_found_out),
        cmocka_unit_test(test_the_self_test_gives_the_signal_back),
    };

    libc_registers = argc < 2 || strcmp(argv[1], "own") != 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
