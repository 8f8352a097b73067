// SPDX-License-Identifier: Apache-2.0
//
// What of an agent's free resources a framework may be offered in a role, as Mesos's allocator
// decides it: what is reserved to the role or unreserved, what the framework is capable of, what
// quota leaves, and whether that is worth an offer and was not refused.

#ifndef MESOS_LUA_MASTER_OFFERING_H
#define MESOS_LUA_MASTER_OFFERING_H

#include "master/master_records.h"

// The two passes of a round. Roles that have less than their guarantee come first, and are given
// what brings them nearer to it; then all roles are given what is left, but for what guarantees
// that are not met will need, and up to their limits.
enum offering_pass { OFFERING_GUARANTEES, OFFERING_REST };

struct offering {
    struct resources resources; // copies
    bool whole;                 // it is all that is free; `resources` is empty then
    bool held_back;             // a quota kept something back
};

// True if the member may have all that is free on the agent: in the second pass it is offered all
// of it, or nothing.
bool offering_is_whole(const struct role_member *member, const struct node *node);

// What may be offered, if the answer is OBSTACLE_NONE. To be freed in any case.
enum obstacle offering_find(const struct role_member *member, const struct node *node,
                            enum offering_pass pass, struct offering *offering);
void offering_free(struct offering *offering);

#endif
