// SPDX-License-Identifier: Apache-2.0
//
// /roles, /weights and /quota: what is known of roles, and what operators set.

#ifndef MESOS_LUA_OPERATOR_ROLES_DOCUMENT_H
#define MESOS_LUA_OPERATOR_ROLES_DOCUMENT_H

#include "master/master_records.h"
#include "operator/state_document.h"

void roles_document(struct json_writer *writer, const struct master *master,
                    const struct document_query *query);
void roles_document_weights(struct json_writer *writer, const struct master *master,
                            const struct document_query *query);
void roles_document_quota(struct json_writer *writer, const struct master *master,
                          const struct document_query *query);

// What is used of and offered in a role and those below it.
struct role_sums {
    struct string_map_entry entry;
    const struct role_node *role;
    struct resources allocated, offered;
};

struct role_table {
    struct role_sums *items; // in the order of their names
    size_t count;
    struct string_map table;
};

void roles_document_sum(struct role_table *roles, const struct master *master);
void roles_document_free(struct role_table *roles);

#endif
