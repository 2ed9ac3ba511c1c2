/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see report.h.
 * Below: ctl/format.h for the command's snapshot, ctl/table.h, ctl/writer.h.
 */
#include "report.h"

#include <string.h>
#include <sys/wait.h>

#include "ctl/format.h"
#include "ctl/table.h"
#include "ctl/types_format.h"

#define COMMAND_SHOWN_BYTES 200u
#define PROCESSES_SHOWN     20u

static uint64_t usec(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_usec;
}

static uint64_t peak_rss_bytes(const struct child_end *end)
{
    return (uint64_t)end->usage.ru_maxrss * 1024;
}

/* ---- why there is no snapshot ---------------------------------------------------------------- */

static void write_absence(struct writer *w, const struct child_end *end, const struct collection *c)
{
    if (WIFSIGNALED(end->status)) {
        writer_str(w, "the command left no report: killed by signal ");
        writer_u64(w, (unsigned)WTERMSIG(end->status));
    } else if (c->torn) {
        writer_str(w, "the command's report is damaged");
    } else if (c->foreign > 0) {
        writer_str(w, "the report is of another version of slabkit");
    } else {
        writer_str(w,
                   "the command left no report: it could not be preloaded, as statically linked or "
                   "set-user-ID programs cannot be, or it ended by a system call of its own");
    }
}

/* ---- text ------------------------------------------------------------------------------------ */

static void text_command(struct writer *w, char *const *argv)
{
    size_t room = COMMAND_SHOWN_BYTES;
    for (size_t i = 0; argv[i] != NULL; i++) {
        size_t len = strlen(argv[i]);
        writer_char(w, ' ');
        writer_printable(w, argv[i], sk_min(len, room));
        if (len > room) {
            writer_str(w, "...");
            break;
        }
        room -= len;
    }
    writer_char(w, '\n');
}

static void text_status(struct writer *w, const struct child_end *end)
{
    writer_str(w, "  status      ");
    if (WIFSIGNALED(end->status)) {
        writer_str(w, "killed by signal ");
        writer_u64(w, (unsigned)WTERMSIG(end->status));
        writer_str(w, " (");
        writer_str(w, strsignal(WTERMSIG(end->status)));
        writer_str(w, ")\n");
    } else {
        writer_u64(w, (unsigned)WEXITSTATUS(end->status));
        writer_char(w, '\n');
    }
}

static void text_cost(struct writer *w, const struct child_end *end)
{
    writer_str(w, "  elapsed     ");
    writer_fixed(w, end->elapsed_ns / 1000000, 3);
    writer_str(w, " s, user ");
    writer_fixed(w, usec(end->usage.ru_utime) / 1000, 3);
    writer_str(w, " s, system ");
    writer_fixed(w, usec(end->usage.ru_stime) / 1000, 3);
    writer_str(w, " s\n  peak RSS    ");
    writer_human(w, peak_rss_bytes(end));
    writer_str(w, "\n\n");
}

static const struct collect_process *process(const void *row)
{
    return row;
}

static void cell_pid(struct writer *w, const void *row)
{
    writer_i64(w, process(row)->pid);
}

static void cell_name(struct writer *w, const void *row)
{
    writer_printable(w, process(row)->name, sizeof process(row)->name);
}

static void cell_live(struct writer *w, const void *row)
{
    writer_human(w, process(row)->live_bytes);
}

static void cell_peak(struct writer *w, const void *row)
{
    writer_human(w, process(row)->peak_bytes);
}

static void cell_mapped(struct writer *w, const void *row)
{
    writer_human(w, process(row)->mapped_bytes);
}

static void cell_allocs(struct writer *w, const void *row)
{
    writer_u64(w, process(row)->allocs);
}

static const struct table_column process_columns[] = {
    {"pid", false, cell_pid},   {"process", true, cell_name},   {"live", false, cell_live},
    {"peak", false, cell_peak}, {"mapped", false, cell_mapped}, {"allocated", false, cell_allocs},
};

static const void *process_row(void *data, unsigned i)
{
    return (const struct collect_process *)data + i;
}

static void text_processes(struct writer *w, const struct collection *c)
{
    unsigned shown = (unsigned)sk_min(c->nothers, PROCESSES_SHOWN);
    struct table t = {process_columns, SK_ARRAY_SIZE(process_columns), shown, process_row,
                      c->others};
    if (c->nothers == 0)
        return;
    writer_str(w, "\nother processes, by peak\n");
    table_write(w, &t);
    if (c->nothers > shown) {
        writer_str(w, "  and ");
        writer_u64(w, c->nothers - shown);
        writer_str(w, " more\n");
    }
}

static void text_report(struct writer *w, char *const *argv, const struct child_end *end,
                        const struct collection *c)
{
    writer_str(w, "slabkit run:");
    text_command(w, argv);
    text_status(w, end);
    text_cost(w, end);
    if (c->has_own) {
        format_text(w, &c->own);
    } else {
        write_absence(w, end, c);
        writer_char(w, '\n');
    }
    if (c->types != NULL) {
        writer_str(w, "\ntypes, by memory in use\n");
        types_text(w, c->types->types, c->types->count);
    }
    text_processes(w, c);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_u64(struct writer *w, const char *key, uint64_t v)
{
    writer_json_key(w, key);
    writer_u64(w, v);
}

static void json_seconds(struct writer *w, const char *key, uint64_t microseconds)
{
    writer_json_key(w, key);
    writer_fixed(w, microseconds, 6);
}

static void json_command(struct writer *w, char *const *argv)
{
    writer_json_key(w, "command");
    writer_char(w, '[');
    for (size_t i = 0; argv[i] != NULL; i++) {
        writer_json_next(w);
        writer_json_str(w, argv[i], SIZE_MAX);
    }
    writer_char(w, ']');
}

/* The status as a shell gives it, so 128 + signal where a signal killed. */
static void json_status(struct writer *w, int status)
{
    bool killed = WIFSIGNALED(status);
    json_u64(w, "status", (unsigned)(killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status)));
    writer_json_key(w, "signal");
    if (killed)
        writer_u64(w, (unsigned)WTERMSIG(status));
    else
        writer_str(w, "null");
}

/* "allocator": null goes with the reason. */
static void json_allocator(struct writer *w, const struct child_end *end,
                           const struct collection *c)
{
    char buf[256];
    struct writer why;
    writer_json_key(w, "allocator");
    if (c->has_own) {
        format_json(w, &c->own);
        return;
    }
    writer_init(&why, buf, sizeof buf, WRITER_NO_FD);
    write_absence(&why, end, c);
    writer_str(w, "null");
    writer_json_key(w, "no_allocator_because");
    writer_json_str(w, writer_text(&why), sizeof buf);
}

static void json_process(struct writer *w, const struct collect_process *p)
{
    writer_json_next(w);
    writer_char(w, '{');
    writer_json_key(w, "pid");
    writer_i64(w, p->pid);
    writer_json_key(w, "ppid");
    writer_i64(w, p->ppid);
    writer_json_key(w, "process");
    writer_json_str(w, p->name, sizeof p->name);
    json_u64(w, "live_bytes", p->live_bytes);
    json_u64(w, "peak_bytes", p->peak_bytes);
    json_u64(w, "mapped_bytes", p->mapped_bytes);
    json_u64(w, "allocs", p->allocs);
    writer_char(w, '}');
}

static void json_report(struct writer *w, char *const *argv, const struct child_end *end,
                        const struct collection *c)
{
    writer_char(w, '{');
    json_command(w, argv);
    json_status(w, end->status);
    json_seconds(w, "elapsed_seconds", end->elapsed_ns / 1000);
    json_seconds(w, "user_seconds", usec(end->usage.ru_utime));
    json_seconds(w, "system_seconds", usec(end->usage.ru_stime));
    json_u64(w, "peak_rss_bytes", peak_rss_bytes(end));
    json_allocator(w, end, c);
    if (c->types != NULL) {
        writer_json_key(w, "types");
        types_json(w, c->types->types, c->types->count);
    }
    writer_json_key(w, "processes");
    writer_char(w, '[');
    for (size_t i = 0; i < c->nothers; i++)
        json_process(w, &c->others[i]);
    writer_str(w, "]}\n");
}

int report_write(int fd, enum slabkit_format format, char *const *argv, const struct child_end *end,
                 const struct collection *c)
{
    char buf[4096];
    struct writer w;
    writer_init(&w, buf, sizeof buf, fd);
    if (format == SLABKIT_JSON)
        json_report(&w, argv, end, c);
    else
        text_report(&w, argv, end, c);
    return writer_finish(&w);
}
