// SPDX-License-Identifier: Apache-2.0
//
// Redirections to the master that leads; see the header.

#include "cluster/leader_redirect.h"

#include "base/memory.h"

#include <stdlib.h>

// As a real master does: the path in its longer form, the query, and no scheme.
enum MHD_Result leader_redirect(const struct cluster_http *http, struct http_exchange *exchange,
                                const char *path, const char *query)
{
    if (http->leader == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, http->reason);
    char *location =
        memory_format("//%s%s%s%s", http->leader, path, query ? "?" : "", query ? query : "");
    const struct http_answer answer = {.status = MHD_HTTP_TEMPORARY_REDIRECT,
                                       .text = "",
                                       .header_name = MHD_HTTP_HEADER_LOCATION,
                                       .header = location};
    enum MHD_Result result = http_exchange_answer(exchange, &answer);
    free(location);
    return result;
}

enum MHD_Result leader_redirect_answer(struct cluster_http *http, struct http_exchange *exchange)
{
    return leader_redirect(http, exchange, "", NULL);
}
