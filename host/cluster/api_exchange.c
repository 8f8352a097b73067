// SPDX-License-Identifier: Apache-2.0
//
// Calls and responses over HTTP; see the header. The order of the checks is that of a master.

#include "cluster/api_exchange.h"

#include "cluster/http_negotiation.h"
#include "cluster/nul_check.h"
#include "wire/json_message.h"

#include <string.h>

// What is unpacked quickly has no text with a NUL in it.
static void *unpack(struct message_room *room, const ProtobufCMessageDescriptor *type,
                    struct slice body, struct error *err)
{
    void *call = message_room_unpack_quickly(room, type, body);
    if (call != NULL)
        return call;
    message_room_empty(room);
    if (!nul_check(body, type, err)) {
        error_context(err, "Failed to parse body into Call protobuf");
        return NULL;
    }
    call = message_room_put(room, protobuf_c_message_unpack(type, NULL, body.length, body.data));
    if (call == NULL)
        error_set(err, ERROR_INVALID, "Failed to parse body into Call protobuf");
    return call;
}

bool api_exchange_check_body(struct http_exchange *exchange, const char *limit,
                             enum MHD_Result *result)
{
    if (exchange->state == HTTP_BODY_WHOLE)
        return true;
    *result = exchange->state == HTTP_BODY_NO_ROOM
                  ? http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                                         "Too many calls are being received at the moment")
                  : http_exchange_refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, limit);
    return false;
}

void *api_exchange_read(struct http_exchange *exchange, struct message_room *room,
                        const ProtobufCMessageDescriptor *type, const char *limit,
                        enum MHD_Result *result)
{
    const char *form = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
    bool json = http_negotiation_is_json(exchange);
    struct error err = {0};
    if (form == NULL) {
        *result = http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST,
                                       "Expecting 'Content-Type' to be present");
        return NULL;
    }
    if (!json && strcmp(form, HTTP_PROTOBUF) != 0) {
        *result =
            http_exchange_refuse(exchange, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                 "Expecting 'Content-Type' of " HTTP_JSON " or " HTTP_PROTOBUF);
        return NULL;
    }
    if (!api_exchange_check_body(exchange, limit, result))
        return NULL;
    struct slice body = buffer_slice(&exchange->body);
    void *call = json ? message_room_put(room, json_message_read(type, body, &err))
                      : unpack(room, type, body, &err);
    if (call == NULL)
        *result = http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    return call;
}

bool api_exchange_form(struct http_exchange *exchange, bool *protobuf, enum MHD_Result *result)
{
    *protobuf = !http_negotiation_accepts(exchange, HTTP_JSON);
    if (!*protobuf || http_negotiation_accepts(exchange, HTTP_PROTOBUF))
        return true;
    *result =
        http_exchange_refuse(exchange, MHD_HTTP_NOT_ACCEPTABLE,
                             "Expecting 'Accept' to allow '" HTTP_PROTOBUF "' or '" HTTP_JSON "'");
    return false;
}

enum MHD_Result api_exchange_send(struct http_exchange *exchange,
                                  const struct master_answer *answer, const struct buffer *out,
                                  bool protobuf)
{
    if (answer->status >= 400)
        return http_exchange_refuse(exchange, answer->status, answer->error.text);
    const struct http_answer response = {
        .status = answer->status,
        .type = out->length == 0 ? NULL
                : protobuf       ? HTTP_PROTOBUF
                                 : HTTP_JSON,
        .text = out->length == 0 ? "" : (const char *)out->data,
        .length = out->length,
    };
    return http_exchange_answer(exchange, &response);
}
