// SPDX-License-Identifier: Apache-2.0
//
// The transport to a master, or to an agent for an executor, over HTTP, remote or on loopback: see
// transport.h for the contract. The stream and the calls have a connection each.
//
// A refusal by redirect (307, 308) is reported with `location` set to the address of the other
// master, as transport_open() takes it; following it is up to the subscription, which knows how
// often it did already. Calls sent while no stream is accepted are answered with status 0; those
// that were sent before the stream ended are still answered by the master, until close() or the
// next accepted stream.

#ifndef MESOS_LUA_MESOS_TRANSPORT_HTTP_H
#define MESOS_LUA_MESOS_TRANSPORT_HTTP_H

#include "loop/loop.h"
#include "mesos/transport.h"
#include "net/credentials.h"
#include "net/peer_api.h"
#include "net/tls.h"

// 0 is the default of each.
struct transport_http_options {
    size_t record_limit;             // bytes of one event: 64 MiB
    double connect_timeout;          // seconds: TIMEOUT_CONNECT
    double answer_timeout;           // seconds until SUBSCRIBE is answered: TIMEOUT_ANSWER
    double call_timeout;             // seconds for one call: TIMEOUT_ANSWER
    size_t bytes;                    // of memory of the calls that wait: 256 MiB
    size_t window;                   // calls under way at a time: 256
    const struct tls_options *tls;   // it outlives the transport; NULL: defaults
    struct credentials *credentials; // a reference is taken; NULL: none
    const struct peer_api *api;      // it outlives the transport; NULL: a master's
};

// On a loop of loop_uv.h; `options` may be NULL.
struct transport *transport_http_create(struct loop *loop,
                                        const struct transport_http_options *options);

#endif
