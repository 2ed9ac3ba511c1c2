/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the sample modules, written as for a kernel, offer the test that drives them.
 */
#ifndef TEST_COMPAT_MODULES_H
#define TEST_COMPAT_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* module_flows.c: a table of network flows. */
int flows_init(unsigned buckets);
void flows_exit(void);
/* Counts a packet. 0, or -ENOMEM. */
int flows_packet(uint32_t from, uint32_t to, size_t bytes);
/* Packets of a flow; 0: unknown. */
unsigned long flows_packets(uint32_t from, uint32_t to);
/* Forgets flows with fewer packets. How many. */
unsigned flows_expire(unsigned long fewer);
unsigned flows_count(void);
/* kfree it. */
char *flows_describe(uint32_t from, uint32_t to);

/* module_journal.c: records that must be written even when memory is short. */
struct journal;
struct journal *journal_open(const char *name, int kept);
void journal_close(struct journal *j);
/* 0, or -ENOMEM. */
int journal_write(struct journal *j, const void *data, size_t bytes, bool may_wait);
/* Hands the oldest record to fn and frees it; false: none. */
bool journal_commit(struct journal *j, void (*fn)(void *arg, const void *data, size_t bytes),
                    void *arg);

#endif
