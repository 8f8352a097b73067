// SPDX-License-Identifier: Apache-2.0
//
// The head of a call: see call_head.h.

#include "net/call_head.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static void write_host(const struct url *peer, char *text, size_t size)
{
    const char *open = peer->ipv6 ? "[" : "", *close = peer->ipv6 ? "]" : "";
    if (peer->port == (peer->tls ? 443 : 80))
        snprintf(text, size, "%s%s%s", open, peer->host, close);
    else
        snprintf(text, size, "%s%s%s:%u", open, peer->host, close, peer->port);
}

char *call_head(const struct peer_api *api, const struct url *peer, const char *stream_id,
                const char *authorization)
{
    bool id = stream_id != NULL && stream_id[0] != '\0';
    char host[URL_ADDRESS];
    write_host(peer, host, sizeof host);
    return memory_format("POST %s HTTP/1.1\r\n"
                         "Host: %s\r\n"
                         "User-Agent: mesos-lua/" MESOS_LUA_VERSION "\r\n"
                         "Accept: " CALL_HEAD_TYPE "\r\n"
                         "Content-Type: " CALL_HEAD_TYPE "\r\n"
                         "%s%s%s"
                         "%s%s"
                         "Content-Length: ",
                         api->path, host, id ? "Mesos-Stream-Id: " : "", id ? stream_id : "",
                         id ? "\r\n" : "", authorization ? authorization : "",
                         authorization ? "\r\n" : "");
}

struct slice call_head_length(char text[CALL_HEAD_LENGTH], size_t length)
{
    char *end = text + CALL_HEAD_LENGTH, *at = end - 4;
    memcpy(at, "\r\n\r\n", 4);
    do
        *--at = (char)('0' + length % 10);
    while ((length /= 10) > 0);
    return (struct slice){(const uint8_t *)at, (size_t)(end - at)};
}
