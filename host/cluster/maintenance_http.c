// SPDX-License-Identifier: Apache-2.0
//
// The endpoints; see the header. operator/maintenance_document.h has what they say.

#include "cluster/maintenance_http.h"

#include "cluster/http_negotiation.h"
#include "operator/maintenance_document.h"

#include <stdlib.h>
#include <string.h>

size_t maintenance_http_limit(const struct cluster_http *http, const struct http_exchange *exchange)
{
    (void)http;
    (void)exchange;
    return MAINTENANCE_HTTP_LIMIT;
}

static enum MHD_Result answer_document(struct http_exchange *exchange, char *text)
{
    const struct http_answer answer = {.status = MHD_HTTP_OK, .type = HTTP_JSON, .text = text};
    enum MHD_Result result = http_exchange_answer(exchange, &answer);
    free(text);
    return result;
}

static enum MHD_Result carry_out(struct cluster_http *http, struct http_exchange *exchange,
                                 bool (*document)(struct master *master, struct slice body,
                                                  struct error *err))
{
    const struct http_answer done = {.status = MHD_HTTP_OK, .text = ""};
    struct error err = {0};
    if (exchange->state == HTTP_BODY_NO_ROOM)
        return http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                                    "Too many calls are being received at the moment");
    if (exchange->state != HTTP_BODY_WHOLE)
        return http_exchange_refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE,
                                    "The body is larger than the local cluster accepts (4 MiB)");
    if (!document(http->master, buffer_slice(&exchange->body), &err))
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    return http_exchange_answer(exchange, &done);
}

enum MHD_Result maintenance_http_schedule(struct cluster_http *http, struct http_exchange *exchange)
{
    if (strcmp(exchange->method, MHD_HTTP_METHOD_POST) == 0)
        return carry_out(http, exchange, maintenance_document_update);
    return answer_document(exchange, maintenance_document_schedule(http->master));
}

enum MHD_Result maintenance_http_status(struct cluster_http *http, struct http_exchange *exchange)
{
    return answer_document(exchange, maintenance_document_status(http->master));
}

enum MHD_Result maintenance_http_down(struct cluster_http *http, struct http_exchange *exchange)
{
    return carry_out(http, exchange, maintenance_document_down);
}

enum MHD_Result maintenance_http_up(struct cluster_http *http, struct http_exchange *exchange)
{
    return carry_out(http, exchange, maintenance_document_up);
}
