// SPDX-License-Identifier: Apache-2.0
//
// What a cluster is to be like: groups of agents that are alike, roles with weights and quota, the
// principals that may use it, and where its master is. It comes from a file (--cluster), or from
// the options for agents.
//
// The keys of a file, which is read as JSON (a Lua file was made JSON before):
//
//     agents = { GROUP, ... }           one agent if there are none
//     roles = { NAME = { weight = 2, guarantees = { cpus = 4 }, limits = { cpus = 8 } }, ... }
//     credentials = { { principal = "p", secret = "s" }, ... }
//     faults = { ... }, seed = 1        see fault_plan.h
//     master = { domain = { region = "eu", zone = "eu-1" } }
//
//     GROUP = { count = 1,
//               resources = RESOURCES,  what they do not name is this machine's
//               attributes = { zone = "a", rack = 7, slots = { { 1, 4 } }, tags = { "a", "b" } },
//               hostname = "node-%d",   %d, %03d: the number in the group, from 1
//               domain = { region = "eu", zone = "eu-1" } }
//     RESOURCES = "cpus:4;mem:1024;cpus(eng):2", or { cpus = 4, ports = { { 31000, 32000 } } }, or
//     a
//                 list of these and of { resources = ..., role = "eng", principal = "p",
//                 labels = { key = "value" }, revocable = true,
//                 disk = { type = "PATH", root = "/data" } }    or MOUNT: where the "disk" among
//                 them is; a relative root is below the folder of the agent

#ifndef MESOS_LUA_CLUSTER_CLUSTER_PLAN_H
#define MESOS_LUA_CLUSTER_CLUSTER_PLAN_H

#include "agent/agent_description.h"
#include "base/bytes.h"
#include "cluster/fault_plan.h"
#include "master/role_quota.h"
#include "net/http_access.h"
#include "offers/resources.h"

// Of all groups together: of a cluster of real processes, and of a simulated one.
#define CLUSTER_PLAN_AGENTS 10000
#define CLUSTER_PLAN_AGENTS_SIMULATED 1000000

struct cluster_plan_group {
    unsigned count, most; // agents, and how many there may be
    struct resources resources;
    char *named; // the texts of them: what these name, agents have not from the machine
    struct agent_description description; // its hostname is a pattern
};

struct cluster_plan_role {
    char *name;
    double weight; // 0: not given
    struct role_quota_amount *guarantees, *limits;
    size_t guarantee_count, limit_count;
};

struct cluster_plan {
    unsigned most; // agents
    struct cluster_plan_group *groups;
    size_t group_count;
    struct cluster_plan_role *roles;
    size_t role_count;
    struct http_access_principal *principals;
    size_t principal_count;
    char *region, *zone; // of the master, or NULL
    struct fault_plan faults;
};

// Reads the text of a file, with so many agents at most. On failure the plan is empty, and the
// error says where it is wrong.
bool cluster_plan_read(struct cluster_plan *plan, struct slice text, unsigned most,
                       struct error *err);

// Adds `count` agents with the resources and attributes of a text, as --agent has it.
bool cluster_plan_add(struct cluster_plan *plan, const char *text, unsigned count,
                      struct error *err);

// Adds `count` agents with these resources, which may have spaces; NULL: those of this machine.
bool cluster_plan_add_alike(struct cluster_plan *plan, const char *resources, unsigned count,
                            struct error *err);

unsigned cluster_plan_agents(const struct cluster_plan *plan); // of all groups
char *cluster_plan_hostname(const struct cluster_plan_group *group,
                            unsigned number);      // from 1; NULL, or free() it
void cluster_plan_free(struct cluster_plan *plan); // empties it

#endif
