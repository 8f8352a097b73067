// SPDX-License-Identifier: Apache-2.0
//
// A master that stands for election: see contender.h. It lists the path, enters if it has no node,
// and leads if its node is the first; otherwise it waits until the list changes. There is one look
// at a time; a change during it makes another one follow. When it is not known whether its node was
// made, the session is given up, and with it the node.

#include "leader/contender.h"

#include "base/log.h"
#include "base/memory.h"
#include "leader/zookeeper_address.h"
#include "leader/zookeeper_masters.h"
#include "leader/zookeeper_session.h"

#include <stdlib.h>
#include <string.h>

static const double retry_after = 1; // seconds

enum contender_state { CONTENDER_OUT, CONTENDER_WAITING, CONTENDER_LEADING };

struct contender {
    struct loop *loop;
    struct zookeeper_address address;
    double timeout;
    const struct contender_events *events;
    void *data;
    struct zookeeper_session *session; // NULL: it has resigned
    bool connected;
    bool looking, again; // a look is under way; another has to follow
    enum contender_state state;
    char *node;     // its name, without the path; NULL: it has none
    size_t created; // so much of the path is being created
    struct timer retry;
};

static void look(struct contender *contender);
static void begin_session(struct contender *contender);

// ---- states ----

static void leave(struct contender *contender)
{
    contender->state = CONTENDER_OUT;
    contender->looking = contender->again = false;
    free(contender->node);
    contender->node = NULL;
}

static void end_session(struct contender *contender)
{
    timer_stop(&contender->retry);
    zookeeper_session_destroy(contender->session);
    contender->session = NULL;
    contender->connected = false;
    leave(contender);
}

static void fail(struct contender *contender, const char *what, const char *reason)
{
    struct error err = {0};
    error_set(&err, ERROR_REFUSED, "ZooKeeper at %s: cannot %s: %s", contender->address.name, what,
              reason);
    end_session(contender);
    contender->events->failed(contender->data, &err);
}

static void finish_look(struct contender *contender, bool again)
{
    again = again || contender->again;
    contender->looking = contender->again = false;
    if (again)
        look(contender);
}

// Without a connection the next one starts a look.
static void postpone(struct contender *contender)
{
    contender->looking = contender->again = false;
    if (contender->connected)
        timer_start(&contender->retry, loop_seconds(retry_after));
}

// ---- entering ----

static void on_entered(void *data, const struct zookeeper_reply *reply)
{
    struct contender *contender = data;
    if (reply->result == ZOOKEEPER_REFUSED) {
        fail(contender, "create the node of a master", reply->reason);
    } else if (reply->result != ZOOKEEPER_OK) {
        end_session(contender);
        begin_session(contender);
    } else {
        contender->node = memory_string(strrchr(reply->path, '/') + 1);
        contender->state = CONTENDER_WAITING;
        contender->looking = false;
        contender->events->entered(contender->data);
        if (contender->session != NULL)
            look(contender);
    }
}

static void enter(struct contender *contender)
{
    char *path = memory_format("%s/json.info_", contender->address.path);
    struct slice text = contender->events->announce(contender->data);
    if (!zookeeper_session_add(contender->session, path, text, on_entered, contender))
        postpone(contender);
    free(path);
}

// ---- creating the path ----

static void create(struct contender *contender, size_t length);

// A user without the right to create at the top may still have it further down.
static void on_created(void *data, const struct zookeeper_reply *reply)
{
    struct contender *contender = data;
    const char *rest = contender->address.path + contender->created;
    if (reply->result == ZOOKEEPER_AGAIN)
        postpone(contender);
    else if (*rest != 0)
        create(contender, contender->created + 1 + strcspn(rest + 1, "/"));
    else if (reply->result == ZOOKEEPER_OK || reply->result == ZOOKEEPER_EXISTS)
        finish_look(contender, true);
    else
        fail(contender, "create the path, which is not there", reply->reason);
}

static void create(struct contender *contender, size_t length)
{
    contender->created = length;
    char *path = memory_text(contender->address.path, length);
    if (!zookeeper_session_make(contender->session, path, on_created, contender))
        postpone(contender);
    free(path);
}

// ---- looking ----

static void compare(struct contender *contender, const struct zookeeper_reply *reply)
{
    ptrdiff_t leader = zookeeper_masters_leader(reply->names, reply->count);
    bool first = leader >= 0 && strcmp(reply->names[leader], contender->node) == 0;
    finish_look(contender, false);
    if (first && contender->state == CONTENDER_WAITING) {
        contender->state = CONTENDER_LEADING;
        contender->events->elected(contender->data);
    }
}

static void on_children(void *data, const struct zookeeper_reply *reply)
{
    struct contender *contender = data;
    if (reply->result == ZOOKEEPER_MISSING)
        create(contender, 1 + strcspn(contender->address.path + 1, "/"));
    else if (reply->result == ZOOKEEPER_REFUSED)
        fail(contender, "read the path", reply->reason);
    else if (reply->result != ZOOKEEPER_OK)
        postpone(contender);
    else if (contender->node == NULL)
        enter(contender);
    else
        compare(contender, reply);
}

static void look(struct contender *contender)
{
    if (!contender->connected || contender->state == CONTENDER_LEADING)
        return;
    if (contender->looking) {
        contender->again = true;
        return;
    }
    timer_stop(&contender->retry);
    contender->looking = true;
    if (!zookeeper_session_children(contender->session, contender->address.path, on_children,
                                    contender))
        postpone(contender);
}

// ---- the session ----

static void on_connected(void *data)
{
    struct contender *contender = data;
    contender->connected = true;
    look(contender);
}

static void on_disconnected(void *data)
{
    struct contender *contender = data;
    contender->connected = false;
    timer_stop(&contender->retry);
}

static void on_changed(void *data)
{
    look(data);
}

static void on_expired(void *data)
{
    struct contender *contender = data;
    bool led = contender->state == CONTENDER_LEADING;
    leave(contender);
    if (led)
        contender->events->lost(contender->data, "its session with ZooKeeper has ended");
}

static void on_failed(void *data, const struct error *reason)
{
    struct contender *contender = data;
    const struct error copy = *reason;
    end_session(contender);
    contender->events->failed(contender->data, &copy);
}

static void begin_session(struct contender *contender)
{
    static const struct zookeeper_session_events events = {
        .connected = on_connected,
        .disconnected = on_disconnected,
        .changed = on_changed,
        .expired = on_expired,
        .failed = on_failed,
    };
    contender->session = zookeeper_session_create(contender->loop, &contender->address,
                                                  contender->timeout, &events, contender);
    zookeeper_session_start(contender->session);
}

static void on_retry(void *data)
{
    struct contender *contender = data;
    if (contender->session == NULL)
        begin_session(contender);
    else
        look(contender);
}

// ---- public functions ----

void contender_start(struct contender *contender)
{
    begin_session(contender);
}

void contender_resign(struct contender *contender, double seconds)
{
    end_session(contender);
    timer_start(&contender->retry, loop_seconds(seconds));
}

struct contender *contender_create(struct loop *loop, const char *address, double timeout,
                                   const struct contender_events *events, void *data,
                                   struct error *err)
{
    struct contender *contender = memory_new(sizeof *contender);
    if (!zookeeper_address_parse(&contender->address, address, err)) {
        free(contender);
        return NULL;
    }
    contender->loop = loop;
    contender->timeout = timeout;
    contender->events = events;
    contender->data = data;
    timer_init(&contender->retry, loop, on_retry, contender);
    return contender;
}

void contender_destroy(struct contender *contender)
{
    if (contender == NULL)
        return;
    end_session(contender);
    zookeeper_address_free(&contender->address);
    free(contender);
}
