/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: every replaceable operator new and operator delete of C++17 to C++23, by mangled name.
 * Below: front.h.
 * Failure: as [new.delete.single]: the new-handler is called until it gives up; then the throwing
 *       forms throw std::bad_alloc, the nothrow forms return NULL.
 * Why: in C, with libstdc++ reached only through weak symbols, so that C programs need no C++
 * library.
 */
#include "front/front.h"

typedef void (*new_handler)(void);

extern new_handler std_get_new_handler(void) __asm__("_ZSt15get_new_handlerv")
    __attribute__((weak));
extern _Noreturn void std_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv")
    __attribute__((weak));

static void *once(size_t size, size_t align, struct typed_by by)
{
    return align ? front_aligned(align, size, by) : front_alloc_by(size, by);
}

/* Throws through std_throw_bad_alloc: this file is compiled with unwind tables. */
SK_NOINLINE void *front_new_by(size_t size, size_t align, bool nothrow, struct typed_by by)
{
    void *p;

    while (!(p = once(size, align, by))) {
        new_handler handler = std_get_new_handler ? std_get_new_handler() : NULL;

        if (handler)
            handler();
        else if (nothrow)
            return NULL;
        else if (std_throw_bad_alloc)
            std_throw_bad_alloc();
        else
            plat_panic("slabkit: operator new: out of memory, and no C++ library to throw");
    }
    return p;
}

SK_NOINLINE void *front_new_tail(size_t size, size_t align, bool nothrow)
{
    return front_new_by(size, align, nothrow, FRONT_CALLER);
}

SK_INLINE void *new_hit(size_t size, size_t align, bool nothrow)
{
    void *p = align ? NULL : km_alloc_hit(size);

    return SK_LIKELY(p != NULL) ? p : front_new_tail(size, align, nothrow);
}

#define NEW(symbol, name, params, align, nothrow)                                                  \
    SK_EXPORT void *name params __asm__(symbol);                                                   \
    SK_EXPORT void *name params                                                                    \
    {                                                                                              \
        return new_hit(size, align, nothrow);                                                      \
    }

NEW("_Znwm", cxx_new, (size_t size), 0, false)
NEW("_Znam", cxx_new_array, (size_t size), 0, false)
NEW("_ZnwmRKSt9nothrow_t", cxx_new_nothrow, (size_t size, const void *tag __attribute__((unused))),
    0, true)
NEW("_ZnamRKSt9nothrow_t", cxx_new_array_nothrow,
    (size_t size, const void *tag __attribute__((unused))), 0, true)
NEW("_ZnwmSt11align_val_t", cxx_new_aligned, (size_t size, size_t align), align, false)
NEW("_ZnamSt11align_val_t", cxx_new_array_aligned, (size_t size, size_t align), align, false)
NEW("_ZnwmSt11align_val_tRKSt9nothrow_t", cxx_new_aligned_nothrow,
    (size_t size, size_t align, const void *tag __attribute__((unused))), align, true)
NEW("_ZnamSt11align_val_tRKSt9nothrow_t", cxx_new_array_aligned_nothrow,
    (size_t size, size_t align, const void *tag __attribute__((unused))), align, true)

#define DELETE(symbol, name, ...)                                                                  \
    SK_EXPORT void name(void *p, ##__VA_ARGS__) __asm__(symbol);                                   \
    SK_EXPORT void name(void *p, ##__VA_ARGS__)                                                    \
    {                                                                                              \
        front_free(p);                                                                             \
    }

#define UNUSED_SIZE  size_t size __attribute__((unused))
#define UNUSED_ALIGN size_t align __attribute__((unused))
#define UNUSED_TAG   const void *tag __attribute__((unused))

DELETE("_ZdlPv", cxx_delete)
DELETE("_ZdaPv", cxx_delete_array)
DELETE("_ZdlPvm", cxx_delete_sized, UNUSED_SIZE)
DELETE("_ZdaPvm", cxx_delete_array_sized, UNUSED_SIZE)
DELETE("_ZdlPvRKSt9nothrow_t", cxx_delete_nothrow, UNUSED_TAG)
DELETE("_ZdaPvRKSt9nothrow_t", cxx_delete_array_nothrow, UNUSED_TAG)
DELETE("_ZdlPvSt11align_val_t", cxx_delete_aligned, UNUSED_ALIGN)
DELETE("_ZdaPvSt11align_val_t", cxx_delete_array_aligned, UNUSED_ALIGN)
DELETE("_ZdlPvmSt11align_val_t", cxx_delete_sized_aligned, UNUSED_SIZE, UNUSED_ALIGN)
DELETE("_ZdaPvmSt11align_val_t", cxx_delete_array_sized_aligned, UNUSED_SIZE, UNUSED_ALIGN)
DELETE("_ZdlPvSt11align_val_tRKSt9nothrow_t", cxx_delete_aligned_nothrow, UNUSED_ALIGN, UNUSED_TAG)
DELETE("_ZdaPvSt11align_val_tRKSt9nothrow_t", cxx_delete_array_aligned_nothrow, UNUSED_ALIGN,
       UNUSED_TAG)
