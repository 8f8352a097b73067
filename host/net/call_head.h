// SPDX-License-Identifier: Apache-2.0
//
// The head of a call: a POST of protobuf to the API of a peer. It has these headers and no others:
// Host, User-Agent, Accept, Content-Type, Content-Length and, if they are set, Mesos-Stream-Id and
// Authorization.

#ifndef MESOS_LUA_NET_CALL_HEAD_H
#define MESOS_LUA_NET_CALL_HEAD_H

#include "base/bytes.h"
#include "net/peer_api.h"
#include "net/url.h"

#define CALL_HEAD_TYPE "application/x-protobuf"

enum { CALL_HEAD_LENGTH = 32 }; // the most bytes of call_head_length()

// Up to the number of the Content-Length; memory_wipe() it, since it may have credentials. The id
// may be empty or NULL; `authorization` is a whole header line, or NULL.
char *call_head(const struct peer_api *api, const struct url *peer, const char *stream_id,
                const char *authorization);

// The number, and the end of the headers: in `text`.
struct slice call_head_length(char text[CALL_HEAD_LENGTH], size_t length);

#endif
