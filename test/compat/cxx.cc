/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit.hpp as C++ programs use it: containers over resources and allocators, caches that own objects.
 * Failure: one line on stderr, status 1.
 */
#include <slabkit/slabkit.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <scoped_allocator>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#define EXPECT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);                \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

namespace
{

template <class Exception, class F> bool throws(F f)
{
    try {
        f();
    } catch (const Exception &) {
        return true;
    }
    return false;
}

struct malloc_type_stats figures(malloc_type *type)
{
    struct malloc_type_stats stats;

    malloc_type_stats(type, &stats);
    return stats;
}

kmem_cache_stats figures(kmem_cache *cache)
{
    kmem_cache_stats stats;

    kmem_cache_get_stats(cache, &stats);
    return stats;
}

struct own_type {
    malloc_type *type = malloc_type_create("cxx test", "", 0);

    ~own_type()
    {
        EXPECT(figures(type).inuse == 0);
        EXPECT(malloc_type_destroy(type) == 0);
    }
};

/* ---- resources --------------------------------------------------------------------------------- */

void containers_over_a_type()
{
    own_type own;
    slabkit::type_resource resource(own.type), same(own.type), other;

    EXPECT(resource == same && resource != other && resource != *std::pmr::new_delete_resource());
    std::pmr::unordered_map<int, std::pmr::string> map(&resource);
    for (int i = 0; i < 10000; i++)
        map[i] = std::pmr::string(100, char('a' + i % 26), &resource);
    EXPECT(figures(own.type).inuse >= 20000);
    for (int i = 0; i < 10000; i++)
        EXPECT(map[i].size() == 100 && map[i][50] == char('a' + i % 26));
    std::pmr::vector<std::pmr::vector<int>> rows(&resource);
    rows.resize(100);
    for (auto &row : rows)
        row.assign(1000, 7);
    EXPECT(rows[99].get_allocator().resource() == &resource);
}

void alignment_and_nothing()
{
    own_type own;
    slabkit::type_resource resource(own.type);

    for (std::size_t align = 1; align <= 1 << 16; align *= 2)
        for (std::size_t bytes : {0, 1, 8, 24, 100, 5000}) {
            void *p = resource.allocate(bytes, align);

            EXPECT(reinterpret_cast<std::uintptr_t>(p) % align == 0);
            std::memset(p, 1, bytes);
            resource.deallocate(p, bytes, align);
        }
}

void exhaustion_is_bad_alloc()
{
    own_type own;
    slabkit::type_resource resource(own.type);

    kmalloc_raise_limit(own.type, 100000);
    EXPECT(throws<std::bad_alloc>([&] { std::pmr::vector<char> v(200000, 'x', &resource); }));
    std::pmr::list<int> list(&resource);
    EXPECT(throws<std::bad_alloc>([&] {
        for (;;)
            list.push_back(1);
    }));
    EXPECT(list.size() > 100);
    EXPECT(throws<std::bad_alloc>([&] { (void)resource.allocate(SIZE_MAX / 2); }));
}

void containers_over_a_cache()
{
    own_type own;
    kmem_cache *cache = kmem_cache_create("nodes", 64, nullptr);
    slabkit::type_resource upstream(own.type);
    {
        slabkit::cache_resource resource(cache, &upstream), same(cache, &upstream), other(cache);

        EXPECT(resource == same && resource != other);
        EXPECT(resource.cache() == cache && resource.upstream_resource() == &upstream);
        std::pmr::map<int, long> map(&resource);
        std::pmr::set<int> set(&resource);
        std::pmr::list<int> list(&resource);
        for (int i = 0; i < 5000; i++) {
            map[i] = i;
            set.insert(i);
            list.push_back(i);
        }
        EXPECT(figures(cache).live == 15000);
        EXPECT(figures(own.type).inuse == 0);
        std::pmr::vector<int> vector(1000, 5, &resource);
        EXPECT(figures(own.type).inuse == 1);
        for (int i = 0; i < 5000; i += 2)
            map.erase(i);
        EXPECT(figures(cache).live == 12500);
    }
    EXPECT(figures(cache).live == 0);
    EXPECT(kmem_cache_destroy(cache) == 0);
}

/* ---- allocator ----------------------------------------------------------------------------------- */

struct alignas(128) wide {
    char c[128];
};

void allocators()
{
    own_type own;
    {
        slabkit::allocator<int> a(own.type);
        slabkit::allocator<char> b(a);

        EXPECT(a == b && a != slabkit::allocator<int>());
        std::vector<int, slabkit::allocator<int>> v(a), w;
        v.assign(1000, 3);
        w = v;
        EXPECT(w.get_allocator() == a && w == v);
        std::vector<int, slabkit::allocator<int>> moved(std::move(w));
        EXPECT(moved.size() == 1000);

        using text = std::basic_string<char, std::char_traits<char>, slabkit::allocator<char>>;
        std::map<int, text, std::less<int>,
                 std::scoped_allocator_adaptor<slabkit::allocator<std::pair<const int, text>>>>
            map(a);
        for (int i = 0; i < 100; i++)
            map[i] = "a text that is too long for any small string";
        EXPECT(map[5].get_allocator() == b);

        std::list<wide, slabkit::allocator<wide>> wides(a);
        for (int i = 0; i < 100; i++)
            wides.emplace_back();
        for (auto &x : wides)
            EXPECT(reinterpret_cast<std::uintptr_t>(&x) % 128 == 0);
        EXPECT(throws<std::bad_array_new_length>([&] { (void)a.allocate(SIZE_MAX); }));
        auto shared = std::allocate_shared<std::string>(a, "shared");
        EXPECT(*shared == "shared");
    }
    std::vector<int, slabkit::allocator<int>> plain(10);
    EXPECT(figures(slabkit::default_type()).inuse == 1);
    EXPECT(malloc_type_find("c++") == slabkit::default_type());
}

/* ---- caches -------------------------------------------------------------------------------------- */

struct counted {
    static inline int made, gone, throw_after = -1;
    int value;

    explicit counted(int v = 17) : value(v)
    {
        if (throw_after >= 0 && throw_after-- == 0)
            throw std::runtime_error("no");
        made++;
    }

    counted(const counted &) = delete;

    ~counted()
    {
        gone++;
    }

    static void reset()
    {
        made = gone = 0;
        throw_after = -1;
    }
};

void constructed_each_time()
{
    counted::reset();
    slabkit::cache<counted> cache("each");
    {
        auto a = cache.make(3), b = cache.make();

        EXPECT(a->value == 3 && b->value == 17);
        EXPECT(counted::made == 2 && cache.live() == 2);
        EXPECT(kmem_cache_of(a.get()) == cache.get());
    }
    EXPECT(counted::gone == 2 && cache.live() == 0);

    counted::throw_after = 0;
    EXPECT(throws<std::runtime_error>([&] { cache.make(1); }));
    EXPECT(cache.live() == 0 && counted::gone == 2);

    auto moved = std::move(cache);
    EXPECT(cache.get() == nullptr);
    std::vector<slabkit::cache<counted>::pointer> many;
    for (int i = 0; i < 1000; i++)
        many.push_back(moved.make(i));
    EXPECT(moved.live() == 1000);
    std::shared_ptr<counted> shared(moved.make(5));
    EXPECT(shared->value == 5);
}

void constructed_once()
{
    counted::reset();
    {
        slabkit::cache<counted, slabkit::constructed> cache("once", KMEM_HWALIGN);

        for (int i = 0; i < 1000; i++) {
            auto p = cache.make();
            EXPECT(p->value == 17);
        }
        EXPECT(counted::made > 0 && counted::gone == 0);
        EXPECT(std::uint64_t(counted::made) == figures(cache.get()).total);
        /* As it was left. */
        counted *left;
        {
            auto p = cache.make();
            left = p.get();
            p->value = 18;
        }
        auto again = cache.make();
        EXPECT(again.get() != left || again->value == 18);
        again->value = 17;
        again.reset();
        cache.shrink();
        EXPECT(counted::gone == counted::made);
        counted::throw_after = 0;
        EXPECT(throws<std::bad_alloc>([&] { cache.make(); }));
        counted::throw_after = -1;
        EXPECT(cache.make()->value == 17);
    }
    EXPECT(counted::gone == counted::made);
}

void creation_may_fail()
{
    struct huge {
        char c[32 << 20];
    };

    try {
        slabkit::cache<huge> cache("huge");
        EXPECT(!"reached");
    } catch (const std::system_error &e) {
        EXPECT(e.code() == std::errc::invalid_argument);
    }
}

void objects_end_in_other_threads()
{
    slabkit::cache<std::string> cache("strings");
    std::vector<std::thread> threads;

    for (int t = 0; t < 4; t++)
        threads.emplace_back([&cache] {
            for (int i = 0; i < 2000; i++) {
                auto s = cache.make(100, 'x');
                if (i % 100 == 0)
                    std::thread([s = std::move(s)] { EXPECT(s->size() == 100); }).join();
            }
        });
    for (auto &thread : threads)
        thread.join();
    EXPECT(cache.live() == 0);
}

} // namespace

int main()
{
    containers_over_a_type();
    alignment_and_nothing();
    exhaustion_is_bad_alloc();
    containers_over_a_cache();
    allocators();
    constructed_each_time();
    constructed_once();
    creation_may_fail();
    objects_end_in_other_threads();
    return 0;
}
