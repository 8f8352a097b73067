// SPDX-License-Identifier: Apache-2.0
//
// What the program gets from the process that starts it, made safe: descriptors and signals. For
// main(), before anything else; not for what runs inside another program.

#ifndef MESOS_LUA_LOOP_INHERITED_H
#define MESOS_LUA_LOOP_INHERITED_H

#include "base/error.h"

// Descriptors 0, 1 and 2 that are closed become /dev/null, all others do not go on to programs that
// are started. False if so few can be opened that the program could not run.
bool inherited_descriptors(struct error *err);

// More descriptors for the program, up to the hard limit; and, in a process that it forked, as many
// as there were, since programs may count on that (select()).
void inherited_raise_limit(void);
void inherited_restore_limit(void);

// SIGHUP would end the process as long as nothing catches it: it is held back, and comes when it is
// released. signals_create() does that behind its own handlers.
void inherited_hold_signals(void);
void inherited_release_signals(void);

#endif
