// SPDX-License-Identifier: Apache-2.0
//
// The executor driver on a loop of virtual time, between an agent and a script that do anything:
// the agent accepts, refuses, sends records of any bytes, cuts, answers calls late or never; the
// script makes updates, waits in callbacks, stops. Whatever happens, all calls are well-formed,
// callbacks come one at a time, and none comes behind the end.
//
// The input is a list of steps: a byte that says what, one with an argument, and for records of any
// bytes two for the length, and so many bytes.

#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "executor/executor_driver.h"
#include "loop/loop_virtual.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"
#include "wire/wire_accept.h"

#include "mesos/v1/executor/executor.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define EVENT(name) MESOS__V1__EXECUTOR__EVENT__TYPE__##name

enum { TASKS = 5, STEPS_MOST = 400 };

// ---- the transport, and what was sent through it ----

struct sent_call {
    TAILQ_ENTRY(sent_call) link;
    transport_on_reply on_reply;
    void *data;
};

struct agent {
    struct transport transport;
    bool open, accepted;
    TAILQ_HEAD(, sent_call) calls;
    uint8_t uuid[UUID_LENGTH]; // of the last update that came
};

static struct agent *agent_of(struct transport *transport)
{
    return (struct agent *)transport;
}

static void note_update(struct agent *agent, struct slice update)
{
    struct slice uuid =
        wire_find(wire_find(update, FIELD_EXECUTOR_CALL_UPDATE_STATUS), FIELD_TASK_STATUS_UUID);
    if (uuid.length != UUID_LENGTH)
        abort(); // an agent would refuse it
    memcpy(agent->uuid, uuid.data, UUID_LENGTH);
}

static void check_call(struct agent *agent, struct slice call)
{
    struct error err = {.code = ERROR_NONE};
    if (!wire_accept_as_is(call, &mesos__v1__executor__call__descriptor, &err)) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    struct slice update = wire_find(call, FIELD_EXECUTOR_CALL_UPDATE);
    if (update.data != NULL)
        note_update(agent, update);
    struct slice rest = wire_find(call, FIELD_EXECUTOR_CALL_SUBSCRIBE);
    while (wire_next_bytes(&rest, FIELD_EXECUTOR_CALL_SUBSCRIBE_UNACKNOWLEDGED_UPDATES, &update))
        note_update(agent, update);
}

static bool open_stream(struct transport *transport, const char *master, struct slice subscribe,
                        struct error *err)
{
    struct agent *agent = agent_of(transport);
    (void)master, (void)err;
    if (agent->open)
        abort();
    agent->open = true;
    agent->accepted = false;
    check_call(agent, subscribe);
    return true;
}

static void answer(struct agent *agent, int status)
{
    struct sent_call *call = TAILQ_FIRST(&agent->calls);
    if (call == NULL)
        return;
    const struct http_reply reply = {.status = status, .body = slice_text("words")};
    TAILQ_REMOVE(&agent->calls, call, link);
    call->on_reply(call->data, &reply);
    free(call);
}

static void close_stream(struct transport *transport)
{
    struct agent *agent = agent_of(transport);
    agent->open = agent->accepted = false;
    while (!TAILQ_EMPTY(&agent->calls))
        answer(agent, 0);
}

static void send_call(struct transport *transport, struct slice bytes, transport_on_reply on_reply,
                      void *data)
{
    struct agent *agent = agent_of(transport);
    struct sent_call *call = memory_new(sizeof *call);
    check_call(agent, bytes);
    call->on_reply = on_reply;
    call->data = data;
    TAILQ_INSERT_TAIL(&agent->calls, call, link);
}

static void pause_stream(struct transport *transport, bool paused)
{
    (void)transport, (void)paused;
}

static void destroy_agent(struct transport *transport)
{
    close_stream(transport);
    free(transport);
}

static const struct transport_ops transport_ops = {.open = open_stream,
                                                   .close = close_stream,
                                                   .send = send_call,
                                                   .pause = pause_stream,
                                                   .destroy = destroy_agent};

// ---- the script ----

struct world {
    struct loop *loop;
    struct agent *agent;
    struct executor_driver *driver;
    bool waits;    // a callback is pending
    bool patient;  // callbacks wait
    bool finished; // so the driver has said
    bool expired;
};

static enum driver_outcome on_callback(void *data, const struct executor_event *event)
{
    struct world *world = data;
    if (world->waits || world->finished || world->driver == NULL)
        abort();
    if (event->block != NULL && event->block->references == 0)
        abort();
    if (event->callback == EXECUTOR_SHUTDOWN && !world->patient)
        executor_driver_kill_all(world->driver);
    world->waits = world->patient;
    return world->patient ? OUTCOME_PENDING : OUTCOME_DONE;
}

static void on_finished(void *data)
{
    struct world *world = data;
    if (world->finished)
        abort();
    world->finished = true;
}

static void on_expired(void *data)
{
    struct world *world = data;
    world->expired = true;
}

static const struct executor_listener listener = {
    .callback = on_callback, .finished = on_finished, .expired = on_expired};

static void make_update(struct world *world, uint8_t argument)
{
    struct buffer status;
    struct error err = {.code = ERROR_NONE};
    char id[] = {'t', (char)('0' + argument % TASKS), '\0'};
    buffer_init(&status, 1 << 16);
    wire_put_id(&status, FIELD_TASK_STATUS_TASK_ID, slice_text(id));
    wire_put_varint(&status, FIELD_TASK_STATUS_STATE, argument / TASKS % 8);
    executor_driver_send_update(world->driver, buffer_slice(&status), &err);
    buffer_free(&status);
}

static void operate(struct world *world, uint8_t argument)
{
    struct error err = {.code = ERROR_NONE};
    switch (argument % 6) {
    case 0:
        executor_driver_send_message(world->driver, slice_text("data"), &err);
        break;
    case 1:
        executor_driver_stop(world->driver);
        break;
    case 2:
        executor_driver_abort(world->driver);
        break;
    case 3:
        executor_driver_shutdown(world->driver);
        break;
    case 4:
        executor_driver_kill_all(world->driver);
        break;
    default:
        world->patient = !world->patient;
    }
}

static void end_callback(struct world *world)
{
    if (!world->waits)
        return;
    world->waits = false;
    executor_driver_callback_finished(world->driver);
}

// ---- what the agent sends ----

static void send_record(struct world *world, struct slice bytes)
{
    struct agent *agent = world->agent;
    if (agent->open && agent->accepted)
        agent->transport.events->record(agent->transport.data,
                                        bytes_copy(bytes.data, bytes.length));
}

static void put_task(struct buffer *buffer, uint32_t field, uint8_t number)
{
    char id[] = {'t', (char)('0' + number % TASKS), '\0'};
    size_t mark = wire_begin(buffer, field);
    wire_put_bytes(buffer, FIELD_TASK_INFO_NAME, slice_text("a task"));
    wire_put_id(buffer, FIELD_TASK_INFO_TASK_ID, slice_text(id));
    wire_put_id(buffer, FIELD_TASK_INFO_AGENT_ID, slice_text("agent"));
    wire_end(buffer, mark);
}

static void put_subscribed(struct buffer *buffer)
{
    size_t mark = wire_begin(buffer, FIELD_EXECUTOR_EVENT_SUBSCRIBED);
    size_t info = wire_begin(buffer, FIELD_EXECUTOR_EVENT_SUBSCRIBED_EXECUTOR_INFO);
    wire_put_id(buffer, FIELD_EXECUTOR_INFO_EXECUTOR_ID, slice_text("executor"));
    wire_end(buffer, info);
    info = wire_begin(buffer, FIELD_EXECUTOR_EVENT_SUBSCRIBED_FRAMEWORK_INFO);
    wire_put_bytes(buffer, FIELD_FRAMEWORK_INFO_USER, slice_text("u"));
    wire_put_bytes(buffer, FIELD_FRAMEWORK_INFO_NAME, slice_text("n"));
    wire_end(buffer, info);
    info = wire_begin(buffer, FIELD_EXECUTOR_EVENT_SUBSCRIBED_AGENT_INFO);
    wire_put_bytes(buffer, FIELD_AGENT_INFO_HOSTNAME, slice_text("h"));
    wire_end(buffer, info);
    wire_end(buffer, mark);
}

static void put_launch(struct buffer *buffer, uint8_t argument)
{
    size_t mark = wire_begin(buffer, FIELD_EXECUTOR_EVENT_LAUNCH);
    put_task(buffer, FIELD_EXECUTOR_EVENT_LAUNCH_TASK, argument);
    wire_end(buffer, mark);
}

static void put_group(struct buffer *buffer, uint8_t argument)
{
    size_t mark = wire_begin(buffer, FIELD_EXECUTOR_EVENT_LAUNCH_GROUP);
    size_t group = wire_begin(buffer, FIELD_EXECUTOR_EVENT_LAUNCH_GROUP_TASK_GROUP);
    for (uint8_t i = 0; i < argument % 4; i++)
        put_task(buffer, FIELD_TASK_GROUP_INFO_TASKS, (uint8_t)(argument / 4 + i));
    wire_end(buffer, group);
    wire_end(buffer, mark);
}

static void put_kill(struct buffer *buffer, uint8_t argument)
{
    char id[] = {'t', (char)('0' + argument % TASKS), '\0'};
    size_t mark = wire_begin(buffer, FIELD_EXECUTOR_EVENT_KILL);
    wire_put_id(buffer, FIELD_EXECUTOR_EVENT_KILL_TASK_ID, slice_text(id));
    wire_end(buffer, mark);
}

// The update that came last.
static void put_acknowledged(struct buffer *buffer, uint8_t argument, const uint8_t *uuid)
{
    char id[] = {'t', (char)('0' + argument % TASKS), '\0'};
    struct slice bytes = {uuid, UUID_LENGTH};
    size_t mark = wire_begin(buffer, FIELD_EXECUTOR_EVENT_ACKNOWLEDGED);
    wire_put_id(buffer, FIELD_EXECUTOR_EVENT_ACKNOWLEDGED_TASK_ID, slice_text(id));
    wire_put_bytes(buffer, FIELD_EXECUTOR_EVENT_ACKNOWLEDGED_UUID, bytes);
    wire_end(buffer, mark);
}

static void send_event(struct world *world, uint8_t argument)
{
    static const int types[] = {EVENT(SUBSCRIBED), EVENT(LAUNCH),   EVENT(LAUNCH_GROUP),
                                EVENT(KILL),       EVENT(SHUTDOWN), EVENT(ACKNOWLEDGED),
                                EVENT(HEARTBEAT),  EVENT(ERROR)};
    int type = types[argument & 7];
    uint8_t rest = argument >> 3;
    struct buffer event;
    buffer_init(&event, 1 << 16);
    wire_put_varint(&event, FIELD_EXECUTOR_EVENT_TYPE, (uint64_t)type);
    if (type == EVENT(SUBSCRIBED))
        put_subscribed(&event);
    else if (type == EVENT(LAUNCH))
        put_launch(&event, rest);
    else if (type == EVENT(LAUNCH_GROUP))
        put_group(&event, rest);
    else if (type == EVENT(KILL))
        put_kill(&event, rest);
    else if (type == EVENT(ACKNOWLEDGED))
        put_acknowledged(&event, rest, world->agent->uuid);
    send_record(world, buffer_slice(&event));
    buffer_free(&event);
}

static void accept_stream(struct agent *agent)
{
    if (!agent->open || agent->accepted)
        return;
    agent->accepted = true;
    agent->transport.events->accepted(agent->transport.data);
}

static void end_stream(struct agent *agent)
{
    const struct error reason = {.code = ERROR_IO, .text = "cut"};
    if (!agent->open || !agent->accepted)
        return;
    agent->open = agent->accepted = false;
    agent->transport.events->ended(agent->transport.data, &reason);
}

static void refuse(struct agent *agent, uint8_t argument)
{
    static const int statuses[] = {0, 503, 404, 400, 401, 403, 503, 0};
    const struct http_reply reply = {.status = statuses[argument & 7], .body = slice_text("no")};
    if (!agent->open || agent->accepted)
        return;
    agent->open = false;
    agent->transport.events->refused(agent->transport.data, &reply);
}

// ---- steps ----

static void step(struct world *world, uint8_t what, uint8_t argument)
{
    static const int replies[] = {202, 202, 202, 0, 400, 403, 503, 202};
    switch (what % 9) {
    case 0:
        loop_virtual_advance(world->loop, argument * (LOOP_SECOND / 10));
        break;
    case 1:
        accept_stream(world->agent);
        break;
    case 2:
        send_event(world, argument);
        break;
    case 3:
        end_stream(world->agent);
        break;
    case 4:
        refuse(world->agent, argument);
        break;
    case 5:
        answer(world->agent, replies[argument & 7]);
        break;
    case 6:
        make_update(world, argument);
        break;
    case 7:
        end_callback(world);
        break;
    default:
        operate(world, argument);
    }
    loop_virtual_advance(world->loop, 0);
}

static void run(struct world *world, const uint8_t *data, size_t size)
{
    for (int count = 0; size >= 2 && !world->expired && count < STEPS_MOST; count++) {
        uint8_t what = data[0], argument = data[1];
        data += 2, size -= 2;
        if (what < 0xf0) {
            step(world, what, argument);
            continue;
        }
        size_t length = argument < size ? argument : size;
        send_record(world, (struct slice){data, length});
        loop_virtual_advance(world->loop, 0);
        data += length, size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first byte: whether the framework checkpoints, and whether groups are taken whole.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {.code = ERROR_NONE};
    struct world world = {.loop = loop_virtual_create(1e9)};
    struct executor_environment environment = {.endpoint = "agent:5051",
                                               .framework_id = "framework",
                                               .executor_id = "executor",
                                               .checkpoint = size > 0 && (data[0] & 1) != 0,
                                               .recovery = 20,
                                               .backoff_max = 0.5,
                                               .grace_period = 5};
    if (size == 0)
        return loop_destroy(world.loop), 0;
    log_set_level(LOG_QUIET);
    world.agent = memory_new(sizeof *world.agent);
    world.agent->transport.ops = &transport_ops;
    TAILQ_INIT(&world.agent->calls);
    const struct executor_driver_options options = {.environment = &environment,
                                                    .transport = &world.agent->transport,
                                                    .groups = (data[0] & 2) != 0,
                                                    .seed = 1};
    world.driver = executor_driver_create(world.loop, &options, &listener, &world, &err);
    executor_driver_start(world.driver);
    loop_virtual_advance(world.loop, 0);
    run(&world, data + 1, size - 1);
    executor_driver_destroy(world.driver);
    loop_destroy(world.loop);
    return 0;
}
