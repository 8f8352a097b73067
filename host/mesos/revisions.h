// SPDX-License-Identifier: Apache-2.0
//
// Which description of the framework the master has. Each that was sent, with SUBSCRIBE or with
// UPDATE_FRAMEWORK, waits here for its answer, in order; when one is refused, the framework rolls
// back to the last that was accepted.

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

// The answer to the oldest that waits. Does nothing if none waits.
enum revision_answer { REVISION_ACCEPTED, REVISION_REFUSED, REVISION_UNKNOWN };
void revisions_answered(struct revisions *revisions, enum revision_answer answer);

// revisions_differ(): true if rolling back would change `framework`. Only then may it be rolled
// back.
bool revisions_differ(const struct revisions *revisions, const struct framework *framework);
void revisions_roll_back(struct revisions *revisions, struct framework *framework);

// Applies a change of the framework to the known revision and to those that wait.
void revisions_each(struct revisions *revisions,
                    void (*change)(struct framework *framework, const void *data),
                    const void *data);

#endif
