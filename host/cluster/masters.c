// SPDX-License-Identifier: Apache-2.0
//
// The masters of the local cluster: see masters.h.

#include "cluster/masters.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "cluster/master_announcement.h"
#include "leader/contender.h"
#include "master/master_failover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LEADER "No leader elected"
#define RECOVERING "Master has not finished recovery"
#define RECOVERY (LOOP_SECOND / 10) // from the election to the lead
#define RESTART 0.1                 // seconds until a master that died stands for election again

// One that listens.
struct standing_master {
    struct masters *masters;
    struct cluster_http *http;
    struct contender *contender; // NULL: without ZooKeeper
    char id[UUID_TEXT];
    char *announcement;
    bool has_entered; // before
};

enum masters_state {
    MASTERS_ELECTING,   // none leads
    MASTERS_BEREFT,     // the leader has died, which the others do not know yet
    MASTERS_RECOVERING, // one is elected, and reads what the former one has left
    MASTERS_LED,
};

struct masters {
    struct master *master;
    struct standing_master all[MASTERS_MOST];
    unsigned count, leader;
    enum masters_state state;
    bool begun;        // one has led
    struct timer next; // the end of MASTERS_BEREFT, or of MASTERS_RECOVERING
    char *addresses;
};

struct cluster_http *masters_leading(const struct masters *masters)
{
    return masters->all[masters->leader].http;
}

const char *masters_addresses(const struct masters *masters)
{
    return masters->addresses;
}

// ---- who leads ----

static bool is_elected_elsewhere(const struct masters *masters)
{
    return masters->all[0].contender != NULL;
}

// What one answers that is not the leader.
static void stand_by(const struct masters *masters, struct cluster_http *http, const char *leader)
{
    bool is_leader = http == masters_leading(masters);
    bool alone = masters->count == 1 && !is_elected_elsewhere(masters);
    if (masters->state == MASTERS_ELECTING || (masters->state == MASTERS_BEREFT && is_leader))
        cluster_http_stand_by(http, NULL, alone ? RECOVERING : NO_LEADER);
    else if (is_leader)
        cluster_http_stand_by(http, NULL, RECOVERING);
    else
        cluster_http_stand_by(http, leader, NULL);
}

// The only place where the state changes; what the masters answer is of the state.
static void enter(struct masters *masters, enum masters_state state)
{
    struct cluster_http *leader = masters_leading(masters);
    char *address =
        memory_format("%s:%u", master_hostname(masters->master), cluster_http_port(leader));
    masters->state = state;
    for (unsigned i = 0; i < masters->count; i++)
        if (state != MASTERS_LED || masters->all[i].http != leader)
            stand_by(masters, masters->all[i].http, address);
    if (state == MASTERS_LED)
        cluster_http_lead(leader, masters->master);
    else if (state == MASTERS_BEREFT && masters->count > 1)
        cluster_http_die(leader);
    free(address);
}

static void recover(struct masters *masters)
{
    enter(masters, MASTERS_RECOVERING);
    timer_start(&masters->next, RECOVERY);
}

static void take_over(struct masters *masters)
{
    const struct standing_master *leader = &masters->all[masters->leader];
    master_failover_end(masters->master, is_elected_elsewhere(masters) ? leader->id : NULL,
                        cluster_http_port(leader->http));
    enter(masters, MASTERS_LED);
}

// The others notice that the leader is gone.
static void notice(struct masters *masters)
{
    struct contender *contender = masters->all[masters->leader].contender;
    if (contender != NULL) {
        enter(masters, MASTERS_ELECTING);
        contender_resign(contender, RESTART);
        return;
    }
    masters->leader = (masters->leader + 1) % masters->count;
    if (masters->count > 1)
        recover(masters);
    else
        take_over(masters); // it has told all the time that it recovers
}

static void on_next(void *data)
{
    struct masters *masters = data;
    if (masters->state == MASTERS_BEREFT)
        notice(masters);
    else
        take_over(masters);
}

// ---- election by ZooKeeper ----

static struct slice on_announce(void *data)
{
    struct standing_master *standing = data;
    const struct masters *masters = standing->masters;
    const char *used = masters->master->id;
    if (masters->begun || standing != masters->all)
        uuid_random_text(standing->id);
    else
        snprintf(standing->id, sizeof standing->id, "%s", used);
    free(standing->announcement);
    standing->announcement =
        master_announcement(masters->master, standing->id, cluster_http_port(standing->http));
    return slice_text(standing->announcement);
}

// At the start they enter one after another, so that the first one leads.
static void on_entered(void *data)
{
    struct standing_master *standing = data;
    const struct masters *masters = standing->masters;
    unsigned next = (unsigned)(standing - masters->all) + 1;
    log_debug("the master at %s stands for election", cluster_http_address(standing->http));
    if (!standing->has_entered && next < masters->count)
        contender_start(masters->all[next].contender);
    standing->has_entered = true;
}

static void on_elected(void *data)
{
    struct standing_master *standing = data;
    struct masters *masters = standing->masters;
    log_info("the master at %s is elected", cluster_http_address(standing->http));
    masters->leader = (unsigned)(standing - masters->all);
    if (!masters->begun && masters->leader > 0) // the address that it began with is another one
        master_failover_begin(masters->master, false);
    if (masters->begun || masters->leader > 0)
        recover(masters);
    else
        enter(masters, MASTERS_LED);
    masters->begun = true;
}

static void on_lost(void *data, const char *reason)
{
    struct standing_master *standing = data;
    struct masters *masters = standing->masters;
    log_warning("the master at %s leads no longer: %s", cluster_http_address(standing->http),
                reason);
    bool led = masters->state == MASTERS_LED;
    timer_stop(&masters->next);
    enter(masters, MASTERS_ELECTING);
    if (led)
        master_failover_begin(masters->master, false);
}

static void on_failed(void *data, const struct error *reason)
{
    const struct standing_master *standing = data;
    log_error("--zk: the master at %s cannot be elected: %s", cluster_http_address(standing->http),
              reason->text);
}

static bool create_contenders(struct masters *masters, struct loop *loop,
                              const struct masters_options *options, struct error *err)
{
    static const struct contender_events events = {.announce = on_announce,
                                                   .entered = on_entered,
                                                   .elected = on_elected,
                                                   .lost = on_lost,
                                                   .failed = on_failed};
    for (unsigned i = 0; i < masters->count && options->zk != NULL; i++) {
        struct standing_master *standing = &masters->all[i];
        standing->contender =
            contender_create(loop, options->zk, options->zk_timeout, &events, standing, err);
        if (standing->contender == NULL)
            return error_context(err, "--zk");
    }
    return true;
}

void masters_serve(struct masters *masters, struct master *master)
{
    masters->master = master;
    for (unsigned i = 0; i < masters->count; i++)
        cluster_http_serve_agents(masters->all[i].http, master);
    enter(masters, is_elected_elsewhere(masters) ? MASTERS_ELECTING : MASTERS_LED);
    if (is_elected_elsewhere(masters))
        contender_start(masters->all[0].contender);
}

// ---- failing over ----

bool masters_fail_over(struct masters *masters, bool forget, double seconds, struct error *err)
{
    if (masters->state != MASTERS_LED)
        return error_set(err, ERROR_REFUSED, "failover: no master leads at the moment");
    enter(masters, MASTERS_BEREFT);
    master_failover_begin(masters->master, forget);
    timer_start(&masters->next, loop_seconds(seconds));
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
        masters->all[masters->count++] =
            (struct standing_master){.masters = masters, .http = opened};
    free(listen);
    return opened != NULL;
}

static void list_addresses(struct masters *masters)
{
    for (unsigned i = 0; i < masters->count; i++) {
        char *before = masters->addresses;
        masters->addresses = memory_format("%s%s%s", before ? before : "", before ? "," : "",
                                           cluster_http_address(masters->all[i].http));
        free(before);
    }
}

struct masters *masters_create(struct loop *loop, const struct masters_options *options,
                               struct error *err)
{
    struct masters *masters = memory_new(sizeof *masters);
    timer_init(&masters->next, loop, on_next, masters);
    bool good = true;
    while (good && masters->count < options->count)
        good = open_one(masters, loop, options, err);
    if (!good || !create_contenders(masters, loop, options, err)) {
        masters_destroy(masters);
        return NULL;
    }
    list_addresses(masters);
    return masters;
}

void masters_stop(struct masters *masters)
{
    timer_stop(&masters->next);
    for (unsigned i = 0; i < masters->count; i++) {
        contender_destroy(masters->all[i].contender);
        masters->all[i].contender = NULL;
    }
}

void masters_destroy(struct masters *masters)
{
    if (masters == NULL)
        return;
    masters_stop(masters);
    for (unsigned i = 0; i < masters->count; i++) {
        cluster_http_destroy(masters->all[i].http);
        free(masters->all[i].announcement);
    }
    free(masters->addresses);
    free(masters);
}
