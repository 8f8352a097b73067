// SPDX-License-Identifier: Apache-2.0
//
// The events of SUBSCRIBE of the v1 operator API: the state of the cluster, then what changes.

#ifndef MESOS_LUA_OPERATOR_API_EVENTS_H
#define MESOS_LUA_OPERATOR_API_EVENTS_H

#include "base/buffer.h"
#include "master/master_records.h"

#include "mesos/v1/master/master.pb-c.h"

#define API_EVENTS_SUBSCRIBERS 1000 // at a time

struct api_events;

// Writes the event SUBSCRIBED, which is the first. False at the buffer's cap.
bool api_events_subscribed(struct buffer *out, bool protobuf, const struct master *master);

// Every further event, and one HEARTBEAT at once and every 15 seconds, is given to `send`, which
// may not destroy the subscription. An event is valid during the call.
struct api_events *
api_events_create(struct master *master,
                  void (*send)(void *data, const Mesos__V1__Master__Event *event), void *data);
void api_events_destroy(struct api_events *events); // NULL is fine

#endif
