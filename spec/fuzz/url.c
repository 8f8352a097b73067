// SPDX-License-Identifier: Apache-2.0
//
// Addresses of any bytes. What url_parse() takes it prints as an address that it takes again, to
// the same parts; what it refuses it refuses with words that hold no password. The same for the
// Location of a redirect.

#include "net/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(const struct url *url)
{
    char text[URL_ADDRESS];
    struct url again;
    struct error err = {.code = ERROR_NONE};
    if (!url_parse(&again, url_address(url, text), &err))
        abort();
    if (again.tls != url->tls || again.ipv6 != url->ipv6 || again.port != url->port ||
        strcmp(again.host, url->host) != 0)
        abort();
    url_is_loopback(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    struct url url, base;
    struct error err = {.code = ERROR_NONE};
    if (url_parse(&url, text, &err))
        check_round(&url);
    else if (err.text[0] == '\0')
        abort();
    if (!url_parse(&base, "https://10.0.0.1:5051", &err))
        abort();
    if (url_resolve(&url, &base, text, &err))
        check_round(&url);
    free(text);
    return 0;
}
