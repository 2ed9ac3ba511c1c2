/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see world.h.
 * Below: libgcc's unwinder, which is linked in statically; libc's dladdr, which takes the loader's lock.
 * Concurrency: any thread, holding no lock of the engine. The loader's lock may be held by this thread itself.
 * Failure: a stack that cannot be unwound ends early.
 * Why: the unwinder, not frame pointers: programs of the distributions have none. Not backtrace(3): it loads a library at its
 *       first call, and allocates for it.
 */
#define _GNU_SOURCE
#include "ctl/world.h"
#include "cache/debug.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

/* Between the unwinder's caller and the program; a bound, for when the program's frame is not there. */
#define FRAMES_OF_OURS 32u

/* ---- stacks -------------------------------------------------------------------------------------- */

struct walk {
    void *caller;
    void **pcs;
    unsigned n, max;
    unsigned skipped;
};

static _Unwind_Reason_Code walk_frame(struct _Unwind_Context *frame, void *arg)
{
    struct walk *w = arg;
    void *pc = (void *)_Unwind_GetIP(frame);

    if (w->n == 0 && pc != w->caller)
        return ++w->skipped < FRAMES_OF_OURS ? _URC_NO_REASON : _URC_END_OF_STACK;
    if (pc)
        w->pcs[w->n++] = pc;
    return pc && w->n < w->max ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static unsigned world_stack(void *caller, void **pcs, unsigned max)
{
    struct walk w = {.caller = caller, .pcs = pcs, .max = max};

    _Unwind_Backtrace(walk_frame, &w);
    return w.n;
}

/* ---- names --------------------------------------------------------------------------------------- */

static void put_offset(struct text *t, const void *pc, const void *base)
{
    text_str(t, "+0x");
    text_digits(t, (uintptr_t)pc - (uintptr_t)base, 16, 1);
}

/* "function+0x10 (file+0x1234)"; a function that is not exported has no name here, but addr2line knows it. */
static void world_symbol(struct text *t, const void *pc)
{
    const char *slash;
    Dl_info info;

    /* The call, not what comes after it: that may be another function. */
    if (!pc || !dladdr((const char *)pc - 1, &info))
        return;
    if (info.dli_sname) {
        text_str(t, info.dli_sname);
        put_offset(t, pc, info.dli_saddr);
        text_char(t, ' ');
    }
    slash = strrchr(info.dli_fname, '/');
    text_char(t, '(');
    text_str(t, slash ? slash + 1 : info.dli_fname);
    put_offset(t, pc, info.dli_fbase);
    text_char(t, ')');
}

void world_name_code(struct text *t, const void *fn)
{
    const char *slash;
    Dl_info info;

    if (!dladdr(fn, &info)) {
        text_address(t, fn);
    } else if (info.dli_sname && info.dli_saddr == fn) {
        text_str(t, info.dli_sname);
    } else {
        slash = strrchr(info.dli_fname, '/');
        text_str(t, slash ? slash + 1 : info.dli_fname);
        put_offset(t, fn, info.dli_fbase);
    }
}

/* ---- ids ------------------------------------------------------------------------------------------ */

static uint32_t process; /* atomic */
static SK_TLS uint32_t thread, thread_process;

/* One system call for each thread of each process. */
static void world_ids(uint32_t *pid, uint32_t *tid)
{
    *pid = sk_load_relaxed(&process);
    if (thread_process != *pid) {
        thread = (uint32_t)gettid();
        thread_process = *pid;
    }
    *tid = thread;
}

void world_fork_child(void)
{
    sk_store_relaxed(&process, (uint32_t)getpid());
}

void world_install(void)
{
    static const struct kmem_debug_world hosted = {world_stack, world_symbol, world_ids};

    sk_store_relaxed(&process, (uint32_t)getpid());
    kmem_debug_set_world(&hosted);
}
