// SPDX-License-Identifier: Apache-2.0
//
// A master by direct call; see the header. The peer lives as long as its transport, and has the
// master's sink from SUBSCRIBE until either side ends the stream.

#include "cluster/scheduler_direct.h"

#include "base/memory.h"

#include <stdlib.h>

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

struct scheduler_direct {
    struct master *master;
    struct transport *transport; // of the SUBSCRIBE that was carried out
    char *name;
    unsigned streams; // how many there were
    char *stream_id;  // NULL: there is none
};

static void forget_stream(struct scheduler_direct *direct)
{
    free(direct->stream_id);
    direct->stream_id = NULL;
}

// ---- the master's sink ----

static void on_event(void *data, const Event *event)
{
    struct scheduler_direct *direct = data;
    size_t length = mesos__v1__scheduler__event__get_packed_size(event);
    struct bytes *record = bytes_create(length);
    mesos__v1__scheduler__event__pack(event, record->data);
    transport_direct_record(direct->transport, record);
}

static void on_encoded(void *data, struct slice event)
{
    struct scheduler_direct *direct = data;
    transport_direct_record(direct->transport, bytes_copy(event.data, event.length));
}

static void on_end(void *data)
{
    struct scheduler_direct *direct = data;
    forget_stream(direct);
    transport_direct_end(direct->transport, "the master has ended the stream");
}

// ---- the peer ----

// NULL, and the error of a 400, unless it is a call that a master takes.
static Call *read_call(struct slice bytes, struct error *err)
{
    Call *call = mesos__v1__scheduler__call__unpack(NULL, bytes.length, bytes.data);
    if (call == NULL) {
        error_set(err, ERROR_INVALID, "Failed to parse body into Call protobuf");
        return NULL;
    }
    if (master_validate(call, err))
        return call;
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
    return NULL;
}

static void subscribe(void *data, struct transport *transport, struct slice bytes)
{
    static const struct master_sink sink = {
        .event = on_event, .encoded = on_encoded, .end = on_end};
    struct scheduler_direct *direct = data;
    struct error err = {0};
    Call *call = read_call(bytes, &err);
    if (call == NULL) {
        transport_direct_refuse(transport, 400, err.text);
        return;
    }
    direct->transport = transport;
    direct->stream_id = memory_format("%s-%u", direct->name, ++direct->streams);
    transport_direct_accept(transport);
    master_subscribe(direct->master, call, direct->stream_id, &sink, direct);
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
}

static void make_call(void *data, struct slice bytes, struct transport_direct_answer *answer)
{
    struct scheduler_direct *direct = data;
    Call *call = read_call(bytes, &answer->error);
    if (call == NULL) {
        answer->status = 400;
        return;
    }
    const struct master_caller caller = {.stream_id = direct->stream_id};
    struct master_answer answered = master_call(direct->master, call, &caller);
    answer->status = answered.status;
    answer->error = answered.error;
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
}

static void on_closed(void *data)
{
    struct scheduler_direct *direct = data;
    if (direct->stream_id != NULL)
        master_stream_closed(direct->master, direct->stream_id);
    forget_stream(direct);
}

static void on_destroyed(void *data)
{
    struct scheduler_direct *direct = data;
    free(direct->name);
    free(direct);
}

const struct transport_direct_peer scheduler_direct_peer = {
    .subscribe = subscribe, .call = make_call, .closed = on_closed, .destroyed = on_destroyed};

struct scheduler_direct *scheduler_direct_create(struct master *master, const char *name)
{
    struct scheduler_direct *direct = memory_new(sizeof *direct);
    direct->master = master;
    direct->name = memory_string(name);
    return direct;
}
