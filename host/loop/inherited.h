// SPDX-License-Identifier: Apache-2.0
//
// Descriptors and signals that the program inherits from its parent, made safe. For main(), before
// anything else; not for code that runs inside another program.

#ifndef MESOS_LUA_LOOP_INHERITED_H
#define MESOS_LUA_LOOP_INHERITED_H

#include "base/error.h"

// Descriptors 0, 1 and 2 become /dev/null if they are closed.
bool inherited_standard(struct error *err);

// The same, and all other descriptors are closed in programs that are started. False if too few can
// be opened for the program to run.
bool inherited_descriptors(struct error *err);

// More descriptors for the program, up to the hard limit; and, in a process that it forked, as many
// as there were, since programs may count on that (select()).
void inherited_raise_limit(void);
void inherited_restore_limit(void);

// SIGHUP would end the process as long as nothing catches it: the launcher has blocked it, and it
// is delivered when it is released. For programs without signals_create(), which does the same once
// its handlers are installed.
void inherited_release_signals(void);

#endif
