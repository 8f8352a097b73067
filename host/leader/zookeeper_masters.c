// SPDX-License-Identifier: Apache-2.0
//
// Reading the nodes of masters: see zookeeper_masters.h. The same facts stand in MasterInfo several
// times, the older ways beside the newer; facts() of each form collects them, choose() takes the
// best.

#include "leader/zookeeper_masters.h"

#include "base/memory.h"

#include "mesos/v1/mesos.pb-c.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST sizeof((struct url *)0)->host

// ---- names ----

static const struct {
    const char *text;
    enum zookeeper_masters_label label;
} labels[] = {
    {"", ZOOKEEPER_MASTERS_PID},
    {"info", ZOOKEEPER_MASTERS_PROTOBUF},
    {"json.info", ZOOKEEPER_MASTERS_JSON},
};

static bool parse_sequence(const char *text, int32_t *sequence)
{
    char *end;
    const char *digits = text + (*text == '-');
    if (*digits == 0 || digits[strspn(digits, "0123456789")] != 0)
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    *sequence = (int32_t)value;
    return errno == 0 && value >= INT32_MIN && value <= INT32_MAX;
}

static enum zookeeper_masters_label find_label(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strlen(labels[i].text) == length && memcmp(labels[i].text, text, length) == 0)
            return labels[i].label;
    return ZOOKEEPER_MASTERS_UNKNOWN;
}

// "label_number", where the label ends at the first "_" and the number begins behind the last.
struct zookeeper_masters zookeeper_masters_parse(const char *name)
{
    struct zookeeper_masters node = {.label = ZOOKEEPER_MASTERS_NONE};
    const char *last = strrchr(name, '_');
    if (parse_sequence(last ? last + 1 : name, &node.sequence))
        node.label = find_label(name, last ? strcspn(name, "_") : 0);
    return node;
}

ptrdiff_t zookeeper_masters_leader(char *const *names, size_t count)
{
    ptrdiff_t leader = -1;
    int32_t lowest = 0;
    for (size_t i = 0; i < count; i++) {
        struct zookeeper_masters node = zookeeper_masters_parse(names[i]);
        if (node.label == ZOOKEEPER_MASTERS_NONE || node.label == ZOOKEEPER_MASTERS_UNKNOWN)
            continue;
        if (leader < 0 || node.sequence < lowest) {
            leader = (ptrdiff_t)i;
            lowest = node.sequence;
        }
    }
    return leader;
}

// ---- MasterInfo ----

struct master_facts {
    const char *ip, *address_hostname; // of MasterInfo.address
    long long address_port;
    const char *pid, *hostname; // of MasterInfo itself, as is the rest
    long long number, port;     // the IPv4 address as it lies in memory; 0: none
};

static bool use_pair(struct url *address, const char *host, long long port)
{
    if (host == NULL || *host == 0 || port < 1 || port > UINT16_MAX)
        return false;
    bool ipv6 = strchr(host, ':') != NULL;
    char *text = memory_format(ipv6 ? "[%s]:%lld" : "%s:%lld", host, port);
    bool good = url_parse_server(address, text, NULL);
    free(text);
    return good;
}

static bool use_number(struct url *address, const struct master_facts *facts)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr number = {.s_addr = (in_addr_t)facts->number};
    if (facts->number < 1 || facts->number > UINT32_MAX)
        return false;
    return inet_ntop(AF_INET, &number, text, sizeof text) != NULL &&
           use_pair(address, text, facts->port);
}

static bool use_pid(struct url *address, const char *pid)
{
    const char *at = pid ? strrchr(pid, '@') : NULL;
    return at != NULL && url_parse_server(address, at + 1, NULL);
}

static bool choose(const struct master_facts *facts, struct url *address, char hostname[HOST],
                   struct error *err)
{
    struct url name;
    hostname[0] = 0;
    if (use_pair(&name, facts->address_hostname, 1) || use_pair(&name, facts->hostname, 1))
        snprintf(hostname, HOST, "%s", name.host);
    return use_pair(address, facts->ip, facts->address_port) || use_pid(address, facts->pid) ||
           use_number(address, facts) ||
           use_pair(address, facts->address_hostname, facts->address_port) ||
           use_pair(address, facts->hostname, facts->port) ||
           error_set(err, ERROR_PROTOCOL, "the MasterInfo has no address that can be read");
}

// ---- its three forms ----

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static long long number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool read_json(struct slice data, struct url *address, char hostname[HOST],
                      struct error *err)
{
    json_error_t problem;
    json_t *info = json_loadb((const char *)data.data, data.length, 0, &problem);
    if (!json_is_object(info)) {
        json_decref(info);
        return error_set(err, ERROR_PROTOCOL, "it is not a JSON object: %s",
                         info ? "something else" : problem.text);
    }
    const json_t *inner = json_object_get(info, "address");
    const struct master_facts facts = {
        .ip = text_of(inner, "ip"),
        .address_hostname = text_of(inner, "hostname"),
        .address_port = number_of(inner, "port"),
        .pid = text_of(info, "pid"),
        .hostname = text_of(info, "hostname"),
        .number = number_of(info, "ip"),
        .port = number_of(info, "port"),
    };
    bool good = choose(&facts, address, hostname, err);
    json_decref(info);
    return good;
}

static bool read_protobuf(struct slice data, struct url *address, char hostname[HOST],
                          struct error *err)
{
    Mesos__V1__MasterInfo *info = mesos__v1__master_info__unpack(NULL, data.length, data.data);
    if (info == NULL)
        return error_set(err, ERROR_PROTOCOL, "it is not a MasterInfo in protobuf");
    const struct master_facts facts = {
        .ip = info->address ? info->address->ip : NULL,
        .address_hostname = info->address ? info->address->hostname : NULL,
        .address_port = info->address ? info->address->port : 0,
        .pid = info->pid,
        .hostname = info->hostname,
        .number = info->ip,
        .port = info->port,
    };
    bool good = choose(&facts, address, hostname, err);
    mesos__v1__master_info__free_unpacked(info, NULL);
    return good;
}

static bool read_pid(struct slice data, struct url *address, char hostname[HOST], struct error *err)
{
    char *text = memory_text((const char *)data.data, data.length);
    bool good = use_pid(address, text);
    free(text);
    hostname[0] = 0;
    return good || error_set(err, ERROR_PROTOCOL, "it is not a text like master@10.0.0.1:5050");
}

bool zookeeper_masters_read(enum zookeeper_masters_label label, struct slice data,
                            struct url *address, char hostname[HOST], struct error *err)
{
    static bool (*const readers[])(struct slice, struct url *, char[HOST], struct error *) = {
        [ZOOKEEPER_MASTERS_JSON] = read_json,
        [ZOOKEEPER_MASTERS_PROTOBUF] = read_protobuf,
        [ZOOKEEPER_MASTERS_PID] = read_pid,
        [ZOOKEEPER_MASTERS_UNKNOWN] = NULL,
    };
    if (readers[label] == NULL)
        return error_set(err, ERROR_INVALID, "it is not the node of a master");
    return readers[label](data, address, hostname, err);
}
