// SPDX-License-Identifier: Apache-2.0
//
// Operations of operators over HTTP; see the header. The body is a form with the agent and a list
// of resources in JSON.

#include "cluster/resources_http.h"

#include "base/memory.h"
#include "cluster/api_exchange.h"
#include "cluster/form_body.h"
#include "cluster/operator_http.h"
#include "master/operator_operations.h"
#include "wire/json_message.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Offer__Operation Operation;

struct operation_form {
    Mesos__V1__Offer__Operation__Type operation;
    const char *key;                        // of the list
    const char *words;                      // for a list that is wrong
    const ProtobufCMessageDescriptor *type; // has the list as the field of that name
    size_t member;                          // where the operation has it
};

#define FORM(TYPE, KEY, WORDS, NAME)                                                               \
    {                                                                                              \
        MESOS__V1__OFFER__OPERATION__TYPE__##TYPE, KEY, WORDS,                                     \
            &mesos__v1__offer__operation__##NAME##__descriptor, offsetof(Operation, NAME)          \
    }

static void missing(const char *key, struct error *err)
{
    if (err->code == ERROR_NONE)
        error_set(err, ERROR_INVALID, "Missing '%s' query parameter in the request body", key);
}

// The message of the operation, with that list; NULL and an error.
static ProtobufCMessage *read_list(const struct operation_form *form, struct buffer *body,
                                   const char *key, struct error *err)
{
    char *list = form_body_value(body, key, err);
    if (list == NULL) {
        missing(key, err);
        return NULL;
    }
    char *text = memory_format("{\"%s\":%s}", key, list);
    ProtobufCMessage *message = json_message_read(form->type, slice_text(text), err);
    if (message == NULL) {
        const char *reason = strstr(err->text, ": ");
        char *why = memory_string(reason ? reason + 2 : err->text);
        error_set(err, ERROR_INVALID, "%s '%s' query parameter in the request body: %s",
                  form->words, key, why);
        free(why);
    }
    free(text);
    free(list);
    return message;
}

// RESERVE may have a second list: what is reserved already, and to be reserved anew.
static bool add_source(const struct operation_form *form, struct buffer *body,
                       ProtobufCMessage *message, struct error *err)
{
    Mesos__V1__Offer__Operation__Reserve *to = (Mesos__V1__Offer__Operation__Reserve *)message;
    char *source = form_body_value(body, "source", err);
    bool there = source != NULL;
    free(source);
    if (form->operation != MESOS__V1__OFFER__OPERATION__TYPE__RESERVE || !there)
        return true;
    Mesos__V1__Offer__Operation__Reserve *from =
        (Mesos__V1__Offer__Operation__Reserve *)read_list(form, body, "source", err);
    if (from == NULL)
        return false;
    to->n_source = from->n_source;
    to->source = from->source;
    from->n_source = 0;
    from->source = NULL;
    protobuf_c_message_free_unpacked(&from->base, NULL);
    return true;
}

static struct master_answer carry_out(struct cluster_http *http, struct http_exchange *exchange,
                                      const struct operation_form *form, const char *agent)
{
    const struct cluster_request *request = exchange->data;
    struct master_answer answer = {.status = 400};
    Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    ProtobufCMessage *message = read_list(form, &exchange->body, form->key, &answer.error);
    if (message == NULL)
        return answer;
    memcpy((char *)&operation + form->member, &message, sizeof message);
    operation.has_type = true;
    operation.type = form->operation;
    if (add_source(form, &exchange->body, message, &answer.error))
        answer = operator_operations_apply(http->master, agent, &operation, request->principal);
    protobuf_c_message_free_unpacked(message, NULL);
    return answer;
}

static enum MHD_Result operate(struct cluster_http *http, struct http_exchange *exchange,
                               const struct operation_form *form)
{
    enum MHD_Result result;
    struct master_answer answer = {.status = 400};
    if (!api_exchange_check_body(exchange, API_EXCHANGE_SMALL, &result))
        return result;
    char *agent = form_body_value(&exchange->body, "slaveId", &answer.error);
    if (agent == NULL)
        missing("slaveId", &answer.error);
    else
        answer = carry_out(http, exchange, form, agent);
    free(agent);
    const struct http_answer done = {.status = answer.status, .text = ""};
    if (answer.status >= 400)
        return http_exchange_refuse(exchange, answer.status, answer.error.text);
    return http_exchange_answer(exchange, &done);
}

enum MHD_Result resources_http_reserve(struct cluster_http *http, struct http_exchange *exchange)
{
    static const struct operation_form form = FORM(RESERVE, "resources", "Error parsing", reserve);
    return operate(http, exchange, &form);
}

enum MHD_Result resources_http_unreserve(struct cluster_http *http, struct http_exchange *exchange)
{
    static const struct operation_form form =
        FORM(UNRESERVE, "resources", "Error in parsing", unreserve);
    return operate(http, exchange, &form);
}

enum MHD_Result resources_http_create(struct cluster_http *http, struct http_exchange *exchange)
{
    static const struct operation_form form = FORM(CREATE, "volumes", "Error in parsing", create);
    return operate(http, exchange, &form);
}

enum MHD_Result resources_http_destroy(struct cluster_http *http, struct http_exchange *exchange)
{
    static const struct operation_form form = FORM(DESTROY, "volumes", "Error in parsing", destroy);
    return operate(http, exchange, &form);
}
