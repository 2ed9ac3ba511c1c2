/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: cases of die.c that call what the compatibility headers call.
 */
#ifndef TEST_DIE_COMPAT_H
#define TEST_DIE_COMPAT_H

void compat_nofail(void);
void compat_slab_panic(void);
void compat_umem_size(void);

#endif
