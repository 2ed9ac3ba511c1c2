/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: of <unistd.h>, what our tests use. There are no processes: fork takes a copy of all memory,
 *       the child runs, and its end puts the copy back. See process.c.
 */
#ifndef KERNEL_LIBC_UNISTD_H
#define KERNEL_LIBC_UNISTD_H

#include <stddef.h>

typedef int pid_t;
typedef long ssize_t;

__attribute__((returns_twice)) pid_t fork(void);
_Noreturn void _exit(int status);
#define STDERR_FILENO 2

pid_t getpid(void);
pid_t getppid(void);
int pipe(int *pipes);
int dup(int fd);
int dup2(int from, int to);
int close(int fd);
int usleep(unsigned us);
ssize_t read(int fd, void *to, size_t bytes);

#endif
