/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: who did it: the stack, thread, slot and time of an allocation or a free, in a record and in words.
 * Below: debug_internal.h; above, by pointer: what kmem_debug_set_world was given.
 * Concurrency: the world is set once, before there are caches. A record is written by who has the object.
 */
#include "cache/debug_internal.h"

static const struct kmem_debug_world *world; /* constant once caches exist */

SK_START void kmem_debug_set_world(const struct kmem_debug_world *w)
{
    world = w;
}

/* ---- records ----------------------------------------------------------------------------------- */

void debug_track_now(struct debug_track *track, void *caller)
{
    track->depth = world ? world->stack(caller, track->pcs, KMEM_DEBUG_STACK) : 0;
    if (track->depth == 0) {
        track->pcs[0] = caller;
        track->depth = 1;
    }
    track->pid = track->tid = 0;
    if (world)
        world->ids(&track->pid, &track->tid);
    track->slot = plat_slot();
    track->ns = plat_clock_ns();
}

/* ---- words --------------------------------------------------------------------------------------- */

void debug_word_place(struct text *t, const void *pc)
{
    const char *before;

    text_address(t, pc);
    text_char(t, ' ');
    before = t->at;
    if (world)
        world->symbol(t, pc);
    if (t->at == before && t->at > t->begin && t->at[-1] == ' ')
        t->at--;
}

static void word_age(struct text *t, uint64_t ns)
{
    uint64_t now = plat_clock_ns(), ms = now > ns ? (now - ns) / 1000000 : 0;

    text_digits(t, ms / 1000, 10, 1);
    text_char(t, '.');
    text_digits(t, ms % 1000, 10, 3);
    text_str(t, " s ago");
}

void debug_word_track(struct text *t, const struct debug_track *track)
{
    if (track->pid) {
        text_str(t, "pid ");
        text_digits(t, track->pid, 10, 1);
        text_str(t, ", tid ");
        text_digits(t, track->tid, 10, 1);
        text_str(t, ", ");
    }
    text_str(t, "slot ");
    text_digits(t, track->slot, 10, 1);
    text_str(t, ", ");
    word_age(t, track->ns);
}

void debug_word_stack(struct text *t, const struct debug_track *track)
{
    for (unsigned i = 0; i < sk_min(track->depth, KMEM_DEBUG_STACK); i++) {
        text_str(t, "    ");
        debug_word_place(t, track->pcs[i]);
        text_char(t, '\n');
    }
}

/* ---- trace --------------------------------------------------------------------------------------- */

void debug_trace(const struct debug_scene *s, const char *verb)
{
    char line[256];
    struct text t;

    text_init(&t, line, sizeof(line) - 1); /* the newline is never cut off */
    text_str(&t, "slabkit: ");
    text_str(&t, s->name);
    text_char(&t, ' ');
    text_str(&t, verb);
    text_char(&t, ' ');
    text_address(&t, kmem_debug_object(s->d, s->raw));
    text_str(&t, " by ");
    debug_word_place(&t, s->caller);
    *t.at++ = '\n';
    plat_write_err(line, text_len(&t));
}
