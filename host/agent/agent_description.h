// SPDX-License-Identifier: Apache-2.0
//
// What an agent of the local cluster is like: its attributes, where it is, and, as a text says it
// (--agent), its resources. Each attribute of a text has the type that a real agent would read in
// it.

#ifndef MESOS_LUA_AGENT_DESCRIPTION_H
#define MESOS_LUA_AGENT_DESCRIPTION_H

#include "base/error.h"

#include "mesos/v1/mesos.pb-c.h"

struct agent_description {
    char *resources; // as resources_parse() reads them; NULL: none are named
    Mesos__V1__Attribute **attributes;
    size_t attribute_count;
    char *hostname;      // NULL: the master's
    char *region, *zone; // its fault domain; both NULL: it has none
};

// "cpus:4;mem:1024 zone=a rack=7 racks=[1-4]": words with "=" are attributes, which are numbers,
// ranges or texts; the other word, if there is one, names the resources. On failure the description
// is empty, and the error names the word.
bool agent_description_parse(struct agent_description *description, const char *text,
                             struct error *err);
void agent_description_copy(struct agent_description *to, const struct agent_description *from);
void agent_description_free(struct agent_description *description); // empties it

// The attribute of that name, of several the first, or NULL.
const Mesos__V1__Attribute *agent_description_attribute(const struct agent_description *description,
                                                        const char *name);

// Adds an attribute without a value, which is the description's.
Mesos__V1__Attribute *agent_description_add(struct agent_description *description,
                                            const char *name);

// The attributes as agent_description_parse() reads them, with a space in front of each; sets,
// which it does not read, are "{a,b}". free() it.
char *agent_description_text(const struct agent_description *description);

#endif
