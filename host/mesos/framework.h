// SPDX-License-Identifier: Apache-2.0
//
// What the driver subscribes as: the FrameworkInfo with the id once the master gave one, the
// suppressed roles and the offer constraints. The master changes it (the id), and the script
// (updateFramework, suppress, revive); every SUBSCRIBE and UPDATE_FRAMEWORK carries all of it.

#ifndef MESOS_LUA_MESOS_FRAMEWORK_H
#define MESOS_LUA_MESOS_FRAMEWORK_H

#include "base/buffer.h"
#include "mesos/roles.h"

#include "mesos/v1/mesos.pb-c.h"

struct framework {
    Mesos__V1__FrameworkInfo *info;
    struct buffer wire;        // `info`, packed
    struct bytes *constraints; // OfferConstraints, or NULL
    struct roles suppressed;
};

// False, with nothing to free, if `info` is not a FrameworkInfo, or one of more than 64 MiB.
// `constraints` may have data NULL, `suppressed` may be NULL.
bool framework_init(struct framework *framework, struct slice info, struct slice constraints,
                    const char *const *suppressed);
void framework_copy(struct framework *copy, const struct framework *framework);
void framework_free(struct framework *framework);

bool framework_same(const struct framework *a, const struct framework *b); // all that is written

struct slice framework_id(const struct framework *framework);        // empty: it has none yet
void framework_set_id(struct framework *framework, struct slice id); // empty: none any more
void framework_set_principal(struct framework *framework,
                             const char *principal); // unless it has one, or this is NULL
bool framework_has_capability(const struct framework *framework,
                              Mesos__V1__FrameworkInfo__Capability__Type type);

// NULL means all roles of the framework; roles that it does not have are ignored.
void framework_suppress(struct framework *framework, const char *const *roles);
void framework_revive(struct framework *framework, const char *const *roles);

// Replaces `message` by the body of a Call.Subscribe, or, the same bytes, a Call.UpdateFramework.
void framework_write(const struct framework *framework, struct buffer *message);

#endif
