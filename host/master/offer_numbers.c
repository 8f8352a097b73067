// SPDX-License-Identifier: Apache-2.0
//
// A chained table that doubles when it is full; see the header. Offers that were made one after
// another lie in neighbouring slots.

#include "master/offer_numbers.h"

#include "base/memory.h"
#include "master/master_records.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_LEAST = 16 };

static struct master_offer **slot_of(const struct offer_numbers *table, uint64_t number)
{
    return &table->slots[number & (table->capacity - 1)];
}

static void insert(struct offer_numbers *table, struct master_offer *offer)
{
    struct master_offer **slot = slot_of(table, offer->number);
    offer->next = *slot;
    *slot = offer;
}

static void grow(struct offer_numbers *table)
{
    struct offer_numbers old = *table;
    table->capacity = old.capacity ? 2 * old.capacity : CAPACITY_LEAST;
    table->slots = memory_new(table->capacity * sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        for (struct master_offer *offer = old.slots[i], *next; offer != NULL; offer = next) {
            next = offer->next;
            insert(table, offer);
        }
    }
    free(old.slots);
}

void offer_numbers_put(struct offer_numbers *table, struct master_offer *offer)
{
    if (table->count == table->capacity)
        grow(table);
    insert(table, offer);
    table->count++;
}

// What an id of ours has behind its last letter; of any other text it is just some number.
static uint64_t number_of(const char *id)
{
    const char *digit = strrchr(id, 'O');
    uint64_t number = 0;
    while (digit != NULL && *++digit != '\0')
        number = number * 10 + (uint64_t)(*digit - '0');
    return number;
}

struct master_offer *offer_numbers_find(const struct offer_numbers *table, const char *id)
{
    if (table->count == 0)
        return NULL;
    uint64_t number = number_of(id);
    for (struct master_offer *offer = *slot_of(table, number); offer != NULL; offer = offer->next)
        if (offer->number == number && strcmp(offer->id, id) == 0)
            return offer;
    return NULL;
}

void offer_numbers_remove(struct offer_numbers *table, struct master_offer *offer)
{
    struct master_offer **link = slot_of(table, offer->number);
    while (*link != offer)
        link = &(*link)->next;
    *link = offer->next;
    table->count--;
}

void offer_numbers_free(struct offer_numbers *table)
{
    free(table->slots);
    *table = (struct offer_numbers){.slots = NULL};
}
