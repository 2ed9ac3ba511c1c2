/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see collect.h.
 * Concurrency: each process appends its snapshot by one write to a file opened O_APPEND, so records
 * do not mix. A record begins with its version and its length; one shorter than ours lacks fields
 * at its end, which read as zero.
 */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/format.h"

#define RECORD_BYTES_MAX (1u << 20)

struct record_head {
    uint32_t version, bytes;
};

/* The name travels as a value of SLABKIT_OPTIONS to processes that may stand anywhere. */
static const char *temporary_dir(void)
{
    const char *dir = getenv("TMPDIR");
    return dir != NULL && dir[0] == '/' && strchr(dir, ',') == NULL ? dir : "/tmp";
}

int collect_open(struct collection *c)
{
    memset(c, 0, sizeof *c);
    if (snprintf(c->dir, sizeof c->dir, "%s/slabkit-XXXXXX", temporary_dir()) >=
        (int)sizeof c->dir) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdtemp(c->dir) == NULL)
        return -1;
    snprintf(c->path, sizeof c->path, "%s/snapshots", c->dir);
    int fd = open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        return close(fd);
    int error = errno;
    rmdir(c->dir);
    errno = error;
    return -1;
}

void collect_close(struct collection *c)
{
    unlink(c->path);
    rmdir(c->dir);
    free(c->others);
    free(c->types);
}

static int add_other(struct collection *c, const struct slabkit_snapshot *s)
{
    if ((c->nothers & (c->nothers - 1)) == 0) { /* full: the room is a power of two, or none */
        size_t room = c->nothers == 0 ? 1 : c->nothers * 2;
        struct collect_process *more = realloc(c->others, room * sizeof *more);
        if (more == NULL)
            return -1;
        c->others = more;
    }
    struct collect_process *p = &c->others[c->nothers++];
    *p = (struct collect_process){.pid = s->pid,
                                  .ppid = s->ppid,
                                  .live_bytes = s->live_bytes,
                                  .peak_bytes = s->peak_bytes,
                                  .mapped_bytes = s->mapped_bytes,
                                  .allocs = format_allocs(s)};
    memcpy(p->name, s->process, sizeof p->name);
    return 0;
}

static int add_record(struct collection *c, const struct slabkit_snapshot *s, pid_t command)
{
    if (s->version != SLABKIT_SNAPSHOT_VERSION) {
        c->foreign++;
        return 0;
    }
    if (s->pid != command)
        return add_other(c, s);
    c->own = *s;
    c->has_own = true;
    return 0;
}

/* The rest of a record of types, of which the head is read. 1, or 0 where it is torn. */
static int read_types(struct collection *c, FILE *f, struct record_head head, pid_t command)
{
    struct slabkit_types_record *r = malloc(head.bytes);
    size_t rest = head.bytes - sizeof head;
    c->torn =
        r == NULL || head.bytes < sizeof *r || fread((char *)r + sizeof head, 1, rest, f) != rest;
    if (!c->torn)
        c->torn = (head.bytes - sizeof *r) / sizeof r->types[0] < r->count;
    if (!c->torn && r->pid == command && c->types == NULL)
        c->types = r;
    else
        free(r);
    return !c->torn;
}

/* One record into *s: 1; 0 at the end of the file or where it is torn. */
static int read_record(struct collection *c, FILE *f, struct slabkit_snapshot *s, pid_t command)
{
    struct record_head head;
    size_t n = fread(&head, 1, sizeof head, f);
    if (n == 0)
        return 0;
    c->torn = n < sizeof head || head.bytes < sizeof head || head.bytes > RECORD_BYTES_MAX;
    if (c->torn)
        return 0;
    memset(s, 0, sizeof *s);
    if (head.version == SLABKIT_TYPES_VERSION)
        return read_types(c, f, head, command);
    memcpy(s, &head, sizeof head);
    size_t rest = head.bytes - sizeof head;
    size_t kept = sk_min(rest, sizeof *s - sizeof head);
    c->torn = fread((char *)s + sizeof head, 1, kept, f) != kept;
    for (size_t i = kept; i < rest && !c->torn; i++)
        c->torn = fgetc(f) == EOF;
    return !c->torn;
}

static int by_peak(const void *a, const void *b)
{
    const struct collect_process *x = a, *y = b;
    if (x->peak_bytes != y->peak_bytes)
        return x->peak_bytes < y->peak_bytes ? 1 : -1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

int collect_read(struct collection *c, pid_t command)
{
    struct slabkit_snapshot *s = malloc(sizeof *s);
    FILE *f = fopen(c->path, "re");
    int rc = s == NULL || f == NULL ? -1 : 0;
    while (rc == 0 && read_record(c, f, s, command))
        rc = s->version ? add_record(c, s, command) : 0;
    if (c->nothers > 0)
        qsort(c->others, c->nothers, sizeof *c->others, by_peak);
    if (f != NULL)
        fclose(f);
    free(s);
    return rc;
}
