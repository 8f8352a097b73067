// SPDX-License-Identifier: Apache-2.0
//
// OFFERS as bytes. Agents are offered again and again, and mostly nothing of them has changed since
// the last time: so what an offer says of its agent is encoded once and kept with the node, its
// resources as well while they are offered whole, and an event is put together of that with the
// ids and the role of each offer. The bytes are those that protobuf-c writes of the messages.

#ifndef MESOS_LUA_MASTER_OFFER_ENCODING_H
#define MESOS_LUA_MASTER_OFFER_ENCODING_H

#include "base/buffer.h"
#include "offers/resources.h"

#include "mesos/v1/mesos.pb-c.h"

#include <stdbool.h>
#include <stddef.h>

struct master_framework;
struct node;

// What a node keeps. A zeroed struct has nothing yet.
struct offer_encoding {
    struct bytes *fixed;   // agent_id and hostname, attributes and url, domain, one behind another
    size_t before, middle; // how long the first of them is, and the second
    struct bytes *resources;       // without their allocation
    Mesos__V1__Resource **encoded; // the items of which list these are; NULL: none that is valid
    struct bytes *body; // all that the last offer of these resources said behind its framework's id
    char *role;         // which it was to; NULL: there is no body
};

// The newest `count` offers of a framework, at least one, as an event, which is written to the
// empty buffer. An empty slice if it is to be sent as messages: the framework sees resources in an
// older form, or the event is very large.
struct slice offer_encoding_event(struct buffer *out, const struct master_framework *framework,
                                  size_t count);

// A reference to the pieces of resources of the node, without their allocation. They are encoded if
// they are not those that the node keeps; `whole`, all that is or was free on it, and kept from
// then on, as long as this does not change.
struct bytes *offer_encoding_resources(struct node *node, const struct resources *list, bool whole);

// Those that the node keeps, if they are those of the list; or NULL.
static inline const struct bytes *offer_encoding_kept(const struct offer_encoding *kept,
                                                      const struct resources *list)
{
    return kept->encoded != NULL && kept->encoded == list->items ? kept->resources : NULL;
}

// The resources of such pieces, which are the caller's. `to` is overwritten.
void offer_encoding_open(struct resources *to, const struct bytes *pieces);

void offer_encoding_free(struct offer_encoding *encoding); // empties it, as something has changed

#endif
