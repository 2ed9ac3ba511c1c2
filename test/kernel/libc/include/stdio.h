/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <stdio.h>, what our tests use, on the kernel's console. */
#ifndef KERNEL_LIBC_STDIO_H
#define KERNEL_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

typedef const int FILE;
extern FILE kernel_stdout, kernel_stderr;
#define stdout (&kernel_stdout)
#define stderr (&kernel_stderr)

int vsnprintf(char *out, size_t bytes, const char *format, va_list args);
__attribute__((format(printf, 3, 4))) int snprintf(char *out, size_t bytes, const char *format,
                                                   ...);
__attribute__((format(printf, 1, 2))) int printf(const char *format, ...);
__attribute__((format(printf, 2, 3))) int fprintf(FILE *to, const char *format, ...);
__attribute__((format(printf, 2, 3))) int dprintf(int fd, const char *format, ...);
int sscanf(const char *text, const char *format, ...);
/* Declared only. There are no files: what uses these is not linked. */
FILE *fopen(const char *name, const char *mode);
char *fgets(char *line, int bytes, FILE *from);
int fclose(FILE *f);
int fputc(int c, FILE *to);
int putchar(int c);
int puts(const char *text);
int fflush(FILE *to);
/* Of stdout: it is dropped from here on. */
FILE *freopen(const char *name, const char *mode, FILE *from);

#endif
