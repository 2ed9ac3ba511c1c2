/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the model test inside the kernel: the hosted test's sequences and shadow, on one CPU after the
 *       other, with timer interrupts.
 *       usage: model [sequences [operations]]
 */
#include "engine.h"

#include "../model/sequence.h"
#include "../model/shadow.h"
#include "../oracle/engine.h"
#include "../oracle/entry.h"

/* ---- sequences ------------------------------------------------------------------------------------ */

static struct sequence sequence;
static unsigned fault;

static void run_one(void *arg)
{
    (void)arg;
    timer_every(50000, 500000);
    shadow_run(&sequence, fault);
    timer_usual();
}

static void run_on(unsigned cpu)
{
    if (cpu == 0) {
        run_one(NULL);
        return;
    }
    assert_true(cpu_run_on(cpu, run_one, NULL));
    while (!cpu_is_idle(cpu))
        cpu_rest();
}

/* In the middle of whatever the model does; nothing is live afterwards. */
static void handler(void)
{
    km_free(km_alloc(100 + plat_slot()));
}

int main(int argc, char **argv)
{
    unsigned sequences = argc > 1 ? (unsigned)atoi(argv[1]) : 8;
    unsigned ops = argc > 2 ? (unsigned)atoi(argv[2]) : 1500;

    if (argc > 3)
        fault = (unsigned)atoi(argv[3]);
    start_engine(0);
    engine_find();
    timer_hook = handler;
    for (unsigned i = 0; i < sequences; i++) {
        sequence_make(&sequence, i + 1, ops);
        run_on(i % plat_nslots());
        printf("sequence %u on CPU %u\n", i + 1, i % plat_nslots());
    }
    timer_hook = NULL;
    km_free(km_alloc(KM_MEDIUM_MAX + 1));
    expect_all_free();
    return 0;
}
