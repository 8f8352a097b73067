// SPDX-License-Identifier: Apache-2.0
//
// The masters of the local cluster: see masters.h.

#include "cluster/masters.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/master_failover.h"

#include <stdlib.h>
#include <string.h>

#define NO_LEADER "No leader elected"
#define RECOVERING "Master has not finished recovery"

struct masters {
    struct master *master;
    struct cluster_http *https[MASTERS_MOST];
    unsigned count, leader;
    bool electing; // none leads
    struct timer takeover;
    char *addresses;
};

struct cluster_http *masters_leading(const struct masters *masters)
{
    return masters->https[masters->leader];
}

const char *masters_addresses(const struct masters *masters)
{
    return masters->addresses;
}

// ---- who leads ----

static void lead(struct masters *masters)
{
    struct cluster_http *leader = masters_leading(masters);
    char *address =
        memory_format("%s:%u", master_hostname(masters->master), cluster_http_port(leader));
    for (unsigned i = 0; i < masters->count; i++)
        if (masters->https[i] != leader)
            cluster_http_stand_by(masters->https[i], address, NULL);
    cluster_http_lead(leader, masters->master);
    masters->electing = false;
    free(address);
}

void masters_serve(struct masters *masters, struct master *master)
{
    masters->master = master;
    for (unsigned i = 0; i < masters->count; i++)
        cluster_http_serve_agents(masters->https[i], master);
    lead(masters);
}

static void on_takeover(void *data)
{
    struct masters *masters = data;
    masters->leader = (masters->leader + 1) % masters->count;
    master_failover_end(masters->master, cluster_http_port(masters_leading(masters)));
    lead(masters);
}

bool masters_fail_over(struct masters *masters, bool forget, double seconds, struct error *err)
{
    if (masters->electing)
        return error_set(err, ERROR_REFUSED, "failover: no master leads at the moment");
    masters->electing = true;
    for (unsigned i = 0; i < masters->count; i++)
        cluster_http_stand_by(masters->https[i], NULL, masters->count > 1 ? NO_LEADER : RECOVERING);
    master_failover_begin(masters->master, forget);
    timer_start(&masters->takeover, loop_seconds(seconds));
    return true;
}

// ---- life ----

// The first port is given, and the others follow it, or all are any.
static char *listen_text(const char *listen, unsigned number)
{
    const char *colon = strrchr(listen, ':');
    unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;
    if (port == 0)
        return memory_string(listen);
    return memory_format("%.*s:%lu", (int)(colon - listen), listen, port + number);
}

static bool open_one(struct masters *masters, struct loop *loop,
                     const struct masters_options *options, struct error *err)
{
    char *listen = listen_text(options->listen, masters->count);
    struct cluster_http_options http = {.listen = listen,
                                        .hosts = options->hosts,
                                        .access = http_access_create(&options->access, err)};
    struct cluster_http *opened = http.access ? cluster_http_create(loop, &http, err) : NULL;
    if (opened != NULL)
        masters->https[masters->count++] = opened;
    free(listen);
    return opened != NULL;
}

static void list_addresses(struct masters *masters)
{
    for (unsigned i = 0; i < masters->count; i++) {
        char *before = masters->addresses;
        masters->addresses = memory_format("%s%s%s", before ? before : "", before ? "," : "",
                                           cluster_http_address(masters->https[i]));
        free(before);
    }
}

struct masters *masters_create(struct loop *loop, const struct masters_options *options,
                               struct error *err)
{
    struct masters *masters = memory_new(sizeof *masters);
    timer_init(&masters->takeover, loop, on_takeover, masters);
    while (masters->count < options->count) {
        if (!open_one(masters, loop, options, err)) {
            masters_destroy(masters);
            return NULL;
        }
    }
    list_addresses(masters);
    return masters;
}

void masters_stop(struct masters *masters)
{
    timer_stop(&masters->takeover);
}

void masters_destroy(struct masters *masters)
{
    if (masters == NULL)
        return;
    masters_stop(masters);
    for (unsigned i = 0; i < masters->count; i++)
        cluster_http_destroy(masters->https[i]);
    free(masters->addresses);
    free(masters);
}
