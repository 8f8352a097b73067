// SPDX-License-Identifier: Apache-2.0
//
// Bodies of requests in the form of a query: "name=value&name=value", with "%2F" and "+".

#ifndef MESOS_LUA_CLUSTER_FORM_BODY_H
#define MESOS_LUA_CLUSTER_FORM_BODY_H

#include "base/buffer.h"
#include "base/error.h"

// The value of that name, decoded, to be freed; NULL: it is not there, or, with an error in the
// words of a master, the body cannot be decoded.
char *form_body_value(struct buffer *body, const char *name, struct error *err);

#endif
