// SPDX-License-Identifier: Apache-2.0
//
// The master of the local cluster on a loop of virtual time, whose runner pretends, fed
// with any calls, in protobuf and JSON, between which time passes, tasks end and streams close.
//
// The input is a list of steps: a byte that says what, two for the length, and so many bytes. Ids
// are those that the master has given before where the byte says so, as none would be guessed.

#include "master/master.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_virtual.h"
#include "master/operator_operations.h"
#include "operator/status_document.h"
#include "support/pretend_runner.h"
#include "wire/json_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

enum { STREAMS = 4, OFFERS = 8, ID = 160 };

enum step {
    STEP_TIME,  // passes: a tenth of a second for each of its length
    STEP_END,   // the oldest task ends, with the length as its status
    STEP_FAIL,  // the oldest task cannot be started
    STEP_CLOSE, // the client of the stream is gone
    STEP_PROTOBUF,
    STEP_JSON,
    STEP_OPERATE, // an operation of an operator, in JSON
    STEPS,
};

// Bits of a step's first byte, behind its kind.
enum { STREAM_SHIFT = 3, WITH_IDS = 32, WRONG_STREAM = 64 };

// ---- what the master says ----

struct stream {
    bool open;
    char id[40], framework[ID];
};

// Ids that were given last.
static struct {
    char offers[OFFERS][ID];
    unsigned count;
    char agent[ID], task[512], task_agent[ID], operation[512];
    uint8_t uuid[16];
} known;

static void note_update(const Mesos__V1__TaskStatus *status)
{
    if (!status->has_uuid || status->uuid.len != sizeof known.uuid)
        return;
    memcpy(known.uuid, status->uuid.data, sizeof known.uuid);
    snprintf(known.task, sizeof known.task, "%s", status->task_id->value);
    if (status->agent_id != NULL)
        snprintf(known.task_agent, ID, "%s", status->agent_id->value);
}

static void note_operation(const Mesos__V1__OperationStatus *status)
{
    if (status->uuid == NULL || status->uuid->value.len != sizeof known.uuid)
        return;
    memcpy(known.uuid, status->uuid->value.data, sizeof known.uuid);
    snprintf(known.operation, sizeof known.operation, "%s", status->operation_id->value);
}

static void note_offers(const Mesos__V1__Scheduler__Event__Offers *offers)
{
    for (size_t i = 0; i < offers->n_offers; i++) {
        snprintf(known.offers[known.count++ % OFFERS], ID, "%s", offers->offers[i]->id->value);
        snprintf(known.agent, ID, "%s", offers->offers[i]->agent_id->value);
    }
}

// Every event can be written, and read again, in both forms.
static void check_forms(const Event *event)
{
    struct buffer text;
    struct error err = {.code = ERROR_NONE};
    buffer_init(&text, (size_t)64 << 20);
    if (!json_message_write(&event->base, &text))
        abort();
    ProtobufCMessage *again =
        json_message_read(&mesos__v1__scheduler__event__descriptor, buffer_slice(&text), &err);
    if (again != NULL)
        protobuf_c_message_free_unpacked(again, NULL);
    buffer_clear(&text);
    size_t size = protobuf_c_message_get_packed_size(&event->base);
    protobuf_c_message_pack(&event->base, buffer_reserve(&text, size));
    Event *packed = mesos__v1__scheduler__event__unpack(NULL, size, text.data);
    if (packed == NULL)
        abort();
    mesos__v1__scheduler__event__free_unpacked(packed, NULL);
    buffer_free(&text);
}

static void on_event(void *data, const Event *event)
{
    struct stream *stream = data;
    if (!stream->open)
        abort(); // nothing follows the end
    check_forms(event);
    if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED)
        snprintf(stream->framework, ID, "%s", event->subscribed->framework_id->value);
    else if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS)
        note_offers(event->offers);
    else if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE)
        note_update(event->update->status);
    else if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE_OPERATION_STATUS)
        note_operation(event->update_operation_status->status);
}

static void on_end(void *data)
{
    struct stream *stream = data;
    stream->open = false;
}

// ---- calls with ids that there are ----

static void put_text(char **to, const char *text)
{
    if (*to != protobuf_c_empty_string)
        free(*to);
    *to = memory_string(text);
}

static void put_offers(Mesos__V1__OfferID **ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_text(&ids[i]->value, known.offers[(known.count - 1 - i) % OFFERS]);
}

static void put_agents(Mesos__V1__TaskInfo **tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_text(&tasks[i]->agent_id->value, known.agent);
}

static void put_group(Mesos__V1__Offer__Operation__LaunchGroup *group, const struct stream *stream)
{
    put_agents(group->task_group->tasks, group->task_group->n_tasks);
    if (group->executor->framework_id != NULL)
        put_text(&group->executor->framework_id->value, stream->framework);
}

static void put_accept(Mesos__V1__Scheduler__Call__Accept *accept, const struct stream *stream)
{
    put_offers(accept->offer_ids, accept->n_offer_ids);
    for (size_t i = 0; i < accept->n_operations; i++) {
        const Mesos__V1__Offer__Operation *operation = accept->operations[i];
        if (operation->launch != NULL)
            put_agents(operation->launch->task_infos, operation->launch->n_task_infos);
        if (operation->launch_group != NULL)
            put_group(operation->launch_group, stream);
    }
}

static void put_acknowledge(Mesos__V1__Scheduler__Call__Acknowledge *acknowledge)
{
    if (acknowledge->uuid.len == sizeof known.uuid)
        memcpy(acknowledge->uuid.data, known.uuid, sizeof known.uuid);
    put_text(&acknowledge->task_id->value, known.task);
    put_text(&acknowledge->agent_id->value, known.task_agent);
}

static void put_operation(Mesos__V1__Scheduler__Call__AcknowledgeOperationStatus *acknowledge)
{
    if (acknowledge->uuid.len == sizeof known.uuid)
        memcpy(acknowledge->uuid.data, known.uuid, sizeof known.uuid);
    put_text(&acknowledge->operation_id->value, known.operation);
    if (acknowledge->agent_id != NULL)
        put_text(&acknowledge->agent_id->value, known.agent);
}

static void put_update(Mesos__V1__Scheduler__Call__UpdateFramework *update,
                       const struct stream *stream)
{
    if (update->framework_info->id != NULL)
        put_text(&update->framework_info->id->value, stream->framework);
}

static void put_ids(Call *call, const struct stream *stream)
{
    if (call->framework_id != NULL)
        put_text(&call->framework_id->value, stream->framework);
    if (call->accept != NULL)
        put_accept(call->accept, stream);
    if (call->decline != NULL)
        put_offers(call->decline->offer_ids, call->decline->n_offer_ids);
    if (call->update_framework != NULL)
        put_update(call->update_framework, stream);
    if (call->acknowledge != NULL)
        put_acknowledge(call->acknowledge);
    if (call->acknowledge_operation_status != NULL)
        put_operation(call->acknowledge_operation_status);
}

// ---- steps ----

static void subscribe(struct master *master, const Call *call, struct stream *stream)
{
    static const struct master_sink sink = {.event = on_event, .end = on_end};
    static unsigned count;
    if (stream->open)
        return;
    snprintf(stream->id, sizeof stream->id, "stream-%u", count++);
    stream->open = true;
    master_subscribe(master, call, stream->id, &sink, stream);
}

static Call *read_call(bool json, struct slice bytes)
{
    struct error err = {.code = ERROR_NONE};
    if (json)
        return (Call *)json_message_read(&mesos__v1__scheduler__call__descriptor, bytes, &err);
    return mesos__v1__scheduler__call__unpack(NULL, bytes.length, bytes.data);
}

static void make_call(struct master *master, struct stream *stream, uint8_t how, struct slice bytes)
{
    struct error err = {.code = ERROR_NONE};
    Call *call = read_call(how % 8 % STEPS == STEP_JSON, bytes);
    if (call == NULL)
        return;
    if (how & WITH_IDS)
        put_ids(call, stream);
    bool valid = master_validate(call, &err);
    const struct master_caller caller = {.stream_id = how & WRONG_STREAM ? "other" : stream->id};
    if (valid && call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
        subscribe(master, call, stream);
    else if (valid)
        master_call(master, call, &caller);
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
}

static void operate(struct master *master, struct slice bytes)
{
    struct error err = {.code = ERROR_NONE};
    ProtobufCMessage *operation =
        json_message_read(&mesos__v1__offer__operation__descriptor, bytes, &err);
    if (operation == NULL)
        return;
    operator_operations_apply(master, known.agent, (Mesos__V1__Offer__Operation *)operation, NULL);
    protobuf_c_message_free_unpacked(operation, NULL);
}

static void close_stream(struct master *master, struct stream *stream)
{
    if (!stream->open)
        return;
    stream->open = false;
    master_stream_closed(master, stream->id);
}

static void step(struct master *master, struct loop *loop, struct stream *streams, uint8_t how,
                 struct slice bytes)
{
    struct stream *stream = &streams[how >> STREAM_SHIFT & 3];
    switch ((enum step)(how % 8 % STEPS)) {
    case STEP_TIME:
        loop_virtual_advance(loop, bytes.length % 256 * (LOOP_SECOND / 10));
        break;
    case STEP_END:
        pretend_runner_end((int64_t)(bytes.length % 256));
        break;
    case STEP_FAIL:
        pretend_runner_fail();
        break;
    case STEP_CLOSE:
        close_stream(master, stream);
        break;
    case STEP_OPERATE:
        operate(master, bytes);
        break;
    default:
        make_call(master, stream, how, bytes);
    }
    loop_virtual_advance(loop, LOOP_SECOND / 1000);
}

// ---- the cluster ----

static struct master *create_master(struct loop *loop)
{
    const struct master_options options = {.ip = "127.0.0.1",
                                           .port = 5050,
                                           .hostname = "localhost",
                                           .work_dir = "/work",
                                           .path = "/bin",
                                           .switch_users = true,
                                           .offer_timeout = 20 * LOOP_SECOND,
                                           .runner = pretend_runner()};
    struct master *master = master_create(loop, &options);
    for (int i = 0; i < 2; i++) {
        struct resources resources = {0};
        struct agent_description description;
        struct error err;
        if (!resources_parse(&resources, "cpus:4;cpus{REV}:2;mem:4096;disk:64;ports:[31000-31100]",
                             NULL, &err) ||
            !agent_description_parse(&description, i == 0 ? "" : "zone=a rack=7", &err))
            abort();
        master_add_agent(master, &resources, &description);
        resources_free(&resources);
    }
    return master;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_set_level(LOG_QUIET);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream streams[STREAMS] = {0};
    struct loop *loop = loop_virtual_create(1e9);
    struct master *master = create_master(loop);
    memset(&known, 0, sizeof known);
    while (size >= 3) {
        size_t length = data[1] | (size_t)data[2] << 8, rest = size - 3;
        struct slice bytes = {data + 3, length < rest ? length : rest};
        bool carries = data[0] % 8 % STEPS >= STEP_PROTOBUF;
        step(master, loop, streams, data[0], carries ? bytes : (struct slice){data, length});
        size_t used = 3 + (carries ? bytes.length : 0);
        data += used;
        size -= used;
    }
    free(status_document(master));
    pretend_runner()->ops->destroy(pretend_runner());
    master_destroy(master);
    loop_destroy(loop);
    return 0;
}
