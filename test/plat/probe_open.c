/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: opens the library named by the first argument and runs the probe in it. */
#include <dlfcn.h>
#include <stddef.h>

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    int (*run)(void);

    if (library == NULL)
        return 100;
    *(void **)&run = dlsym(library, "probe_run");
    return run != NULL ? run() : 101;
}
