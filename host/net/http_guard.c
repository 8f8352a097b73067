// SPDX-License-Identifier: Apache-2.0
//
// Host and Origin of requests: see http_guard.h. Ports do not count, so a forwarded port works; an
// attacker can choose names only.

#include "net/http_guard.h"

#include "base/bytes.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

// ---- names and addresses ----

static struct slice trimmed(struct slice text)
{
    while (text.length > 0 && isspace(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && isspace(text.data[text.length - 1]))
        text.length--;
    return text;
}

// The name of "name", "name:port" or "[address]:port", without the dot that may end it.
static struct slice name_of(struct slice host)
{
    host = trimmed(host);
    const uint8_t *end = host.length > 0 && host.data[0] == '['
                             ? memchr(host.data, ']', host.length)
                             : memchr(host.data, ':', host.length);
    if (host.length > 0 && host.data[0] == '[' && end != NULL)
        return (struct slice){host.data + 1, (size_t)(end - host.data) - 1};
    if (end != NULL)
        host.length = (size_t)(end - host.data);
    if (host.length > 1 && host.data[host.length - 1] == '.')
        host.length--;
    return host;
}

static bool is(struct slice name, const char *text)
{
    return name.length > 0 && name.length == strlen(text) &&
           strncasecmp((const char *)name.data, text, name.length) == 0;
}

static bool is_listed(struct slice name, const char *list)
{
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ",");
        struct slice one = name_of((struct slice){(const uint8_t *)list, length});
        if (name.length > 0 && name.length == one.length &&
            strncasecmp((const char *)name.data, (const char *)one.data, one.length) == 0)
            return true;
        list += length + (list[length] == ',');
    }
    return false;
}

static bool read_address(struct slice name, struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN], mapped[INET6_ADDRSTRLEN + 8];
    if (name.length >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", SLICE_ARGS(name));
    snprintf(mapped, sizeof mapped, "::ffff:%s", text);
    return inet_pton(AF_INET6, text, address) == 1 || inet_pton(AF_INET6, mapped, address) == 1;
}

static bool is_loopback(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK(address) ||
           (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static bool is_own_address(const struct http_guard *guard, struct slice name)
{
    struct in6_addr address, own;
    if (!read_address(name, &address))
        return false;
    return guard->anywhere || is_loopback(&address) ||
           (read_address(slice_text(guard->ip), &own) && memcmp(&address, &own, sizeof own) == 0);
}

static bool is_own(const struct http_guard *guard, struct slice name)
{
    return is(name, "localhost") || is(name, guard->named) ||
           (guard->anywhere && is(name, guard->machine)) || is_own_address(guard, name) ||
           is_listed(name, guard->hosts);
}

// ---- public functions ----

void http_guard_init(struct http_guard *guard, const char *ip, const char *named, const char *hosts)
{
    struct in6_addr address;
    *guard = (struct http_guard){.named = named, .hosts = hosts};
    snprintf(guard->ip, sizeof guard->ip, "%s", ip);
    bool known = read_address(slice_text(ip), &address);
    guard->anywhere = known && (IN6_IS_ADDR_UNSPECIFIED(&address) || strcmp(ip, "0.0.0.0") == 0);
    guard->loopback = known && is_loopback(&address);
    if (gethostname(guard->machine, sizeof guard->machine - 1) != 0)
        guard->machine[0] = '\0';
}

bool http_guard_host(const struct http_guard *guard, const char *host, char words[HTTP_GUARD_WORDS])
{
    struct slice name = name_of(slice_text(host));
    if (is_own(guard, name))
        return true;
    snprintf(words, HTTP_GUARD_WORDS,
             "403 Forbidden: the Host '%.*s' is not a name of this server; --allow-host %.*s would "
             "allow it.\n",
             (int)(name.length < 200 ? name.length : 200), (const char *)name.data,
             (int)(name.length < 200 ? name.length : 200), (const char *)name.data);
    return false;
}

// An Origin is "scheme://host:port", or "null".
bool http_guard_origin(const struct http_guard *guard, const char *origin,
                       char words[HTTP_GUARD_WORDS])
{
    const char *host = strstr(origin, "://");
    struct slice name = name_of(slice_text(host ? host + 3 : ""));
    if (is_listed(name, guard->hosts))
        return true;
    snprintf(words, HTTP_GUARD_WORDS,
             "403 Forbidden: requests of web pages, which have an Origin ('%.200s'), are not "
             "taken; --allow-host would allow those of a host.\n",
             origin);
    return false;
}
