// SPDX-License-Identifier: Apache-2.0
//
// What an operator can ask of a running host: one table of commands, for the host that does them
// (through the control socket) and for `mesos-lua ctl` that sends them.

#ifndef MESOS_LUA_OPS_CONTROL_COMMANDS_H
#define MESOS_LUA_OPS_CONTROL_COMMANDS_H

#include "ops/control.h"
#include "ops/metrics.h"

#include <stdio.h>

struct control_commands;

// `stop` ends the host as SIGTERM does; the drivers may have been stopped already.
struct control_commands *control_commands_create(const struct session *session,
                                                 void (*stop)(void *data), void *data);

// Answers what is still to be answered. NULL is fine.
void control_commands_destroy(struct control_commands *commands);

extern const struct control_events
    control_commands_events; // their `data` is the struct control_commands

bool control_commands_known(const char *name, struct error *err); // the error may suggest another
void control_commands_usage(FILE *file);

#endif
