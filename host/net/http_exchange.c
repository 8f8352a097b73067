// SPDX-License-Identifier: Apache-2.0
//
// What a request says, and answers to it: see http_server.h.

#include "net/http_server.h"

#include "base/memory.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

// ---- the request ----

struct header_search {
    const char *name, *value;
};

// Most names differ in their first letter.
static bool is_named(const struct http_header *header, const char *name)
{
    return ((header->name[0] ^ name[0]) & ~('a' - 'A')) == 0 && strcasecmp(header->name, name) == 0;
}

static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct header_search *search = data;
    const struct http_header header = {name, value};
    (void)kind;
    if (is_named(&header, search->name))
        search->value = value ? value : "";
    return MHD_YES;
}

// The last one of that name.
const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    struct header_search search = {.name = name};
    if (exchange->header_count > HTTP_HEADERS_KEPT) {
        MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, on_header, &search);
        return search.value;
    }
    for (size_t i = exchange->header_count; i-- > 0;)
        if (is_named(&exchange->headers[i], name))
            return exchange->headers[i].value;
    return NULL;
}

const char *http_exchange_argument(const struct http_exchange *exchange, const char *name)
{
    const char *value = NULL;
    if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, NULL) != MHD_YES)
        return NULL;
    return value ? value : "";
}

struct value_visit {
    void (*visit)(void *data, const char *name, const char *value);
    void *data;
};

static enum MHD_Result on_value(void *data, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    const struct value_visit *visit = data;
    (void)kind;
    visit->visit(visit->data, name, value ? value : "");
    return MHD_YES;
}

void http_exchange_headers(const struct http_exchange *exchange,
                           void (*visit)(void *data, const char *name, const char *value),
                           void *data)
{
    struct value_visit each = {visit, data};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, on_value, &each);
}

void http_exchange_arguments(const struct http_exchange *exchange,
                             void (*visit)(void *data, const char *name, const char *value),
                             void *data)
{
    struct value_visit each = {visit, data};
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, on_value, &each);
}

void http_exchange_peer(const struct http_exchange *exchange, char *text, size_t size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    char host[64] = "", port[8] = "";
    socklen_t length = address != NULL && address->sa_family == AF_INET6
                           ? sizeof(struct sockaddr_in6)
                           : sizeof(struct sockaddr_in);
    if (address != NULL)
        getnameinfo(address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(text, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

// ---- answers ----

// "Name: value", each ended by a newline.
static void add_lines(struct MHD_Response *response, const char *lines)
{
    while (lines != NULL && *lines != '\0') {
        size_t length = strcspn(lines, "\n");
        char *line = memory_text(lines, length), *colon = strstr(line, ": ");
        if (colon != NULL) {
            *colon = '\0';
            MHD_add_response_header(response, line, colon + 2);
        }
        free(line);
        lines += length + (lines[length] == '\n');
    }
}

struct MHD_Response *http_answer_make(const struct http_answer *answer)
{
    size_t length = answer->length > 0 ? answer->length : strlen(answer->text);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        length, (void *)(uintptr_t)answer->text, MHD_RESPMEM_MUST_COPY);
    if (answer->type != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
    if (answer->header != NULL)
        MHD_add_response_header(response, answer->header_name, answer->header);
    add_lines(response, answer->headers);
    return response;
}

enum MHD_Result http_exchange_answer(struct http_exchange *exchange,
                                     const struct http_answer *answer)
{
    struct MHD_Response *response = http_answer_make(answer);
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result http_exchange_refuse(struct http_exchange *exchange, int status, const char *text)
{
    const struct http_answer answer = {
        .status = status, .type = "text/plain; charset=utf-8", .text = text};
    return http_exchange_answer(exchange, &answer);
}
