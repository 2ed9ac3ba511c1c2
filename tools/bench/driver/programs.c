/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: real programs as workloads: the C compiler, python3 and sqlite3, each on an input made
 *       here, so that every machine gives it the same work.
 * Below: catalog, process, sample.
 * Why: such a program is timed from outside, start and end included, and its peak RSS is what the
 *      system counted for it and for the processes it waited for.
 */
#include "driver.h"

#include <errno.h>
#include <string.h>

struct program {
    const char *pg_workload, *pg_about, *pg_command;
    const char *pg_input;             /* name of the input in the scratch directory */
    void (*pg_write)(FILE *, double); /* writes it, for a scale */
    const char *pg_arguments[6];      /* before the input */
    bool pg_stdin;                    /* the input goes to standard input instead */
    const char *pg_env[2];
};

static unsigned scaled(double full, double scale)
{
    return full * scale < 1.0 ? 1 : (unsigned)(full * scale);
}

static const char c_head[] = "#include <stddef.h>\n"
                             "extern int emit(const char *, double);\n"
                             "extern void *fetch(size_t);\n";

/* Each '@' becomes the function's number: names, constants and strings all differ. */
static const char c_function[] =
    "struct item@ { int key; double weight; struct item@ *next; char name[@ % 24 + 8]; };\n"
    "static int fold@(struct item@ *list, int seed)\n"
    "{\n"
    "    int sum = seed ^ @, depth = 0;\n"
    "    for (struct item@ *it = list; it; it = it->next) {\n"
    "        for (unsigned i = 0; i < sizeof(it->name); i++)\n"
    "            sum = sum * 31 + it->name[i] + (int)(it->weight * @);\n"
    "        switch ((it->key + sum) % 7) {\n"
    "        case 0: sum += emit(\"zero of @\", it->weight); break;\n"
    "        case 1: sum -= it->key << 3; break;\n"
    "        case 2: depth++; continue;\n"
    "        case 3: if (depth > @) return sum; break;\n"
    "        case 4: it->weight /= depth + 1.5; break;\n"
    "        case 5: sum ^= it->key / (depth + 2); break;\n"
    "        default: sum += emit(\"other of @\", sum); break;\n"
    "        }\n"
    "    }\n"
    "    return sum + depth;\n"
    "}\n"
    "int run@(int count)\n"
    "{\n"
    "    struct item@ *list = NULL;\n"
    "    int total = 0;\n"
    "    for (int i = 0; i < count; i++) {\n"
    "        struct item@ *it = fetch(sizeof(*it));\n"
    "        it->key = i * @;\n"
    "        it->weight = i / 3.0;\n"
    "        it->next = list;\n"
    "        list = it;\n"
    "        total += fold@(list, i & 7 ? i : total);\n"
    "    }\n"
    "    return total;\n"
    "}\n";

static void c_function_write(FILE *out, unsigned number)
{
    for (const char *c = c_function; *c; c++) {
        if (*c == '@')
            fprintf(out, "%u", number);
        else
            fputc(*c, out);
    }
}

static void c_write(FILE *out, double scale)
{
    unsigned count = scaled(70, scale);

    fputs(c_head, out);
    for (unsigned i = 1; i <= count; i++)
        c_function_write(out, i);
}

static void python_write(FILE *out, double scale)
{
    fprintf(out, "COUNT = %u\n", scaled(80000, scale));
    fputs("class Account:\n"
          "    def __init__(self, number, owner):\n"
          "        self.number, self.owner, self.entries = number, owner, []\n"
          "    def book(self, amount, text):\n"
          "        self.entries.append((amount, text))\n"
          "accounts = [Account(i, 'owner-%d' % (i * 7919 % COUNT)) for i in range(COUNT)]\n"
          "for turn in range(5):\n"
          "    for account in accounts[turn::2]:\n"
          "        account.book(account.number * 0.25 + turn, 'turn %d' % turn)\n"
          "by_owner = {}\n"
          "for account in accounts:\n"
          "    by_owner.setdefault(account.owner[:7], []).append(account)\n"
          "names = sorted(account.owner + str(len(account.entries)) for account in accounts)\n"
          "words = ' '.join(names).upper().split(' ')\n"
          "assert len(words) == COUNT\n"
          "assert sum(len(group) for group in by_owner.values()) == COUNT\n"
          "del accounts[::2]\n"
          "trees = []\n"
          "for i in range(COUNT // 3):\n"
          "    trees.append({'id': i, 'tags': ['t%d' % (i % k) for k in range(1, 6)]})\n"
          "assert sum(len(tree['tags']) for tree in trees) == 5 * (COUNT // 3)\n",
          out);
}

static void sqlite_write(FILE *out, double scale)
{
    fprintf(
        out,
        "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, grp INTEGER, val REAL);\n"
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %u)\n"
        "INSERT INTO item SELECT n, 'name-' || (n * 7919 %% 100003), n %% 97, n * 0.5 FROM c;\n",
        scaled(60000, scale));
    fputs("CREATE INDEX item_name ON item(name);\n"
          "SELECT grp, count(*), length(group_concat(name)), avg(val) FROM item GROUP BY grp;\n"
          "SELECT a.name, b.val FROM item a JOIN item b ON b.id = a.grp ORDER BY a.name;\n"
          "UPDATE item SET name = upper(name) || '-' || grp WHERE id % 3 = 0;\n"
          "DELETE FROM item WHERE id % 5 = 0;\n"
          "SELECT substr(name, 1, 7) AS head, sum(val) FROM item GROUP BY head ORDER BY 2 DESC;\n",
          out);
}

static const struct program programs[] = {
    {"cc",
     "the C compiler on a generated C file (-O2 -S)",
     "cc",
     "large.c",
     c_write,
     {"-O2", "-w", "-S", "-o", "/dev/null"},
     false,
     {NULL, NULL}},
    {"python3",
     "python3, objects, dictionaries and strings, PYTHONMALLOC=malloc",
     "python3",
     "work.py",
     python_write,
     {"-S", "-s", "-B"},
     false,
     {"PYTHONMALLOC=malloc", "PYTHONHASHSEED=0"}},
    {"sqlite3",
     "sqlite3, a database in memory",
     "sqlite3",
     "work.sql",
     sqlite_write,
     {"-batch", "-bail", "-init", "/dev/null", ":memory:"},
     true,
     {NULL, NULL}},
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static const struct program *program_of(const struct bench_workload *wk)
{
    for (size_t i = 0; i < PROGRAMS; i++)
        if (!strcmp(programs[i].pg_workload, wk->wk_name))
            return &programs[i];
    return NULL;
}

static void arguments_fill(char **argv, const struct program *pg, const struct bench_workload *wk)
{
    size_t count = 0;

    argv[count++] = (char *)wk->wk_program;
    for (size_t i = 0; i < 6 && pg->pg_arguments[i]; i++)
        argv[count++] = (char *)pg->pg_arguments[i];
    if (!pg->pg_stdin)
        argv[count++] = (char *)wk->wk_input;
    argv[count] = NULL;
}

static void program_sample(struct bench *bench, const struct bench_workload *wk,
                           const struct allocator *al, struct sample *sm)
{
    const struct program *pg = program_of(wk);
    char *argv[9], err[PATH_MAX];
    struct process_spec spec = {.ps_argv = argv,
                                .ps_preload = al->al_file,
                                .ps_env = {pg->pg_env[0], pg->pg_env[1]},
                                .ps_stdin = pg->pg_stdin ? wk->wk_input : NULL,
                                .ps_stderr = err,
                                .ps_report = -1,
                                .ps_cpus = process_cpus(bench, wk)};
    uint64_t start_ns = process_now_ns();
    struct process_end end = {0};
    pid_t pid;

    arguments_fill(argv, pg, wk);
    scratch_path(bench, "stderr", err, sizeof(err));
    pid = process_start(&spec, bench, sm->sm_error, sizeof(sm->sm_error));
    if (pid < 0)
        return;
    sample_check(bench, sm,
                 process_wait(pid, start_ns + BENCH_TIMEOUT_S * UINT64_C(1000000000), bench, &end),
                 &end);
    sm->sm_ns = (double)(process_now_ns() - start_ns);
    sm->sm_ops = 1;
    sm->sm_cpu_ns = end.pe_cpu_ns;
    sm->sm_peak_kib = end.pe_peak_kib;
}

void programs_add(struct bench *bench)
{
    for (size_t i = 0; i < PROGRAMS; i++) {
        const struct program *pg = &programs[i];
        struct bench_workload *wk = catalog_add(bench, pg->pg_workload, pg->pg_about);

        if (!wk)
            return;
        wk->wk_run = program_sample;
        if (!program_find(pg->pg_command, wk->wk_program, sizeof(wk->wk_program)))
            snprintf(wk->wk_skip, sizeof(wk->wk_skip), "no dynamically linked program '%s' in PATH",
                     pg->pg_command);
    }
}

static int input_write(const struct program *pg, const char *file, double scale)
{
    FILE *out = fopen(file, "we");

    if (out) {
        pg->pg_write(out, scale);
        if (!ferror(out) && !fclose(out))
            return 0;
    }
    bench_say("cannot write %s: %s", file, strerror(errno));
    return -1;
}

int programs_prepare(struct bench *bench)
{
    for (unsigned i = 0; i < bench->bn_nr_workloads; i++) {
        struct bench_workload *wk = &bench->bn_workloads[i];
        const struct program *pg = program_of(wk);

        if (!pg || wk->wk_skip[0])
            continue;
        scratch_path(bench, pg->pg_input, wk->wk_input, sizeof(wk->wk_input));
        if (input_write(pg, wk->wk_input, bench->bn_scale))
            return -1;
    }
    return 0;
}
