// SPDX-License-Identifier: Apache-2.0
//
// An agent as the endpoints of the master have it.

#ifndef MESOS_LUA_OPERATOR_AGENT_JSON_H
#define MESOS_LUA_OPERATOR_AGENT_JSON_H

#include "operator/json_writer.h"
#include "operator/usage.h"

// The members of its object, for the caller to add to: what it says of itself, or all.
void agent_json_info(struct json_writer *writer, const struct node *node);
void agent_json_members(struct json_writer *writer, const struct node *node,
                        const struct usage *usage);

// The member "domain", if there are a region and a zone.
void agent_json_domain(struct json_writer *writer, const char *region, const char *zone);

// Whether and how an agent drains.
struct agent_drain_message {
    Mesos__V1__DrainInfo info;
    Mesos__V1__DrainConfig config;
    Mesos__V1__DurationInfo grace;
};

bool agent_json_drain(struct agent_drain_message *message, const struct node *node); // false: no

// Further members, with all resources whole.
void agent_json_whole_resources(struct json_writer *writer, const struct node *node,
                                const struct usage *usage);

// "slave(1)@127.0.0.1:5050"; free() it. All agents are at the address of the master, each under a
// process name of its own.
char *agent_json_pid(const struct node *node);

// What agents of the cluster can do.
extern const Mesos__V1__AgentInfo__Capability__Type agent_json_abilities[];
extern const size_t agent_json_ability_count;
void agent_json_capabilities(struct json_writer *writer);

#endif
