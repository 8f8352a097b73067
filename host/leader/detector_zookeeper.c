// SPDX-License-Identifier: Apache-2.0
//
// Leader detection with ZooKeeper: see detector_zookeeper.h. One look is: list the nodes under the
// path (or create it), read that of the lowest number, and settle on what it says. There is one
// look at a time; what happens meanwhile makes another one follow. Every look watches what it read,
// so that a change starts the next. Events go out at the end of a turn, so that a leader that went
// and came back within it is none.

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
static const double tell_first = 1, tell_most = 300;  // between two lines of the log

struct detector_zookeeper {
    struct detector detector;
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
    char *announced; // as told last
    struct deferral announcement;
    struct timer lost; // the leader is to be forgotten

    struct timer patience;
    double tell;       // seconds until the next line of the log about waiting
    char said[1400];   // the last warning about a node
    char skipped[512]; // labels that were warned of, each with a blank behind it
    unsigned short random[3];
};

static struct detector_zookeeper *self(struct detector *detector)
{
    return (struct detector_zookeeper *)detector;
}

static void look(struct detector_zookeeper *this);

// ---- telling ----

static void on_patience(void *data)
{
    struct detector_zookeeper *this = data;
    const char *problem = this->session ? zookeeper_session_problem(this->session) : "";
    if (this->connected)
        log_warning("no master leads at %s in ZooKeeper yet; waiting for one", this->address.name);
    else
        log_warning("no connection to ZooKeeper at %s yet%s%s; still trying", this->address.name,
                    *problem ? ": " : "", problem);
    timer_start(&this->patience, loop_seconds(this->tell));
    this->tell = this->tell * 2 < tell_most ? this->tell * 2 : tell_most;
}

static void tell_while_waiting(struct detector_zookeeper *this)
{
    if (timer_active(&this->patience))
        return;
    timer_start(&this->patience, loop_seconds(tell_first));
    this->tell = tell_first * 2;
}

static void on_announcement(void *data)
{
    struct detector_zookeeper *this = data;
    const char *leader = this->leader, *before = this->announced;
    if (leader == before || (leader && before && strcmp(leader, before) == 0))
        return;
    char *announced = memory_string(leader);
    free(this->announced);
    this->announced = memory_string(leader);
    if (leader != NULL)
        log_debug("ZooKeeper at %s names %s as the leading master", this->address.name, leader);
    this->detector.events->leader(this->detector.data, announced);
    free(announced);
}

static void set_leader(struct detector_zookeeper *this, const char *leader)
{
    char *copy = memory_string(leader);
    free(this->leader);
    this->leader = copy;
    if (leader == NULL)
        tell_while_waiting(this);
    else
        timer_stop(&this->patience);
    deferral_queue(&this->announcement);
}

static void on_lost(void *data)
{
    struct detector_zookeeper *this = data;
    const char *problem = zookeeper_session_problem(this->session);
    log_warning("ZooKeeper at %s was not reached for %g seconds%s%s: who leads is not known now",
                this->address.name, zookeeper_session_timeout(this->session), *problem ? ": " : "",
                problem);
    set_leader(this, NULL);
}

// ---- the end of a look ----

static void finish_look(struct detector_zookeeper *this)
{
    bool again = this->again;
    this->looking = this->again = false;
    if (again)
        look(this);
}

// It is known who leads (NULL: nobody).
static void settle(struct detector_zookeeper *this, const char *leader)
{
    this->failures = 0;
    timer_stop(&this->lost);
    set_leader(this, leader);
    finish_look(this);
}

// Without a connection the next one starts a look, else a timer does.
static void postpone(struct detector_zookeeper *this, const char *reason)
{
    this->looking = this->again = false;
    if (!this->connected)
        return;
    double bound = retry_first * (double)(1u << (this->failures < 5 ? this->failures : 5));
    if (bound > retry_most)
        bound = retry_most;
    this->failures++;
    log_debug("asking ZooKeeper at %s failed: %s", this->address.name, reason);
    timer_start(&this->retry, loop_seconds(bound * (0.5 + erand48(this->random) / 2)));
}

static void stop(struct detector *detector)
{
    struct detector_zookeeper *this = self(detector);
    zookeeper_session_destroy(this->session);
    this->session = NULL;
    this->connected = this->looking = this->again = false;
    timer_stop(&this->retry);
    timer_stop(&this->lost);
    timer_stop(&this->patience);
    deferral_cancel(&this->announcement);
}

static void fail(struct detector_zookeeper *this, const struct error *reason)
{
    stop(&this->detector);
    this->detector.events->failed(this->detector.data, reason);
}

static void refuse(struct detector_zookeeper *this, const char *what, const char *reason)
{
    struct error err = {0};
    error_set(&err, ERROR_REFUSED, "ZooKeeper at %s: cannot %s: %s (%s)", this->address.name, what,
              reason,
              this->address.credentials
                  ? "with the user and password of its address"
                  : "its address has no user and password: zk://user:password@host:port/path");
    fail(this, &err);
}

// ---- creating the path ----

// From the whole path up until a node can be made, then down again: who may not create in the root
// may still be allowed to create further down.
static void create(struct detector_zookeeper *this, size_t length);

static void on_created(void *data, const struct zookeeper_reply *reply)
{
    struct detector_zookeeper *this = data;
    const char *path = this->address.path;
    bool there = reply->result == ZOOKEEPER_OK || reply->result == ZOOKEEPER_EXISTS;
    size_t next = there ? this->created : this->created - 1;
    if (there && path[next] == 0) {
        this->again = true;
        finish_look(this);
    } else if (there) {
        create(this, next + 1 + strcspn(path + next + 1, "/"));
    } else if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(this, "create the path, which is not there", reply->reason);
    } else if (reply->result == ZOOKEEPER_AGAIN) {
        postpone(this, reply->reason);
    } else {
        while (next > 0 && path[next] != '/')
            next--;
        create(this, next);
    }
}

static void create(struct detector_zookeeper *this, size_t length)
{
    if (length == 0) {
        postpone(this, "it has no root");
        return;
    }
    this->created = length;
    free(this->path);
    this->path = memory_text(this->address.path, length);
    if (!zookeeper_session_make(this->session, this->path, on_created, this))
        postpone(this, "not connected");
}

// ---- reading ----

static void warn_of_node(struct detector_zookeeper *this, const char *reason)
{
    char text[sizeof this->said];
    snprintf(text, sizeof text, "%s in ZooKeeper: %s; waiting for it to change", this->path,
             reason);
    if (strcmp(this->said, text) == 0)
        return;
    memcpy(this->said, text, sizeof text);
    log_warning("%s", text);
}

// Certificates are made out for names; the connection goes to the ip all the same.
static void use_name(struct url *address, const char *hostname)
{
    if (strcmp(address->host, hostname) == 0)
        return;
    if (strlen(address->host) < sizeof address->ip)
        memcpy(address->ip, address->host, strlen(address->host) + 1);
    snprintf(address->host, sizeof address->host, "%s", hostname);
    address->ipv6 = strchr(hostname, ':') != NULL;
}

// Its redirects, and those of the masters that led before, name it so.
static void trust(struct detector_zookeeper *this, const char *host)
{
    if (this->options.credentials != NULL && *host != '\0')
        credentials_trust(this->options.credentials, host);
}

static void on_leader_data(void *data, const struct zookeeper_reply *reply)
{
    struct detector_zookeeper *this = data;
    struct url address;
    char hostname[sizeof address.host], text[URL_ADDRESS];
    struct error err = {0};
    if (reply->result == ZOOKEEPER_MISSING) {
        this->again = true;
        finish_look(this);
    } else if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(this, "read the leader's node", reply->reason);
    } else if (reply->result != ZOOKEEPER_OK) {
        postpone(this, reply->reason);
    } else if (!zookeeper_masters_read(this->node.label, reply->data, &address, hostname, &err)) {
        warn_of_node(this, err.text);
        settle(this, NULL);
    } else {
        trust(this, address.host);
        trust(this, hostname);
        address.tls = this->options.tls;
        if (address.tls && hostname[0])
            use_name(&address, hostname);
        settle(this, url_leader(&address, text));
    }
}

// Once for each label.
static void warn_of_label(struct detector_zookeeper *this, const char *name)
{
    char label[128];
    snprintf(label, sizeof label, "%.*s ", (int)strcspn(name, "_"), name);
    if (strstr(this->skipped, label) != NULL)
        return;
    size_t used = strlen(this->skipped);
    snprintf(this->skipped + used, sizeof this->skipped - used, "%s", label);
    log_warning("%s/%s in ZooKeeper is not the node of a master; it is ignored", this->address.path,
                name);
}

static void warn_of_unknown(struct detector_zookeeper *this, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (zookeeper_masters_parse(names[i]).label == ZOOKEEPER_MASTERS_UNKNOWN)
            warn_of_label(this, names[i]);
}

static void read_leader(struct detector_zookeeper *this, const char *name)
{
    this->node = zookeeper_masters_parse(name);
    free(this->path);
    this->path = memory_format("%s/%s", this->address.path, name);
    if (!zookeeper_session_read(this->session, this->path, on_leader_data, this))
        postpone(this, "not connected");
}

static void on_children(void *data, const struct zookeeper_reply *reply)
{
    struct detector_zookeeper *this = data;
    ptrdiff_t leader = zookeeper_masters_leader(reply->names, reply->count);
    if (reply->result == ZOOKEEPER_MISSING) {
        create(this, strlen(this->address.path));
    } else if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(this, "read the path", reply->reason);
    } else if (reply->result != ZOOKEEPER_OK) {
        postpone(this, reply->reason);
    } else {
        warn_of_unknown(this, reply->names, reply->count);
        if (leader < 0)
            settle(this, NULL);
        else
            read_leader(this, reply->names[leader]);
    }
}

static void look(struct detector_zookeeper *this)
{
    if (!this->connected)
        return;
    if (this->looking) {
        this->again = true;
        return;
    }
    timer_stop(&this->retry);
    this->looking = true;
    if (!zookeeper_session_children(this->session, this->address.path, on_children, this))
        postpone(this, "not connected");
}

static void on_retry(void *data)
{
    look(data);
}

// ---- the session ----

static void on_connected(void *data)
{
    struct detector_zookeeper *this = data;
    this->connected = true;
    look(this);
}

static void on_disconnected(void *data)
{
    struct detector_zookeeper *this = data;
    this->connected = false;
    timer_stop(&this->retry);
    if (this->leader != NULL && !timer_active(&this->lost))
        timer_start(&this->lost, loop_seconds(zookeeper_session_timeout(this->session)));
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

static void start(struct detector *detector)
{
    struct detector_zookeeper *this = self(detector);
    double timeout = this->options.session_timeout;
    this->session = zookeeper_session_create(
        this->loop, &this->address, timeout > 0 ? timeout : default_timeout, &session_events, this);
    tell_while_waiting(this);
    zookeeper_session_start(this->session);
}

static void retry(struct detector *detector)
{
    look(self(detector));
}

static void destroy(struct detector *detector)
{
    struct detector_zookeeper *this = self(detector);
    stop(detector);
    zookeeper_address_free(&this->address);
    credentials_unref(this->options.credentials);
    free(this->path);
    free(this->leader);
    free(this->announced);
    free(this);
}

static const struct detector_ops ops = {
    .start = start, .retry = retry, .stop = stop, .destroy = destroy};

struct detector *detector_zookeeper_create(const char *url, const struct detector_options *options,
                                           struct loop *loop, struct error *err)
{
    struct detector_zookeeper *this = memory_new(sizeof *this);
    if (!zookeeper_address_parse(&this->address, url, err)) {
        free(this);
        return NULL;
    }
    this->detector.ops = &ops;
    this->loop = loop;
    this->options = *options;
    if (options->credentials != NULL)
        credentials_ref(options->credentials);
    timer_init(&this->retry, loop, on_retry, this);
    timer_init(&this->lost, loop, on_lost, this);
    timer_init(&this->patience, loop, on_patience, this);
    deferral_init(&this->announcement, loop, on_announcement, this);
    if (getrandom(this->random, sizeof this->random, GRND_NONBLOCK) != sizeof this->random)
        this->random[0] = (unsigned short)loop_now(loop);
    return &this->detector;
}
