/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a C++ library that is loaded and unloaded again and again by plugins.c: allocates in its
 *       constructors, frees in its destructors, and gives out a block that outlives it.
 */
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace
{

struct plugin_state {
    std::map<int, std::string> words;
    void *block;
    plugin_state() : block(std::malloc(100000))
    {
        for (int i = 0; i < 500; i++)
            words[i * 7919 % 1000] = std::string(static_cast<std::size_t>(i), 'p');
    }
    ~plugin_state()
    {
        std::free(block);
    }
};
plugin_state state;
thread_local std::string per_thread;

} // namespace

extern "C" __attribute__((visibility("default"))) void *plugin_make(std::size_t size);

void *plugin_make(std::size_t size)
{
    void *p = ::operator new(size);

    per_thread.assign(size, 'x');
    std::memset(p, static_cast<int>(state.words.size() & 0x7f), size);
    return p;
}
