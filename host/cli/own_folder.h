// SPDX-License-Identifier: Apache-2.0
//
// What belongs to the program and lies beside it: in the build tree, or where it was installed.

#ifndef MESOS_LUA_CLI_OWN_FOLDER_H
#define MESOS_LUA_CLI_OWN_FOLDER_H

// The path of the module's file ("mesos.so"), or of a folder of the Lua files ("lua/mesos"). To be
// freed; NULL: it is nowhere.
char *own_folder_find(const char *what);

#endif
