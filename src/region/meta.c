/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: memory for slabkit's own structures.
 * Below: plat.
 * Owns: chunks of 1 MiB, aligned to their size, cut in units of 64 bytes. A chunk begins with its
 *       header: a bit per unit, and which system pages may hold something. The pieces hold no state
 *       of ours, so that giving back any system page without a unit in use loses nothing.
 *       frame: 256 units, the largest piece; above that, each piece is a mapping of its own.
 *       room: the longest run of free units in a frame, the most of it in a chunk, in a group of
 *       chunks. room == ROOM_BLANK: nothing is in use and the header is not there either.
 *       mapped >= used.
 * Concurrency: meta.lock, the last in the order; no system call under it. trim_lock, before it, is
 *       held across those of meta_trim, whose units in transit are marked as used meanwhile.
 * Failure: NULL; also beyond CHUNKS_MAX.
 * Why: first fit from the first chunk on, not a list per size: what is allocated gathers in few
 *       pages, any size fills any gap, and the later pages become free as a whole. Chunks stay
 *       mapped: address space costs nothing.
 */
#include "region/meta.h"
#include "base/bits.h"

#define UNIT_BYTES   ((size_t)64)
#define WORD_BYTES   (SK_WORD_BITS * UNIT_BYTES) /* 4 KiB: no system page is smaller */
#define FRAME_WORDS  4u
#define FRAME_UNITS  (FRAME_WORDS * SK_WORD_BITS)
#define FRAME_BYTES  (FRAME_UNITS * UNIT_BYTES)
#define CHUNK_FRAMES 64u
#define CHUNK_WORDS  (CHUNK_FRAMES * FRAME_WORDS)
#define CHUNK_BYTES  (CHUNK_FRAMES * FRAME_BYTES)
#define GROUP_CHUNKS 64u
#define GROUPS       256u
#define CHUNKS_MAX   (GROUPS * GROUP_CHUNKS)
#define ROOM_BLANK   (FRAME_UNITS + 1)
#define HEADER_UNITS ((unsigned)((sizeof(struct chunk) + UNIT_BYTES - 1) / UNIT_BYTES))

struct chunk;

struct group {
    uint16_t room[GROUP_CHUNKS]; /* 0: no chunk, or all of it in transit */
    struct chunk *chunk[GROUP_CHUNKS];
};

struct chunk {
    uint64_t used[CHUNK_FRAMES][FRAME_WORDS];
    uint16_t room[CHUNK_FRAMES];
    uint8_t touched[CHUNK_FRAMES]; /* bit w: word w of the frame may not read as zero */
    uint32_t index;
    uint32_t used_units; /* without the header and what is in transit */
    bool freed;          /* since meta_trim looked */
    struct group group;  /* in the first chunk of a group, whose header stays for that */
};

_Static_assert(sizeof(struct chunk) <= WORD_BYTES, "the header is in the first word");

static struct {
    struct plat_lock lock;
    struct plat_lock trim_lock;
    uint32_t chunks;
    size_t mapped_bytes, used_bytes;
    uint16_t room[GROUPS];
    struct group *group[GROUPS];
} meta SK_CACHE_ALIGNED;

/* ---- room ------------------------------------------------------------------------------- */

static SK_NOINLINE unsigned most(const uint16_t *room, unsigned n)
{
    unsigned max = 0;
    for (unsigned i = 0; i < n; i++)
        max = room[i] > max ? room[i] : max;
    return max;
}

/* The first with at least so much; n: none. */
static SK_NOINLINE unsigned first_with(const uint16_t *room, unsigned n, unsigned units)
{
    unsigned i = 0;
    while (i < n && room[i] < units)
        i++;
    return i;
}

static void set_chunk_room(uint32_t index, unsigned room)
{
    struct group *g = meta.group[index / GROUP_CHUNKS];
    g->room[index % GROUP_CHUNKS] = (uint16_t)room;
    meta.room[index / GROUP_CHUNKS] = (uint16_t)most(g->room, GROUP_CHUNKS);
}

static unsigned chunk_room(uint32_t index)
{
    return meta.group[index / GROUP_CHUNKS]->room[index % GROUP_CHUNKS];
}

static struct chunk *chunk_at(uint32_t index)
{
    return meta.group[index / GROUP_CHUNKS]->chunk[index % GROUP_CHUNKS];
}

/* ---- units of a frame -------------------------------------------------------------------- */

struct gap {
    unsigned at, units;
};

/* First unit from `at` on whose bit is as in `sought` (0 or ~0); FRAME_UNITS: none. */
static unsigned next_unit(const uint64_t *used, unsigned at, uint64_t sought)
{
    uint64_t mask = ~0ull << at % SK_WORD_BITS;
    for (unsigned w = at / SK_WORD_BITS; w < FRAME_WORDS; w++, mask = ~0ull) {
        uint64_t hits = ~(used[w] ^ sought) & mask;
        if (hits)
            return w * SK_WORD_BITS + sk_ctz(hits);
    }
    return FRAME_UNITS;
}

/* The first gap of at least `units`; if there is none, the longest. */
static SK_NOINLINE struct gap find_gap(const uint64_t *used, unsigned units)
{
    struct gap best = {FRAME_UNITS, 0};
    for (unsigned at = 0, end; best.units < units; at = end) {
        at = next_unit(used, at, 0);
        if (at == FRAME_UNITS)
            break;
        end = next_unit(used, at, ~0ull);
        if (end - at > best.units)
            best = (struct gap){at, end - at};
    }
    return best;
}

/* The bits of [at, end) in word w, which has some of them. */
static uint64_t word_mask(unsigned w, unsigned at, unsigned end)
{
    size_t lo = sk_max(at, w * SK_WORD_BITS), hi = sk_min(end, (w + 1) * SK_WORD_BITS);
    return ~0ull >> (SK_WORD_BITS - (hi - lo)) << lo % SK_WORD_BITS;
}

static SK_NOINLINE void refresh_room(struct chunk *c, unsigned frame)
{
    unsigned old = c->room[frame];
    c->room[frame] = (uint16_t)find_gap(c->used[frame], FRAME_UNITS).units;
    if (c->room[frame] > chunk_room(c->index) || old == chunk_room(c->index))
        set_chunk_room(c->index, most(c->room, CHUNK_FRAMES));
}

/* All of the units were free, and become used, or the other way round. */
static SK_NOINLINE void mark(struct chunk *c, unsigned frame, unsigned at, unsigned end, bool used)
{
    for (unsigned w = at / SK_WORD_BITS; w * SK_WORD_BITS < end; w++) {
        uint64_t mask = word_mask(w, at, end), *bits = &c->used[frame][w];
        SK_REQUIRE((*bits & mask) == (used ? 0 : mask));
        *bits ^= mask;
    }
    refresh_room(c, frame);
}

/* ---- chunks ----------------------------------------------------------------------------- */

/* Of memory that reads as zero, but for the group. */
static SK_START void build(struct chunk *c, uint32_t index)
{
    c->index = index;
    for (unsigned f = 0; f < CHUNK_FRAMES; f++)
        c->room[f] = FRAME_UNITS;
    c->touched[0] = 1;
    set_chunk_room(index, FRAME_UNITS);
    mark(c, 0, 0, HEADER_UNITS, true);
}

static bool install_locked(struct chunk *c, uint32_t seen)
{
    if (meta.chunks != seen)
        return false;
    if (seen % GROUP_CHUNKS == 0)
        meta.group[seen / GROUP_CHUNKS] = &c->group;
    meta.group[seen / GROUP_CHUNKS]->chunk[seen % GROUP_CHUNKS] = c;
    meta.chunks++;
    meta.mapped_bytes += CHUNK_BYTES;
    set_chunk_room(seen, ROOM_BLANK);
    return true;
}

static SK_START struct chunk *map_chunk(void)
{
    struct chunk *c = plat_reserve_usable(CHUNK_BYTES, CHUNK_BYTES);
    if (c)
        plat_hugepages(c, CHUNK_BYTES, false);
    return c;
}

/* seen: chunks when there was no room. Another's new chunk will do. */
static SK_START bool add_chunk(uint32_t seen)
{
    struct chunk *c = seen < CHUNKS_MAX ? map_chunk() : NULL;
    if (!c)
        return false;
    plat_lock(&meta.lock);
    bool installed = install_locked(c, seen);
    plat_unlock(&meta.lock);
    if (!installed)
        plat_release(c, CHUNK_BYTES);
    return true;
}

/* ---- pieces ----------------------------------------------------------------------------- */

struct piece {
    char *p;
    unsigned at, end; /* units of its frame */
    unsigned touched; /* what the frame's was before */
};

static struct piece take_in_frame(struct chunk *c, unsigned frame, unsigned units)
{
    unsigned at = find_gap(c->used[frame], units).at;
    struct piece got = {.p = (char *)c + frame * FRAME_BYTES + at * UNIT_BYTES,
                        .at = at,
                        .end = at + units,
                        .touched = c->touched[frame]};
    for (unsigned w = at / SK_WORD_BITS; w * SK_WORD_BITS < got.end; w++)
        c->touched[frame] |= (uint8_t)(1u << w);
    mark(c, frame, at, got.end, true);
    c->used_units += units;
    meta.used_bytes += units * UNIT_BYTES;
    return got;
}

static bool take_locked(unsigned units, struct piece *out)
{
    unsigned g = first_with(meta.room, GROUPS, units);
    if (g == GROUPS)
        return false;
    uint32_t index = g * GROUP_CHUNKS + first_with(meta.group[g]->room, GROUP_CHUNKS, units);
    struct chunk *c = chunk_at(index);
    if (chunk_room(index) == ROOM_BLANK)
        build(c, index);
    *out = take_in_frame(c, first_with(c->room, CHUNK_FRAMES, units), units);
    return true;
}

/* Only where something was: the rest of a large piece may stay untouched. */
static void *clear(const struct piece *got)
{
    for (unsigned w = got->at / SK_WORD_BITS; w * SK_WORD_BITS < got->end; w++) {
        size_t lo = sk_max(got->at, w * SK_WORD_BITS);
        size_t hi = sk_min(got->end, (w + 1) * SK_WORD_BITS);
        if (got->touched >> w & 1)
            __builtin_memset(got->p + (lo - got->at) * UNIT_BYTES, 0, (hi - lo) * UNIT_BYTES);
    }
    return got->p;
}

static unsigned to_units(size_t bytes)
{
    return (unsigned)((sk_max(bytes, 1) + UNIT_BYTES - 1) / UNIT_BYTES);
}

static void *alloc_piece(unsigned units)
{
    struct piece got;
    uint32_t seen;
    bool ok;
    do {
        plat_lock(&meta.lock);
        seen = meta.chunks;
        ok = take_locked(units, &got);
        plat_unlock(&meta.lock);
    } while (!ok && add_chunk(seen));
    return ok ? clear(&got) : NULL;
}

static void free_piece(void *p, unsigned units)
{
    struct chunk *c = (struct chunk *)sk_align_down((uintptr_t)p, CHUNK_BYTES);
    unsigned unit = (unsigned)((size_t)((char *)p - (char *)c) / UNIT_BYTES);

    plat_lock(&meta.lock);
    mark(c, unit / FRAME_UNITS, unit % FRAME_UNITS, unit % FRAME_UNITS + units, false);
    c->used_units -= units;
    c->freed = true;
    meta.used_bytes -= units * UNIT_BYTES;
    plat_unlock(&meta.lock);
}

/* ---- mappings --------------------------------------------------------------------------- */

static void account_mapping(size_t added, size_t gone)
{
    plat_lock(&meta.lock);
    meta.mapped_bytes += added - gone;
    meta.used_bytes += added - gone;
    plat_unlock(&meta.lock);
}

static void *alloc_mapping(size_t bytes)
{
    size_t sys = plat_sys_page_bytes();
    if (bytes > PTRDIFF_MAX - sys)
        return NULL;
    bytes = sk_align_up(bytes, sys);
    void *p = plat_map(bytes, sys);
    if (p)
        account_mapping(bytes, 0);
    return p;
}

static void free_mapping(void *p, size_t bytes)
{
    bytes = sk_align_up(bytes, plat_sys_page_bytes());
    plat_release(p, bytes);
    account_mapping(0, bytes);
}

void *meta_alloc(size_t bytes)
{
    return bytes > FRAME_BYTES ? alloc_mapping(bytes) : alloc_piece(to_units(bytes));
}

void meta_free(void *p, size_t bytes)
{
    if (!p)
        return;
    if (bytes > FRAME_BYTES)
        free_mapping(p, bytes);
    else
        free_piece(p, to_units(bytes));
}

/* ---- giving back ------------------------------------------------------------------------ */

/* Words [at, end) of a chunk, whole system pages. */
struct span {
    unsigned at, end;
};

/* Nothing in use in the system page that begins with word w, but something was. */
static bool page_is_idle(const struct chunk *c, unsigned w, unsigned words)
{
    unsigned touched = 0;
    for (unsigned end = w + words; w < end; w++) {
        if (c->used[w / FRAME_WORDS][w % FRAME_WORDS])
            return false;
        touched |= c->touched[w / FRAME_WORDS] >> w % FRAME_WORDS & 1;
    }
    return touched;
}

/* The next idle system pages that touch; at == end: none. */
static struct span next_idle(const struct chunk *c, unsigned from)
{
    unsigned words = (unsigned)(plat_sys_page_bytes() / WORD_BYTES);
    struct span s = {from, from};
    while (s.at < CHUNK_WORDS && !page_is_idle(c, s.at, words))
        s.at += words;
    for (s.end = s.at; s.end < CHUNK_WORDS && page_is_idle(c, s.end, words);)
        s.end += words;
    return s;
}

/* Into transit, as if in use; or back, untouched. */
static void span_mark(struct chunk *c, struct span s, bool transit)
{
    for (unsigned w = s.at; w < s.end; w++) {
        unsigned frame = w / FRAME_WORDS, word = w % FRAME_WORDS;
        c->used[frame][word] = transit ? ~0ull : 0;
        if (!transit)
            c->touched[frame] &= (uint8_t) ~(1u << word);
        refresh_room(c, frame);
    }
}

static size_t trim_spans(struct chunk *c)
{
    size_t sum = 0;
    for (struct span s = {0, 0};;) {
        plat_lock(&meta.lock);
        s = next_idle(c, s.end);
        span_mark(c, s, true);
        plat_unlock(&meta.lock);
        if (s.at == s.end)
            return sum;
        size_t bytes = (s.end - s.at) * WORD_BYTES;
        plat_discard((char *)c + s.at * WORD_BYTES, bytes);
        plat_lock(&meta.lock);
        span_mark(c, s, false);
        plat_unlock(&meta.lock);
        sum += bytes;
    }
}

static void trim_whole(struct chunk *c, uint32_t index)
{
    plat_discard(c, CHUNK_BYTES);
    plat_lock(&meta.lock);
    set_chunk_room(index, ROOM_BLANK);
    plat_unlock(&meta.lock);
}

static size_t trim_chunk(uint32_t index)
{
    struct chunk *c = chunk_at(index);
    plat_lock(&meta.lock);
    bool freed = chunk_room(index) != ROOM_BLANK && c->freed;
    bool whole = freed && c->used_units == 0 && index % GROUP_CHUNKS;
    if (whole)
        set_chunk_room(index, 0);
    else if (freed)
        c->freed = false;
    plat_unlock(&meta.lock);
    if (!whole)
        return freed ? trim_spans(c) : 0;
    trim_whole(c, index);
    return CHUNK_BYTES;
}

SK_COLD size_t meta_trim(void)
{
    size_t sum = 0;
    plat_lock(&meta.trim_lock);
    plat_lock(&meta.lock);
    uint32_t chunks = meta.chunks;
    plat_unlock(&meta.lock);
    for (uint32_t i = 0; i < chunks; i++)
        sum += trim_chunk(i);
    plat_unlock(&meta.trim_lock);
    return sum;
}

/* ---- figures, fork, verify --------------------------------------------------------------- */

static SK_START size_t read_locked(const size_t *figure)
{
    plat_lock(&meta.lock);
    size_t bytes = *figure;
    plat_unlock(&meta.lock);
    return bytes;
}

SK_START size_t meta_mapped_bytes(void)
{
    return read_locked(&meta.mapped_bytes);
}

SK_COLD size_t meta_used_bytes(void)
{
    return read_locked(&meta.used_bytes);
}

/* trim_lock first: with it nothing is in transit. */
SK_COLD void meta_fork_prepare(void)
{
    plat_lock(&meta.trim_lock);
    plat_lock(&meta.lock);
}

SK_COLD void meta_fork_parent(void)
{
    plat_unlock(&meta.lock);
    plat_unlock(&meta.trim_lock);
}

SK_COLD void meta_fork_child(void)
{
    plat_lock_reset(&meta.lock);
    plat_lock_reset(&meta.trim_lock);
}

static SK_COLD bool chunk_verify(uint32_t index)
{
    const struct chunk *c = chunk_at(index);
    unsigned used = 0;
    if (chunk_room(index) == ROOM_BLANK)
        return true;
    for (unsigned w = 0; w < CHUNK_WORDS; w++) {
        uint64_t bits = c->used[w / FRAME_WORDS][w % FRAME_WORDS];
        used += sk_popcount(bits);
        if (bits && !(c->touched[w / FRAME_WORDS] >> w % FRAME_WORDS & 1))
            return false;
    }
    for (unsigned f = 0; f < CHUNK_FRAMES; f++)
        if (c->room[f] != find_gap(c->used[f], FRAME_UNITS).units)
            return false;
    return c->index == index && used == c->used_units + HEADER_UNITS &&
           chunk_room(index) == most(c->room, CHUNK_FRAMES);
}

SK_COLD bool meta_verify(void)
{
    bool ok = true;
    plat_lock(&meta.trim_lock);
    plat_lock(&meta.lock);
    for (uint32_t i = 0; ok && i < meta.chunks; i++)
        ok = chunk_verify(i);
    for (unsigned g = 0; ok && g * GROUP_CHUNKS < meta.chunks; g++)
        ok = meta.room[g] == most(meta.group[g]->room, GROUP_CHUNKS);
    ok &= meta.used_bytes <= meta.mapped_bytes;
    plat_unlock(&meta.lock);
    plat_unlock(&meta.trim_lock);
    return ok;
}
