/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the console; the end of the run.
 * Below: the serial port of the machine.
 * Concurrency: the lock, with interrupts off.
 */
#include "kernel/kernel.h"

static struct plat_lock console_lock;
void (*kernel_die_hook)(void);
bool (*kernel_write_hook)(const char *text, size_t len);

void console_write(const char *text, size_t len)
{
    uint64_t flags = cpu_irq_save();

    plat_lock(&console_lock);
    for (size_t i = 0; i < len; i++)
        serial_put(text[i]);
    plat_unlock(&console_lock);
    cpu_irq_restore(flags);
}

void console_text(const char *text)
{
    console_write(text, __builtin_strlen(text));
}

void console_number(uint64_t v, unsigned radix)
{
    char digits[24];
    unsigned n = sizeof(digits);

    do {
        digits[--n] = "0123456789abcdef"[v % radix];
        v /= radix;
    } while (v);
    console_write(digits + n, sizeof(digits) - n);
}

_Noreturn void kernel_exit(int code)
{
    irq_off();
    machine_exit((KERNEL_EXIT + (unsigned)code) * 2 + 1);
}

/* ---- for the port ------------------------------------------------------------------------------ */

void kern64_hook_write(const char *text, size_t len)
{
    if (!kernel_write_hook || !kernel_write_hook(text, len))
        console_write(text, len);
}

_Noreturn void kern64_hook_die(void)
{
    if (kernel_die_hook)
        kernel_die_hook();
    kernel_exit(KERNEL_ABORT);
}
