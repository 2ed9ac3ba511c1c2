/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: start-up in order, then the program.
 * Below: everything here.
 */
#include "kernel/kernel.h"

#define ARGS_MAX 16

_Noreturn void kernel_start(const void *boot_info);

/* ---- the command line: options -- arguments ------------------------------------------------- */

static const char *option_text(const char *name)
{
    size_t len = __builtin_strlen(name);

    for (const char *at = firmware_command_line; *at; at++) {
        bool begins = at == firmware_command_line || at[-1] == ' ';

        if (begins && at[0] == '-' && at[1] == '-')
            return NULL;
        if (begins && __builtin_memcmp(at, name, len) == 0 && at[len] == '=')
            return at + len + 1;
    }
    return NULL;
}

unsigned kernel_option(const char *name, unsigned otherwise)
{
    const char *text = option_text(name);
    unsigned v = 0;

    if (!text)
        return otherwise;
    for (; *text >= '0' && *text <= '9'; text++)
        v = v * 10 + (unsigned)(*text - '0');
    return v;
}

static int arguments(char *line, char **argv)
{
    int argc = 0;
    bool behind = false;

    argv[argc++] = (char *)"kernel";
    while (*line && argc < ARGS_MAX - 1) {
        char *word = line;

        while (*line && *line != ' ')
            line++;
        if (*line)
            *line++ = '\0';
        if (behind && *word)
            argv[argc++] = word;
        behind |= word[0] == '-' && word[1] == '-' && word[2] == '\0';
    }
    argv[argc] = NULL;
    return argc;
}

/* ---- start --------------------------------------------------------------------------------- */

_Noreturn void kernel_start(const void *boot_info)
{
    static char line[sizeof(firmware_command_line)];
    char *argv[ARGS_MAX];

    cpu_begin(0);
    firmware_init(boot_info);
    memory_start();
    interrupts_init();
    kern64_online();
    cpus_start();
    irq_on();
    timer_usual();
    __builtin_memcpy(line, firmware_command_line, sizeof(line));
    kernel_exit(main(arguments(line, argv), argv));
}
