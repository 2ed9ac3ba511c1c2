/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see system.h.
 * Below: libc's system call wrappers, getauxval.
 * Concurrency: system_parse_options runs once, under the start's lock; the rest is stateless.
 */
#define _GNU_SOURCE
#include "ctl/system.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define ENV_KEY "SLABKIT_OPTIONS="

static const char *env_value(const char *entry)
{
    size_t len = sizeof(ENV_KEY) - 1;

    return strncmp(entry, ENV_KEY, len) == 0 ? entry + len : NULL;
}

static const char *from_environ(void)
{
    const char *value = NULL;

    for (char **e = environ; *e && !value; e++)
        value = env_value(*e);
    return value;
}

/* The first allocation may come before libc has set environ: the kernel's copy is there. */
static const char *from_proc(char *buf, size_t bytes)
{
    int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
    const char *value = NULL;
    size_t have = 0;
    ssize_t n;

    if (fd < 0)
        return NULL;
    while (have < bytes - 1 && (n = read(fd, buf + have, bytes - 1 - have)) > 0)
        have += (size_t)n;
    close(fd);
    buf[have] = 0;
    for (char *e = buf; e < buf + have && !value; e += strlen(e) + 1)
        value = env_value(e);
    return value;
}

void system_parse_options(struct options *o, options_complain *complain)
{
    static SK_SELDOM_BSS char proc_environ[64 << 10];
    int saved = errno;

    if (!getauxval(AT_SECURE))
        options_parse(environ ? from_environ() : from_proc(proc_environ, sizeof(proc_environ)), o,
                      complain, NULL);
    errno = saved;
}

bool system_has_options(void)
{
    return environ && from_environ() && !getauxval(AT_SECURE);
}

int system_open_report(const char *path)
{
    return path[0] ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : STDERR_FILENO;
}

bool system_write(int fd, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes) {
        ssize_t n = write(fd, at, bytes);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            at += n;
            bytes -= (size_t)n;
        }
    }
    return true;
}

void system_process_name(char *out, size_t bytes)
{
    int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, bytes - 1);

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = 0;
    for (char *c = out; *c; c++)
        if (*c == '\n')
            *c = 0;
}
