/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the functions that the compiler calls by itself in freestanding code.
 * Below: nothing.
 */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* Words first: an emulator does them one by one. */
void *memcpy(void *to, const void *from, size_t n)
{
    size_t words = n / 8;
    void *t = to;

    n %= 8;
    __asm__ volatile("rep movsq" : "+D"(t), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(t), "+S"(from), "+c"(n) : : "memory");
    return to;
}

/* Backwards where the begin of `to` lies inside of `from`. */
void *memmove(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;

    if ((size_t)(t - f) >= n)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
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

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}
