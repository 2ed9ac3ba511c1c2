/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: kmalloc and kfree of one size and type, set against malloc and free of the same size.
 * Why: what the exact account by type costs on the hit path; both are called through pointers.
 */
#include "ours.h"
#include "workloads.h"

#define TYPED_PAIRS 1000u /* in one call */
#define TYPED_CALLS 16000u

struct typed {
    const struct typed_calls *ty_typed;
    const struct malloc_calls *ty_malloc;
    struct malloc_type *ty_type;
    size_t ty_bytes;
};

static void typed_pairs(void *arg)
{
    const struct typed *ty = arg;

    for (unsigned i = 0; i < TYPED_PAIRS; i++) {
        void *p = ty->ty_typed->alloc(ty->ty_bytes, ty->ty_type, M_WAITOK);

        work_touch(p);
        ty->ty_typed->free(p, ty->ty_type);
    }
}

static void malloc_pairs(void *arg)
{
    const struct typed *ty = arg;

    for (unsigned i = 0; i < TYPED_PAIRS; i++) {
        void *p = ty->ty_malloc->alloc(ty->ty_bytes);

        work_touch(p);
        ty->ty_malloc->free(p);
    }
}

static void typed_run(const struct workload *wl, struct outcome *oc)
{
    struct typed ty = {
        .ty_typed = ours_typed(), .ty_malloc = ours_malloc(), .ty_bytes = wl->wl_bytes};
    const struct two_ways ways = {.tw_versus = "kmalloc and kfree / malloc and free",
                                  .tw_one = typed_pairs,
                                  .tw_other = malloc_pairs,
                                  .tw_arg = &ty,
                                  .tw_calls = TYPED_CALLS,
                                  .tw_ops = TYPED_PAIRS};

    if (!ty.ty_typed) {
        oc->oc_absent = "no allocation by type";
        return;
    }
    ty.ty_type = ty.ty_typed->create("bench", "blocks of the benchmark", 0);
    if (!ty.ty_type)
        work_die("malloc_type_create returned NULL");
    work_two_ways(oc, &ways);
    if (ty.ty_typed->destroy(ty.ty_type))
        work_die("memory of the type is still in use");
}

const struct workload typed_workloads[] = {
    {"kmalloc-64", "kmalloc/kfree pair on one CPU, 64 B", false, 1, typed_run, 64, 0},
    {0},
};
