// SPDX-License-Identifier: Apache-2.0
//
// Maintenance in the v1 operator API: the documents of the older endpoints have the same fields.

#include "operator/master_api_internal.h"

#include "base/memory.h"
#include "operator/maintenance_document.h"
#include "wire/json_message.h"

#include <stdlib.h>
#include <string.h>

#define RESPONSE(NAME) MESOS__V1__MASTER__RESPONSE__TYPE__##NAME

// A document as a message of that type; frees the text.
static ProtobufCMessage *read_document(char *text, const ProtobufCMessageDescriptor *type)
{
    struct error err = {0};
    ProtobufCMessage *message = json_message_read(type, slice_text(text), &err);
    free(text);
    return message;
}

struct master_answer master_api_get_maintenance_status(const struct api_request *request)
{
    Mesos__V1__Master__Response__GetMaintenanceStatus status =
        MESOS__V1__MASTER__RESPONSE__GET_MAINTENANCE_STATUS__INIT;
    Mesos__V1__Master__Response response = MESOS__V1__MASTER__RESPONSE__INIT;
    ProtobufCMessage *message = read_document(maintenance_document_status(request->master),
                                              &mesos__v1__maintenance__cluster_status__descriptor);
    if (message == NULL)
        return api_answer_refuse(500, "The maintenance status cannot be shown");
    status.status = (Mesos__V1__Maintenance__ClusterStatus *)message;
    response.has_type = true;
    response.type = RESPONSE(GET_MAINTENANCE_STATUS);
    response.get_maintenance_status = &status;
    struct master_answer answer = api_answer_respond(request, &response);
    protobuf_c_message_free_unpacked(message, NULL);
    return answer;
}

struct master_answer master_api_get_maintenance_schedule(const struct api_request *request)
{
    Mesos__V1__Master__Response__GetMaintenanceSchedule schedule =
        MESOS__V1__MASTER__RESPONSE__GET_MAINTENANCE_SCHEDULE__INIT;
    Mesos__V1__Master__Response response = MESOS__V1__MASTER__RESPONSE__INIT;
    ProtobufCMessage *message = read_document(maintenance_document_schedule(request->master),
                                              &mesos__v1__maintenance__schedule__descriptor);
    if (message == NULL)
        return api_answer_refuse(500, "The maintenance schedule cannot be shown");
    schedule.schedule = (Mesos__V1__Maintenance__Schedule *)message;
    response.has_type = true;
    response.type = RESPONSE(GET_MAINTENANCE_SCHEDULE);
    response.get_maintenance_schedule = &schedule;
    struct master_answer answer = api_answer_respond(request, &response);
    protobuf_c_message_free_unpacked(message, NULL);
    return answer;
}

struct master_answer master_api_update_maintenance_schedule(const struct api_request *request)
{
    const ProtobufCMessage *schedule = &request->call->update_maintenance_schedule->schedule->base;
    struct error err = {0};
    struct buffer text;
    buffer_init(&text, JSON_WRITER_LIMIT);
    bool good = json_message_write(schedule, &text) &&
                maintenance_document_update(request->master, buffer_slice(&text), &err);
    buffer_free(&text);
    return good ? api_answer_report(true, NULL) : api_answer_refuse(400, err.text);
}

static struct master_answer
set_machines(const struct api_request *request, Mesos__V1__MachineID *const *machines, size_t count,
             bool (*set)(struct master *master, struct slice body, struct error *err))
{
    struct error err = {0};
    struct buffer text;
    buffer_init(&text, JSON_WRITER_LIMIT);
    struct json_writer writer = {.out = &text};
    json_writer_list(&writer, NULL);
    for (size_t i = 0; i < count; i++)
        json_writer_message(&writer, NULL, &machines[i]->base);
    json_writer_end(&writer);
    bool good = !writer.failed && set(request->master, buffer_slice(&text), &err);
    buffer_free(&text);
    return good ? api_answer_report(true, NULL) : api_answer_refuse(400, err.text);
}

struct master_answer master_api_start_maintenance(const struct api_request *request)
{
    const Mesos__V1__Master__Call__StartMaintenance *call = request->call->start_maintenance;
    return set_machines(request, call->machines, call->n_machines, maintenance_document_down);
}

struct master_answer master_api_stop_maintenance(const struct api_request *request)
{
    const Mesos__V1__Master__Call__StopMaintenance *call = request->call->stop_maintenance;
    return set_machines(request, call->machines, call->n_machines, maintenance_document_up);
}
