/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: formatted output: %s %c %d %i %u %x %p %% with l, ll, z, h and a width.
 * Below: the kernel's console.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"

#define LINE_BYTES 1024u

FILE kernel_stdout = 1, kernel_stderr = 2;
static bool stdout_dropped;

struct out {
    char *at;
    size_t bytes, n;
};

static void put(struct out *o, char c)
{
    if (o->n + 1 < o->bytes)
        o->at[o->n] = c;
    o->n++;
}

static void put_padded(struct out *o, const char *text, size_t len, unsigned width, char pad)
{
    for (; width > len; width--)
        put(o, pad);
    for (size_t i = 0; i < len; i++)
        put(o, text[i]);
}

static void put_number(struct out *o, uint64_t v, unsigned radix, unsigned width, char pad)
{
    char digits[24];
    size_t n = sizeof(digits);

    do {
        digits[--n] = "0123456789abcdef"[v % radix];
        v /= radix;
    } while (v);
    put_padded(o, digits + n, sizeof(digits) - n, width, pad);
}

static void put_signed(struct out *o, int64_t v, unsigned width, char pad)
{
    if (v < 0)
        put(o, '-');
    put_number(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, width, pad);
}

struct spec {
    unsigned width, longs;
    char pad, kind;
};

static const char *spec_read(const char *f, struct spec *s)
{
    *s = (struct spec){.pad = *f == '0' ? '0' : ' '};
    while (*f == '-' || *f == '#')
        f++;
    for (; *f >= '0' && *f <= '9'; f++)
        s->width = s->width * 10 + (unsigned)(*f - '0');
    for (; *f == 'l' || *f == 'z' || *f == 'h' || *f == 'j' || *f == 't'; f++)
        s->longs += *f != 'h';
    s->kind = *f;
    return f;
}

#define NEXT_UNSIGNED(s, args) ((s)->longs ? va_arg(args, uint64_t) : va_arg(args, unsigned))

int vsnprintf(char *out, size_t bytes, const char *format, va_list args)
{
    struct out o = {out, bytes, 0};
    const char *text;
    struct spec s;

    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            put(&o, *f);
            continue;
        }
        f = spec_read(f + 1, &s);
        switch (s.kind) {
        case 's':
            text = va_arg(args, const char *);
            put_padded(&o, text, strlen(text), s.width, ' ');
            break;
        case 'c':
            put(&o, (char)va_arg(args, int));
            break;
        case 'd':
        case 'i':
            put_signed(&o, s.longs ? va_arg(args, int64_t) : va_arg(args, int), s.width, s.pad);
            break;
        case 'u':
            put_number(&o, NEXT_UNSIGNED(&s, args), 10, s.width, s.pad);
            break;
        case 'x':
            put_number(&o, NEXT_UNSIGNED(&s, args), 16, s.width, s.pad);
            break;
        case 'p':
            put(&o, '0');
            put(&o, 'x');
            put_number(&o, (uintptr_t)va_arg(args, void *), 16, 0, '0');
            break;
        default:
            put(&o, s.kind);
            break;
        }
    }
    if (bytes)
        out[o.n < bytes ? o.n : bytes - 1] = '\0';
    return (int)o.n;
}

int snprintf(char *out, size_t bytes, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(out, bytes, format, args);
    va_end(args);
    return n;
}

static int print(const char *format, va_list args, void (*write)(const char *text, size_t len))
{
    char line[LINE_BYTES];
    int n = vsnprintf(line, sizeof(line), format, args);

    if (write != console_write || !stdout_dropped)
        write(line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    return n;
}

int printf(const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = print(format, args, console_write);
    va_end(args);
    return n;
}

int fprintf(FILE *to, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = print(format, args, to == stderr ? plat_write_err : console_write);
    va_end(args);
    return n;
}

int dprintf(int fd, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = print(format, args, fd == 2 ? plat_write_err : console_write);
    va_end(args);
    return n;
}

int fputc(int c, FILE *to)
{
    return fprintf(to, "%c", c);
}

int putchar(int c)
{
    return fputc(c, stdout);
}

int puts(const char *text)
{
    return printf("%s\n", text);
}

int fflush(FILE *to)
{
    (void)to;
    return 0;
}

FILE *freopen(const char *name, const char *mode, FILE *from)
{
    (void)name;
    (void)mode;
    stdout_dropped |= from == stdout;
    return from;
}
