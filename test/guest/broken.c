/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: ends in the way its argument names, all but one of which the guest must take for a failure.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";

    if (strcmp(way, "ends") == 0)
        return 0;
    if (strcmp(way, "aborts") == 0)
        abort();
    while (strcmp(way, "hangs") == 0)
        pause();
    return strcmp(way, "skips") == 0 ? 77 : 1;
}
