// SPDX-License-Identifier: Apache-2.0
//
// The wish of a user to end what runs: SIGINT or SIGTERM, of which the first is noted, and the
// second ends the process at once.

#ifndef MESOS_LUA_BINDINGS_SIM_INTERRUPTION_H
#define MESOS_LUA_BINDINGS_SIM_INTERRUPTION_H

#include <stdbool.h>

void interruption_catch(void); // from now on
bool interruption_seen(void);

#endif
