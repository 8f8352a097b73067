// SPDX-License-Identifier: Apache-2.0
//
// What is made once of each type of message, when it is first met, and lives as long as the
// process: found by the address of the type's descriptor. Several threads may use a table at once
// (the C interface has a loop thread for each driver), so an entry is published by
// compare-and-swap: the thread that loses frees its own.

#ifndef MESOS_LUA_WIRE_TYPE_TABLE_H
#define MESOS_LUA_WIRE_TYPE_TABLE_H

#include <protobuf-c/protobuf-c.h>

#include <stdatomic.h>

enum { TYPE_TABLE_MOST = 1024 }; // types

// What is made of a type begins with this.
struct type_entry {
    const ProtobufCMessageDescriptor *type;
};

// Of a file, static.
struct type_table {
    struct type_entry *(*make)(const ProtobufCMessageDescriptor *type); // NULL: nothing
    void (*free)(struct type_entry *entry);
    _Atomic(struct type_entry *) entries[TYPE_TABLE_MOST];
};

// NULL if nothing can be made of it, or the table is full.
const struct type_entry *type_table_get(struct type_table *table,
                                        const ProtobufCMessageDescriptor *type);

// The same, kept in a slot of the entry of a type that has this one in it.
static inline const struct type_entry *type_table_nested(struct type_table *table,
                                                         const ProtobufCMessageDescriptor *type,
                                                         _Atomic(const struct type_entry *) *slot)
{
    const struct type_entry *entry = atomic_load_explicit(slot, memory_order_acquire);
    if (entry == NULL) {
        entry = type_table_get(table, type);
        atomic_store_explicit(slot, entry, memory_order_release);
    }
    return entry;
}

#endif
