// SPDX-License-Identifier: Apache-2.0
//
// An election in ZooKeeper: see election.h. A candidate lists the path, enters if it is not on the
// list, reads the document if it is the first, and leads; otherwise it waits until the list
// changes. There is one look at a time; a change during it makes another one follow. After a
// lost connection it finds itself on the list by its random name, so that it never enters twice in
// a session.

#include "leader/election.h"

#include "base/log.h"
#include "base/memory.h"
#include "leader/zookeeper_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static const double default_timeout = 10, retry_after = 1; // seconds
static const char prefix[] = "candidate-";

enum election_phase { PHASE_WAITING, PHASE_LEADING, PHASE_OVER };

struct election {
    struct loop *loop;
    struct zookeeper_address address;
    double timeout;
    const struct election_events *events;
    void *data;

    struct zookeeper_session *session;
    bool connected;
    enum election_phase phase;
    bool looking, again; // a look is under way; another has to follow
    bool logged_waiting; // that another process leads
    char random[17];     // of this session's node
    char *node;          // its path, when it is known
    char *state;         // the document's path
    size_t created;      // so much of the path is being created
    struct timer retry;

    struct buffer document;
    double asked;       // when the open question was sent; seconds
    bool asking;        // there is one
    double leads_until; // by what was answered
    struct timer question, fence;

    bool writing;
    struct slice written; // its contents, while it is
    zookeeper_on_reply on_written;
    void *written_data;
};

static void look(struct election *election);
static void ask(struct election *election);

static double clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// ---- the end ----

static void stop(struct election *election)
{
    election->phase = PHASE_OVER;
    election->connected = election->looking = election->asking = election->writing = false;
    timer_stop(&election->retry);
    timer_stop(&election->question);
    timer_stop(&election->fence);
    zookeeper_session_destroy(election->session);
    election->session = NULL;
}

static void fail(struct election *election, const struct error *reason)
{
    const struct error copy = *reason;
    if (election->phase == PHASE_OVER)
        return;
    stop(election);
    election->events->failed(election->data, &copy);
}

static void refuse(struct election *election, const char *what, const char *reason)
{
    struct error err = {0};
    error_set(&err, ERROR_REFUSED, "ZooKeeper at %s: cannot %s: %s (%s)", election->address.name,
              what, reason,
              election->address.credentials
                  ? "with the user and password of its address"
                  : "its address has no user and password: zk://user:password@host:port/path");
    fail(election, &err);
}

// The session is closed first, if possible, so that the others need not wait for it to expire.
static void lose(struct election *election, const char *reason)
{
    if (election->phase != PHASE_LEADING)
        return;
    stop(election);
    election->events->lost(election->data, reason);
}

// ---- leading ----

static void extend_lead(struct election *election)
{
    double span = zookeeper_session_timeout(election->session) * 2 / 3;
    election->asking = false;
    election->leads_until = election->asked + span;
    double left = election->leads_until - clock_now();
    timer_start(&election->fence, loop_seconds(left > 0 ? left : 0));
    timer_start(&election->question, loop_seconds(span / 4));
}

static void on_fence(void *data)
{
    lose(data, "ZooKeeper did not answer in time");
}

static void on_answered(void *data, const struct zookeeper_reply *reply)
{
    struct election *election = data;
    election->asking = false;
    if (reply->result == ZOOKEEPER_MISSING)
        lose(election, "its node in ZooKeeper is gone");
    else if (reply->result == ZOOKEEPER_OK)
        extend_lead(election);
    else
        timer_start(&election->question, loop_seconds(0.05));
}

static void ask(struct election *election)
{
    if (!election->connected || election->asking || election->phase != PHASE_LEADING)
        return;
    election->asked = clock_now();
    election->asking =
        zookeeper_session_read(election->session, election->node, on_answered, election);
}

static void on_question(void *data)
{
    ask(data);
}

// ---- being elected ----

static void finish_look(struct election *election)
{
    bool again = election->again;
    election->looking = election->again = false;
    if (again)
        look(election);
}

static void look_again(struct election *election)
{
    election->again = true;
    finish_look(election);
}

// Without a connection the next one starts a look.
static void postpone(struct election *election)
{
    election->looking = election->again = false;
    if (election->connected)
        timer_start(&election->retry, loop_seconds(retry_after));
}

static void on_document(void *data, const struct zookeeper_reply *reply)
{
    struct election *election = data;
    if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(election, "read the stored state", reply->reason);
    } else if (reply->result == ZOOKEEPER_AGAIN) {
        postpone(election);
    } else {
        buffer_clear(&election->document);
        buffer_append_slice(&election->document, reply->data);
        election->looking = election->again = false;
        election->phase = PHASE_LEADING;
        extend_lead(election);
        election->events->elected(election->data);
    }
}

static void become_leader(struct election *election, const char *name)
{
    free(election->node);
    election->node = memory_format("%s/%s", election->address.path, name);
    election->asked = clock_now();
    if (!zookeeper_session_read(election->session, election->state, on_document, election))
        postpone(election);
}

static void on_entered(void *data, const struct zookeeper_reply *reply)
{
    struct election *election = data;
    if (reply->result == ZOOKEEPER_REFUSED)
        refuse(election, "create a node to stand for election", reply->reason);
    else if (reply->result == ZOOKEEPER_AGAIN)
        postpone(election);
    else
        look_again(election);
}

static void enter(struct election *election)
{
    char host[256] = "", text[300];
    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "%s pid %d", host, (int)getpid());
    char *path = memory_format("%s/%s%s_", election->address.path, prefix, election->random);
    if (!zookeeper_session_add(election->session, path, slice_text(text), on_entered, election))
        postpone(election);
    free(path);
}

// The server's numbers wrap around.
static bool number_of(const char *name, int *number)
{
    const char *last = strrchr(name, '_');
    char *end;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0 || last == NULL)
        return false;
    *number = (int)strtol(last + 1, &end, 10);
    return end != last + 1 && *end == 0;
}

static const char *find_first(const struct zookeeper_reply *reply)
{
    const char *first = NULL;
    int lowest = 0, number;
    for (size_t i = 0; i < reply->count; i++) {
        if (!number_of(reply->names[i], &number) || (first != NULL && number >= lowest))
            continue;
        first = reply->names[i];
        lowest = number;
    }
    return first;
}

static bool is_ours(const struct election *election, const char *name)
{
    size_t length = sizeof prefix - 1;
    return strncmp(name, prefix, length) == 0 && strncmp(name + length, election->random, 16) == 0;
}

static bool entered(const struct election *election, const struct zookeeper_reply *reply)
{
    for (size_t i = 0; i < reply->count; i++)
        if (is_ours(election, reply->names[i]))
            return true;
    return false;
}

static void wait_for_turn(struct election *election)
{
    if (!election->logged_waiting)
        log_info("another process leads at %s; waiting", election->address.name);
    election->logged_waiting = true;
    finish_look(election);
}

// ---- creating the path ----

static void create(struct election *election, size_t length);

// A user without the right to create at the top may still have it further down.
static void on_created(void *data, const struct zookeeper_reply *reply)
{
    struct election *election = data;
    const char *rest = election->address.path + election->created;
    if (reply->result == ZOOKEEPER_AGAIN)
        postpone(election);
    else if (*rest != 0)
        create(election, election->created + 1 + strcspn(rest + 1, "/"));
    else if (reply->result == ZOOKEEPER_OK || reply->result == ZOOKEEPER_EXISTS)
        look_again(election);
    else
        refuse(election, "create the path, which is not there", reply->reason);
}

static void create(struct election *election, size_t length)
{
    election->created = length;
    char *path = memory_text(election->address.path, length);
    if (!zookeeper_session_make(election->session, path, on_created, election))
        postpone(election);
    free(path);
}

// ---- looking ----

static void on_children(void *data, const struct zookeeper_reply *reply)
{
    struct election *election = data;
    if (reply->result == ZOOKEEPER_MISSING) {
        create(election, 1 + strcspn(election->address.path + 1, "/"));
    } else if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(election, "read the path", reply->reason);
    } else if (reply->result != ZOOKEEPER_OK) {
        postpone(election);
    } else if (!entered(election, reply)) {
        enter(election);
    } else {
        const char *first = find_first(reply);
        if (first != NULL && is_ours(election, first))
            become_leader(election, first);
        else
            wait_for_turn(election);
    }
}

static void look(struct election *election)
{
    if (!election->connected || election->phase != PHASE_WAITING)
        return;
    if (election->looking) {
        election->again = true;
        return;
    }
    timer_stop(&election->retry);
    election->looking = true;
    if (!zookeeper_session_children(election->session, election->address.path, on_children,
                                    election))
        postpone(election);
}

static void on_retry(void *data)
{
    look(data);
}

// ---- the document ----

static void end_write(struct election *election, const struct zookeeper_reply *reply)
{
    election->writing = false;
    election->on_written(election->written_data, reply);
}

static void on_kept(void *data, const struct zookeeper_reply *reply)
{
    end_write(data, reply);
}

// The first time there is no node yet.
static void on_written(void *data, const struct zookeeper_reply *reply)
{
    struct election *election = data;
    if (reply->result == ZOOKEEPER_MISSING &&
        zookeeper_session_keep(election->session, election->state, election->written, on_kept,
                               election))
        return;
    end_write(election, reply);
}

bool election_write(struct election *election, struct slice document, zookeeper_on_reply on_reply,
                    void *data)
{
    if (!election_leads(election) || !election->connected || election->writing)
        return false;
    election->written = document;
    election->on_written = on_reply;
    election->written_data = data;
    election->writing =
        zookeeper_session_write(election->session, election->state, document, on_written, election);
    return election->writing;
}

// ---- the session ----

static void draw_name(struct election *election)
{
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
        bits = loop_now(election->loop) ^ ((uint64_t)getpid() << 48);
    snprintf(election->random, sizeof election->random, "%016llx", (unsigned long long)bits);
}

static void on_connected(void *data)
{
    struct election *election = data;
    election->connected = true;
    if (election->phase == PHASE_LEADING)
        ask(election);
    else
        look(election);
}

static void on_disconnected(void *data)
{
    struct election *election = data;
    election->connected = false;
    if (election->phase == PHASE_WAITING)
        log_debug("no connection to ZooKeeper at %s; still trying", election->address.name);
    timer_stop(&election->retry);
}

static void on_changed(void *data)
{
    struct election *election = data;
    if (election->phase == PHASE_LEADING)
        ask(election);
    else
        look(election);
}

static void on_expired(void *data)
{
    struct election *election = data;
    draw_name(election);
    lose(election, "its session with ZooKeeper has ended");
}

static void on_failed(void *data, const struct error *reason)
{
    fail(data, reason);
}

static const struct zookeeper_session_events session_events = {
    .connected = on_connected,
    .disconnected = on_disconnected,
    .changed = on_changed,
    .expired = on_expired,
    .failed = on_failed,
};

// ---- public functions ----

const char *election_name(const struct election *election)
{
    return election->address.name;
}

bool election_leads(const struct election *election)
{
    return election->phase == PHASE_LEADING && clock_now() < election->leads_until;
}

struct slice election_document(const struct election *election)
{
    return buffer_slice(&election->document);
}

void election_start(struct election *election)
{
    election->session = zookeeper_session_create(election->loop, &election->address,
                                                 election->timeout, &session_events, election);
    zookeeper_session_start(election->session);
}

void election_destroy(struct election *election)
{
    if (election == NULL)
        return;
    stop(election);
    zookeeper_address_free(&election->address);
    buffer_free(&election->document);
    free(election->node);
    free(election->state);
    free(election);
}

struct election *election_create(struct loop *loop, const char *address, double timeout,
                                 const struct election_events *events, void *data,
                                 struct error *err)
{
    struct election *election = memory_new(sizeof *election);
    if (!zookeeper_address_parse(&election->address, address, err)) {
        free(election);
        return NULL;
    }
    election->loop = loop;
    election->timeout = timeout > 0 ? timeout : default_timeout;
    election->events = events;
    election->data = data;
    election->state = memory_format("%s/state", election->address.path);
    buffer_init(&election->document, ELECTION_DOCUMENT_MOST * 2);
    timer_init(&election->retry, loop, on_retry, election);
    timer_init(&election->question, loop, on_question, election);
    timer_init(&election->fence, loop, on_fence, election);
    draw_name(election);
    return election;
}
