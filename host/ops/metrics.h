// SPDX-License-Identifier: Apache-2.0
//
// The metrics of a running host, from one table of rows: Prometheus's text with the rows' names,
// types and help, JSON with the same names, and a summary for people. Everything is read at the
// time of the request and costs nothing otherwise.
//
// The numbers are those of the script's scheduler or, for a script that runs drivers itself, of the
// driver that it made last; each new driver starts its counters at 0.

#ifndef MESOS_LUA_OPS_METRICS_H
#define MESOS_LUA_OPS_METRICS_H

#include "base/buffer.h"
#include "ops/session.h"

#include <jansson.h>

// Append to `out`, up to its cap.
void metrics_prometheus(const struct session *session, struct buffer *out);
void metrics_summary(const struct session *session, struct buffer *out);

json_t *metrics_json(const struct session *session); // a new object

#endif
