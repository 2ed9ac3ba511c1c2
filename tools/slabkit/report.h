/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the report of `slabkit run`: how the command ended, what it cost, and what its heap did.
 */
#ifndef SLABKIT_TOOLS_REPORT_H
#define SLABKIT_TOOLS_REPORT_H

#include "child.h"
#include "collect.h"

/* 0, or -1 with errno from write(2). */
int report_write(int fd, enum slabkit_format format, char *const *argv, const struct child_end *end,
                 const struct collection *c);

#endif
