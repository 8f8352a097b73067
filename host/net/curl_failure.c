// SPDX-License-Identifier: Apache-2.0
//
// The words for failed connections: see curl_failure.h. They are ours for what users meet, and
// libcurl's or the system's for the rest.

#include "net/curl_failure.h"

#include <stdio.h>
#include <string.h>

static const char *const explanations[] = {
    [CURLE_COULDNT_CONNECT] = "cannot connect",
    [CURLE_GOT_NOTHING] = "the connection was closed without an answer",
    [CURLE_PARTIAL_FILE] = "the connection was closed before the end of the answer",
};

const char *curl_failure_tls_hint(const struct url *peer)
{
    return peer->tls ? "" : " (perhaps it is TLS: https:// or --tls)";
}

// A peer that wants TLS closes a connection on which it is spoken to without.
static const char *find_hint(const struct curl_failure *failure)
{
    CURLcode result = failure->result;
    bool closed = result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR;
    if (failure->answered || failure->peer->tls || !closed)
        return "";
    return " (a master that wants TLS does that: https:// or --tls)";
}

static const char *explain(CURLcode result)
{
    return result < sizeof explanations / sizeof *explanations ? explanations[result] : NULL;
}

// libcurl's own words, or the system's where libcurl leaves them out.
static const char *find_detail(const struct curl_failure *failure)
{
    long system = 0;
    if (failure->easy != NULL)
        curl_easy_getinfo(failure->easy, CURLINFO_OS_ERRNO, &system);
    if (failure->result == CURLE_COULDNT_CONNECT && system != 0)
        return strerror((int)system);
    return failure->detail[0] ? failure->detail : curl_easy_strerror(failure->result);
}

void curl_failure_text(const struct curl_failure *failure, char *text, size_t size)
{
    CURLcode result = failure->result;
    const char *detail = find_detail(failure);
    if (failure->peer->tls && !failure->answered &&
        tls_explain(failure->tls, failure->peer->host, result == CURLE_PEER_FAILED_VERIFICATION,
                    detail, text, size))
        return;
    bool broke = result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR;
    const char *known =
        broke && !failure->answered ? explanations[CURLE_GOT_NOTHING] : explain(result);
    if (known != NULL && (broke || result == CURLE_COULDNT_CONNECT))
        snprintf(text, size, "%s: %s%s", known, detail, find_hint(failure));
    else
        snprintf(text, size, "%s%s", known ? known : detail, find_hint(failure));
}
