// SPDX-License-Identifier: Apache-2.0
//
// What an agent of the local cluster is like, as a text says it (--agent): its resources, and its
// attributes, each with the type that a real agent would read in it.

#ifndef MESOS_LUA_AGENT_DESCRIPTION_H
#define MESOS_LUA_AGENT_DESCRIPTION_H

#include "base/error.h"

#include "mesos/v1/mesos.pb-c.h"

struct agent_description {
    char *resources; // as resources_parse() reads them; NULL: none are named
    Mesos__V1__Attribute **attributes;
    size_t attribute_count;
};

// "cpus:4;mem:1024 zone=a rack=7 racks=[1-4]": words with "=" are attributes, which are numbers,
// ranges or texts; the other word, if there is one, names the resources. On failure the description
// is empty, and the error names the word.
bool agent_description_parse(struct agent_description *description, const char *text,
                             struct error *err);
void agent_description_free(struct agent_description *description); // empties it

// The attribute of that name, of several the first, or NULL.
const Mesos__V1__Attribute *agent_description_attribute(const struct agent_description *description,
                                                        const char *name);

// The attributes as agent_description_parse() reads them, with a space in front of each; free() it.
char *agent_description_text(const struct agent_description *description);

#endif
