/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the types in the report at the end of a process.
 */
#ifndef SLABKIT_CTL_TYPES_REPORT_H
#define SLABKIT_CTL_TYPES_REPORT_H

/* Behind the snapshot's, in the form that option report asks for (enum options_report). Nothing if
 * there are no types. */
void types_report(int fd, unsigned report);

#endif
