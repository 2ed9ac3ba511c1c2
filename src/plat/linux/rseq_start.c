/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: registration with the kernel, the self-test, the fence, and closing all slots at once.
 * Below: rseq.h, sys.h.
 * Owns: this thread's own struct rseq (used where libc registered none), the mode's consequences:
 *       the three words of rseq.h.
 * Failure: whatever is missing or does not behave leads to the portable mode and a reason.
 * Why: libc's registration is used where it is there; a thread can have only one. Read-only
 *       fields of a registered struct are never written (kernels check, and kernels changed).
 */
#include "plat/linux/rseq.h"
#include "plat/linux/rseq_start.h"
#include "plat/linux/rseq_test.h"
#include "plat/linux/sys.h"
#include "plat/linux/topology.h"
#include "plat/portable/slots.h"

#include <linux/membarrier.h>
#include <sys/auxv.h>

#define RSEQ_FLAG_UNREGISTER    1
#define AUXV_RSEQ_FEATURE_BYTES 27

/* libc says so when it registered; absent in older ones. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

SK_TLS struct plat_rseq plat_closed_rseq __attribute__((used)) = {.cpu_id = -1, .mm_cid = -1};

/* Until the kernel knows it, the ids of -1 make every section miss. */
static SK_TLS struct plat_rseq own_rseq = {.cpu_id = -1, .mm_cid = -1};

intptr_t plat_rseq_delta, plat_id_delta;
char *plat_slot_base = (char *)&plat_boot;

static bool own;          /* threads register own_rseq */
static bool fence_by_cpu; /* slots are CPUs: a fence need not reach others */
static char *closed_base; /* NULL: nothing was ever published */

/* ---- registration -------------------------------------------------------------------------- */

/* NULL: libc did not register. */
static struct plat_rseq *libc_rseq(void)
{
    struct plat_rseq *self;

    if (&__rseq_size == NULL || &__rseq_offset == NULL || __rseq_size == 0)
        return NULL;
    self = (struct plat_rseq *)(sys_thread_pointer() + __rseq_offset);
    return sk_load_relaxed(&self->cpu_id) >= 0 ? self : NULL;
}

/* A thread that was refused is not asked again: its struct stays ours, and its ids negative. */
static bool register_own(void)
{
    if (sk_load_relaxed(&own_rseq.cpu_id) == -1 &&
        sys_failed(sys_call4(SYS_rseq, &own_rseq, RSEQ_BYTES, 0, RSEQ_SIGNATURE)))
        sk_store_relaxed(&own_rseq.cpu_id, -2);
    return sk_load_relaxed(&own_rseq.cpu_id) >= 0;
}

bool rseq_register_thread(void)
{
    return own && register_own();
}

/* Once the kernel has let go of the struct it is ours to write. */
static void unregister_own(void)
{
    if (!own)
        return;
    if (sys_failed(
            sys_call4(SYS_rseq, &own_rseq, RSEQ_BYTES, RSEQ_FLAG_UNREGISTER, RSEQ_SIGNATURE)))
        plat_panic("slabkit: the kernel keeps a struct rseq it was asked to let go");
    own_rseq.cpu_id = own_rseq.mm_cid = -1;
    own = false;
}

static struct plat_rseq *find_registration(void)
{
    struct plat_rseq *self = libc_rseq();

    if (self != NULL)
        return self;
    own = register_own();
    return own ? &own_rseq : NULL;
}

/* libc's __rseq_size may say less than the 32 bytes it always registers: the kernel's word counts.
 */
static bool kernel_has_cid(void)
{
    return getauxval(AUXV_RSEQ_FEATURE_BYTES) >= RSEQ_OFF_MM_CID + sizeof(int32_t);
}

/* ---- fence --------------------------------------------------------------------------------- */

static bool membarrier(int cmd, unsigned flags, int cpu)
{
    return !sys_failed(sys_call3(SYS_membarrier, cmd, flags, cpu));
}

static bool fence_ready(void)
{
    return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
}

static void fence(unsigned flags, int cpu)
{
    if (!membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, flags, cpu))
        plat_panic("slabkit: membarrier was refused after it was granted");
}

void rseq_fence_all(void)
{
    fence(0, 0);
}

void rseq_fence(unsigned slot)
{
    if (fence_by_cpu)
        fence(MEMBARRIER_CMD_FLAG_CPU, (int)slot);
    else
        rseq_fence_all();
}

/* ---- choice -------------------------------------------------------------------------------- */

static enum plat_mode ids_for(enum plat_mode force, unsigned nodes)
{
    if (force != PLAT_MODE_NONE)
        return force;
    /* A concurrency id wanders between nodes. */
    return nodes == 1 && kernel_has_cid() ? PLAT_MODE_RSEQ_CID : PLAT_MODE_RSEQ_CPU;
}

static const char *reason_for(bool tested)
{
    if (own)
        return tested ? "own registration" : "own registration, abort not tested";
    return tested ? "libc's registration" : "libc's registration, abort not tested";
}

static struct slots_choice refuse(const char *reason)
{
    struct slots_choice c = {PLAT_MODE_PORTABLE, reason};

    unregister_own();
    return c;
}

static struct slots_choice choose_registered(struct plat_rseq *self, enum plat_mode mode,
                                             unsigned cpus)
{
    struct slots_choice c = {mode, NULL};
    enum rseq_verdict verdict;

    if (mode == PLAT_MODE_RSEQ_CID && !kernel_has_cid())
        return refuse("the kernel has no concurrency ids");
    if (!fence_ready())
        return refuse("the kernel has no membarrier for restartable sequences");
    if (!rseq_test_ids(self, cpus, mode == PLAT_MODE_RSEQ_CID))
        return refuse("self-test: wrong ids");
    verdict = rseq_test_abort(self);
    if (verdict == RSEQ_DOES_NOT_ABORT)
        return refuse("self-test: a signal does not abort a section");
    c.reason = reason_for(verdict == RSEQ_ABORTS);
    return c;
}

struct slots_choice slots_choose(enum plat_mode force, unsigned cpus, unsigned nodes)
{
    struct plat_rseq *self;

    if (force == PLAT_MODE_PORTABLE)
        return refuse("asked for");
    if (cpus > TOPOLOGY_CPUS_MAX)
        return refuse("more CPUs than slots");
    self = find_registration();
    if (self == NULL)
        return refuse("no registration: neither libc's nor ours");
    return choose_registered(self, ids_for(force, nodes), cpus);
}

/*
 * A section reads the delta first: if it sees the new one it must see the other words as well. The
 * fence between the stores is a full barrier in every running thread, so a load that comes before
 * the load of the new delta in such a thread comes after the fence, or both come before it.
 */
void slots_publish(enum plat_mode mode, char *closed)
{
    struct plat_rseq *self = own ? &own_rseq : libc_rseq();

    if (mode == PLAT_MODE_PORTABLE) {
        unregister_own();
        sk_store_relaxed(&plat_slot_base, closed);
        return;
    }
    fence_by_cpu = mode == PLAT_MODE_RSEQ_CPU;
    closed_base = closed;
    sk_store_relaxed(&plat_slot_base, plat_base);
    sk_store_relaxed(&plat_id_delta, fence_by_cpu ? RSEQ_DELTA_CPU : RSEQ_DELTA_CID);
    rseq_fence_all();
    sk_store_release(&plat_rseq_delta, (char *)self - (char *)&plat_closed_rseq);
}

/* ---- freeze -------------------------------------------------------------------------------- */

void rseq_freeze(void)
{
    if (closed_base == NULL)
        return;
    ((void **)closed_base)[1] = PLAT_MARK;
    sk_store_release(&plat_slot_base, closed_base);
    rseq_fence_all();
}

void rseq_thaw(void)
{
    if (closed_base != NULL)
        sk_store_release(&plat_slot_base, plat_base);
}

/* The child's address space is a new one to the kernel's books; to register twice does no harm. */
void rseq_thaw_child(void)
{
    if (closed_base != NULL && !fence_ready())
        plat_panic("slabkit: membarrier was refused after fork");
    rseq_thaw();
}
