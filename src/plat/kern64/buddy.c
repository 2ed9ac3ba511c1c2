/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see buddy.h.
 * Below: base.
 */
#include "plat/kern64/buddy.h"
#include "base/bits.h"

void buddy_init(struct buddy *b, struct buddy_unit *unit, uint32_t units)
{
    __builtin_memset(b, 0, sizeof(*b));
    b->bd_unit = unit;
    b->bd_units = units;
    for (unsigned zone = 0; zone < BUDDY_ZONES; zone++)
        for (unsigned order = 0; order < BUDDY_ORDERS; order++)
            b->bd_head[zone][order] = BUDDY_NONE;
    for (uint32_t i = 0; i < units; i++)
        unit[i] = (struct buddy_unit){.state = BUDDY_ABSENT};
}

/* ---- lists ------------------------------------------------------------------------------ */

static uint32_t *link_to(struct buddy *b, uint32_t unit)
{
    const struct buddy_unit *u = &b->bd_unit[unit];

    return u->prev == BUDDY_NONE ? &b->bd_head[u->zone][u->order] : &b->bd_unit[u->prev].next;
}

static void count_free(struct buddy *b, unsigned zone, int64_t units)
{
    b->bd_free = (uint32_t)(b->bd_free + units);
    b->bd_zone_free[zone] = (uint32_t)(b->bd_zone_free[zone] + units);
}

static void block_link(struct buddy *b, uint32_t unit, unsigned order, unsigned zone)
{
    uint32_t *head = &b->bd_head[zone][order];

    b->bd_unit[unit] =
        (struct buddy_unit){*head, BUDDY_NONE, (uint8_t)order, BUDDY_FREE, (uint8_t)zone};
    if (*head != BUDDY_NONE)
        b->bd_unit[*head].prev = unit;
    *head = unit;
    count_free(b, zone, (int64_t)1 << order);
}

static void block_unlink(struct buddy *b, uint32_t unit)
{
    const struct buddy_unit *u = &b->bd_unit[unit];

    *link_to(b, unit) = u->next;
    if (u->next != BUDDY_NONE)
        b->bd_unit[u->next].prev = u->prev;
    count_free(b, u->zone, -((int64_t)1 << u->order));
}

/* ---- merge ------------------------------------------------------------------------------ */

static bool is_free_block(const struct buddy *b, uint32_t unit, unsigned order, unsigned zone)
{
    const struct buddy_unit *u = &b->bd_unit[unit];

    return unit < b->bd_units && u->state == BUDDY_FREE && u->order == order && u->zone == zone;
}

static void block_insert(struct buddy *b, uint32_t unit, unsigned order, unsigned zone)
{
    while (order + 1 < BUDDY_ORDERS) {
        uint32_t other = unit ^ 1u << order;

        if (!is_free_block(b, other, order, zone))
            break;
        block_unlink(b, other);
        b->bd_unit[unit > other ? unit : other].state = BUDDY_INSIDE;
        unit &= ~(1u << order);
        order++;
    }
    block_link(b, unit, order, zone);
}

/* The largest block that may begin at `unit` and has at most `units`. */
static unsigned order_at(uint32_t unit, uint32_t units)
{
    unsigned order = (unsigned)sk_min(sk_log2_floor(units), BUDDY_ORDERS - 1);

    return unit ? (unsigned)sk_min(order, sk_ctz(unit)) : order;
}

void buddy_add(struct buddy *b, uint32_t first, uint32_t units, unsigned zone)
{
    while (units) {
        unsigned order = order_at(first, units);

        for (uint32_t i = 1; i < 1u << order; i++)
            b->bd_unit[first + i] =
                (struct buddy_unit){.state = BUDDY_INSIDE, .zone = (uint8_t)zone};
        block_insert(b, first, order, zone);
        first += 1u << order;
        units -= 1u << order;
    }
}

unsigned buddy_order(uint64_t units)
{
    return sk_log2_ceil(units);
}

/* ---- split ------------------------------------------------------------------------------ */

static void block_split(struct buddy *b, uint32_t unit, unsigned order, unsigned to, unsigned zone)
{
    while (order > to) {
        order--;
        block_link(b, unit + (1u << order), order, zone);
    }
}

uint32_t buddy_alloc(struct buddy *b, unsigned order, unsigned zone)
{
    unsigned from = order;
    uint32_t unit;

    while (from < BUDDY_ORDERS && b->bd_head[zone][from] == BUDDY_NONE)
        from++;
    if (from >= BUDDY_ORDERS)
        return BUDDY_NONE;
    unit = b->bd_head[zone][from];
    block_unlink(b, unit);
    block_split(b, unit, from, order, zone);
    b->bd_unit[unit].order = (uint8_t)order;
    b->bd_unit[unit].state = BUDDY_USED;
    return unit;
}

bool buddy_free(struct buddy *b, uint32_t unit)
{
    if (unit >= b->bd_units || b->bd_unit[unit].state != BUDDY_USED)
        return false;
    block_insert(b, unit, b->bd_unit[unit].order, b->bd_unit[unit].zone);
    return true;
}

/* ---- verify ----------------------------------------------------------------------------- */

static bool list_verify(const struct buddy *b, unsigned zone, unsigned order, uint64_t *sum)
{
    uint32_t prev = BUDDY_NONE;

    for (uint32_t i = b->bd_head[zone][order]; i != BUDDY_NONE; i = b->bd_unit[i].next) {
        if (!is_free_block(b, i, order, zone) || b->bd_unit[i].prev != prev ||
            i % (1u << order) != 0)
            return false;
        if (order + 1 < BUDDY_ORDERS && is_free_block(b, i ^ 1u << order, order, zone))
            return false;
        for (uint32_t k = 1; k < 1u << order; k++)
            if (b->bd_unit[i + k].state != BUDDY_INSIDE)
                return false;
        *sum += (uint64_t)1 << order;
        prev = i;
    }
    return true;
}

bool buddy_verify(const struct buddy *b)
{
    uint64_t all = 0;

    for (unsigned zone = 0; zone < BUDDY_ZONES; zone++) {
        uint64_t sum = 0;

        for (unsigned order = 0; order < BUDDY_ORDERS; order++)
            if (!list_verify(b, zone, order, &sum))
                return false;
        if (sum != b->bd_zone_free[zone])
            return false;
        all += sum;
    }
    return all == b->bd_free;
}
