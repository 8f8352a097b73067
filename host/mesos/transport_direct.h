// SPDX-License-Identifier: Apache-2.0
//
// The transport by direct call: a master, or what stands for one, is a few functions in this
// process. See transport.h for the contract, which holds whatever the peer does.
//
// The peer's functions are called at the end of a turn of the loop: first subscribe(), then call()
// for each call in order, then the transport's user gets what the peer has sent. So a peer may send
// events inside any of its functions, and at any other time, and its user never gets one inside a
// call of its own. Calls that were made while no stream was open never reach the peer.
//
// Its memory is bounded: calls that wait for the end of the turn beyond TRANSPORT_DIRECT_BYTES are
// answered with status 0, and a stream of which so much was sent and not taken, since its user has
// paused it, ends.

#ifndef MESOS_LUA_MESOS_TRANSPORT_DIRECT_H
#define MESOS_LUA_MESOS_TRANSPORT_DIRECT_H

#include "loop/loop.h"
#include "mesos/transport.h"

#define TRANSPORT_DIRECT_BYTES ((size_t)256 << 20)

// How a call was answered: an HTTP status, and the text of an error.
struct transport_direct_answer {
    int status;
    struct error error;
};

// What a peer does. All but `subscribe` and `call` may be left out.
struct transport_direct_peer {
    // A SUBSCRIBE has come. It is answered by transport_direct_accept() or _refuse(), here or
    // later.
    void (*subscribe)(void *data, struct transport *transport, struct slice call);
    // Any other call; `answer` is 202 unless the peer says otherwise.
    void (*call)(void *data, struct slice call, struct transport_direct_answer *answer);
    // The user has closed the stream that was asked for. The peer may not close streams here.
    void (*closed)(void *data);
    // The transport is gone. No function of the peer is called any more, and the peer calls none of
    // the functions below.
    void (*destroyed)(void *data);
};

// `peer` must outlive the transport.
struct transport *transport_direct_create(struct loop *loop,
                                          const struct transport_direct_peer *peer, void *data);

// ---- for the peer ----

// Between subscribe() and the end of the stream. A refusal is such an end.
void transport_direct_accept(struct transport *transport);
void transport_direct_refuse(struct transport *transport, int status, const char *text);

// An event on the stream, whose reference is handed over; without an accepted stream it is dropped.
void transport_direct_record(struct transport *transport, struct bytes *record);

// Ends the stream; without one it does nothing.
void transport_direct_end(struct transport *transport, const char *reason);

// True while the peer has a SUBSCRIBE that it has not answered, or a stream.
bool transport_direct_asked(const struct transport *transport);
bool transport_direct_accepted(const struct transport *transport);

#endif
