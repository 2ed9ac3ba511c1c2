/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the start asks of pages.c beside plat.h.
 * Below: nothing.
 */
#ifndef SLABKIT_PLAT_LINUX_PAGES_H
#define SLABKIT_PLAT_LINUX_PAGES_H

/* Makes resident what every start touches, with one call for a dozen page faults; where it is known (cmake/seldom.ld). */
void pages_touch_often(void);
/* Address space for small reservations, without huge pages; before any of them. */
void pages_set_aside(void);

#endif
