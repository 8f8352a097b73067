// SPDX-License-Identifier: Apache-2.0
//
// Resources as the endpoints of masters and agents have them: sums by name, and whole.

#ifndef MESOS_LUA_OPERATOR_RESOURCE_JSON_H
#define MESOS_LUA_OPERATOR_RESOURCE_JSON_H

#include "offers/resources.h"
#include "operator/json_writer.h"

// {"cpus": 4.0, "ports": "[31000-32000]", ...}: cpus, gpus, mem and disk are always there, and what
// is revocable has "_revocable" behind its name.
void resource_json_sums(struct json_writer *writer, const char *key,
                        const struct resources *resources);
void resource_json_message_sums(struct json_writer *writer, const char *key,
                                Mesos__V1__Resource *const *items, size_t count);

// Those sums of what is not reserved, and by the role of what is.
void resource_json_unreserved(struct json_writer *writer, const char *key,
                              const struct resources *resources);
void resource_json_reserved(struct json_writer *writer, const char *key,
                            const struct resources *resources);

// Lists of whole resources: all; those that are not reserved; by role those that are.
void resource_json_full(struct json_writer *writer, const char *key,
                        const struct resources *resources);
void resource_json_unreserved_full(struct json_writer *writer, const char *key,
                                   const struct resources *resources);
void resource_json_reserved_full(struct json_writer *writer, const char *key,
                                 const struct resources *resources);

void resource_json_attributes(struct json_writer *writer, const char *key,
                              Mesos__V1__Attribute *const *attributes, size_t count);

// A copy with both formats of the reservation at once, as operators get it: `role`, `reservation`
// and `reservations`. resource_free() it.
Mesos__V1__Resource *resource_json_both_formats(const Mesos__V1__Resource *resource);

#endif
