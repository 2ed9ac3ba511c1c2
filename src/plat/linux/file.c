/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: reads small files of /proc and /sys.
 * Below: sys.h.
 * Failure: an unreadable file is an empty one.
 */
#include "plat/linux/file.h"
#include "plat/linux/sys.h"

#include <fcntl.h>

/* An id above this is not believed; it bounds the work a list can ask for. */
#define FILE_ID_MAX 65535u

/* A sysfs list is at most one page; what does not fit is the tail of a very scattered list. */
#define FILE_LIST_BYTES 2048u

static int file_open(const char *path)
{
    return (int)sys_call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

size_t file_read(const char *path, char *buf, size_t max)
{
    int fd = file_open(path);
    long n;

    if (fd < 0)
        return 0;
    n = sys_call3(SYS_read, fd, buf, max);
    sys_call1(SYS_close, fd);
    return n > 0 ? (size_t)n : 0;
}

/* Reads a number at *p, before end; false: none there or not believed. */
static bool read_id(const char **p, const char *end, unsigned *id)
{
    const char *start = *p;

    for (*id = 0; *p < end && **p >= '0' && **p <= '9' && *id <= FILE_ID_MAX; (*p)++)
        *id = *id * 10 + (unsigned)(**p - '0');
    return *p != start && *id <= FILE_ID_MAX;
}

/* Reads "a" or "a-b". */
static bool read_range(const char **p, const char *end, unsigned *first, unsigned *last)
{
    if (!read_id(p, end, first))
        return false;
    *last = *first;
    if (*p == end || **p != '-')
        return true;
    (*p)++;
    return read_id(p, end, last);
}

bool file_each_id(const char *path, void (*each)(unsigned id, void *ctx), void *ctx)
{
    char text[FILE_LIST_BYTES];
    const char *p = text, *end = text + file_read(path, text, sizeof(text));
    unsigned first, last;
    bool any = false;

    while (read_range(&p, end, &first, &last)) {
        for (unsigned id = first; id <= last; id++)
            each(id, ctx);
        any = true;
        if (p == end || *p != ',')
            break;
        p++;
    }
    return any;
}
