/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see linux.h.
 * Concurrency: none but a counter of lines.
 * Why: the native calls have drained and given back everything before they fail, so that what is left to do
 *      between two attempts is to wait for other threads.
 */
#include "compat/linux.h"
#include "base/atomic.h"
#include "plat/plat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAYFAIL_TRIES 4u
#define NOFAIL_TRIES  12u /* the pauses before them make four seconds */
#define LINES_SAID    10u

static void pause_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

static unsigned tries_of(gfp_t gfp)
{
    if (!(gfp & __GFP_DIRECT_RECLAIM))
        return 0;
    if (gfp & __GFP_NOFAIL)
        return NOFAIL_TRIES;
    return gfp & __GFP_RETRY_MAYFAIL && !(gfp & __GFP_NORETRY) ? MAYFAIL_TRIES : 0;
}

/* A failure that may not make a system call says nothing either. */
static bool may_say(gfp_t gfp)
{
    static unsigned said;

    return !(gfp & __GFP_NOWARN) && gfp & (__GFP_DIRECT_RECLAIM | __GFP_HIGH) &&
           sk_add_relaxed(&said, 1) < LINES_SAID;
}

static void say(const struct linux_attempt *a)
{
    char line[MISUSE_LINE_BYTES];
    int n = snprintf(line, sizeof(line), "slabkit: no memory: %zu bytes of %s, gfp 0x%x\n",
                     a->bytes, a->from, a->gfp);

    plat_write_err(line, sk_min((size_t)n, sizeof(line) - 1));
}

void *linux_again(struct linux_attempt *a)
{
    unsigned tries = tries_of(a->gfp);
    int error = errno;

    /* EINVAL does not go away by waiting. */
    for (unsigned i = 0; i < tries && errno != EINVAL; i++) {
        void *p;

        pause_ms(1u << i);
        p = a->once(a);
        if (p)
            return p;
        error = errno;
    }
    if (a->gfp & __GFP_NOFAIL && a->gfp & __GFP_DIRECT_RECLAIM)
        misuse_die(MISUSE_NOFAIL, NULL, a->bytes, a->from);
    if (may_say(a->gfp))
        say(a);
    errno = error;
    return NULL;
}
