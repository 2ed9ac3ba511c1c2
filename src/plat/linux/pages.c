/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: pages from the system: reserve, commit, discard, map, remap.
 * Below: sys.h.
 * Owns: how the system accounts memory (read once), the failure injection.
 * Concurrency: any context; the injection counter is atomic, the accounting mode is idempotent.
 * Failure: NULL or false; errno is not touched.
 */
#define _GNU_SOURCE
#include "plat/plat.h"
#include "plat/linux/file.h"
#include "plat/linux/sys.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum accounting {
    ACCOUNTING_UNKNOWN,
    ACCOUNTING_LAZY,
    ACCOUNTING_STRICT
};

static enum accounting accounting;

/* Calls still to succeed plus one; 0: off. */
static unsigned fail_in;
static bool fail_sticky;
static uint64_t memory_calls;

/* ---- failure injection -------------------------------------------------------------------- */

void plat_fail_after(unsigned n, bool sticky)
{
    fail_sticky = sticky;
    sk_store_release(&fail_in, n);
}

uint64_t plat_memory_calls(void)
{
    return sk_load_relaxed(&memory_calls);
}

/* Takes one from the counter; at 1 this call fails, and stays there when sticky. */
static SK_COLD bool injected_failure_slow(void)
{
    unsigned n = sk_load_acquire(&fail_in);

    while (n != 0) {
        if (n == 1 && fail_sticky)
            return true;
        if (sk_cas_relaxed(&fail_in, &n, n - 1))
            return n == 1;
    }
    return false;
}

static bool refused(void)
{
    if (SK_UNLIKELY(plat_refusing()))
        return true;
    sk_add_relaxed(&memory_calls, 1);
    return SK_UNLIKELY(sk_load_relaxed(&fail_in) != 0) && injected_failure_slow();
}

/* ---- what the system is like --------------------------------------------------------------- */

size_t plat_sys_page_bytes(void)
{
    static size_t page_bytes; /* atomic: every writer stores the same */
    size_t bytes = sk_load_relaxed(&page_bytes);

    if (SK_UNLIKELY(bytes == 0)) {
        bytes = getauxval(AT_PAGESZ);
        bytes = bytes != 0 ? bytes : SYS_SMALLEST_PAGE;
        sk_store_relaxed(&page_bytes, bytes);
    }
    return bytes;
}

/* With strict accounting writable address space is charged when mapped, whatever the flags. */
static bool accounting_strict(void)
{
    enum accounting a = sk_load_relaxed(&accounting);
    char mode = '0';

    if (a == ACCOUNTING_UNKNOWN) {
        file_read("/proc/sys/vm/overcommit_memory", &mode, 1);
        a = mode == '2' ? ACCOUNTING_STRICT : ACCOUNTING_LAZY;
        sk_store_relaxed(&accounting, a);
    }
    return a == ACCOUNTING_STRICT;
}

/* The first field of statm: pages mapped. 0 when it cannot be read. */
static size_t mapped_bytes(void)
{
    char text[32];
    size_t n = file_read("/proc/self/statm", text, sizeof(text));
    size_t pages = 0;

    for (size_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        pages = pages * 10 + (size_t)(text[i] - '0');
    return pages * plat_sys_page_bytes();
}

size_t plat_resident_limit_bytes(void)
{
    struct {
        uint64_t cur, max;
    } limit;
    size_t used;

    if (sys_failed(sys_call4(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit)) || limit.cur == ~0ull)
        return SIZE_MAX;
    used = mapped_bytes();
    return limit.cur > used ? limit.cur - used : 0;
}

/* ---- mapping ------------------------------------------------------------------------------- */

static char *pages_mmap(size_t bytes, int prot, int flags)
{
    long ret =
        sys_call6(SYS_mmap, 0, (long)bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

    return sys_failed(ret) ? NULL : (char *)ret;
}

void plat_release(void *p, size_t bytes)
{
    if (bytes != 0)
        sys_call2(SYS_munmap, p, bytes);
}

/* Cuts [p, p + total) down to bytes at the first multiple of align. */
static char *pages_trim(char *p, size_t total, size_t bytes, size_t align)
{
    char *at = (char *)sk_align_up((uintptr_t)p, align);
    size_t head = (size_t)(at - p);

    plat_release(p, head);
    plat_release(at + bytes, total - head - bytes);
    return at;
}

/* Where the limit leaves no room for the margin, an exact mapping may still happen to fit. */
static char *pages_map_tight(size_t bytes, size_t align, int prot, int flags)
{
    char *p = pages_mmap(bytes, prot, flags);

    if (p != NULL && ((uintptr_t)p & (align - 1)) != 0) {
        plat_release(p, bytes);
        p = NULL;
    }
    return p;
}

static char *pages_map_aligned(size_t bytes, size_t align, int prot, int flags)
{
    size_t page = plat_sys_page_bytes();
    size_t total;
    char *p;

    if (align <= page)
        return pages_mmap(bytes, prot, flags);
    if (__builtin_add_overflow(bytes, align - page, &total))
        return NULL;
    p = pages_mmap(total, prot, flags);
    if (p != NULL)
        return pages_trim(p, total, bytes, align);
    return pages_map_tight(bytes, align, prot, flags);
}

void *plat_reserve(size_t bytes, size_t align)
{
    if (refused())
        return NULL;
    if (accounting_strict())
        return pages_map_aligned(bytes, align, PROT_NONE, MAP_NORESERVE);
    return pages_map_aligned(bytes, align, PROT_READ | PROT_WRITE, MAP_NORESERVE);
}

bool plat_commit(void *p, size_t bytes)
{
    if (refused())
        return false;
    return !accounting_strict() ||
           !sys_failed(sys_call3(SYS_mprotect, p, bytes, PROT_READ | PROT_WRITE));
}

void plat_discard(void *p, size_t bytes)
{
    sys_call3(SYS_madvise, p, bytes, MADV_DONTNEED);
}

void plat_decommit(void *p, size_t bytes)
{
    plat_discard(p, bytes);
}

void *plat_map(size_t bytes, size_t align)
{
    if (refused())
        return NULL;
    return pages_map_aligned(bytes, align, PROT_READ | PROT_WRITE, 0);
}

static char *pages_mremap(void *p, size_t old_bytes, size_t new_bytes, int flags, void *to)
{
    long ret = sys_call5(SYS_mremap, p, old_bytes, new_bytes, flags, to);

    return sys_failed(ret) ? NULL : (char *)ret;
}

/* The kernel alone would move to any system page; a block must begin on one of ours. */
static char *pages_move(void *p, size_t old_bytes, size_t new_bytes)
{
    char *to = pages_map_aligned(new_bytes, PLAT_PAGE_BYTES, PROT_NONE, MAP_NORESERVE);
    char *moved;

    if (to == NULL)
        return NULL;
    moved = pages_mremap(p, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    if (moved == NULL)
        plat_release(to, new_bytes);
    return moved;
}

void *plat_remap(void *p, size_t old_bytes, size_t new_bytes)
{
    char *same;

    if (refused())
        return NULL;
    same = pages_mremap(p, old_bytes, new_bytes, 0, NULL);
    return same != NULL ? same : pages_move(p, old_bytes, new_bytes);
}

void plat_hugepages(void *p, size_t bytes, bool want)
{
    if (!plat_refusing())
        sys_call3(SYS_madvise, p, bytes, want ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}
