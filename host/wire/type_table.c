// SPDX-License-Identifier: Apache-2.0
//
// Open addressing; nothing is ever removed: see type_table.h.

#include "wire/type_table.h"

#include <stddef.h>
#include <stdint.h>

static size_t first_slot(const ProtobufCMessageDescriptor *type)
{
    return ((uintptr_t)type >> 5) * 2654435761u % TYPE_TABLE_MOST;
}

// Puts it into the slot unless another thread was faster; returns what is in the slot.
static struct type_entry *publish(_Atomic(struct type_entry *) *slot, struct type_entry *entry)
{
    struct type_entry *found = NULL;
    return atomic_compare_exchange_strong(slot, &found, entry) ? entry : found;
}

// Puts what was made into the first free slot, unless another thread has done so: then that counts.
static const struct type_entry *add(struct type_table *table, size_t slot, struct type_entry *made)
{
    for (size_t tries = 0; tries < TYPE_TABLE_MOST; tries++, slot = (slot + 1) % TYPE_TABLE_MOST) {
        const struct type_entry *found = publish(&table->entries[slot], made);
        if (found == made)
            return made;
        if (found->type == made->type) {
            table->free(made);
            return found;
        }
    }
    table->free(made);
    return NULL;
}

const struct type_entry *type_table_get(struct type_table *table,
                                        const ProtobufCMessageDescriptor *type)
{
    size_t slot = first_slot(type);
    for (size_t tries = 0; tries < TYPE_TABLE_MOST; tries++, slot = (slot + 1) % TYPE_TABLE_MOST) {
        const struct type_entry *found =
            atomic_load_explicit(&table->entries[slot], memory_order_acquire);
        if (found == NULL)
            break;
        if (found->type == type)
            return found;
    }
    struct type_entry *made = table->make(type);
    return made ? add(table, slot, made) : NULL;
}
