/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: every form of C++'s operator new and delete: it comes from where malloc comes from, it
 *       allocates and frees, it fails as C++ says.
 * Why: the program is built without knowing slabkit; preload or static linking brings it.
 */
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <malloc.h>

#include "expect.h"

namespace
{

const char *const forms[] = {
    "_Znwm",
    "_Znam",
    "_ZnwmRKSt9nothrow_t",
    "_ZnamRKSt9nothrow_t",
    "_ZnwmSt11align_val_t",
    "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdaPvm",
    "_ZdlPvRKSt9nothrow_t",
    "_ZdaPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t",
    "_ZdaPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t",
    "_ZdaPvmSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

const std::size_t sizes[] = {0, 1, 8, 24, 100, 1000, 5000, 33000, 200000, 3 << 20};

void *object_of(const char *symbol)
{
    void *address = dlsym(RTLD_DEFAULT, symbol);
    Dl_info info;

    EXPECT(address != nullptr);
    EXPECT(dladdr(address, &info) != 0);
    return info.dli_fbase;
}

void forms_come_from_malloc()
{
    void *allocator = object_of("malloc");

    for (const char *form : forms)
        if (object_of(form) != allocator) {
            std::fprintf(stderr, "%s does not come from where malloc comes from\n", form);
            std::exit(1);
        }
}

template <typename T> T hidden(T value)
{
    return reinterpret_cast<T>(opaque(reinterpret_cast<void *>(value)));
}

void *checked(void *p, std::size_t size, std::size_t align)
{
    EXPECT(p != nullptr);
    EXPECT(reinterpret_cast<std::uintptr_t>(p) % align == 0);
    EXPECT(malloc_usable_size(p) >= size);
    fill(p, size, 0x3c);
    return p;
}

void plain_forms(std::size_t n)
{
    const std::size_t align = n < 16 ? 8 : 16;

    ::operator delete(checked(::operator new(n), n, align));
    ::operator delete(checked(::operator new(n), n, align), n);
    ::operator delete(checked(::operator new(n, std::nothrow), n, align), std::nothrow);
    ::operator delete[](checked(::operator new[](n), n, align));
    ::operator delete[](checked(::operator new[](n), n, align), n);
    ::operator delete[](checked(::operator new[](n, std::nothrow), n, align), std::nothrow);
}

void aligned_forms(std::size_t n, std::size_t a)
{
    const std::align_val_t align{a};

    ::operator delete(checked(::operator new(n, align), n, a), align);
    ::operator delete(checked(::operator new(n, align), n, a), n, align);
    ::operator delete(checked(::operator new(n, align, std::nothrow), n, a), align, std::nothrow);
    ::operator delete[](checked(::operator new[](n, align), n, a), align);
    ::operator delete[](checked(::operator new[](n, align), n, a), n, align);
    ::operator delete[](checked(::operator new[](n, align, std::nothrow), n, a), align,
                        std::nothrow);
}

void deletes_of_null()
{
    const std::align_val_t align{64};

    ::operator delete(opaque(nullptr));
    ::operator delete(opaque(nullptr), 10);
    ::operator delete(opaque(nullptr), std::nothrow);
    ::operator delete(opaque(nullptr), align);
    ::operator delete(opaque(nullptr), 10, align);
    ::operator delete(opaque(nullptr), align, std::nothrow);
    ::operator delete[](opaque(nullptr));
    ::operator delete[](opaque(nullptr), 10);
    ::operator delete[](opaque(nullptr), std::nothrow);
    ::operator delete[](opaque(nullptr), align);
    ::operator delete[](opaque(nullptr), 10, align);
    ::operator delete[](opaque(nullptr), align, std::nothrow);
}

/* What no machine has: more than PTRDIFF_MAX, and just less. */
const std::size_t absurd[] = {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 65536};

template <typename F> bool throws_bad_alloc(F call)
{
    try {
        opaque(call());
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

void failing_forms(std::size_t n)
{
    const std::align_val_t align{64};

    EXPECT(throws_bad_alloc([&] { return ::operator new(n); }));
    EXPECT(throws_bad_alloc([&] { return ::operator new[](n); }));
    EXPECT(throws_bad_alloc([&] { return ::operator new(n, align); }));
    EXPECT(throws_bad_alloc([&] { return ::operator new[](n, align); }));
    EXPECT(opaque(::operator new(n, std::nothrow)) == nullptr);
    EXPECT(opaque(::operator new[](n, std::nothrow)) == nullptr);
    EXPECT(opaque(::operator new(n, align, std::nothrow)) == nullptr);
    EXPECT(opaque(::operator new[](n, align, std::nothrow)) == nullptr);
}

/* The handler is called until there is none, then the failure is told. */
int handler_calls;

void handler_that_gives_up()
{
    if (++handler_calls % 3 == 0)
        std::set_new_handler(nullptr);
}

struct handler_error {
};

[[noreturn]] void handler_that_throws()
{
    throw handler_error();
}

void new_handler_is_called(std::size_t n)
{
    handler_calls = 0;
    std::set_new_handler(handler_that_gives_up);
    EXPECT(throws_bad_alloc([&] { return ::operator new(n); }));
    EXPECT(handler_calls == 3);
    std::set_new_handler(handler_that_gives_up);
    EXPECT(opaque(::operator new(n, std::nothrow)) == nullptr);
    EXPECT(handler_calls == 6);
}

void new_handler_may_throw(std::size_t n)
{
    bool thrown = false;

    std::set_new_handler(handler_that_throws);
    try {
        opaque(::operator new(n));
    } catch (const handler_error &) {
        thrown = true;
    }
    EXPECT(thrown);
    std::set_new_handler(nullptr);
}

/* As the standard library and programs use them. */
struct alignas(256) wide {
    char bytes[300];
};

void language_forms()
{
    std::vector<std::string> words;
    auto *one = new wide;
    auto *many = new wide[7];

    EXPECT(reinterpret_cast<std::uintptr_t>(hidden(one)) % 256 == 0);
    EXPECT(reinterpret_cast<std::uintptr_t>(hidden(many)) % 256 == 0);
    delete one;
    delete[] many;
    for (int i = 0; i < 10000; i++)
        words.push_back(std::to_string(i) + " of ten thousand words, too long to be inline");
    EXPECT(words[777].compare(0, 4, "777 ") == 0);
}

} // namespace

int main()
{
    forms_come_from_malloc();
    for (std::size_t n : sizes) {
        plain_forms(n);
        for (std::size_t align = 1; align <= 65536; align *= 4)
            aligned_forms(n, align);
    }
    deletes_of_null();
    for (std::size_t n : absurd) {
        std::size_t size = reinterpret_cast<std::size_t>(opaque(reinterpret_cast<void *>(n)));

        failing_forms(size);
        new_handler_is_called(size);
        new_handler_may_throw(size);
    }
    language_forms();
    return 0;
}
