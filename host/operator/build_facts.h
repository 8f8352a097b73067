// SPDX-License-Identifier: Apache-2.0
//
// What the master and its agents say about themselves: the version, and the flags that a real one
// would have been started with to behave like this.

#ifndef MESOS_LUA_OPERATOR_BUILD_FACTS_H
#define MESOS_LUA_OPERATOR_BUILD_FACTS_H

#include "master/master_records.h"
#include "operator/json_writer.h"

#define BUILD_FACTS_USER "mesos-lua"

// When the program that runs was made: seconds since the epoch, and as text.
struct build_facts {
    double time;
    char date[32]; // "2026-11-29 00:26:42"
};

void build_facts(struct build_facts *facts);
void build_facts_write(struct json_writer *writer); // build_date, build_time and build_user

struct build_flag {
    const char *name;
    char *value; // free() it
};

#define BUILD_FLAGS_MOST 32

// Of the master; of that agent. Return how many there are.
size_t build_facts_master_flags(struct build_flag flags[BUILD_FLAGS_MOST],
                                const struct master *master);
size_t build_facts_agent_flags(struct build_flag flags[BUILD_FLAGS_MOST], const struct node *node);

// An object with those of the agent, or for NULL of the master.
void build_facts_write_flags(struct json_writer *writer, const char *key,
                             const struct master *master, const struct node *node);

#endif
