// SPDX-License-Identifier: Apache-2.0
//
// What a program leaves out of its FrameworkInfo: filled in as the C++ driver does it, and where v1
// has taken the place of a default of the old API, as that would have been.

#ifndef MESOS_LUA_MESOS_FRAMEWORK_DEFAULTS_H
#define MESOS_LUA_MESOS_FRAMEWORK_DEFAULTS_H

#include "base/buffer.h"

#include "mesos/v1/mesos.pb-c.h"

// What the filled FrameworkInfo points to.
struct framework_defaults {
    char user[256], hostname[256];
    Mesos__V1__FrameworkInfo__Capability capabilities[2], *capability_list[2];
    char *role_list[1];
};

// Fills in `user`, `hostname`, `capabilities` (MULTI_ROLE, unless the old single role is used, and
// RESERVATION_REFINEMENT) and `roles` ("*", with MULTI_ROLE), where they are missing. `info` is
// changed and then points into `defaults`: a copy of the struct that the program gave.
void framework_defaults_fill(struct framework_defaults *defaults, Mesos__V1__FrameworkInfo *info);

// Replaces `update`, a Call.UpdateFramework, by one in which id, user, principal, hostname and
// checkpoint, where they are missing (or, the user, empty), are those of `current`, a
// FrameworkInfo, and capabilities, and roles with them, are filled in as above. False if it is no
// such message.
bool framework_defaults_keep(struct slice current, struct buffer *update);

#endif
