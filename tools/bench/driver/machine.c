/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the results were measured on.
 */
#include "driver.h"

#include <gnu/libc-version.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void cpu_read(char *cpu, size_t bytes)
{
    FILE *info = fopen("/proc/cpuinfo", "re");
    char line[256];

    snprintf(cpu, bytes, "unknown");
    while (info && fgets(line, sizeof(line), info)) {
        const char *value = strstr(line, ": ");

        if (strncmp(line, "model name", strlen("model name")) || !value)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(cpu, bytes, "%s", value + 2);
        break;
    }
    if (info)
        fclose(info);
}

void machine_read(struct machine *ma, const struct bench *bench)
{
    struct utsname name;

    cpu_read(ma->ma_cpu, sizeof(ma->ma_cpu));
    snprintf(ma->ma_libc, sizeof(ma->ma_libc), "glibc %s", gnu_get_libc_version());
    ma->ma_cpus = (unsigned)CPU_COUNT(&bench->bn_cpus);
    ma->ma_memory_mib = sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024);
    ma->ma_kernel[0] = '\0';
    if (!uname(&name))
        snprintf(ma->ma_kernel, sizeof(ma->ma_kernel), "%s %s %s", name.sysname, name.release,
                 name.machine);
}
