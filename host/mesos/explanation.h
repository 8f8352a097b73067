// SPDX-License-Identifier: Apache-2.0
//
// Why a task is not placed: what its need lacks on the offers of a driver (offers/offer_explain.h),
// and what the framework itself keeps the master from offering. It is a picture of one moment and
// independent of the driver. What is needed is added by explanation_read(), from a text, or part by
// part: the amounts and attributes to explanation_offers(), the role here; then comes
// explanation_finish().

#ifndef MESOS_LUA_MESOS_EXPLANATION_H
#define MESOS_LUA_MESOS_EXPLANATION_H

#include "mesos/driver.h"
#include "mesos/roles.h"
#include "offers/offer_explain.h"

struct explanation {
    bool registered;
    struct roles roles;       // of the framework
    struct roles suppressed;  // of these
    struct roles constrained; // with offer constraints
    char *role;               // that is needed, or NULL
    struct offer_explain *offers;
};

void explanation_init(struct explanation *explanation, const struct driver *driver);
void explanation_free(struct explanation *explanation);

// False if the need has too many parts.
bool explanation_role(struct explanation *explanation, struct slice role);
void explanation_finish(struct explanation *explanation);

// True if the framework has not subscribed with the role that is needed.
bool explanation_foreign_role(const struct explanation *explanation);

// Reads the need from a text such as "cpus=4,mem=1024,role=web,rack=b|c": amounts of resources, the
// role, revocable=true, and attributes, of which one of several values may be given. A name is
// that of a resource if it is one of the five usual ones, or if offers have such a resource.
bool explanation_read(struct explanation *explanation, struct slice text, struct error *err);

// Appends it in sentences, a line each.
void explanation_write(const struct explanation *explanation, struct buffer *text);

#endif
