// SPDX-License-Identifier: Apache-2.0
//
// A subscription to the leading master, and its renewal: finds the leader through a detector, opens
// the event stream on a transport, watches it, and when it is lost subscribes again, with
// exponential backoff and jitter. With another protocol it is that of an executor to its agent,
// which is then what "leader" and "master" stand for here. A stream that is cut within a heartbeat
// interval, for an event that is malformed or too long, counts as a failure: the master will send
// the same again. A subscription ends only when it is stopped, when the master sends an ERROR, or
// when it was refused for a reason that a retry cannot remove.
//
// One stream is live at any time; nothing of an earlier one is ever delivered. Times are those of
// the loop. A subscription lives inside its owner, which owns detector and transport as well; it
// may be stopped inside any of its events.

#ifndef MESOS_LUA_MESOS_SUBSCRIPTION_H
#define MESOS_LUA_MESOS_SUBSCRIPTION_H

#include "base/buffer.h"
#include "leader/detector.h"
#include "loop/loop.h"
#include "mesos/transport.h"

#include <protobuf-c/protobuf-c.h>

enum subscription_state {
    SUBSCRIPTION_STOPPED,
    SUBSCRIPTION_DETECTING,   // no leader is known
    SUBSCRIPTION_WAITING,     // for the next try
    SUBSCRIPTION_CONNECTING,  // SUBSCRIBE is sent, no answer yet
    SUBSCRIPTION_SUBSCRIBING, // accepted, SUBSCRIBED has not come yet
    SUBSCRIPTION_SUBSCRIBED,
    SUBSCRIPTION_FAILED,   // for good
    SUBSCRIPTION_DRAINING, // to be stopped when the calls are answered
};

struct subscription_events {
    // Puts the SUBSCRIBE call into `call`, as it is to be sent now.
    void (*prepare)(void *data, struct buffer *call);
    // A record of the live stream, from SUBSCRIBED on, without the heartbeats, and its Event.Type.
    // The reference is handed over. After an ERROR event nothing follows.
    void (*record)(void *data, struct bytes *record, int32_t type);
    // The stream was lost; the subscription tries again by itself.
    void (*lost)(void *data, const struct error *reason);
    // It gave up; no event follows.
    void (*failed)(void *data, const struct error *reason);
    // A try did not lead to a subscription, for a reason that another try may remove (code
    // ERROR_REFUSED: there was an answer). False: give up. NULL: always try again.
    bool (*go_on)(void *data, const struct error *reason);
};

// What it has to know of the events of the stream, and how messages call the other side.
struct subscription_protocol {
    const char *peer, *hint; // "master"; what is logged behind a retry
    const ProtobufCMessageDescriptor *event;
    uint32_t type_field;                  // of the event: the field with its type
    int32_t subscribed, heartbeat, error; // types
    int32_t unannounced;                  // a type that counts also in front of SUBSCRIBED; 0: none
    // SUBSCRIBED: whether it can be used, and the heartbeat interval that it names, in seconds, or
    // 0. May be NULL.
    bool (*check)(struct slice event, struct error *err);
    double (*interval)(struct slice event);
};

extern const struct subscription_protocol subscription_scheduler; // the usual one

struct subscription_options {
    double backoff_factor;     // seconds; the n-th failure waits a random time up to this times 2^n
    double backoff_max;        // seconds
    double answer_deadline;    // seconds for the answer to SUBSCRIBE, and then for the first record
    unsigned missed_intervals; // heartbeat intervals without any record after which it is lost; 0:
                               // silence is fine
    uint64_t seed;             // of the random delays; 0: from the system
    const struct subscription_protocol *protocol; // NULL: subscription_scheduler
};

extern const struct subscription_options subscription_defaults; // those of the C++ driver

struct subscription {
    struct loop *loop;
    struct detector *detector;
    struct transport *transport;
    struct subscription_options options;
    const struct subscription_events *events;
    void *data;

    enum subscription_state state;
    char *master;       // the leader as the detector named it, or NULL
    char *redirect;     // where a standby sent us, for the next try, or NULL
    char *target;       // where the stream comes from, or the last try went, or NULL
    unsigned redirects; // followed in a row
    unsigned failures;  // in a row; what the delay grows with
    unsigned cuts;      // streams in a row that were cut soon, for an event that cannot be read
    uint64_t since;     // when SUBSCRIBED came
    bool registered;    // SUBSCRIBED has come once
    bool in_grace;      // the watchdog has expired, and its grace period runs
    uint64_t heard;     // when the last record came, or when the watchdog was started
    bool failed_try;    // the last try did not lead to a subscription
    double heartbeat;   // interval, in seconds
    struct timer retry, watchdog;
    unsigned short random[3];
};

void subscription_init(struct subscription *subscription, struct loop *loop,
                       struct detector *detector, struct transport *transport,
                       const struct subscription_options *options,
                       const struct subscription_events *events, void *data);
void subscription_start(struct subscription *subscription); // also again, after it has given up

// Closes the stream and the calls beside it.
void subscription_stop(struct subscription *subscription);

// Delivers no events and does not try again, but leaves the stream open for the answers to calls.
// Without a stream it stops.
void subscription_drain(struct subscription *subscription);

// Pauses or resumes reading of the live stream. The watchdog does not run while it is paused.
void subscription_pause(struct subscription *subscription, bool paused);

// Closes the live stream, if there is one, and subscribes again: `lost` is called.
void subscription_renew(struct subscription *subscription, const struct error *reason);

// Frees what it holds. It must be stopped.
void subscription_free(struct subscription *subscription);

#endif
