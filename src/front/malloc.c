/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the malloc family of C, POSIX and glibc.
 * Below: kmalloc for everything; ctl to start.
 *
 *     malloc -> km_alloc_hit -> (miss) front_alloc_slow -> ctl_start, km_alloc_slow -> ctl_poke
 *     free   -> pcpu_free_hit -> (miss) front_free_slow -> km_free_slow -> ctl_poke
 *
 * Failure: NULL with ENOMEM, also above PTRDIFF_MAX; EINVAL for a bad alignment. free keeps errno:
 *       nothing below uses the C library's errno.
 * Sources: ISO C23 7.24.3, POSIX.1-2024, the glibc manual for the rest.
 */
#include "front/front.h"
#include "front/malloc.h"

static SK_COLD void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* Where blocks have types every call comes by here: see typed.h. */
SK_NOINLINE void *front_alloc_slow(size_t size, struct typed_by by)
{
    void *p = ctl_types ? typed_alloc(size, 1, false, by) : km_alloc_coarse_hit(size);

    if (SK_LIKELY(p != NULL))
        return p;
    if (!ctl_start())
        return no_memory();
    p = ctl_types ? typed_alloc(size, 1, false, by) : km_alloc_slow(size);
    ctl_poke();
    return p ? p : no_memory();
}

SK_NOINLINE void *front_alloc_tail(size_t size)
{
    return front_alloc_slow(size, FRONT_CALLER);
}

SK_NOINLINE void front_free_slow(void *p)
{
    if (!p)
        return;
    if (ctl_types) {
        typed_free(p);
        return;
    }
    km_free_slow(p);
    ctl_poke();
}

void *front_aligned(size_t align, size_t size, struct typed_by by)
{
    void *p;

    if (!ctl_start() || align > KM_SIZE_MAX)
        return NULL;
    p = ctl_types ? typed_alloc(size, align, false, by) : km_alloc_aligned(size, align);
    ctl_poke();
    return p;
}

static void *enomem(void *p)
{
    return SK_LIKELY(p != NULL) ? p : no_memory();
}

/* ---- what each call means, whoever makes it -------------------------------------------------- */

void *front_calloc(size_t n, size_t size, struct typed_by by)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes) || !ctl_start())
        return enomem(NULL);
    return enomem(ctl_types ? typed_alloc(bytes, 1, true, by) : km_zalloc(bytes));
}

void *front_realloc(void *p, size_t size, struct typed_by by)
{
    if (!p)
        return front_alloc_by(size, by);
    if (size == 0) {
        front_free(p);
        return NULL;
    }
    p = enomem(ctl_types ? typed_realloc(p, size, by) : km_realloc(p, size));
    ctl_poke();
    return p;
}

void *front_reallocarray(void *p, size_t n, size_t size, struct typed_by by)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        return enomem(NULL);
    return front_realloc(p, bytes, by);
}

void *front_aligned_alloc(size_t align, size_t size, struct typed_by by)
{
    if (!sk_is_pow2(align)) {
        errno = EINVAL;
        return NULL;
    }
    return enomem(front_aligned(align, size, by));
}

int front_posix_memalign(void **out, size_t align, size_t size, struct typed_by by)
{
    void *p;

    if (!sk_is_pow2(align) || align % sizeof(void *) != 0)
        return EINVAL;
    p = front_aligned(align, size, by);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

/* As glibc: an alignment that is no power of two is rounded up to one. */
void *front_memalign(size_t align, size_t size, struct typed_by by)
{
    if (align > KM_SIZE_MAX) {
        errno = EINVAL;
        return NULL;
    }
    return enomem(front_aligned((size_t)1 << sk_log2_ceil(sk_max(align, 1)), size, by));
}

void *front_valloc(size_t size, struct typed_by by)
{
    return ctl_start() ? enomem(front_aligned(plat_sys_page_bytes(), size, by)) : enomem(NULL);
}

void *front_pvalloc(size_t size, struct typed_by by)
{
    size_t page = ctl_start() ? plat_sys_page_bytes() : 0;

    if (!page || size > KM_SIZE_MAX)
        return enomem(NULL);
    return enomem(front_aligned(page, sk_align_up(sk_max(size, 1), page), by));
}

/* ---- C --------------------------------------------------------------------------------------- */

/* On a line of its own each: malloc's hit is two lines long, and takes a tenth longer across three. */
SK_EXPORT SK_CACHE_ALIGNED void *malloc(size_t size)
{
    return front_alloc(size);
}

SK_EXPORT SK_CACHE_ALIGNED void free(void *p)
{
    front_free(p);
}

SK_EXPORT void *calloc(size_t n, size_t size)
{
    return front_calloc(n, size, FRONT_CALLER);
}

SK_EXPORT void *realloc(void *p, size_t size)
{
    return front_realloc(p, size, FRONT_CALLER);
}

SK_EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
    return front_reallocarray(p, n, size, FRONT_CALLER);
}

SK_EXPORT void *aligned_alloc(size_t align, size_t size)
{
    return front_aligned_alloc(align, size, FRONT_CALLER);
}

SK_EXPORT void free_sized(void *p, size_t size)
{
    if (p)
        km_check_sized(p, size, 0);
    front_free(p);
}

SK_EXPORT void free_aligned_sized(void *p, size_t align, size_t size)
{
    if (p)
        km_check_sized(p, size, align);
    front_free(p);
}

/* ---- POSIX, glibc ---------------------------------------------------------------------------- */

SK_EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
    return front_posix_memalign(out, align, size, FRONT_CALLER);
}

SK_EXPORT void *memalign(size_t align, size_t size)
{
    return front_memalign(align, size, FRONT_CALLER);
}

SK_EXPORT void *valloc(size_t size)
{
    return front_valloc(size, FRONT_CALLER);
}

SK_EXPORT void *pvalloc(size_t size)
{
    return front_pvalloc(size, FRONT_CALLER);
}

SK_EXPORT size_t malloc_usable_size(void *p)
{
    return p ? km_usable(p, "malloc_usable_size") : 0;
}
