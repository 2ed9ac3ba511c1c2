/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a program outside of the tree that uses an installed slabkit: -DUSE_ENGINE with
 *       libslabkit, -DUSE_MALLOC with libslabkit-malloc.
 * Failure: status 1 and one line.
 */
#include <slabkit/slabkit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complain(const char *what)
{
    fprintf(stderr, "consumer: %s\n", what);
    return 1;
}

#ifdef USE_MALLOC
static struct slabkit_snapshot before, after;

static int check_malloc(void)
{
    const size_t bytes = 3u << 20;
    void *p = malloc(1);
    if (!p || slabkit_snapshot(&before) != 0)
        return complain("malloc did not start the engine");
    void *q = malloc(bytes);
    if (!q || slabkit_snapshot(&after) != 0)
        return complain("no snapshot");
    if (after.live_bytes < before.live_bytes + bytes)
        return complain("malloc is not slabkit's");
    free(q);
    free(p);
    return 0;
}
#endif

int main(void)
{
    if (strcmp(slabkit_version(), SLABKIT_VERSION) != 0)
        return complain("header and library differ in version");
    if (slabkit_verify() != 0)
        return complain("the engine is inconsistent");
#ifdef USE_MALLOC
    return check_malloc();
#else
    return 0;
#endif
}
