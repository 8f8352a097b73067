// SPDX-License-Identifier: Apache-2.0
//
// The answers of the operator API; see the header.

#include "operator/api_answer.h"

#include "wire/json_message.h"

struct master_answer api_answer_refuse(int status, const char *text)
{
    struct master_answer answer = {.status = status};
    error_set(&answer.error, ERROR_INVALID, "%s", text);
    return answer;
}

struct master_answer api_answer_report(bool good, const struct error *err)
{
    struct master_answer answer = {.status = 200};
    if (good)
        return answer;
    answer.status = err->code == ERROR_REFUSED ? 409 : 400;
    answer.error = *err;
    return answer;
}

static struct master_answer too_long(void)
{
    return api_answer_refuse(503, "The response is longer than 256 MiB");
}

struct master_answer api_answer_respond(const struct api_request *request,
                                        const Mesos__V1__Master__Response *response)
{
    const struct master_answer good = {.status = 200};
    if (!request->protobuf)
        return json_message_write(&response->base, request->out) ? good : too_long();
    size_t size = protobuf_c_message_get_packed_size(&response->base);
    uint8_t *room = buffer_reserve(request->out, size);
    if (room == NULL)
        return too_long();
    request->out->length += protobuf_c_message_pack(&response->base, room);
    return good;
}

void api_answer_open(const struct api_request *request, struct response_writer *writer,
                     Mesos__V1__Master__Response__Type type, const char *field)
{
    response_writer_begin(writer, request->out, request->protobuf,
                          &mesos__v1__master__response__descriptor);
    response_writer_enum(writer, "type", (int)type);
    response_writer_open(writer, field);
}

struct master_answer api_answer_close(struct response_writer *writer)
{
    const struct master_answer good = {.status = 200};
    response_writer_close(writer);
    return response_writer_finish(writer) ? good : too_long();
}
