// SPDX-License-Identifier: Apache-2.0
//
// MasterInfo in JSON: see master_announcement.h.

#include "cluster/master_announcement.h"

#include "base/memory.h"
#include "master/master_records.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdlib.h>

static json_t *capabilities(void)
{
    return json_pack("[{s:s}, {s:s}, {s:s}]", "type", "AGENT_UPDATE", "type", "AGENT_DRAINING",
                     "type", "QUOTA_V2");
}

char *master_announcement(const struct master *master, const char *id, unsigned port)
{
    struct in_addr ip = {0};
    char *pid = memory_format("master@%s:%u", master->ip, port);
    inet_pton(AF_INET, master->ip, &ip); // not of IPv6, for which masters have no number
    json_t *info =
        json_pack("{s:{s:s, s:s, s:i}, s:o, s:s, s:s, s:I, s:s, s:i, s:s}", "address", "hostname",
                  master->hostname, "ip", master->ip, "port", (int)port, "capabilities",
                  capabilities(), "hostname", master->hostname, "id", id, "ip",
                  (json_int_t)ip.s_addr, "pid", pid, "port", (int)port, "version", MASTER_VERSION);
    char *text = info ? json_dumps(info, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(info);
    free(pid);
    return text ? text : memory_string("{}");
}
