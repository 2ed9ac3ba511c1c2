/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: pages from the system: reserve, commit, discard, map, remap.
 * Below: sys.h.
 * Owns: address space set aside at the start, the failure injection.
 * Concurrency: any context; the injection counter and the end of what is set aside are atomic.
 * Failure: NULL or false; errno is not touched.
 * Why: reserved pages have no access, and get it when committed. Writable ones, however lazily the
 *       system counts them, would be charged where it is strict, and made resident by mlockall. Set
 *       aside in one mapping, since small reservations are made at the start of every process; and
 *       its begin made usable at once, since most of these are.
 */
#define _GNU_SOURCE
#include "plat/linux/pages.h"
#include "plat/linux/file.h"
#include "plat/linux/sys.h"
#include "plat/plat.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define ASIDE_BYTES  ((size_t)4 << 30)
#define USABLE_BYTES ((size_t)20 << 20)

/* Address space that is handed out from its begin on. */
struct aside {
    char *end; /* constant after the start */
    char *at;  /* atomic: what is before it is reserved; NULL: nothing is set aside */
};

static struct {
    char *begin;
    struct aside usable, reserved; /* in this order, together ASIDE_BYTES */
} aside;

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

#define STATM_ALL  0u /* pages mapped */
#define STATM_DATA 5u /* pages of it that are writable and private, stacks included */

/* A field of statm in bytes; 0 when it cannot be read. */
static size_t statm_bytes(unsigned field)
{
    char text[128];
    size_t n = file_read("/proc/self/statm", text, sizeof(text)), i = 0, pages = 0;

    for (; i < n && field != 0; i++)
        field -= text[i] == ' ';
    for (; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        pages = pages * 10 + (size_t)(text[i] - '0');
    return pages * plat_sys_page_bytes();
}

static size_t left_of(int resource, unsigned statm_field)
{
    struct {
        uint64_t cur, max;
    } limit;
    size_t used;

    if (sys_failed(sys_call4(SYS_prlimit64, 0, resource, NULL, &limit)) || limit.cur == ~0ull)
        return SIZE_MAX;
    used = statm_bytes(statm_field);
    return limit.cur > used ? limit.cur - used : 0;
}

/* Where something was set aside there is none, as of the start. */
size_t plat_resident_limit_bytes(void)
{
    if (aside.begin)
        return SIZE_MAX;
    return sk_min(left_of(RLIMIT_AS, STATM_ALL), left_of(RLIMIT_DATA, STATM_DATA));
}

/* ---- mapping ------------------------------------------------------------------------------- */

static char *pages_mmap_near(char *hint, size_t bytes, int prot, int flags)
{
    long ret = sys_call6(SYS_mmap, (long)hint, (long)bytes, prot,
                         MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

    return sys_failed(ret) ? NULL : (char *)ret;
}

static char *pages_mmap(size_t bytes, int prot, int flags)
{
    return pages_mmap_near(NULL, bytes, prot, flags);
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

/* No margin: it may happen to fit. */
static char *pages_map_tight(char *hint, size_t bytes, size_t align, int prot, int flags)
{
    char *p = pages_mmap_near(hint, bytes, prot, flags);

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
    return pages_map_tight(NULL, bytes, align, prot, flags);
}

/* ---- variables ----------------------------------------------------------------------------- */

/* The linker's, in shared libraries. */
extern char slabkit_often_begin[] __attribute__((weak)) PLAT_HIDDEN;
extern char slabkit_often_end[] __attribute__((weak)) PLAT_HIDDEN;

void pages_touch_often(void)
{
    size_t page = plat_sys_page_bytes();
    uintptr_t begin = sk_align_down((uintptr_t)slabkit_often_begin, page);
    uintptr_t end = sk_align_up((uintptr_t)slabkit_often_end, page);

    if (begin != end)
        sys_call3(SYS_madvise, begin, end - begin, MADV_POPULATE_WRITE);
}

/* ---- reservations -------------------------------------------------------------------------- */

static void aside_open(struct aside *as, char *begin, size_t bytes)
{
    as->end = begin + bytes;
    sk_store_release(&as->at, begin);
}

/* Not where address space is limited. */
void pages_set_aside(void)
{
    char *p;

    if (plat_resident_limit_bytes() != SIZE_MAX)
        return;
    p = pages_mmap(ASIDE_BYTES, PROT_NONE, MAP_NORESERVE);
    if (p == NULL)
        return;
    sys_call3(SYS_madvise, p, ASIDE_BYTES, MADV_NOHUGEPAGE);
    aside.begin = p;
    if (!sys_failed(sys_call3(SYS_mprotect, p, USABLE_BYTES, PROT_READ | PROT_WRITE)))
        aside_open(&aside.usable, p, USABLE_BYTES);
    aside_open(&aside.reserved, p + USABLE_BYTES, ASIDE_BYTES - USABLE_BYTES);
}

static bool aside_holds(const char *p)
{
    return aside.begin && (size_t)(p - aside.begin) < ASIDE_BYTES;
}

static bool aside_usable(const char *p)
{
    return aside.usable.end && (size_t)(p - aside.begin) < USABLE_BYTES;
}

static char *aside_take(struct aside *from, size_t bytes, size_t align)
{
    char *at = sk_load_acquire(&from->at), *p;

    do {
        p = (char *)sk_align_up((uintptr_t)at, align);
        if (at == NULL || p > from->end || bytes > (size_t)(from->end - p))
            return NULL;
    } while (!sk_cas_acquire(&from->at, &at, p + bytes));
    return p;
}

/* What is below the space set aside is free, most probably: aligned without a margin to cut off. */
static char *below_aside(size_t bytes, size_t align)
{
    uintptr_t end = (uintptr_t)aside.begin;

    if (end < bytes)
        return NULL;
    return pages_map_tight((char *)sk_align_down(end - bytes, align), bytes, align, PROT_NONE,
                           MAP_NORESERVE);
}

void *plat_reserve(size_t bytes, size_t align)
{
    char *p;

    if (refused())
        return NULL;
    align = sk_max(align, plat_sys_page_bytes());
    p = aside_take(&aside.usable, bytes, align);
    if (p == NULL)
        p = aside_take(&aside.reserved, bytes, align);
    if (p == NULL)
        p = below_aside(bytes, align);
    return p != NULL ? p : pages_map_aligned(bytes, align, PROT_NONE, MAP_NORESERVE);
}

static bool pages_allow(void *p, size_t bytes, int prot)
{
    return !refused() && (aside_usable(p) || !sys_failed(sys_call3(SYS_mprotect, p, bytes, prot)));
}

bool plat_commit(void *p, size_t bytes)
{
    return pages_allow(p, bytes, PROT_READ | PROT_WRITE);
}

bool plat_commit_zeros(void *p, size_t bytes)
{
    return pages_allow(p, bytes, PROT_READ);
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
    if (!plat_refusing() && (want || !aside_holds(p)))
        sys_call3(SYS_madvise, p, bytes, want ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}
