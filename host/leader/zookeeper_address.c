// SPDX-License-Identifier: Apache-2.0
//
// Reading ZooKeeper addresses: see zookeeper_address.h. A mistake in the wrong place could make a
// part of the password look like a server or a path, so the checks for "@" come before anything is
// quoted.

#include "leader/zookeeper_address.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char scheme[] = "zk://";
static const char example[] = "zk://host1:2181,host2:2181/mesos";

// The address cut at its first "/" and the last "@" in front of that.
struct parts {
    char *credentials; // or NULL
    char *servers;
    char *path; // allocated, or NULL
};

static bool check_text(const char *text, struct error *err)
{
    if (strlen(text) > ZOOKEEPER_ADDRESS_LENGTH)
        return error_set(err, ERROR_LIMIT, "it is longer than %d characters",
                         ZOOKEEPER_ADDRESS_LENGTH);
    for (const char *at = text; *at; at++)
        if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at))
            return error_set(err, ERROR_INVALID, "it contains a blank or a control character");
    if (strstr(text, "://") != NULL)
        return error_set(err, ERROR_INVALID,
                         "zk:// is written once, in front of the first server: %s", example);
    return true;
}

static bool check_path(const char *path, struct error *err)
{
    if (path == NULL)
        return error_set(err, ERROR_INVALID,
                         "a path behind the servers expected, that of a node in ZooKeeper, such as "
                         "%s for the one where masters announce themselves",
                         example);
    if (strchr(path, '@') != NULL)
        return error_set(err, ERROR_INVALID,
                         "there is an '@' behind the first '/': user and password stand in front "
                         "of the servers, and neither may contain a '/'");
    if (path[strspn(path, "/")] == 0)
        return error_set(err, ERROR_INVALID,
                         "the path '/' is refused: give the node that the masters use, such as %s",
                         example);
    return true;
}

// ZooKeeper refuses these at every request.
static bool check_components(const char *path, struct error *err)
{
    for (const char *at = path; *at;) {
        size_t length = strcspn(++at, "/");
        bool dots = length > 0 && length <= 2 && strspn(at, ".") >= length;
        if (length == 0 || dots)
            return error_set(err, ERROR_INVALID, "'%.*s' in the path '%s' is not allowed",
                             length ? (int)length : 2, length ? at : "//", path);
        at += length;
    }
    return true;
}

static bool check_credentials(const char *credentials, struct error *err)
{
    const char *colon = credentials ? strchr(credentials, ':') : NULL;
    if (credentials == NULL)
        return true;
    if (colon == NULL)
        return error_set(err, ERROR_INVALID, "user:password expected in front of the '@'");
    if (colon == credentials || colon[1] == 0)
        return error_set(err, ERROR_INVALID, "the %s in front of the '@' is empty",
                         colon == credentials ? "user" : "password");
    return true;
}

// Cuts `text`, which is writable.
static struct parts cut(char *text)
{
    struct parts parts = {.servers = text};
    char *slash = strchr(text, '/');
    if (slash != NULL)
        parts.path = memory_string(slash);
    if (slash != NULL)
        *slash = 0;
    char *at = strrchr(text, '@');
    if (at != NULL) {
        *at = 0;
        parts.credentials = text;
        parts.servers = at + 1;
    }
    return parts;
}

static bool add_server(struct zookeeper_address *address, const char *text, struct error *err)
{
    if (address->count == ZOOKEEPER_ADDRESS_SERVERS)
        return error_set(err, ERROR_LIMIT, "more than %d servers", ZOOKEEPER_ADDRESS_SERVERS);
    if (!url_parse_server(&address->servers[address->count], text, err))
        return error_context(err, "server %zu", address->count + 1);
    address->count++;
    return true;
}

static bool add_servers(struct zookeeper_address *address, char *list, struct error *err)
{
    if (*list == 0)
        return error_set(err, ERROR_INVALID, "there is no server in it, such as in %s", example);
    while (list != NULL) {
        char *server = strsep(&list, ",");
        if (!add_server(address, server, err))
            return false;
    }
    return true;
}

static void keep(struct zookeeper_address *address, const struct parts *parts, const char *servers)
{
    size_t length = strlen(parts->path);
    while (parts->path[length - 1] == '/')
        length--;
    address->path = memory_text(parts->path, length);
    address->credentials = memory_string(parts->credentials);
    address->name = memory_format("%s%s", servers, address->path);
}

static bool parse(struct zookeeper_address *address, char *text, struct error *err)
{
    if (!check_text(text, err))
        return false;
    struct parts parts = cut(text);
    char *servers = memory_string(parts.servers);
    bool good = check_path(parts.path, err) && check_credentials(parts.credentials, err) &&
                add_servers(address, parts.servers, err);
    if (good)
        keep(address, &parts, servers);
    good = good && check_components(address->path, err);
    free(servers);
    free(parts.path);
    return good;
}

// The address as an error may show it, without what could be a part of user and password.
static void add_context(const char *text, struct error *err)
{
    enum { SHOWN = 200 };
    const char *at = strrchr(text, '@');
    const char *rest = at ? at + 1 : text + sizeof scheme - 1;
    bool whole = strlen(rest) <= SHOWN;
    error_context(err, "ZooKeeper address '%s%.*s%s'", scheme, SHOWN, rest, whole ? "" : "...");
}

bool zookeeper_address_parse(struct zookeeper_address *address, const char *text, struct error *err)
{
    *address = (struct zookeeper_address){.count = 0};
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return error_set(err, ERROR_INVALID, "ZooKeeper address: %s expected", example);
    char *copy = memory_string(text + sizeof scheme - 1);
    bool good = parse(address, copy, err);
    memory_wipe(copy);
    if (good)
        return true;
    zookeeper_address_free(address);
    add_context(text, err);
    return false;
}

void zookeeper_address_free(struct zookeeper_address *address)
{
    memory_wipe(address->credentials);
    free(address->path);
    free(address->name);
    *address = (struct zookeeper_address){.count = 0};
}
