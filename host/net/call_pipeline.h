// SPDX-License-Identifier: Apache-2.0
//
// The calls of one subscription, on a connection of their own: sent strictly in order, and answered
// in order. They are pipelined: up to a window of them is in flight at a time, the others wait, and
// none is dropped, however slow the master is. Callers are expected to check
// call_pipeline_waiting() and to hold back further calls; the cap is there only so that a caller
// that does not check cannot take all memory. The calls of one turn of the loop are written at its
// end, in one piece.
//
// A call that the master may have carried out is never sent again: when the connection breaks, all
// calls that were sent and have no answer are reported as broken, before any other is sent; those
// that were not sent yet are sent on a new connection. A call that was refused for credentials that
// have changed since is sent again with the new ones, ahead of the others.
//
// Replies come from the loop, except for those of call_pipeline_close(), and every function of this
// file may be called in them.

#ifndef MESOS_LUA_NET_CALL_PIPELINE_H
#define MESOS_LUA_NET_CALL_PIPELINE_H

#include "loop/loop.h"
#include "net/credentials.h"
#include "net/http_reply.h"
#include "net/peer_api.h"
#include "net/tls.h"
#include "net/url.h"

#include <stdbool.h>

#define CALL_PIPELINE_BYTES ((size_t)256 * 1024 * 1024)
#define CALL_PIPELINE_LONGEST ((size_t)64 * 1024 * 1024) // one call
#define CALL_PIPELINE_WINDOW ((size_t)256)
#define CALL_PIPELINE_UNSENT ((size_t)1024 * 1024) // bytes handed to a slow connection

struct call_pipeline;

// Status 0: there was no answer, or the call was not sent at all; the body says why. A call that
// was not sent is handed back with the reply, as long as the calls refused in one turn are no
// longer together than the cap.
typedef void (*call_pipeline_on_reply)(void *data, const struct http_reply *reply);

struct call_pipeline_options {
    size_t bytes;           // of call_pipeline_waiting(); 0: CALL_PIPELINE_BYTES
    size_t window;          // calls in flight; 1: one by one; 0: CALL_PIPELINE_WINDOW
    double connect_timeout; // seconds; 0: TIMEOUT_CONNECT
    double timeout; // seconds for one call; 0: TIMEOUT_ANSWER. It begins when the one before
                    // it is answered
    const struct tls_options *tls;   // or NULL
    struct credentials *credentials; // or NULL; they outlive the pipeline, as do `tls`
    const struct peer_api *api;      // and this, or NULL
};

struct call_pipeline *call_pipeline_create(struct loop *loop,
                                           const struct call_pipeline_options *options);

// Takes calls to `master` under that stream id (empty: none) from now on. An earlier stream is
// closed first. The connection is opened with the first call.
void call_pipeline_open(struct call_pipeline *pipeline, const struct url *master,
                        const char *stream_id);

// Takes no more calls; those that were taken are still sent and answered.
void call_pipeline_end(struct call_pipeline *pipeline);

// Closes the connection and answers every call that has no answer yet with status 0, before it
// returns, calls that are made in these replies included.
void call_pipeline_close(struct call_pipeline *pipeline);

// `call` is copied. `on_reply` is called once, later (or never, if it is NULL): in the order of the
// calls, but for a call that is not taken, which is answered in the next turn.
void call_pipeline_send(struct call_pipeline *pipeline, struct slice call,
                        call_pipeline_on_reply on_reply, void *data);

// About how many bytes of memory the calls take that have no answer yet.
size_t call_pipeline_waiting(const struct call_pipeline *pipeline);

void call_pipeline_destroy(struct call_pipeline *pipeline); // closes; NULL is fine

#endif
