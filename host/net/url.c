// SPDX-License-Identifier: Apache-2.0
//
// Reading addresses: see url.h. The text is cut from both ends: scheme, then what follows the
// authority, then user and password, then the port; what remains is the host.

#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct part {
    const char *data;
    size_t length;
};

#define PART_ARGS(part) (int)(part).length, (part).data

static bool copy(char *to, size_t size, struct part part)
{
    if (part.length >= size)
        return false;
    memcpy(to, part.data, part.length);
    to[part.length] = 0;
    return true;
}

// ---- host and port ----

static bool parse_port(struct url *url, struct part port, struct error *err)
{
    unsigned value = 0;
    bool good = port.length > 0;
    for (size_t i = 0; i < port.length && good; i++) {
        good = isdigit((unsigned char)port.data[i]) && value <= UINT16_MAX;
        value = value * 10 + (unsigned)(port.data[i] - '0');
    }
    if (!good || value == 0 || value > UINT16_MAX)
        return error_set(err, ERROR_INVALID, "port from 1 to 65535 expected behind ':', got '%.*s'",
                         PART_ARGS(port));
    url->port = (uint16_t)value;
    return true;
}

static bool is_dotted_number(const char *host)
{
    return host[strspn(host, "0123456789.")] == 0;
}

static bool parse_name(struct url *url, struct part host, struct error *err)
{
    struct in_addr address;
    if (host.length == 0)
        return error_set(err, ERROR_INVALID, "there is no host in it");
    if (!copy(url->host, sizeof url->host, host))
        return error_set(err, ERROR_INVALID, "the host is longer than %zu characters",
                         sizeof url->host - 1);
    for (const char *at = url->host; *at; at++)
        if (!isalnum((unsigned char)*at) && strchr("-._", *at) == NULL)
            return error_set(err, ERROR_INVALID, "'%s' is no host name", url->host);
    if (is_dotted_number(url->host) && inet_pton(AF_INET, url->host, &address) != 1)
        return error_set(err, ERROR_INVALID, "'%s' is no IPv4 address", url->host);
    return true;
}

static bool parse_ipv6(struct url *url, struct part host, struct error *err)
{
    struct in6_addr address;
    if (!copy(url->host, sizeof url->host, host) || inet_pton(AF_INET6, url->host, &address) != 1)
        return error_set(err, ERROR_INVALID, "'[%.*s]' is not an IPv6 address", PART_ARGS(host));
    url->ipv6 = true;
    return true;
}

// "[ipv6]", then a port or nothing.
static bool parse_brackets(struct url *url, struct part text, struct part *port, struct error *err)
{
    const char *end = memchr(text.data, ']', text.length);
    if (end == NULL)
        return error_set(err, ERROR_INVALID, "there is no ']' behind the '['");
    size_t length = (size_t)(end - text.data) + 1;
    *port = (struct part){text.data + length, text.length - length};
    if (port->length && port->data[0] != ':')
        return error_set(err, ERROR_INVALID, "':' and a port expected behind the ']', got '%.*s'",
                         PART_ARGS(*port));
    return parse_ipv6(url, (struct part){text.data + 1, length - 2}, err);
}

static bool parse_plain(struct url *url, struct part text, struct part *port, struct error *err)
{
    const char *colon = memchr(text.data, ':', text.length);
    size_t length = colon ? (size_t)(colon - text.data) : text.length;
    *port = (struct part){text.data + length, text.length - length};
    if (port->length && memchr(port->data + 1, ':', port->length - 1) != NULL)
        return error_set(err, ERROR_INVALID,
                         "it has more than one ':' (an IPv6 address stands in brackets: "
                         "[::1]:%d)",
                         URL_PORT);
    return parse_name(url, (struct part){text.data, length}, err);
}

static bool parse_host(struct url *url, struct part text, uint16_t port, struct error *err)
{
    struct part behind;
    bool brackets = text.length && text.data[0] == '[';
    if (!(brackets ? parse_brackets : parse_plain)(url, text, &behind, err))
        return false;
    if (behind.length)
        return parse_port(url, (struct part){behind.data + 1, behind.length - 1}, err);
    if (port == 0)
        return error_set(err, ERROR_INVALID, "host:port expected, and there is no port");
    url->port = port;
    return true;
}

// ---- user and password ----

static const char *last_at(struct part authority)
{
    const char *found = NULL;
    for (size_t i = 0; i < authority.length; i++)
        if (authority.data[i] == '@')
            found = authority.data + i;
    return found;
}

static bool parse_user(struct url *url, struct part *authority, struct error *err)
{
    const char *at = last_at(*authority);
    if (at == NULL)
        return true;
    struct part user = {authority->data, (size_t)(at - authority->data)};
    authority->data = at + 1;
    authority->length -= user.length + 1;
    const char *colon = memchr(user.data, ':', user.length);
    if (colon == NULL)
        return true;
    struct part password = {colon + 1, (size_t)(user.data + user.length - colon) - 1};
    user.length = (size_t)(colon - user.data);
    if (!copy(url->user, sizeof url->user, user) ||
        !copy(url->password, sizeof url->password, password))
        return error_set(err, ERROR_INVALID, "user or password is longer than %zu characters",
                         sizeof url->user - 1);
    return true;
}

// ---- whole addresses ----

// The address as an error may show it.
static const char *without_password(const char *text)
{
    const char *at = strrchr(text, '@');
    return at ? at + 1 : text;
}

// Takes "scheme://" off the front of `text`. Without one `text` is left alone.
static bool parse_scheme(struct url *url, const char **text, bool *found, struct error *err)
{
    const char *colon = strstr(*text, "://");
    *found = colon != NULL && *text + strcspn(*text, "/@[:") == colon;
    if (!*found)
        return true;
    struct part scheme = {*text, (size_t)(colon - *text)};
    url->tls = scheme.length == 5 && strncasecmp(scheme.data, "https", 5) == 0;
    if (!url->tls && (scheme.length != 4 || strncasecmp(scheme.data, "http", 4) != 0))
        return error_set(err, ERROR_INVALID, "http:// or https:// expected, got '%.*s://'",
                         PART_ARGS(scheme));
    *text = colon + 3;
    return true;
}

// The forms that an address of masters may begin with. Those of detectors (leader/detector.h) stand
// alone: a list has none of them.
static const struct {
    const char *name, *behind; // and what is behind ":" in its shortest form
    bool alone;
} schemes[] = {
    {"http", "//", false}, {"https", "//", false}, {"zk", "//", true}, {"file", "///", true}};

enum { SCHEMES = sizeof schemes / sizeof *schemes };

static size_t find_scheme(struct part word)
{
    size_t i = 0;
    while (i < SCHEMES && (strlen(schemes[i].name) != word.length ||
                           strncasecmp(schemes[i].name, word.data, word.length) != 0))
        i++;
    return i;
}

// "http:/host" has a slash too few.
static bool refuse_slash(size_t scheme, const char *rest, struct error *err)
{
    return error_set(err, ERROR_INVALID, "'%s:/' has a slash too few: write %s:%s%s",
                     schemes[scheme].name, schemes[scheme].name, schemes[scheme].behind,
                     without_password(rest));
}

static bool refuse_scheme(size_t scheme, struct part word, struct error *err)
{
    if (scheme == SCHEMES)
        return error_set(err, ERROR_INVALID,
                         "http:// or https:// expected, or zk:// or file://, got '%.*s://'",
                         PART_ARGS(word));
    if (strncmp(schemes[scheme].name, word.data, word.length) != 0)
        return error_set(err, ERROR_INVALID, "got '%.*s://': write it in small letters",
                         PART_ARGS(word));
    return error_set(err, ERROR_INVALID,
                     "'%.*s://' begins the whole text, and cannot stand in a list of masters",
                     PART_ARGS(word));
}

// Mistakes that parse_scheme() would take for a host, or explain too little.
static bool check_scheme(const char *text, struct error *err)
{
    struct part word = {text, strcspn(text, "/@[:")};
    const char *behind = text + word.length;
    size_t scheme = find_scheme(word);
    bool whole = strncmp(behind, "://", 3) == 0;
    if (!whole && strncmp(behind, ":/", 2) == 0 && scheme < SCHEMES)
        return refuse_slash(scheme, behind + 2, err);
    if (whole && (scheme == SCHEMES || schemes[scheme].alone))
        return refuse_scheme(scheme, word, err);
    return true;
}

static struct part authority_of(const char *text)
{
    return (struct part){text, strcspn(text, "/?#")};
}

static bool check_characters(const char *text, struct error *err)
{
    for (const char *at = text; *at; at++)
        if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at))
            return error_set(err, ERROR_INVALID, "it contains a blank or a control character");
    return true;
}

// "#ip"
static bool parse_ip(struct url *url, const char *text, struct error *err)
{
    unsigned char address[sizeof(struct in6_addr)];
    struct part ip = {text + 1, strlen(text + 1)};
    bool good = copy(url->ip, sizeof url->ip, ip) && (inet_pton(AF_INET, url->ip, address) == 1 ||
                                                      inet_pton(AF_INET6, url->ip, address) == 1);
    return good || error_set(err, ERROR_INVALID, "'%s' is no ip address", text + 1);
}

static bool parse(struct url *url, const char *text, struct error *err)
{
    bool scheme;
    *url = (struct url){.tls = false};
    if (*text == 0)
        return error_set(err, ERROR_INVALID, "it is empty");
    if (!check_characters(text, err) || !check_scheme(text, err) ||
        !parse_scheme(url, &text, &scheme, err))
        return false;
    struct part authority = authority_of(text);
    const char *path = text + authority.length;
    url->scheme = scheme;
    if (*path == '#' && !parse_ip(url, path, err))
        return false;
    if (*path && *path != '#' && strcmp(path, "/") != 0)
        return error_set(err, ERROR_INVALID, "nothing expected behind host and port, got '%s'",
                         without_password(path));
    return parse_user(url, &authority, err) &&
           parse_host(url, authority, scheme ? URL_PORT : 0, err);
}

bool url_parse(struct url *url, const char *text, struct error *err)
{
    return parse(url, text, err) ||
           error_context(err, "master address '%s'", without_password(text));
}

bool url_parse_server(struct url *url, const char *text, struct error *err)
{
    *url = (struct url){.tls = false};
    if (*text == 0)
        return error_set(err, ERROR_INVALID, "it is empty");
    return check_characters(text, err) &&
           parse_host(url, (struct part){text, strlen(text)}, 0, err);
}

static bool resolve(struct url *url, const struct url *base, const char *location,
                    struct error *err)
{
    bool scheme;
    *url = (struct url){.tls = base->tls};
    if (!check_characters(location, err) || !parse_scheme(url, &location, &scheme, err))
        return false;
    bool slashes = strncmp(location, "//", 2) == 0;
    if (!scheme && !slashes && (*location == '/' || *location == 0)) {
        *url = *base;
        url->user[0] = url->password[0] = 0;
        return *location == '/' || error_set(err, ERROR_INVALID, "it is empty");
    }
    struct part authority = authority_of(slashes && !scheme ? location + 2 : location);
    const char *at = last_at(authority);
    if (at != NULL)
        authority = (struct part){at + 1, (size_t)(authority.data + authority.length - at) - 1};
    return parse_host(url, authority, !scheme && !slashes ? 0 : url->tls ? 443 : 80, err);
}

bool url_resolve(struct url *url, const struct url *base, const char *location, struct error *err)
{
    return resolve(url, base, location, err) ||
           error_context(err, "redirect to '%s'", without_password(location));
}

const char *url_address(const struct url *url, char text[URL_ADDRESS])
{
    snprintf(text, URL_ADDRESS, "%s://%s%s%s:%u", url->tls ? "https" : "http", url->ipv6 ? "[" : "",
             url->host, url->ipv6 ? "]" : "", url->port);
    return text;
}

const char *url_leader(const struct url *url, char text[URL_ADDRESS])
{
    size_t length = strlen(url_address(url, text));
    if (url->ip[0] != 0)
        snprintf(text + length, URL_ADDRESS - length, "#%s", url->ip);
    return text;
}

bool url_is_loopback(const struct url *url)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (url->ipv6)
        return inet_pton(AF_INET6, url->host, &ipv6) == 1 && IN6_IS_ADDR_LOOPBACK(&ipv6);
    if (inet_pton(AF_INET, url->host, &ipv4) == 1)
        return (ntohl(ipv4.s_addr) >> 24) == IN_LOOPBACKNET;
    const char *dot = strrchr(url->host, '.');
    return strcasecmp(dot ? dot + 1 : url->host, "localhost") == 0;
}
