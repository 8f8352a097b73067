// SPDX-License-Identifier: Apache-2.0
//
// Which description of the framework the master has: each that was sent, with SUBSCRIBE or with
// UPDATE_FRAMEWORK, waits here for its answer, in order; the last that was taken is what a
// framework goes back to when a later one is refused.

#ifndef MESOS_LUA_MESOS_REVISIONS_H
#define MESOS_LUA_MESOS_REVISIONS_H

#include "mesos/framework.h"

struct revision;

struct revisions {
    struct framework known; // valid if `has_known`
    bool has_known;
    struct revision *first, **last; // sent, and not answered
};

void revisions_init(struct revisions *revisions);
void revisions_clear(struct revisions *revisions); // nothing is known, and nothing waits

void revisions_sent(struct revisions *revisions, const struct framework *framework);
void revisions_drop_sent(struct revisions *revisions); // no answers will come

// The oldest that waits was taken, or was refused, or nobody knows. None waiting is fine.
enum revision_answer { REVISION_TAKEN, REVISION_REFUSED, REVISION_UNKNOWN };
void revisions_answered(struct revisions *revisions, enum revision_answer answer);

// Would going back change `framework`? Then the second does it.
bool revisions_differ(const struct revisions *revisions, const struct framework *framework);
void revisions_go_back(struct revisions *revisions, struct framework *framework);

// The same is done to what is known and to what waits as was done to the framework.
void revisions_each(struct revisions *revisions,
                    void (*change)(struct framework *framework, const void *data),
                    const void *data);

#endif
