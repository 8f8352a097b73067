// SPDX-License-Identifier: Apache-2.0
//
// What is executed for a task, from its messages: the words of command lines, the environment that
// an agent gives them, and the program that copies a uri into the sandbox.

#ifndef MESOS_LUA_AGENT_TASK_COMMAND_H
#define MESOS_LUA_AGENT_TASK_COMMAND_H

#include "base/error.h"

#include "mesos/v1/mesos.pb-c.h"

// A list of texts that ends with NULL, as exec takes it; a zeroed one is empty.
struct task_words {
    char **items;
    size_t count;
};

void task_command_free(struct task_words *words); // empties it

// Where a task runs, and as what.
struct task_place {
    const char *path; // PATH
    const char *sandbox;
    const char *task_id, *framework_id, *agent_id, *container_id, *ip;
};

// The environment of a task that has the command executor.
struct task_words task_command_environment(const struct task_place *place);

// Adds a variable, or those of a message, which may be NULL. Of two that have the same name the
// last counts.
void task_command_set(struct task_words *environment, const char *name, const char *value);
void task_command_add(struct task_words *environment, const Mesos__V1__Environment *more);

// Appends a word, which the list owns from now on.
void task_command_put(struct task_words *words, char *word);

// The command line, which ends with NULL, and the program that it is for: "/bin/sh" for a shell
// command. It is one block: free() it.
char **task_command_line(const Mesos__V1__CommandInfo *command, const char **file);

// The file of the sandbox that a uri is downloaded to before it gets its own name and place.
#define TASK_COMMAND_DOWNLOADED ".downloaded"

// True if the uri is to be downloaded, over http or https.
bool task_command_is_remote(const Mesos__V1__CommandInfo__URI *uri);

// The command line that copies a uri, or moves what was downloaded, to its place in the working
// directory, for "/bin/sh", and unpacks archives. NULL if it names neither a local file nor a
// remote one, or would leave the sandbox. One block, as well.
char **task_command_fetch(const Mesos__V1__CommandInfo__URI *uri, struct error *err);

#endif
