// SPDX-License-Identifier: Apache-2.0
//
// What an operator can ask of a running host: one table of commands, for the host that does them
// (through the control socket) and for `mesos-lua ctl` that sends them.

#ifndef MESOS_LUA_COMMANDS_H
#define MESOS_LUA_COMMANDS_H

#include "control.h"
#include "metrics.h"

#include <stdio.h>

struct commands;

// `stop` ends the host as SIGTERM does; the drivers may have been stopped already.
struct commands *commands_create(const struct metrics_subject *subject, void (*stop)(void *data),
                                 void *data);

// Answers what is still to be answered. NULL is fine.
void commands_destroy(struct commands *commands);

extern const struct control_events commands_events; // their `data` is the struct commands

bool commands_known(const char *name, struct error *err); // the error may suggest another
void commands_usage(FILE *file);

#endif
