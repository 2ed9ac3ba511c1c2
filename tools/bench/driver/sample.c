/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: how a sample fails, and how it says why.
 */
#include "driver.h"

#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

void sample_fail(struct sample *sm, const char *format, ...)
{
    va_list args;

    if (sm->sm_error[0]) /* the first reason is the cause */
        return;
    va_start(args, format);
    vsnprintf(sm->sm_error, sizeof(sm->sm_error), format, args);
    va_end(args);
}

static void stderr_line(const struct bench *bench, char *line, size_t bytes)
{
    char path[PATH_MAX];
    FILE *file;

    line[0] = '\0';
    scratch_path(bench, "stderr", path, sizeof(path));
    file = fopen(path, "re");
    if (!file)
        return;
    if (!fgets(line, (int)bytes, file))
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    fclose(file);
}

void sample_check(struct bench *bench, struct sample *sm, bool ended, const struct process_end *end)
{
    char line[128];

    stderr_line(bench, line, sizeof(line));
    if (!ended && bench->bn_signal)
        sample_fail(sm, "interrupted");
    else if (!ended)
        sample_fail(sm, "not done after %d s", BENCH_TIMEOUT_S);
    else if (WIFSIGNALED(end->pe_status))
        sample_fail(sm, "killed by signal %d (%s) %s", WTERMSIG(end->pe_status),
                    strsignal(WTERMSIG(end->pe_status)), line);
    else if (WEXITSTATUS(end->pe_status))
        sample_fail(sm, "exit status %d %s", WEXITSTATUS(end->pe_status), line);
}
