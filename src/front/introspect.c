/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what glibc lets a program see and tune of its malloc, filled from a snapshot.
 * Below: ctl's snapshot and formats.
 * Concurrency: one snapshot at a time, under a lock.
 * Sources: the glibc manual, mallinfo(3), malloc_info(3), mallopt(3).
 */
#include "front/front.h"
#include "front/malloc.h"
#include <slabkit/slabkit.h>

#include <unistd.h>

static struct plat_lock look_lock;
static SK_SELDOM_BSS struct slabkit_snapshot look;

static uint64_t free_bytes(const struct slabkit_snapshot *s)
{
    return s->mapped_bytes > s->live_bytes ? s->mapped_bytes - s->live_bytes : 0;
}

static uint64_t free_objs(const struct slabkit_snapshot *s)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < s->classes; i++)
        n += s->class_[i].array_objs + s->class_[i].depot_objs + s->class_[i].slab_free_objs;
    return n;
}

static void info_of(const struct slabkit_snapshot *s, struct mallinfo2 *m)
{
    *m = (struct mallinfo2){
        .arena = s->mapped_bytes - s->huge_bytes,
        .ordblks = free_objs(s),
        .hblks = s->huge_live,
        .hblkhd = s->huge_bytes,
        .uordblks = s->live_bytes - s->huge_bytes,
        .fordblks = free_bytes(s),
        .keepcost = s->dirty_bytes,
    };
}

SK_EXPORT struct mallinfo2 mallinfo2(void)
{
    struct mallinfo2 m;

    ctl_start();
    plat_lock(&look_lock);
    slabkit_snapshot(&look);
    info_of(&look, &m);
    plat_unlock(&look_lock);
    return m;
}

SK_EXPORT struct mallinfo mallinfo(void)
{
    struct mallinfo2 m = mallinfo2();

    return (struct mallinfo){
        .arena = (int)m.arena,
        .ordblks = (int)m.ordblks,
        .hblks = (int)m.hblks,
        .hblkhd = (int)m.hblkhd,
        .uordblks = (int)m.uordblks,
        .fordblks = (int)m.fordblks,
        .keepcost = (int)m.keepcost,
    };
}

SK_EXPORT void malloc_stats(void)
{
    ctl_start();
    plat_lock(&look_lock);
    slabkit_snapshot(&look);
    slabkit_snapshot_write(&look, STDERR_FILENO, SLABKIT_TEXT);
    plat_unlock(&look_lock);
}

/* ---- malloc_info: the elements and attributes of glibc's, one heap --------------------------- */

static void info_class(FILE *out, const struct slabkit_class *k)
{
    uint64_t n = k->array_objs + k->depot_objs + k->slab_free_objs;

    if (n)
        fprintf(out, "  <size from=\"%u\" to=\"%u\" total=\"%llu\" count=\"%llu\"/>\n",
                k->object_bytes, k->object_bytes, (unsigned long long)(n * k->object_bytes),
                (unsigned long long)n);
}

static void info_totals(FILE *out, const struct slabkit_snapshot *s, const char *indent)
{
    uint64_t objs = free_objs(s), bytes = free_bytes(s);

    fprintf(out, "%s<total type=\"fast\" count=\"0\" size=\"0\"/>\n", indent);
    fprintf(out, "%s<total type=\"rest\" count=\"%llu\" size=\"%llu\"/>\n", indent,
            (unsigned long long)objs, (unsigned long long)bytes);
}

static void info_system(FILE *out, const struct slabkit_snapshot *s, const char *indent)
{
    unsigned long long now = s->mapped_bytes - s->huge_bytes;

    fprintf(out, "%s<system type=\"current\" size=\"%llu\"/>\n", indent, now);
    fprintf(out, "%s<system type=\"max\" size=\"%llu\"/>\n", indent,
            (unsigned long long)s->peak_bytes);
    fprintf(out, "%s<aspace type=\"total\" size=\"%llu\"/>\n", indent,
            (unsigned long long)s->reserved_bytes);
    fprintf(out, "%s<aspace type=\"mprotect\" size=\"%llu\"/>\n", indent, now);
}

static void info_write(FILE *out, const struct slabkit_snapshot *s)
{
    fprintf(out, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n");
    for (unsigned i = 0; i < s->classes; i++)
        info_class(out, &s->class_[i]);
    fprintf(out, "</sizes>\n");
    info_totals(out, s, "");
    info_system(out, s, "");
    fprintf(out, "</heap>\n");
    info_totals(out, s, "");
    fprintf(out, "<total type=\"mmap\" count=\"%llu\" size=\"%llu\"/>\n",
            (unsigned long long)s->huge_live, (unsigned long long)s->huge_bytes);
    info_system(out, s, "");
    fprintf(out, "</malloc>\n");
}

SK_EXPORT int malloc_info(int options, FILE *out)
{
    if (options != 0) {
        errno = EINVAL;
        return -1;
    }
    ctl_start();
    plat_lock(&look_lock);
    slabkit_snapshot(&look);
    info_write(out, &look);
    plat_unlock(&look_lock);
    return 0;
}

/* ---- tuning ---------------------------------------------------------------------------------- */

SK_EXPORT int malloc_trim(size_t pad)
{
    return ctl_start() && km_trim(pad) != 0;
}

/* Parameters of glibc's mallopt that have a meaning here, or are advice that cannot hurt. */
enum {
    OPT_TRIM_THRESHOLD = -1,
    OPT_TOP_PAD = -2,
    OPT_MMAP_THRESHOLD = -3,
    OPT_MMAP_MAX = -4,
    OPT_ARENA_TEST = -7,
    OPT_ARENA_MAX = -8,
};

SK_EXPORT int mallopt(int param, int value)
{
    if (value < 0)
        return 0;
    switch (param) {
    case OPT_TRIM_THRESHOLD:
    case OPT_TOP_PAD:
    case OPT_MMAP_THRESHOLD:
    case OPT_MMAP_MAX:
    case OPT_ARENA_TEST:
    case OPT_ARENA_MAX:
        return 1;
    default:
        return 0;
    }
}
