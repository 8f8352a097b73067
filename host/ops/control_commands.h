// SPDX-License-Identifier: Apache-2.0
//
// The commands of an operator to a running host: one table, for the host that carries them out
// (through the control socket) and for `mesos-lua ctl`, which sends them.

#ifndef MESOS_LUA_OPS_CONTROL_COMMANDS_H
#define MESOS_LUA_OPS_CONTROL_COMMANDS_H

#include "ops/control.h"
#include "ops/metrics.h"

#include <stdio.h>

struct control_commands;

// `stop` must end the host as SIGTERM does; the drivers may have been stopped before it is called.
struct control_commands *control_commands_create(const struct session *session,
                                                 void (*stop)(void *data), void *data);

// Answers the requests that wait. NULL is fine.
void control_commands_destroy(struct control_commands *commands);

// For control_open(), whose `data` is the struct control_commands then.
extern const struct control_events control_commands_events;

// False and an error, which may suggest another name, if there is no such command.
bool control_commands_known(const char *name, struct error *err);
const char *control_commands_name(size_t index); // NULL behind the last
void control_commands_usage(FILE *file);
void control_commands_tables(FILE *file); // as options_tables() does it

#endif
