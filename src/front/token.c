/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the calls that Clang's -fsanitize=alloc-token makes instead of malloc and operator new: with
 *       the token as last argument, or (-fsanitize-alloc-token-fast-abi) in the name, for tokens
 *       0 to 15. With option types=token the token is the block's type; without it they
 *       are malloc.
 * Below: front.h.
 * Source: clang/docs/AllocToken: __alloc_token_ and the name; __alloc_token_N_ and the name.
 * Why: the fast names jump to the others with their token: what differs is one instruction.
 */
#include "front/front.h"

#define BY_TOKEN ((struct typed_by){.token = token})

/* For each of the family: with the token as the last parameter, and by name for each fast token. */
#define PARAMS(...) __VA_ARGS__

#define FAST(n, name, symbol, type, params, args)                                                  \
    SK_EXPORT type token_##n##_##name params __asm__("__alloc_token_" #n "_" symbol);              \
    SK_EXPORT type token_##n##_##name params                                                       \
    {                                                                                              \
        return token_##name(PARAMS args, n);                                                       \
    }

#define FAST_4(a, b, c, d, ...)                                                                    \
    FAST(a, __VA_ARGS__) FAST(b, __VA_ARGS__) FAST(c, __VA_ARGS__) FAST(d, __VA_ARGS__)

#define TOKEN(name, symbol, type, params, args, value)                                             \
    SK_EXPORT type token_##name(PARAMS params, size_t token) __asm__("__alloc_token_" symbol);     \
    SK_EXPORT type token_##name(PARAMS params, size_t token)                                       \
    {                                                                                              \
        return value;                                                                              \
    }                                                                                              \
    FAST_4(0, 1, 2, 3, name, symbol, type, params, args)                                           \
    FAST_4(4, 5, 6, 7, name, symbol, type, params, args)                                           \
    FAST_4(8, 9, 10, 11, name, symbol, type, params, args)                                         \
    FAST_4(12, 13, 14, 15, name, symbol, type, params, args)

/* ---- C, POSIX, glibc -------------------------------------------------------------------------- */

TOKEN(malloc, "malloc", void *, (size_t size), (size), front_alloc_by(size, BY_TOKEN))
TOKEN(calloc, "calloc", void *, (size_t n, size_t size), (n, size), front_calloc(n, size, BY_TOKEN))
TOKEN(realloc, "realloc", void *, (void *p, size_t size), (p, size),
      front_realloc(p, size, BY_TOKEN))
TOKEN(reallocarray, "reallocarray", void *, (void *p, size_t n, size_t size), (p, n, size),
      front_reallocarray(p, n, size, BY_TOKEN))
TOKEN(aligned_alloc, "aligned_alloc", void *, (size_t align, size_t size), (align, size),
      front_aligned_alloc(align, size, BY_TOKEN))
TOKEN(posix_memalign, "posix_memalign", int, (void **out, size_t align, size_t size),
      (out, align, size), front_posix_memalign(out, align, size, BY_TOKEN))
TOKEN(memalign, "memalign", void *, (size_t align, size_t size), (align, size),
      front_memalign(align, size, BY_TOKEN))
TOKEN(valloc, "valloc", void *, (size_t size), (size), front_valloc(size, BY_TOKEN))
TOKEN(pvalloc, "pvalloc", void *, (size_t size), (size), front_pvalloc(size, BY_TOKEN))

/* ---- operator new ----------------------------------------------------------------------------- */

#define UNUSED_TAG const void *tag __attribute__((unused))

#define NEW_TOKEN(name, symbol, params, args, align, nothrow)                                      \
    TOKEN(name, symbol, void *, params, args, front_new_by(size, align, nothrow, BY_TOKEN))

NEW_TOKEN(new, "_Znwm", (size_t size), (size), 0, false)
NEW_TOKEN(new_array, "_Znam", (size_t size), (size), 0, false)
NEW_TOKEN(new_nothrow, "_ZnwmRKSt9nothrow_t", (size_t size, UNUSED_TAG), (size, tag), 0, true)
NEW_TOKEN(new_array_nothrow, "_ZnamRKSt9nothrow_t", (size_t size, UNUSED_TAG), (size, tag), 0, true)
NEW_TOKEN(new_aligned, "_ZnwmSt11align_val_t", (size_t size, size_t align), (size, align), align,
          false)
NEW_TOKEN(new_array_aligned, "_ZnamSt11align_val_t", (size_t size, size_t align), (size, align),
          align, false)
NEW_TOKEN(new_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t",
          (size_t size, size_t align, UNUSED_TAG), (size, align, tag), align, true)
NEW_TOKEN(new_array_aligned_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t",
          (size_t size, size_t align, UNUSED_TAG), (size, align, tag), align, true)
