// SPDX-License-Identifier: Apache-2.0
//
// Leader detection with ZooKeeper: see detector_zookeeper.h. One look is: list the nodes under the
// path (or create it), read that of the lowest number, and settle on what it says. There is one
// look at a time; a change during it makes another one follow. Every look watches what it read, so
// a change starts the next. Events are reported at the end of a turn, so a leader that goes and
// comes back within one is not reported.

#include "leader/detector_zookeeper.h"

#include "base/log.h"
#include "base/memory.h"
#include "leader/zookeeper_address.h"
#include "leader/zookeeper_masters.h"
#include "leader/zookeeper_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const double default_timeout = 10;
static const double retry_first = 2, retry_most = 60; // seconds
static const double log_first = 1, log_most = 300;    // between two lines of the log

struct detector_zookeeper {
    struct detector base;
    struct loop *loop;
    struct detector_options options;
    struct zookeeper_address address;
    struct zookeeper_session *session; // NULL: stopped
    bool connected;

    bool looking, again; // a look is under way; another has to follow
    struct zookeeper_masters node;
    char *path;     // of the leader's node, or of the one that is to be created
    size_t created; // so much of the address's path is being created
    struct timer retry;
    unsigned failures; // to look, in a row

    char *leader;    // as found last, or NULL
    char *announced; // as reported last
    struct deferral announcement;
    struct timer lost; // the leader is to be forgotten

    struct timer patience;
    double log_pause;  // seconds until the next line of the log about waiting
    char warned[1400]; // the last warning about a node
    char skipped[512]; // labels that were warned of, each with a blank behind it
    unsigned short random[3];
};

static struct detector_zookeeper *self(struct detector *base)
{
    return (struct detector_zookeeper *)base;
}

static void look(struct detector_zookeeper *detector);

// ---- reporting ----

static void on_patience(void *data)
{
    struct detector_zookeeper *detector = data;
    const char *problem = detector->session ? zookeeper_session_problem(detector->session) : "";
    if (detector->connected)
        log_warning("no master leads at %s in ZooKeeper yet; waiting for one",
                    detector->address.name);
    else
        log_warning("no connection to ZooKeeper at %s yet%s%s; still trying",
                    detector->address.name, *problem ? ": " : "", problem);
    timer_start(&detector->patience, loop_seconds(detector->log_pause));
    detector->log_pause = detector->log_pause * 2 < log_most ? detector->log_pause * 2 : log_most;
}

static void log_while_waiting(struct detector_zookeeper *detector)
{
    if (timer_active(&detector->patience))
        return;
    timer_start(&detector->patience, loop_seconds(log_first));
    detector->log_pause = log_first * 2;
}

static void on_announcement(void *data)
{
    struct detector_zookeeper *detector = data;
    const char *leader = detector->leader, *before = detector->announced;
    if (leader == before || (leader && before && strcmp(leader, before) == 0))
        return;
    char *announced = memory_string(leader);
    free(detector->announced);
    detector->announced = memory_string(leader);
    if (leader != NULL)
        log_debug("ZooKeeper at %s names %s as the leading master", detector->address.name, leader);
    detector->base.events->leader(detector->base.data, announced);
    free(announced);
}

static void set_leader(struct detector_zookeeper *detector, const char *leader)
{
    char *copy = memory_string(leader);
    free(detector->leader);
    detector->leader = copy;
    if (leader == NULL)
        log_while_waiting(detector);
    else
        timer_stop(&detector->patience);
    deferral_queue(&detector->announcement);
}

static void on_lost(void *data)
{
    struct detector_zookeeper *detector = data;
    const char *problem = zookeeper_session_problem(detector->session);
    log_warning("ZooKeeper at %s was not reached for %g seconds%s%s: the leader is not known now",
                detector->address.name, zookeeper_session_timeout(detector->session),
                *problem ? ": " : "", problem);
    set_leader(detector, NULL);
}

// ---- the end of a look ----

static void finish_look(struct detector_zookeeper *detector)
{
    bool again = detector->again;
    detector->looking = detector->again = false;
    if (again)
        look(detector);
}

// The look has found the leader (NULL: there is none).
static void settle(struct detector_zookeeper *detector, const char *leader)
{
    detector->failures = 0;
    timer_stop(&detector->lost);
    set_leader(detector, leader);
    finish_look(detector);
}

// Without a connection the next one starts a look, else a timer does.
static void postpone(struct detector_zookeeper *detector, const char *reason)
{
    detector->looking = detector->again = false;
    if (!detector->connected)
        return;
    double bound = retry_first * (double)(1u << (detector->failures < 5 ? detector->failures : 5));
    if (bound > retry_most)
        bound = retry_most;
    detector->failures++;
    log_debug("asking ZooKeeper at %s failed: %s", detector->address.name, reason);
    timer_start(&detector->retry, loop_seconds(bound * (0.5 + erand48(detector->random) / 2)));
}

static void stop(struct detector *base)
{
    struct detector_zookeeper *detector = self(base);
    zookeeper_session_destroy(detector->session);
    detector->session = NULL;
    detector->connected = detector->looking = detector->again = false;
    timer_stop(&detector->retry);
    timer_stop(&detector->lost);
    timer_stop(&detector->patience);
    deferral_cancel(&detector->announcement);
}

static void fail(struct detector_zookeeper *detector, const struct error *reason)
{
    stop(&detector->base);
    detector->base.events->failed(detector->base.data, reason);
}

static void refuse(struct detector_zookeeper *detector, const char *what, const char *reason)
{
    struct error err = {0};
    error_set(&err, ERROR_REFUSED, "ZooKeeper at %s: cannot %s: %s (%s)", detector->address.name,
              what, reason,
              detector->address.credentials
                  ? "with the user and password of its address"
                  : "its address has no user and password: zk://user:password@host:port/path");
    fail(detector, &err);
}

// ---- creating the path ----

// From the whole path up until a node can be made, then down again: a user without the right to
// create in the root may still have it further down.
static void create(struct detector_zookeeper *detector, size_t length);

static void on_created(void *data, const struct zookeeper_reply *reply)
{
    struct detector_zookeeper *detector = data;
    const char *path = detector->address.path;
    bool there = reply->result == ZOOKEEPER_OK || reply->result == ZOOKEEPER_EXISTS;
    size_t next = there ? detector->created : detector->created - 1;
    if (there && path[next] == 0) {
        detector->again = true;
        finish_look(detector);
    } else if (there) {
        create(detector, next + 1 + strcspn(path + next + 1, "/"));
    } else if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(detector, "create the path, which is not there", reply->reason);
    } else if (reply->result == ZOOKEEPER_AGAIN) {
        postpone(detector, reply->reason);
    } else {
        while (next > 0 && path[next] != '/')
            next--;
        create(detector, next);
    }
}

static void create(struct detector_zookeeper *detector, size_t length)
{
    if (length == 0) {
        postpone(detector, "it has no root");
        return;
    }
    detector->created = length;
    free(detector->path);
    detector->path = memory_text(detector->address.path, length);
    if (!zookeeper_session_make(detector->session, detector->path, on_created, detector))
        postpone(detector, "not connected");
}

// ---- reading ----

static void warn_of_node(struct detector_zookeeper *detector, const char *reason)
{
    char text[sizeof detector->warned];
    snprintf(text, sizeof text, "%s in ZooKeeper: %s; waiting for it to change", detector->path,
             reason);
    if (strcmp(detector->warned, text) == 0)
        return;
    memcpy(detector->warned, text, sizeof text);
    log_warning("%s", text);
}

// Certificates are issued for names; the connection still goes to the ip.
static void use_name(struct url *address, const char *hostname)
{
    if (strcmp(address->host, hostname) == 0)
        return;
    if (strlen(address->host) < sizeof address->ip)
        memcpy(address->ip, address->host, strlen(address->host) + 1);
    snprintf(address->host, sizeof address->host, "%s", hostname);
    address->ipv6 = strchr(hostname, ':') != NULL;
}

// Redirects to a master use its address or its name.
static void trust(struct detector_zookeeper *detector, const char *host)
{
    if (detector->options.credentials != NULL && *host != '\0')
        credentials_trust(detector->options.credentials, host);
}

static void on_leader_data(void *data, const struct zookeeper_reply *reply)
{
    struct detector_zookeeper *detector = data;
    struct url address;
    char hostname[sizeof address.host], text[URL_ADDRESS];
    struct error err = {0};
    if (reply->result == ZOOKEEPER_MISSING) {
        detector->again = true;
        finish_look(detector);
    } else if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(detector, "read the leader's node", reply->reason);
    } else if (reply->result != ZOOKEEPER_OK) {
        postpone(detector, reply->reason);
    } else if (!zookeeper_masters_read(detector->node.label, reply->data, &address, hostname,
                                       &err)) {
        warn_of_node(detector, err.text);
        settle(detector, NULL);
    } else {
        trust(detector, address.host);
        trust(detector, hostname);
        address.tls = detector->options.tls;
        if (address.tls && hostname[0])
            use_name(&address, hostname);
        settle(detector, url_leader(&address, text));
    }
}

// Once for each label.
static void warn_of_label(struct detector_zookeeper *detector, const char *name)
{
    char label[128];
    snprintf(label, sizeof label, "%.*s ", (int)strcspn(name, "_"), name);
    if (strstr(detector->skipped, label) != NULL)
        return;
    size_t used = strlen(detector->skipped);
    snprintf(detector->skipped + used, sizeof detector->skipped - used, "%s", label);
    log_warning("%s/%s in ZooKeeper is not the node of a master; it is ignored",
                detector->address.path, name);
}

static void warn_of_unknown(struct detector_zookeeper *detector, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (zookeeper_masters_parse(names[i]).label == ZOOKEEPER_MASTERS_UNKNOWN)
            warn_of_label(detector, names[i]);
}

static void read_leader(struct detector_zookeeper *detector, const char *name)
{
    detector->node = zookeeper_masters_parse(name);
    free(detector->path);
    detector->path = memory_format("%s/%s", detector->address.path, name);
    if (!zookeeper_session_read(detector->session, detector->path, on_leader_data, detector))
        postpone(detector, "not connected");
}

static void on_children(void *data, const struct zookeeper_reply *reply)
{
    struct detector_zookeeper *detector = data;
    ptrdiff_t leader = zookeeper_masters_leader(reply->names, reply->count);
    if (reply->result == ZOOKEEPER_MISSING) {
        create(detector, strlen(detector->address.path));
    } else if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(detector, "read the path", reply->reason);
    } else if (reply->result != ZOOKEEPER_OK) {
        postpone(detector, reply->reason);
    } else {
        warn_of_unknown(detector, reply->names, reply->count);
        if (leader < 0)
            settle(detector, NULL);
        else
            read_leader(detector, reply->names[leader]);
    }
}

static void look(struct detector_zookeeper *detector)
{
    if (!detector->connected)
        return;
    if (detector->looking) {
        detector->again = true;
        return;
    }
    timer_stop(&detector->retry);
    detector->looking = true;
    if (!zookeeper_session_children(detector->session, detector->address.path, on_children,
                                    detector))
        postpone(detector, "not connected");
}

static void on_retry(void *data)
{
    look(data);
}

// ---- the session ----

static void on_connected(void *data)
{
    struct detector_zookeeper *detector = data;
    detector->connected = true;
    look(detector);
}

static void on_disconnected(void *data)
{
    struct detector_zookeeper *detector = data;
    detector->connected = false;
    timer_stop(&detector->retry);
    if (detector->leader != NULL && !timer_active(&detector->lost))
        timer_start(&detector->lost, loop_seconds(zookeeper_session_timeout(detector->session)));
}

static void on_changed(void *data)
{
    look(data);
}

static void on_failed(void *data, const struct error *reason)
{
    fail(data, reason);
}

static const struct zookeeper_session_events session_events = {
    .connected = on_connected,
    .disconnected = on_disconnected,
    .changed = on_changed,
    .failed = on_failed,
};

// ---- life ----

static void start(struct detector *base)
{
    struct detector_zookeeper *detector = self(base);
    double timeout = detector->options.session_timeout;
    detector->session = zookeeper_session_create(detector->loop, &detector->address,
                                                 timeout > 0 ? timeout : default_timeout,
                                                 &session_events, detector);
    log_while_waiting(detector);
    zookeeper_session_start(detector->session);
}

static void retry(struct detector *base)
{
    look(self(base));
}

static void destroy(struct detector *base)
{
    struct detector_zookeeper *detector = self(base);
    stop(base);
    zookeeper_address_free(&detector->address);
    credentials_unref(detector->options.credentials);
    free(detector->path);
    free(detector->leader);
    free(detector->announced);
    free(detector);
}

static const struct detector_ops ops = {
    .start = start, .retry = retry, .stop = stop, .destroy = destroy};

struct detector *detector_zookeeper_create(const char *url, const struct detector_options *options,
                                           struct loop *loop, struct error *err)
{
    struct detector_zookeeper *detector = memory_new(sizeof *detector);
    if (!zookeeper_address_parse(&detector->address, url, err)) {
        free(detector);
        return NULL;
    }
    detector->base.ops = &ops;
    detector->loop = loop;
    detector->options = *options;
    if (options->credentials != NULL)
        credentials_ref(options->credentials);
    timer_init(&detector->retry, loop, on_retry, detector);
    timer_init(&detector->lost, loop, on_lost, detector);
    timer_init(&detector->patience, loop, on_patience, detector);
    deferral_init(&detector->announcement, loop, on_announcement, detector);
    if (getrandom(detector->random, sizeof detector->random, GRND_NONBLOCK) !=
        sizeof detector->random)
        detector->random[0] = (unsigned short)loop_now(loop);
    return &detector->base;
}
