// SPDX-License-Identifier: Apache-2.0
//
// A connection to ZooKeeper on our loop: see zookeeper_session.h. The C client is a state machine
// that says which socket it waits for and until when (zookeeper_interest), and is called back then
// (zookeeper_process); turn() is the one place that does both. All of its callbacks come out of
// these two and zookeeper_close(), so the session is held whenever one of ours runs, and one that
// is destroyed there is freed when the outermost of them returns.
//
// Three things of the client block, and are kept from it: it looks up host names (it is given
// addresses), it does so again at each step (told not to), and zookeeper_close() waits for the
// server's good-bye (the socket is shut for reading before).

#include "leader/zookeeper_session.h"

#include "base/lifetime.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/poll_watcher.h"
#include "net/dns_lookup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zookeeper/zookeeper.h>

static const double retry_first = 2, retry_most = 60; // seconds
static const double pause_least = 0.01;               // between two steps of the client

struct zookeeper_session {
    struct loop *loop;
    const struct zookeeper_address *address;
    double timeout; // as asked for
    const struct zookeeper_session_events *events;
    void *data;

    struct dns_lookup
        *lookup; // one of `lookup` and `client` is there while it runs, or `begin` runs
    zhandle_t *client;
    struct poll_watcher *socket; // of the client; or NULL
    struct timer begin;          // to begin anew
    struct timer step;           // when the client wants to be called at the latest
    bool connected;
    bool established;      // the client has or had a session
    bool expired, refused; // the client said so and must be closed
    struct lifetime lifetime;
    unsigned failures; // to begin, in a row
    char problem[256];
    unsigned short random[3];
};

// Between a request and its answer.
struct zookeeper_request {
    struct zookeeper_session *session;
    zookeeper_on_reply on_reply;
    void *data;
};

static void begin_later(struct zookeeper_session *this);
static void turn(struct zookeeper_session *this, int events);
static void on_disconnected(struct zookeeper_session *this);

// ---- the socket ----

static void on_ready(void *data, int fd, int events)
{
    int flags = ((events & UV_READABLE) ? ZOOKEEPER_READ : 0) |
                ((events & UV_WRITABLE) ? ZOOKEEPER_WRITE : 0);
    (void)fd;
    turn(data, events == 0 ? ZOOKEEPER_READ : flags);
}

static void drop_socket(struct zookeeper_session *this)
{
    poll_watcher_destroy(this->socket);
    this->socket = NULL;
}

static bool add_socket(struct zookeeper_session *this, int fd)
{
    struct error err = {0};
    this->socket = poll_watcher_create(this->loop, fd, on_ready, this, &err);
    if (this->socket == NULL)
        snprintf(this->problem, sizeof this->problem, "%.*s", (int)sizeof this->problem - 1,
                 err.text);
    return this->socket != NULL;
}

static bool watch(struct zookeeper_session *this, int fd, int interest)
{
    if (this->socket != NULL && poll_watcher_fd(this->socket) != fd)
        drop_socket(this);
    if (fd < 0)
        return true;
    if (this->socket == NULL && !add_socket(this, fd))
        return false;
    return poll_watcher_start(this->socket, ((interest & ZOOKEEPER_READ) ? UV_READABLE : 0) |
                                                ((interest & ZOOKEEPER_WRITE) ? UV_WRITABLE : 0));
}

// ---- the end of a client ----

// The session is held.
static void close_client(struct zookeeper_session *this)
{
    if (this->client == NULL)
        return;
    if (this->connected && this->socket != NULL)
        shutdown(poll_watcher_fd(this->socket), SHUT_RD);
    drop_socket(this);
    timer_stop(&this->step);
    this->connected = this->expired = this->refused = false;
    zookeeper_close(this->client); // answers what is open
    this->client = NULL;
    bool given_up = this->established;
    this->established = false;
    if (given_up && !this->lifetime.ended && this->events->expired != NULL)
        this->events->expired(this->data);
}

static void free_session(void *data)
{
    struct zookeeper_session *this = data;
    close_client(this);
    dns_lookup_cancel(this->lookup);
    timer_stop(&this->begin);
    timer_stop(&this->step);
    free(this);
}

static void fail(struct zookeeper_session *this)
{
    struct error err = {0};
    close_client(this);
    timer_stop(&this->begin);
    error_set(&err, ERROR_REFUSED, "ZooKeeper at %s refused the user and password of its address",
              this->address->name);
    this->events->failed(this->data, &err);
}

// ---- steps of the client ----

static void note_problem(struct zookeeper_session *this, int rc)
{
    if (rc == ZOK || rc == ZNOTHING)
        return;
    const char *text = errno != 0 ? strerror(errno) : zerror(rc);
    if (rc == ZOPERATIONTIMEOUT)
        text = "no answer in time";
    else if (errno == EHOSTDOWN) // what the client makes of an end of file
        text = "the server closed the connection";
    snprintf(this->problem, sizeof this->problem, "%s", text);
}

// Calls the client, and returns for how long it wants to be left alone, in seconds.
static double call_client(struct zookeeper_session *this, int events, int *fd, int *interest)
{
    struct timeval wait = {0};
    int rc = ZOK;
    zoo_set_debug_level(log_get_level() == LOG_DEBUG ? ZOO_LOG_LEVEL_INFO : (ZooLogLevel)0);
    errno = 0;
    if (events != 0)
        rc = zookeeper_process(this->client, events);
    note_problem(this, rc);
    errno = 0;
    rc = zookeeper_interest(this->client, fd, interest, &wait);
    note_problem(this, rc);
    if (rc != ZOK)
        *fd = -1;
    double pause = (double)wait.tv_sec + (double)wait.tv_usec / 1e6;
    return pause > pause_least ? pause : pause_least;
}

// The client says nothing when it loses the connection while it sends a request.
static void notice_silent_loss(struct zookeeper_session *this)
{
    if (!this->lifetime.ended && this->connected && zoo_state(this->client) != ZOO_CONNECTED_STATE)
        on_disconnected(this);
}

// The client may close its socket inside, so the loop must not watch it meanwhile.
static void turn(struct zookeeper_session *this, int events)
{
    int fd = -1, interest = 0;
    lifetime_hold(&this->lifetime);
    if (this->socket != NULL)
        poll_watcher_stop(this->socket);
    double pause = call_client(this, events, &fd, &interest);
    notice_silent_loss(this);
    if (this->lifetime.ended) {
        drop_socket(this);
    } else if (this->refused) {
        fail(this);
    } else if (this->expired) {
        log_debug("the ZooKeeper session expired; taking a new one");
        close_client(this);
        if (!this->lifetime.ended)
            timer_start(&this->begin, 0);
    } else {
        if (!watch(this, fd, interest))
            pause = retry_first;
        timer_start(&this->step, loop_seconds(pause));
    }
    lifetime_release(&this->lifetime, free_session, this);
}

// If the loop was busy for long, the server's answers may lie in the socket: they must be read
// before the client looks at the clock.
static void on_step(void *data)
{
    struct zookeeper_session *this = data;
    struct pollfd socket = {.fd = this->socket ? poll_watcher_fd(this->socket) : -1,
                            .events = POLLIN};
    bool readable = this->connected && poll(&socket, 1, 0) > 0;
    turn(this, readable ? ZOOKEEPER_READ : 0);
}

// ---- what the client says ----

// The client puts time, process and place in front: "...@function@123: text".
static void on_client_log(const char *message)
{
    const char *colon = strstr(message, ": ");
    const char *text = colon ? colon + 2 : message;
    log_debug("zookeeper: %.*s", (int)strcspn(text, "\n"), text);
}

static void on_connected(struct zookeeper_session *this)
{
    if (this->connected)
        return;
    this->connected = this->established = true;
    this->failures = 0;
    this->problem[0] = 0;
    timer_stop(&this->begin);
    this->events->connected(this->data);
}

static void on_disconnected(struct zookeeper_session *this)
{
    if (!this->connected)
        return;
    this->connected = false;
    if (!this->expired && !this->refused)
        begin_later(this);
    this->events->disconnected(this->data);
}

static void on_session(zhandle_t *client, int type, int state, const char *path, void *data)
{
    struct zookeeper_session *this = data;
    (void)client;
    (void)path;
    if (this->lifetime.ended || type != ZOO_SESSION_EVENT)
        return;
    this->expired = this->expired || state == ZOO_EXPIRED_SESSION_STATE;
    this->refused = this->refused || state == ZOO_AUTH_FAILED_STATE;
    if (state == ZOO_CONNECTED_STATE)
        on_connected(this);
    else
        on_disconnected(this);
}

static void on_watch(zhandle_t *client, int type, int state, const char *path, void *data)
{
    struct zookeeper_session *this = data;
    (void)client;
    (void)state;
    (void)path;
    if (!this->lifetime.ended && type != ZOO_SESSION_EVENT)
        this->events->changed(this->data);
}

static void on_authenticated(int rc, const void *data)
{
    (void)data;
    if (rc == ZOK)
        log_debug("ZooKeeper took the user and password of its address");
}

// ---- beginning ----

// The servers as the client wants them: an IPv6 address stands there without brackets.
static char *list_servers(const struct dns_lookup_address *addresses, size_t count)
{
    size_t room = count * (sizeof addresses->host + sizeof ":65535,") + 1, length = 0;
    char *list = memory_new(room);
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(list + length, room - length, "%s%s:%u", i ? "," : "",
                                   addresses[i].host, addresses[i].port);
    return list;
}

static bool open_client(struct zookeeper_session *this, const char *servers)
{
    const char *credentials = this->address->credentials;
    errno = 0;
    this->client = zookeeper_init2(servers, on_session, (int)(this->timeout * 1000), NULL, this,
                                   ZOO_NO_LOG_CLIENTENV, on_client_log);
    if (this->client == NULL) {
        snprintf(this->problem, sizeof this->problem, "%s", strerror(errno));
        return false;
    }
    zoo_set_servers_resolution_delay(this->client, -1);
    if (credentials != NULL)
        zoo_add_auth(this->client, "digest", credentials, (int)strlen(credentials),
                     on_authenticated, NULL);
    return true;
}

// How long the client may try the servers before they are looked up anew: each once, since it waits
// two thirds of the time-out for one that does not answer.
static double patience(const struct zookeeper_session *this, size_t servers)
{
    double all = this->timeout * (double)servers * 2 / 3;
    return all > this->timeout ? all : this->timeout;
}

static void retry_beginning(struct zookeeper_session *this)
{
    double bound = retry_first * (double)(1u << (this->failures < 5 ? this->failures : 5));
    if (bound > retry_most)
        bound = retry_most;
    this->failures++;
    timer_start(&this->begin, loop_seconds(bound * (0.5 + erand48(this->random) / 2)));
}

static void on_looked_up(void *data, const struct dns_lookup_address *addresses, size_t count,
                         const char *problem)
{
    struct zookeeper_session *this = data;
    this->lookup = NULL;
    if (problem != NULL) {
        snprintf(this->problem, sizeof this->problem, "%s", problem);
        log_debug("looking up the servers of ZooKeeper: %s", problem);
    }
    char *servers = list_servers(addresses, count);
    bool opened = count > 0 && open_client(this, servers);
    free(servers);
    if (opened) {
        timer_start(&this->begin, loop_seconds(patience(this, count)));
        turn(this, 0);
    } else {
        retry_beginning(this);
    }
}

// A session that was not reached for so long is given up with its client.
static void on_begin(void *data)
{
    struct zookeeper_session *this = data;
    lifetime_hold(&this->lifetime);
    close_client(this);
    if (!this->lifetime.ended && this->lookup == NULL)
        this->lookup = dns_lookup_start(this->loop, this->address->servers, this->address->count,
                                        on_looked_up, this);
    lifetime_release(&this->lifetime, free_session, this);
}

static void begin_later(struct zookeeper_session *this)
{
    timer_start(&this->begin, loop_seconds(patience(this, this->address->count)));
}

// ---- requests ----

static const struct {
    int rc;
    enum zookeeper_result result;
    const char *reason; // NULL: the client's own words
} results[] = {
    {ZOK, ZOOKEEPER_OK, NULL},
    {ZNONODE, ZOOKEEPER_MISSING, NULL},
    {ZNODEEXISTS, ZOOKEEPER_EXISTS, NULL},
    {ZNOAUTH, ZOOKEEPER_REFUSED, "permission denied"},
    {ZAUTHFAILED, ZOOKEEPER_REFUSED, "authentication failed"},
    {ZSESSIONCLOSEDREQUIRESASLAUTH, ZOOKEEPER_REFUSED,
     "the server wants SASL authentication, which is not supported"},
    {ZINVALIDACL, ZOOKEEPER_REFUSED, NULL},
    {ZBADARGUMENTS, ZOOKEEPER_REFUSED, NULL},
    {ZNOCHILDRENFOREPHEMERALS, ZOOKEEPER_REFUSED, NULL},
};

static struct zookeeper_reply reply_of(int rc)
{
    struct zookeeper_reply reply = {.result = ZOOKEEPER_AGAIN, .reason = zerror(rc)};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        if (results[i].rc != rc)
            continue;
        reply.result = results[i].result;
        if (results[i].reason != NULL)
            reply.reason = results[i].reason;
    }
    return reply;
}

static void answer(const void *data, const struct zookeeper_reply *reply)
{
    struct zookeeper_request *pending = (struct zookeeper_request *)(uintptr_t)data;
    const struct zookeeper_request request = *pending;
    free(pending);
    if (!request.session->lifetime.ended)
        request.on_reply(request.data, reply);
}

static void on_names(int rc, const struct String_vector *names, const void *data)
{
    struct zookeeper_reply reply = reply_of(rc);
    if (rc == ZOK && names != NULL) {
        reply.names = names->data;
        reply.count = names->count > 0 ? (size_t)names->count : 0;
    }
    answer(data, &reply);
}

static void on_data(int rc, const char *value, int length, const struct Stat *stat,
                    const void *data)
{
    struct zookeeper_reply reply = reply_of(rc);
    (void)stat;
    if (rc == ZOK && value != NULL && length > 0)
        reply.data = (struct slice){(const uint8_t *)value, (size_t)length};
    answer(data, &reply);
}

static void on_made(int rc, const char *path, const void *data)
{
    struct zookeeper_reply reply = reply_of(rc);
    reply.path = path;
    answer(data, &reply);
}

static void on_written(int rc, const struct Stat *stat, const void *data)
{
    const struct zookeeper_reply reply = reply_of(rc);
    (void)stat;
    answer(data, &reply);
}

static struct zookeeper_request *new_request(struct zookeeper_session *this,
                                             zookeeper_on_reply on_reply, void *data)
{
    struct zookeeper_request *request = memory_new(sizeof *request);
    *request = (struct zookeeper_request){.session = this, .on_reply = on_reply, .data = data};
    return request;
}

// The client has taken the request and tried to send it, or said at once why not. If it closed its
// socket, the number of that may be somebody else's in a moment.
static bool taken(struct zookeeper_session *this, struct zookeeper_request *request, int rc)
{
    if (zoo_state(this->client) != ZOO_CONNECTED_STATE)
        drop_socket(this);
    if (rc != ZOK)
        free(request);
    if (this->lifetime.holds == 0)
        timer_start(&this->step, 0);
    return rc == ZOK;
}

bool zookeeper_session_children(struct zookeeper_session *this, const char *path,
                                zookeeper_on_reply on_reply, void *data)
{
    if (!this->connected)
        return false;
    struct zookeeper_request *request = new_request(this, on_reply, data);
    return taken(this, request,
                 zoo_awget_children(this->client, path, on_watch, this, on_names, request));
}

bool zookeeper_session_read(struct zookeeper_session *this, const char *path,
                            zookeeper_on_reply on_reply, void *data)
{
    if (!this->connected)
        return false;
    struct zookeeper_request *request = new_request(this, on_reply, data);
    return taken(this, request, zoo_awget(this->client, path, on_watch, this, on_data, request));
}

// `open`: with credentials, everybody else may read it.
static bool create_node(struct zookeeper_session *this, const char *path, struct slice contents,
                        bool open, int flags, zookeeper_on_reply on_reply, void *data)
{
    struct ACL entries[] = {
        {.perms = ZOO_PERM_ALL, .id = ZOO_AUTH_IDS},
        {.perms = ZOO_PERM_READ, .id = ZOO_ANYONE_ID_UNSAFE},
    };
    struct ACL_vector ours = {.count = open ? 2 : 1, .data = entries};
    const struct ACL_vector *list =
        this->address->credentials != NULL ? &ours : &ZOO_OPEN_ACL_UNSAFE;
    if (!this->connected)
        return false;
    struct zookeeper_request *request = new_request(this, on_reply, data);
    return taken(this, request,
                 zoo_acreate(this->client, path, (const char *)contents.data,
                             contents.data != NULL ? (int)contents.length : -1, list, flags,
                             on_made, request));
}

bool zookeeper_session_make(struct zookeeper_session *this, const char *path,
                            zookeeper_on_reply on_reply, void *data)
{
    return create_node(this, path, (struct slice){.data = NULL}, true, 0, on_reply, data);
}

bool zookeeper_session_add(struct zookeeper_session *this, const char *path, struct slice contents,
                           zookeeper_on_reply on_reply, void *data)
{
    return create_node(this, path, contents, true, ZOO_EPHEMERAL | ZOO_SEQUENCE, on_reply, data);
}

bool zookeeper_session_keep(struct zookeeper_session *this, const char *path, struct slice contents,
                            zookeeper_on_reply on_reply, void *data)
{
    return create_node(this, path, contents, false, 0, on_reply, data);
}

bool zookeeper_session_write(struct zookeeper_session *this, const char *path,
                             struct slice contents, zookeeper_on_reply on_reply, void *data)
{
    if (!this->connected)
        return false;
    struct zookeeper_request *request = new_request(this, on_reply, data);
    return taken(this, request,
                 zoo_aset(this->client, path, (const char *)contents.data, (int)contents.length, -1,
                          on_written, request));
}

// ---- life ----

struct zookeeper_session *
zookeeper_session_create(struct loop *loop, const struct zookeeper_address *address, double timeout,
                         const struct zookeeper_session_events *events, void *data)
{
    struct zookeeper_session *this = memory_new(sizeof *this);
    this->loop = loop;
    this->address = address;
    this->timeout = timeout;
    this->events = events;
    this->data = data;
    timer_init(&this->begin, loop, on_begin, this);
    timer_init(&this->step, loop, on_step, this);
    if (getrandom(this->random, sizeof this->random, GRND_NONBLOCK) != sizeof this->random)
        this->random[0] = (unsigned short)loop_now(loop);
    return this;
}

void zookeeper_session_start(struct zookeeper_session *this)
{
    timer_start(&this->begin, 0);
}

void zookeeper_session_destroy(struct zookeeper_session *this)
{
    if (this == NULL || !lifetime_end(&this->lifetime))
        return;
    lifetime_release(&this->lifetime, free_session, this);
}

double zookeeper_session_timeout(const struct zookeeper_session *this)
{
    return this->client ? zoo_recv_timeout(this->client) / 1000.0 : this->timeout;
}

const char *zookeeper_session_problem(const struct zookeeper_session *this)
{
    return this->problem;
}
