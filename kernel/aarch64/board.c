/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: QEMU's board `virt`: the serial port (PL011), the start of CPUs (PSCI), the end of the run
 *       (semihosting).
 * Below: io.h.
 */
#include "kernel/kernel.h"

#define UART       0x09000000u
#define UART_DATA  0x0u
#define UART_FLAGS 0x18u
#define FLAGS_FULL 0x20u

#define PSCI_CPU_ON 0xc4000003u

#define SEMIHOSTING_EXIT 0x18u
#define ENDED_BY_PROGRAM 0x20026u

void boot_other(void);

void serial_put(char c)
{
    while (*device(UART + UART_FLAGS) & FLAGS_FULL)
        cpu_pause();
    *device(UART + UART_DATA) = (unsigned char)c;
}

/* The new CPU gets the end of its stack in x0. What it will read is visible before it begins. */
void cpu_power_on(uint64_t id, uintptr_t stack_end)
{
    register uint64_t x0 __asm__("x0") = PSCI_CPU_ON;
    register uint64_t x1 __asm__("x1") = id;
    register uint64_t x2 __asm__("x2") = (uintptr_t)boot_other;
    register uint64_t x3 __asm__("x3") = stack_end;

    __asm__ volatile("dsb ishst\n\thvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    if (x0)
        plat_panic("kernel: a CPU could not be started");
}

_Noreturn void machine_exit(unsigned status)
{
    uint64_t block[2] = {ENDED_BY_PROGRAM, status};
    register uint64_t x0 __asm__("x0") = SEMIHOSTING_EXIT;
    register uint64_t *x1 __asm__("x1") = block;

    for (;;)
        __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}
