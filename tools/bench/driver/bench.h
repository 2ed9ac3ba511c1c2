/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the `slabkit bench` command.
 */
#ifndef SLABKIT_BENCH_H
#define SLABKIT_BENCH_H

/*
 * argv[0] is the command's own name, the arguments follow. Returns the exit status: 0, 1 when a
 * sample failed or nothing could be run, 2 for wrong usage. Not reentrant; call it from main().
 */
int slabkit_bench_main(int argc, char **argv);

#endif
