/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/slabkit.hpp: slabkit for C++17: memory resources for std::pmr, an allocator for containers,
 * and a cache of T that owns what it made.
 *
 *   slabkit::type_resource    std::pmr::memory_resource over blocks of one type
 *   slabkit::cache_resource   the same over a kmem_cache: what fits an object is one
 *   slabkit::allocator<T>     a standard allocator over blocks of one type
 *   slabkit::cache<T>         T constructed and destroyed at each make
 *   slabkit::cache<T, slabkit::constructed>   once per object, when its memory comes and goes
 *
 * Contexts as in the C headers: any thread, not signal handlers. Exhaustion is std::bad_alloc.
 */
#ifndef SLABKIT_SLABKIT_HPP
#define SLABKIT_SLABKIT_HPP

#include <slabkit/kmalloc.h>
#include <slabkit/kmem_cache.h>

#include <cerrno>
#include <cstddef>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

namespace slabkit
{

/* The type of blocks for which no other is named. One in the whole program. */
[[gnu::visibility("default")]] inline malloc_type *default_type()
{
    static malloc_type *const type = malloc_type_create("c++", "blocks of slabkit.hpp", 0);

    if (!type)
        throw std::bad_alloc();
    return type;
}

namespace detail
{

inline void *allocate(malloc_type *type, std::size_t bytes, std::size_t align)
{
    constexpr int flags = M_WAITOK | M_NULLOK;
    void *p = align <= 8 || (align <= 16 && bytes > 8)
                  ? kmalloc(bytes ? bytes : 1, type, flags)
                  : kmalloc_aligned(bytes ? bytes : 1, align, type, flags);

    if (!p)
        throw std::bad_alloc();
    return p;
}

inline void deallocate(malloc_type *type, void *p, std::size_t bytes) noexcept
{
    kfree_sized(p, bytes, type);
}

} // namespace detail

/* ---- memory resources ------------------------------------------------------------------------ */

/* Every block is counted for `type`, whose limit, if it has one, is bad_alloc here. */
class type_resource : public std::pmr::memory_resource
{
  public:
    explicit type_resource(malloc_type *type = default_type()) noexcept(false) : type_(type)
    {
    }

    malloc_type *type() const noexcept
    {
        return type_;
    }

  private:
    void *do_allocate(std::size_t bytes, std::size_t align) override
    {
        return detail::allocate(type_, bytes, align);
    }

    void do_deallocate(void *p, std::size_t bytes, std::size_t) override
    {
        detail::deallocate(type_, p, bytes);
    }

    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        auto same = dynamic_cast<const type_resource *>(&other);

        return same && same->type_ == type_;
    }

    malloc_type *type_;
};

/*
 * Requests that an object of the cache can hold are objects of it, others go upstream. The cache has
 * no constructor, and outlives the resource. For containers of nodes: list, map, set.
 */
class cache_resource : public std::pmr::memory_resource
{
  public:
    explicit cache_resource(kmem_cache *cache,
                            std::pmr::memory_resource *upstream = std::pmr::get_default_resource())
        : cache_(cache), upstream_(upstream), size_(kmem_cache_size(cache)), align_(align_of(cache))
    {
    }

    kmem_cache *cache() const noexcept
    {
        return cache_;
    }

    std::pmr::memory_resource *upstream_resource() const noexcept
    {
        return upstream_;
    }

  private:
    static std::size_t align_of(kmem_cache *cache)
    {
        kmem_cache_stats stats;

        kmem_cache_get_stats(cache, &stats);
        return stats.align;
    }

    /* The same answer for a block's allocation and its end. */
    bool fits(std::size_t bytes, std::size_t align) const noexcept
    {
        return bytes <= size_ && align <= align_;
    }

    void *do_allocate(std::size_t bytes, std::size_t align) override
    {
        if (!fits(bytes, align))
            return upstream_->allocate(bytes, align);
        void *p = kmem_cache_alloc(cache_, M_WAITOK);
        if (!p)
            throw std::bad_alloc();
        return p;
    }

    void do_deallocate(void *p, std::size_t bytes, std::size_t align) override
    {
        if (fits(bytes, align))
            kmem_cache_free(cache_, p);
        else
            upstream_->deallocate(p, bytes, align);
    }

    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        auto same = dynamic_cast<const cache_resource *>(&other);

        return same && same->cache_ == cache_ && *same->upstream_ == *upstream_;
    }

    kmem_cache *cache_;
    std::pmr::memory_resource *upstream_;
    std::size_t size_, align_;
};

/* ---- allocator --------------------------------------------------------------------------------- */

/* Goes with the container when it is moved, swapped or copy-assigned. */
template <class T> class allocator
{
  public:
    using value_type = T;
    using propagate_on_container_copy_assignment = std::true_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    allocator() : type_(default_type())
    {
    }

    explicit allocator(malloc_type *type) noexcept : type_(type)
    {
    }

    template <class U> allocator(const allocator<U> &other) noexcept : type_(other.type())
    {
    }

    [[nodiscard]] T *allocate(std::size_t n)
    {
        if (n > std::numeric_limits<std::size_t>::max() / sizeof(T))
            throw std::bad_array_new_length();
        return static_cast<T *>(detail::allocate(type_, n * sizeof(T), alignof(T)));
    }

    void deallocate(T *p, std::size_t n) noexcept
    {
        detail::deallocate(type_, p, n * sizeof(T));
    }

    malloc_type *type() const noexcept
    {
        return type_;
    }

  private:
    malloc_type *type_;
};

template <class T, class U> bool operator==(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return a.type() == b.type();
}

template <class T, class U> bool operator!=(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return a.type() != b.type();
}

/* ---- caches ------------------------------------------------------------------------------------ */

/* When T is constructed and destroyed. */
struct each {
};
struct constructed {
};

namespace detail
{

template <class T> int construct(void *obj, void *, int)
{
    try {
        ::new (obj) T();
    } catch (...) {
        return ENOMEM;
    }
    return 0;
}

template <class T> void destroy(void *obj, void *) noexcept
{
    static_cast<T *>(obj)->~T();
}

} // namespace detail

/*
 * Owns a kmem_cache of T. make() gives objects that go home when their pointer ends:
 *
 *   cache<T>                each: make(args...) constructs, the pointer's end destroys
 *   cache<T, constructed>   make() takes an object as it was left: T() ran when its memory came,
 *                           ~T() runs when it goes
 *
 * Must outlive its objects: a cache that ends before them stays, and a line on stderr says so. From a
 * thread of its own or another: make and the ends of objects in any thread, moves and the end of the
 * cache as for any object.
 */
template <class T, class When = each> class cache
{
    static_assert(std::is_same_v<When, each> || std::is_same_v<When, constructed>);
    static constexpr bool once = std::is_same_v<When, constructed>;

  public:
    class deleter
    {
      public:
        explicit deleter(kmem_cache *cache = nullptr) noexcept : cache_(cache)
        {
        }

        void operator()(T *obj) const noexcept
        {
            if constexpr (!once)
                obj->~T();
            kmem_cache_free(cache_, obj);
        }

      private:
        kmem_cache *cache_;
    };

    using pointer = std::unique_ptr<T, deleter>;

    /* flags: KMEM_*. Throws std::system_error with kmem_cache_create's errno. */
    explicit cache(const char *name, unsigned flags = 0)
    {
        kmem_cache_args args{};

        args.align = alignof(T);
        args.flags = flags;
        if constexpr (once) {
            args.ctor = detail::construct<T>;
            args.dtor = detail::destroy<T>;
        }
        cache_ = kmem_cache_create(name, sizeof(T), &args);
        if (!cache_)
            throw std::system_error(errno, std::generic_category(), name);
    }

    cache(cache &&other) noexcept : cache_(std::exchange(other.cache_, nullptr))
    {
    }

    cache &operator=(cache &&other) noexcept
    {
        std::swap(cache_, other.cache_);
        return *this;
    }

    cache(const cache &) = delete;
    cache &operator=(const cache &) = delete;

    ~cache()
    {
        kmem_cache_destroy(cache_);
    }

    /* std::bad_alloc, or what T's constructor throws; then nothing is allocated. */
    template <class... Args> pointer make(Args &&...args)
    {
        static_assert(!once || sizeof...(Args) == 0, "the object is constructed already");
        void *obj = kmem_cache_alloc(cache_, M_WAITOK);

        if (!obj)
            throw std::bad_alloc();
        if constexpr (once) {
            return pointer(static_cast<T *>(obj), deleter(cache_));
        } else {
            try {
                return pointer(::new (obj) T(std::forward<Args>(args)...), deleter(cache_));
            } catch (...) {
                kmem_cache_free(cache_, obj);
                throw;
            }
        }
    }

    /* The cache itself, for everything else that kmem_cache.h offers. */
    kmem_cache *get() const noexcept
    {
        return cache_;
    }

    std::size_t live() const
    {
        kmem_cache_stats stats;

        kmem_cache_get_stats(cache_, &stats);
        return stats.live;
    }

    void shrink()
    {
        kmem_cache_shrink(cache_);
    }

  private:
    kmem_cache *cache_ = nullptr;
};

} // namespace slabkit

#endif
