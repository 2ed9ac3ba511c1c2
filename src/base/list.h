/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: intrusive circular doubly linked list.
 * Below: base/attrs.h.
 * Concurrency: none of its own; every list names its lock where it is declared.
 * Invariant: n->next->prev == n && n->prev->next == n, for heads and for linked nodes.
 */
#ifndef SLABKIT_BASE_LIST_H
#define SLABKIT_BASE_LIST_H

#include "base/attrs.h"

struct list {
    struct list *next, *prev;
};

SK_INLINE void list_init(struct list *head)
{
    head->next = head->prev = head;
}

SK_INLINE bool list_empty(const struct list *head)
{
    return head->next == head;
}

SK_INLINE void list_link_between(struct list *n, struct list *prev, struct list *next)
{
    n->prev = prev;
    n->next = next;
    prev->next = n;
    next->prev = n;
}

SK_INLINE void list_push(struct list *head, struct list *n)
{
    list_link_between(n, head, head->next);
}

SK_INLINE void list_push_tail(struct list *head, struct list *n)
{
    list_link_between(n, head->prev, head);
}

/* Leaves n linked to itself, so that a second removal is harmless. */
SK_INLINE void list_del(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

SK_INLINE struct list *list_pop(struct list *head)
{
    struct list *n = head->next;
    if (n == head)
        return NULL;
    list_del(n);
    return n;
}

#define list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
#define list_for_each_safe(pos, tmp, head)                                                         \
    for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head);                               \
         (pos) = (tmp), (tmp) = (pos)->next)

#endif
