/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: memcpy and memset, words first: an emulator does them one by one.
 */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

void *memcpy(void *to, const void *from, size_t n)
{
    size_t words = n / 8;
    void *t = to;

    n %= 8;
    __asm__ volatile("rep movsq" : "+D"(t), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(t), "+S"(from), "+c"(n) : : "memory");
    return to;
}

void *memset(void *to, int c, size_t n)
{
    unsigned long word = 0x0101010101010101ul * (unsigned char)c;
    size_t words = n / 8;
    void *t = to;

    n %= 8;
    __asm__ volatile("rep stosq" : "+D"(t), "+c"(words) : "a"(word) : "memory");
    __asm__ volatile("rep stosb" : "+D"(t), "+c"(n) : "a"(word) : "memory");
    return to;
}
