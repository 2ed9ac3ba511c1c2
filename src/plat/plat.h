/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: everything slabkit asks of the world it runs in: pages, slots, per-slot arrays, locks,
 *       clock, tell, panic. A port is an implementation of this page.
 * Below: base.
 * Owns: the slot areas. A slot area is PLAT_SLOT_WORDS words; word i of slot s names the top
 *       of that slot's array i, as a byte offset from plat_base:
 *
 *           word(s, i) at  plat_base + 16 + ((s + 1) << PLAT_SLOT_SHIFT) + 8 * i
 *
 *       An array is memory void *a[cap + 2] with a[0] == NULL and a[cap + 1] == PLAT_MARK;
 *       a word names a[k] when the array holds a[1..k]. Hence
 *           pop  misses  <=>  *top == NULL           (empty)
 *           push misses  <=>  top[1] == PLAT_MARK    (full)
 *       and plat_base[0] == NULL, plat_base[1] == PLAT_MARK make the word 0 look empty and full
 *       at once: memory that nobody has set up yet is a legal, closed array.
 *       Word PLAT_SLOT_POPS + i counts the objects popped from array i. It is added to after
 *       the commit, so a thread moved between the two may once lose a count: it is a figure, not
 *       a state.
 *       Word PLAT_FOREIGN + i is one more array of index i: push puts there what belongs to
 *       another slot, and pop never looks there.
 *       Area -1 (and -2) exist and are all zero: a thread whose slot is not known yet reads a
 *       negative slot and misses.
 * Concurrency: a non-zero word is changed only by the per-slot primitives below. A word that
 *       is 0 is never changed by pop, push, pop_n or push_n; only the holder of the lock that
 *       the layer above keeps for (slot, index) opens it.
 * Why: one word carries emptiness, fullness and the position, so that one store commits. A
 *       pointer, not a count: the count's store-to-load chain costs more than the whole hit.
 */
#ifndef SLABKIT_PLAT_PLAT_H
#define SLABKIT_PLAT_PLAT_H

#include "base/attrs.h"
#include "base/atomic.h"
#include "base/check.h"

#include "plat_sizes.h" /* the platform's, by include path */

#define PLAT_SLOT_WORDS (1u << (PLAT_SLOT_SHIFT - 3))
/* Apart from the words by no multiple of 4 KiB: a processor that forwards stores to loads by the low twelve bits of
 * an address would else take an array's count for its word. */
#define PLAT_SLOT_GAP    32u
#define PLAT_SLOT_ARRAYS (PLAT_SLOT_WORDS / 4 - PLAT_SLOT_GAP) /* indices of arrays */
#define PLAT_SLOT_POPS   (PLAT_SLOT_WORDS / 4 + PLAT_SLOT_GAP)
#define PLAT_FOREIGN     (PLAT_SLOT_WORDS / 2)
#define PLAT_MARK        ((void *)1)
/*
 * What push is told about an object: the index of its array, and the slot that owns its slab, as a
 * signed number. Index 0 is never opened: no object has it. A thread whose slot is not known has
 * the slot -1, and so has PLAT_KIND_NONE: before plat_init push may be told that and nothing else.
 */
#define PLAT_KIND(idx, slot)  ((uint32_t)(idx) | (uint32_t)(slot) << 16)
#define PLAT_SLOT_NOBODY      ((uint32_t)-2) /* no thread ever has it: foreign everywhere */
#define PLAT_KIND_INDEX(kind) ((uint16_t)(kind))
#define PLAT_KIND_SLOT(kind)  ((uint32_t)((int32_t)(kind) >> 16))
#define PLAT_KIND_NONE        PLAT_KIND(0, -1)
/* Indices that pop may be asked before plat_init. */
#define PLAT_BOOT_INDICES 128u
#define PLAT_HIDDEN       __attribute__((visibility("hidden")))
#define PLAT_NODES_MAX    16u

/* The engine's page. A slab and a large block begin on a page. */
#define PLAT_PAGE_BYTES ((size_t)1 << PLAT_PAGE_SHIFT)

enum plat_mode {
    PLAT_MODE_NONE,
    PLAT_MODE_RSEQ_CID,
    PLAT_MODE_RSEQ_CPU,
    PLAT_MODE_PORTABLE,
    PLAT_MODE_KERNEL
};

/* ---- start-up ---------------------------------------------------------------------------- */

struct plat_config {
    enum plat_mode force; /* PLAT_MODE_NONE: choose */
    unsigned nodes;       /* 0: what the system has; otherwise simulate so many, slot % nodes */
};

/*
 * Chooses the mode, maps the slot areas, runs the self-test. Called once, by one thread, before
 * any other function but plat_panic, the locks and the pages; until then pop and push miss.
 * Never fails: what cannot be had is replaced by the portable mode. Returns the mode.
 */
enum plat_mode plat_init(const struct plat_config *cfg);
enum plat_mode plat_mode(void);
/* "none", "rseq-cid", "rseq-cpu", "portable"; in a kernel "none", "kernel" */
const char *plat_mode_name(enum plat_mode mode);

/* Why the mode is what it is, in a few words for the report; constant after plat_init. */
const char *plat_mode_reason(void);

/* ---- pages (any context that may make system calls) --------------------------------------- */

/*
 * Two are of plat_sizes.h, where they may be inline:
 *
 *   size_t plat_sys_page_bytes(void);
 *   void plat_hugepages(void *p, size_t bytes, bool want);
 *       Asks for (or against) huge pages over committed memory; advice only.
 */
/* What this process may still map, or still make writable if that is less; SIZE_MAX if neither is bounded. */
size_t plat_resident_limit_bytes(void);

/* Address space, not memory: bytes and align multiples of the system page, align a power of two.
 * NULL when refused. Not usable before plat_commit. */
void *plat_reserve(size_t bytes, size_t align);
/* Makes reserved pages usable (zero when first touched); those that are already stay as they are.
 * false: the system refused, nothing changed. Cheap when the system needs no call for it. */
bool plat_commit(void *p, size_t bytes);
/* Reserved and committed, or NULL and neither. */
void *plat_reserve_usable(size_t bytes, size_t align);
/* Makes reserved pages readable, all zero, at the cost of no memory; plat_commit makes them writable. A system that
 * cannot may commit them. */
bool plat_commit_zeros(void *p, size_t bytes);
/* Gives the memory of committed pages back at once; they stay committed and read as zero. A system
 * that must be able to refuse memory may only clear it. */
void plat_discard(void *p, size_t bytes);
/* The same of pages that nobody touches until they were committed again; where PLAT_DECOMMIT_KEEPS,
 * that is not needed. */
void plat_decommit(void *p, size_t bytes);
/* Unmaps address space: all that one plat_reserve or plat_map gave. */
void plat_release(void *p, size_t bytes);
/* Memory outside of any reservation, usable at once and zero; NULL when refused. */
void *plat_map(size_t bytes, size_t align);
/* Grows or shrinks what plat_map gave, moving it if need be; NULL when refused (p stays). Where it
 * moves to begins on an engine's page. */
void *plat_remap(void *p, size_t old_bytes, size_t new_bytes);

/* Test hook: the n-th following call that asks the system for memory (reserve, commit, map,
 * remap) fails, and every later one too if sticky. n == 0 switches it off. */
void plat_fail_after(unsigned n, bool sticky);
uint64_t plat_memory_calls(void);

/* ---- slots --------------------------------------------------------------------------------- */

unsigned plat_nslots(void); /* constant after plat_init, >= 1 */
unsigned plat_nnodes(void);
unsigned plat_slot_node(unsigned slot);
/* The slot this thread runs on now: a hint, stale as soon as it is read. Always < plat_nslots().
 * Registers the thread where that is needed. */
unsigned plat_slot(void);

/*
 * The per-slot primitives. Each acts on the array `idx` of the slot the thread runs on at the
 * instant of its one committing store, and is atomic against preemption, migration and signals.
 * They never block; they miss instead (also after a bounded number of aborts). pop and push are
 * the whole hit path and are inline, in the implementation's plat_slot.h.
 *
 *   void *plat_slot_pop(unsigned idx);               NULL: miss
 *   bool  plat_slot_push(uint32_t kind, void *obj);  false: miss
 *
 * push acts on array idx if the thread runs on the slot that `kind` names, else on array
 * PLAT_FOREIGN + idx. The others take either for idx.
 */
unsigned plat_slot_pop_n(unsigned idx, void **out, unsigned n);         /* top first; how many */
unsigned plat_slot_push_n(unsigned idx, void *const *objs, unsigned n); /* how many, from objs[0] */
/* pop and push that retry (bounded) and also serve the portable mode: what the slow path calls. */
void *plat_slot_pop_retry(unsigned idx);
bool plat_slot_push_retry(unsigned idx, void *obj);

extern PLAT_HIDDEN char *plat_base;

SK_INLINE uintptr_t *plat_slot_word(unsigned slot, unsigned idx)
{
    return (uintptr_t *)(plat_base + 16 + ((uintptr_t)(slot + 1) << PLAT_SLOT_SHIFT)) + idx;
}

SK_INLINE uintptr_t plat_word_of(void **top)
{
    return (uintptr_t)((char *)top - plat_base);
}

/* Objects popped from the array so far. */
SK_INLINE uint64_t plat_slot_pops(unsigned slot, unsigned idx)
{
    return sk_load_relaxed(plat_slot_word(slot, PLAT_SLOT_POPS + idx));
}

/* word != 0. */
SK_INLINE void **plat_word_top(uintptr_t word)
{
    return (void **)(plat_base + word);
}

/* If the thread runs on `slot` and its word is `old`, stores `new`, and returns true. Afterwards
 * nobody is inside a primitive on the array that `old` named. Caller holds (slot, idx). */
bool plat_slot_cas(unsigned slot, unsigned idx, uintptr_t old, uintptr_t new);
/* Closes the array from anywhere: word becomes 0, and on return nobody is inside a primitive on
 * it. Returns the word it had (0: was closed). Caller holds (slot, idx). May cost an IPI. */
uintptr_t plat_slot_stop(unsigned slot, unsigned idx);
/* The same for many arrays of one slot with one fence: words[i] is what idx[i] had. Caller holds
 * all. */
void plat_slot_stop_many(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n);
/* For ports: stores 0 in every one of these words that is not, which words[i] then is; whether there was one. */
bool plat_close_words(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n);
/* Opens a closed array. Caller holds (slot, idx). Publishes the array's entries. Partner: the load of the
 * word by whoever pops or pushes, ordered before the entries by an acquire, or by the address that depends
 * on it. */
SK_INLINE void plat_slot_open(unsigned slot, unsigned idx, uintptr_t word)
{
    SK_ASSERT(sk_load_relaxed(plat_slot_word(slot, idx)) == 0);
    sk_store_release(plat_slot_word(slot, idx), word);
}

/*
 * Credit: how much a slot may still do before it must ask, as one word of memory that the layer
 * above owns: the words of all slots, PLAT_CREDIT_BYTES apart. The words of slots -1 and -2 exist
 * and are 0 for ever: what a thread without a slot reads. 0 is a closed word: no credit, or none
 * given yet. The rules are those of the arrays' words: a word that is not 0 is changed by the
 * primitives only; a word that is 0 is changed by open and cas only, under the lock that the layer
 * above keeps for these cells. cells is the word of slot 0.
 *
 *   bool plat_credit_take(struct plat_credit *cells, uint64_t amount);
 *       On the slot the thread runs on, as one commit: word > amount ? word -= amount, true :
 *       false. So a word of 0 is never stored, nor is 0 ever stored: what is left of a credit is at
 *       least 1, and stop can tell a closed word from a used one. Inline, in plat_slot.h; misses as
 *       pop and push do. In a port: between the read and the store of the word nothing else may run
 *       on this CPU that uses it, and the store is plain.
 */
#define PLAT_CREDIT_SHIFT 6u
#define PLAT_CREDIT_BYTES (1u << PLAT_CREDIT_SHIFT)

struct plat_credit {
    uint64_t pc_word;
    uint64_t pc_stopped; /* the word as plat_credit_stop found it; by the holder of the lock */
};

SK_INLINE struct plat_credit *plat_credit_of(struct plat_credit *cells, unsigned slot)
{
    return (struct plat_credit *)((char *)cells + ((size_t)slot << PLAT_CREDIT_SHIFT));
}

/* take that retries (bounded) and also serves the portable mode. */
bool plat_credit_take_retry(struct plat_credit *cells, uint64_t amount);
/* If the thread runs on `slot` and its word is `old`, stores `new`. Caller holds the lock. */
bool plat_credit_cas(struct plat_credit *cells, unsigned slot, uint64_t old, uint64_t new);
/* Closes the words of all slots: each becomes 0, pc_stopped is what it was, and on return nobody is
 * inside a primitive on them. Caller holds the lock. May cost IPIs, and none if all were 0. */
void plat_credit_stop(struct plat_credit *cells);

/* ---- locks, nesting, requests, waiting, clock, tell, panic ----------------------------------------- */

struct plat_lock {
    uint32_t word; /* 0 free, 1 held, 2 held and waited for */
};

void plat_lock(struct plat_lock *l);
void plat_unlock(struct plat_lock *l);
/* The port's: somebody else holds it; somebody may wait for it. */
void plat_lock_slow(struct plat_lock *l);
void plat_unlock_slow(struct plat_lock *l);

SK_INLINE bool plat_trylock(struct plat_lock *l)
{
    uint32_t free = 0;
    return sk_load_relaxed(&l->word) == 0 && sk_cas_acquire(&l->word, &free, 1u);
}

/* In the child of fork, by its only thread: the lock was held by the forking thread. */
SK_INLINE void plat_lock_reset(struct plat_lock *l)
{
    sk_store_relaxed(&l->word, 0u);
}

/* Brackets the slow path of this thread. enter returns false when the thread is already inside (a
 * signal handler interrupted it): locks must not be taken then. Leave only after a true enter. */
bool plat_enter(void);
void plat_leave(void);

/*
 * What this thread's slow path was asked for, for the layers that cannot be told by their callers.
 * refuse > 0: calls that would ask the system for memory fail at once and make no system call, and
 * advice is not given. Whoever raises it lowers it again; signal handlers leave it as it is.
 */
struct plat_request {
    unsigned refuse;
    /* The layer cache's. */
    int flags, error;
    unsigned readers;      /* sections it is inside of, and which count has them */
    const void *callbacks; /* of which caches constructors or destructors run, innermost first */
};
struct plat_request *plat_request(void);

SK_INLINE bool plat_refusing(void)
{
    return plat_request()->refuse != 0;
}

/* This thread's errno, where callers expect one. */
int *plat_errno(void);
/* Lets other threads run. */
void plat_yield(void);

/* Sleeps until plat_wake(word), or `ms` milliseconds are over, or for no reason; not at all when
 * *word != seen. Outside of plat_enter, no lock held. */
void plat_wait(const uint32_t *word, uint32_t seen, unsigned ms);
/* Wakes all who wait for the word, which the caller has changed. Any context. */
void plat_wake(const uint32_t *word);

uint64_t plat_clock_ns(void); /* monotonic, coarse (about 4 ms) is enough */
/* Asks `slot` to look at its returned lists soon. Hosted: nothing to do, it is only counted above.
 */
void plat_tell(unsigned slot);

/* Prints one line on stderr without allocating, and aborts. */
_Noreturn void plat_panic(const char *line);
/* Writes to stderr, unbuffered. */
void plat_write_err(const char *text, size_t len);

/*
 * Around fork. After prepare nobody is inside a primitive, and every primitive on arrays misses
 * until parent or child is called (a credit is one word, which cannot be copied in two states): what fork copies, page by page while other threads run, is one state. Call it
 * when all locks of the layers above are held, or those threads take their slow paths meanwhile.
 */
void plat_fork_prepare(void);
void plat_fork_parent(void);
void plat_fork_child(void);

#endif
