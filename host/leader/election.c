// SPDX-License-Identifier: Apache-2.0
//
// An election in ZooKeeper: see elector.h. A candidate lists the path, enters if it is not on the
// list, reads the document if it is the first, and leads; otherwise it waits until the list
// changes. There is one look at a time; what happens meanwhile makes another one follow. After a
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
    bool told;           // the log has been told that another one leads
    char random[17];     // of this session's node
    char *node;          // its path, when it is known
    char *state;         // the document's path
    size_t created;      // so much of the path is being created
    struct timer retry;

    struct buffer document;
    double asked;       // when the question that is open was sent; seconds
    bool asking;        // there is one
    double leads_until; // by what was answered
    struct timer question, fence;

    bool writing;
    struct slice written; // its contents, while it is
    zookeeper_on_reply on_written;
    void *written_data;
};

static void look(struct election *this);
static void ask(struct election *this);

static double clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// ---- the end ----

static void stop(struct election *this)
{
    this->phase = PHASE_OVER;
    this->connected = this->looking = this->asking = this->writing = false;
    timer_stop(&this->retry);
    timer_stop(&this->question);
    timer_stop(&this->fence);
    zookeeper_session_destroy(this->session);
    this->session = NULL;
}

static void fail(struct election *this, const struct error *reason)
{
    const struct error copy = *reason;
    if (this->phase == PHASE_OVER)
        return;
    stop(this);
    this->events->failed(this->data, &copy);
}

static void refuse(struct election *this, const char *what, const char *reason)
{
    struct error err = {0};
    error_set(&err, ERROR_REFUSED, "ZooKeeper at %s: cannot %s: %s (%s)", this->address.name, what,
              reason,
              this->address.credentials
                  ? "with the user and password of its address"
                  : "its address has no user and password: zk://user:password@host:port/path");
    fail(this, &err);
}

// The session ends first, if it can be reached, so that nobody waits for it to expire.
static void lose(struct election *this, const char *reason)
{
    if (this->phase != PHASE_LEADING)
        return;
    stop(this);
    this->events->lost(this->data, reason);
}

// ---- leading ----

static void lead_on(struct election *this)
{
    double span = zookeeper_session_timeout(this->session) * 2 / 3;
    this->asking = false;
    this->leads_until = this->asked + span;
    double left = this->leads_until - clock_now();
    timer_start(&this->fence, loop_seconds(left > 0 ? left : 0));
    timer_start(&this->question, loop_seconds(span / 4));
}

static void on_fence(void *data)
{
    lose(data, "ZooKeeper did not answer in time");
}

static void on_answered(void *data, const struct zookeeper_reply *reply)
{
    struct election *this = data;
    this->asking = false;
    if (reply->result == ZOOKEEPER_MISSING)
        lose(this, "its node in ZooKeeper is gone");
    else if (reply->result == ZOOKEEPER_OK)
        lead_on(this);
    else
        timer_start(&this->question, loop_seconds(0.05));
}

static void ask(struct election *this)
{
    if (!this->connected || this->asking || this->phase != PHASE_LEADING)
        return;
    this->asked = clock_now();
    this->asking = zookeeper_session_read(this->session, this->node, on_answered, this);
}

static void on_question(void *data)
{
    ask(data);
}

// ---- being elected ----

static void finish_look(struct election *this)
{
    bool again = this->again;
    this->looking = this->again = false;
    if (again)
        look(this);
}

static void look_again(struct election *this)
{
    this->again = true;
    finish_look(this);
}

// Without a connection the next one starts a look.
static void postpone(struct election *this)
{
    this->looking = this->again = false;
    if (this->connected)
        timer_start(&this->retry, loop_seconds(retry_after));
}

static void on_document(void *data, const struct zookeeper_reply *reply)
{
    struct election *this = data;
    if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(this, "read the state that is kept", reply->reason);
    } else if (reply->result == ZOOKEEPER_AGAIN) {
        postpone(this);
    } else {
        buffer_clear(&this->document);
        buffer_append_slice(&this->document, reply->data);
        this->looking = this->again = false;
        this->phase = PHASE_LEADING;
        lead_on(this);
        this->events->elected(this->data);
    }
}

static void take_office(struct election *this, const char *name)
{
    free(this->node);
    this->node = memory_format("%s/%s", this->address.path, name);
    this->asked = clock_now();
    if (!zookeeper_session_read(this->session, this->state, on_document, this))
        postpone(this);
}

static void on_entered(void *data, const struct zookeeper_reply *reply)
{
    struct election *this = data;
    if (reply->result == ZOOKEEPER_REFUSED)
        refuse(this, "create a node to stand for election", reply->reason);
    else if (reply->result == ZOOKEEPER_AGAIN)
        postpone(this);
    else
        look_again(this);
}

static void enter(struct election *this)
{
    char host[256] = "", text[300];
    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "%s pid %d", host, (int)getpid());
    char *path = memory_format("%s/%s%s_", this->address.path, prefix, this->random);
    if (!zookeeper_session_add(this->session, path, slice_text(text), on_entered, this))
        postpone(this);
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

static bool is_ours(const struct election *this, const char *name)
{
    size_t length = sizeof prefix - 1;
    return strncmp(name, prefix, length) == 0 && strncmp(name + length, this->random, 16) == 0;
}

static bool entered(const struct election *this, const struct zookeeper_reply *reply)
{
    for (size_t i = 0; i < reply->count; i++)
        if (is_ours(this, reply->names[i]))
            return true;
    return false;
}

static void wait_for_turn(struct election *this)
{
    if (!this->told)
        log_info("another process leads at %s; waiting", this->address.name);
    this->told = true;
    finish_look(this);
}

// ---- creating the path ----

static void create(struct election *this, size_t length);

// Who may not create at the top may still be allowed to further down.
static void on_created(void *data, const struct zookeeper_reply *reply)
{
    struct election *this = data;
    const char *rest = this->address.path + this->created;
    if (reply->result == ZOOKEEPER_AGAIN)
        postpone(this);
    else if (*rest != 0)
        create(this, this->created + 1 + strcspn(rest + 1, "/"));
    else if (reply->result == ZOOKEEPER_OK || reply->result == ZOOKEEPER_EXISTS)
        look_again(this);
    else
        refuse(this, "create the path, which is not there", reply->reason);
}

static void create(struct election *this, size_t length)
{
    this->created = length;
    char *path = memory_text(this->address.path, length);
    if (!zookeeper_session_make(this->session, path, on_created, this))
        postpone(this);
    free(path);
}

// ---- looking ----

static void on_children(void *data, const struct zookeeper_reply *reply)
{
    struct election *this = data;
    if (reply->result == ZOOKEEPER_MISSING) {
        create(this, 1 + strcspn(this->address.path + 1, "/"));
    } else if (reply->result == ZOOKEEPER_REFUSED) {
        refuse(this, "read the path", reply->reason);
    } else if (reply->result != ZOOKEEPER_OK) {
        postpone(this);
    } else if (!entered(this, reply)) {
        enter(this);
    } else {
        const char *first = find_first(reply);
        if (first != NULL && is_ours(this, first))
            take_office(this, first);
        else
            wait_for_turn(this);
    }
}

static void look(struct election *this)
{
    if (!this->connected || this->phase != PHASE_WAITING)
        return;
    if (this->looking) {
        this->again = true;
        return;
    }
    timer_stop(&this->retry);
    this->looking = true;
    if (!zookeeper_session_children(this->session, this->address.path, on_children, this))
        postpone(this);
}

static void on_retry(void *data)
{
    look(data);
}

// ---- the document ----

static void end_write(struct election *this, const struct zookeeper_reply *reply)
{
    this->writing = false;
    this->on_written(this->written_data, reply);
}

static void on_kept(void *data, const struct zookeeper_reply *reply)
{
    end_write(data, reply);
}

// The first time there is no node yet.
static void on_written(void *data, const struct zookeeper_reply *reply)
{
    struct election *this = data;
    if (reply->result == ZOOKEEPER_MISSING &&
        zookeeper_session_keep(this->session, this->state, this->written, on_kept, this))
        return;
    end_write(this, reply);
}

bool election_write(struct election *this, struct slice document, zookeeper_on_reply on_reply,
                    void *data)
{
    if (!election_leads(this) || !this->connected || this->writing)
        return false;
    this->written = document;
    this->on_written = on_reply;
    this->written_data = data;
    this->writing = zookeeper_session_write(this->session, this->state, document, on_written, this);
    return this->writing;
}

// ---- the session ----

static void draw_name(struct election *this)
{
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
        bits = loop_now(this->loop) ^ ((uint64_t)getpid() << 48);
    snprintf(this->random, sizeof this->random, "%016llx", (unsigned long long)bits);
}

static void on_connected(void *data)
{
    struct election *this = data;
    this->connected = true;
    if (this->phase == PHASE_LEADING)
        ask(this);
    else
        look(this);
}

static void on_disconnected(void *data)
{
    struct election *this = data;
    this->connected = false;
    if (this->phase == PHASE_WAITING)
        log_debug("no connection to ZooKeeper at %s; still trying", this->address.name);
    timer_stop(&this->retry);
}

static void on_changed(void *data)
{
    struct election *this = data;
    if (this->phase == PHASE_LEADING)
        ask(this);
    else
        look(this);
}

static void on_expired(void *data)
{
    struct election *this = data;
    draw_name(this);
    lose(this, "its session with ZooKeeper has ended");
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

// ---- the face ----

const char *election_name(const struct election *this)
{
    return this->address.name;
}

bool election_leads(const struct election *this)
{
    return this->phase == PHASE_LEADING && clock_now() < this->leads_until;
}

struct slice election_document(const struct election *this)
{
    return buffer_slice(&this->document);
}

void election_start(struct election *this)
{
    this->session =
        zookeeper_session_create(this->loop, &this->address, this->timeout, &session_events, this);
    zookeeper_session_start(this->session);
}

void election_destroy(struct election *this)
{
    if (this == NULL)
        return;
    stop(this);
    zookeeper_address_free(&this->address);
    buffer_free(&this->document);
    free(this->node);
    free(this->state);
    free(this);
}

struct election *election_create(struct loop *loop, const char *address, double timeout,
                                 const struct election_events *events, void *data,
                                 struct error *err)
{
    struct election *this = memory_new(sizeof *this);
    if (!zookeeper_address_parse(&this->address, address, err)) {
        free(this);
        return NULL;
    }
    this->loop = loop;
    this->timeout = timeout > 0 ? timeout : default_timeout;
    this->events = events;
    this->data = data;
    this->state = memory_format("%s/state", this->address.path);
    buffer_init(&this->document, ELECTION_DOCUMENT_MOST * 2);
    timer_init(&this->retry, loop, on_retry, this);
    timer_init(&this->question, loop, on_question, this);
    timer_init(&this->fence, loop, on_fence, this);
    draw_name(this);
    return this;
}
