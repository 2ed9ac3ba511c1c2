/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: runs the probe when its library is loaded, and ends the program with the result. */
#include <unistd.h>

int probe_run(void);

__attribute__((constructor)) static void probe_at_load(void)
{
    _exit(probe_run());
}
