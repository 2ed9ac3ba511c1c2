/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <sys/wait.h>, what our tests use. */
#ifndef KERNEL_LIBC_SYS_WAIT_H
#define KERNEL_LIBC_SYS_WAIT_H

#include <unistd.h>

pid_t waitpid(pid_t pid, int *status, int options);

#define WIFSIGNALED(status) (((status)&0x7f) != 0)
#define WTERMSIG(status)    ((status)&0x7f)
#define WIFEXITED(status)   (((status)&0x7f) == 0)
#define WEXITSTATUS(status) ((status) >> 8 & 0xff)

#endif
