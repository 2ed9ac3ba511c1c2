/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: fork, for tests that let a child die or spoil everything: the child runs on the memory as it
 *       is, and when it ends all memory is put back as it was, and fork returns once more.
 * Below: the kernel, the port's frames.
 * Owns: the memory kept aside (option aside=MiB): the copy, what was written to stderr while that was a
 *       child's or led into a pipe, and the stack on which memory is put back.
 * Concurrency: all other CPUs are idle when the child begins and when it ends.
 * Why: misuse ends in a panic that holds locks and has half changed a structure. A kernel per misuse
 *      would do as well, but the tests of the layers, unchanged, fork.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "kernel/kernel.h"

#define PID          2
#define PIPE_OUT     3
#define PIPE_IN      4
#define STDERR_SAVED 5
#define STACK_BYTES  16384u
#define TEXT_BYTES   8192u

_Noreturn void jump_on_stack(void (*fn)(void), void *stack_end);
extern char kernel_data[];

struct piece {
    char *at;
    size_t bytes;
};

/* At the begin of the memory kept aside: not put back. */
struct aside {
    bool in_child, caught; /* whose stderr goes into text */
    int status;
    size_t text_len, text_read;
    char text[TEXT_BYTES];
    char *end; /* of the copy so far */
    char stack[STACK_BYTES] __attribute__((aligned(16)));
    char copy[]; /* pieces, each behind its struct piece */
};

static jmp_buf parent;

static struct aside *aside(void)
{
    if (!memory_aside.bytes) {
        console_text("test: fork needs memory kept aside: aside=MiB\n");
        kernel_exit(1);
    }
    return (struct aside *)memory_aside.at;
}

/* ---- copy and put back ----------------------------------------------------------------------- */

static void piece_copy(uint64_t at, uint64_t bytes)
{
    struct aside *a = aside();
    struct piece *p = (struct piece *)a->end;

    if ((uintptr_t)a->end + sizeof(*p) + bytes > memory_aside.at + memory_aside.bytes) {
        console_text("test: not enough memory kept aside\n");
        kernel_exit(1);
    }
    *p = (struct piece){(char *)at, bytes};
    memcpy(p + 1, p->at, bytes);
    a->end += sizeof(*p) + bytes;
}

static void copy_all(void)
{
    struct aside *a = aside();

    a->end = a->copy;
    piece_copy((uintptr_t)kernel_data, memory_static_end - (uintptr_t)kernel_data);
    kern64_frames_each_used(piece_copy);
}

static _Noreturn void put_all_back(void)
{
    const struct aside *a = (const struct aside *)memory_aside.at;

    for (const char *at = a->copy; at < a->end;) {
        const struct piece *p = (const struct piece *)at;

        memcpy(p->at, p + 1, p->bytes);
        at = (const char *)(p + 1) + p->bytes;
    }
    cpu_flush_translations();
    longjmp(parent, 1);
}

static _Noreturn void child_ends(int status)
{
    struct aside *a = aside();

    irq_off();
    a->status = status;
    a->in_child = a->caught = false;
    jump_on_stack(put_all_back, a->stack + STACK_BYTES);
}

/* ---- what is said on stderr, by the child or into a pipe --------------------------------------------------------------------- */

static bool text_takes(const char *text, size_t len)
{
    struct aside *a = aside();

    if (!a->in_child && !a->caught)
        return false;
    for (size_t i = 0; i < len && a->text_len < TEXT_BYTES; i++)
        a->text[a->text_len++] = text[i];
    return true;
}

static void child_panics(void)
{
    if (aside()->in_child)
        child_ends(SIGABRT);
}

/* ---- <unistd.h>, <sys/wait.h> ---------------------------------------------------------------- */

/* What a running CPU does could not be put back. */
static void require_rest(void)
{
    for (unsigned cpu = 1; cpu < plat_nslots(); cpu++)
        if (!cpu_is_idle(cpu)) {
            console_text("test: fork beside a thread\n");
            kernel_exit(1);
        }
}

pid_t fork(void)
{
    struct aside *a = aside();

    require_rest();
    if (setjmp(parent) != 0) {
        irq_on();
        kern64_flush_all();
        return PID;
    }
    kernel_write_hook = text_takes;
    kernel_die_hook = child_panics;
    a->text_len = a->text_read = 0;
    irq_off();
    copy_all();
    a->in_child = true;
    irq_on();
    return 0;
}

_Noreturn void _exit(int status)
{
    if (memory_aside.bytes && aside()->in_child)
        child_ends((status & 0xff) << 8);
    kernel_exit(status);
}

_Noreturn void exit(int code)
{
    _exit(code);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    (void)options;
    *status = aside()->status;
    return pid;
}

pid_t getpid(void)
{
    return 1;
}

pid_t getppid(void)
{
    return 0;
}

_Noreturn void abort(void)
{
    kern64_hook_die();
}

/* The child's end. */
int raise(int signal)
{
    (void)signal;
    plat_panic("test: a signal raised");
}

/* There is one pipe, and what can be done with it is to let stderr end there for a while. */
int pipe(int *pipes)
{
    struct aside *a = aside();

    pipes[0] = PIPE_OUT;
    pipes[1] = PIPE_IN;
    a->text_len = a->text_read = 0;
    kernel_write_hook = text_takes;
    return 0;
}

int dup(int fd)
{
    return fd == STDERR_FILENO ? STDERR_SAVED : -1;
}

int dup2(int from, int to)
{
    aside()->caught = from == PIPE_IN && to == STDERR_FILENO;
    return to;
}

int close(int fd)
{
    (void)fd;
    return 0;
}

ssize_t read(int fd, void *to, size_t bytes)
{
    struct aside *a = aside();
    size_t n = sk_min(bytes, a->text_len - a->text_read);

    (void)fd;
    memcpy(to, a->text + a->text_read, n);
    a->text_read += n;
    return (ssize_t)n;
}
