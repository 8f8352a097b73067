// SPDX-License-Identifier: Apache-2.0
//
// Maintenance in JSON, as Mesos's endpoints have it: {"windows":[...]} for a schedule, a list of
// machines to take down or bring up, and the status with what frameworks have answered.

#ifndef MESOS_LUA_OPERATOR_MAINTENANCE_DOCUMENT_H
#define MESOS_LUA_OPERATOR_MAINTENANCE_DOCUMENT_H

#include "base/bytes.h"
#include "base/error.h"

struct master;

char *maintenance_document_schedule(const struct master *master); // free() it
char *maintenance_document_status(const struct master *master);   // free() it

// Each does what such a body asks for. The errors have the words of a master, which answers them
// with status 400.
bool maintenance_document_update(struct master *master, struct slice body, struct error *err);
bool maintenance_document_down(struct master *master, struct slice body, struct error *err);
bool maintenance_document_up(struct master *master, struct slice body, struct error *err);

#endif
