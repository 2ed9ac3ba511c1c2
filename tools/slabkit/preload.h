/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: makes the environment in which a program starts on slabkit.
 */
#ifndef SLABKIT_TOOLS_PRELOAD_H
#define SLABKIT_TOOLS_PRELOAD_H

/* Prepends the library to LD_PRELOAD, and appends `options`, `more` and then
 * report=binary,report_file=SNAPSHOTS to SLABKIT_OPTIONS (each may be NULL). CLI_OK, or CLI_FAILED
 * after a message. */
int preload_prepare(const char *options, const char *more, const char *snapshots);

#endif
