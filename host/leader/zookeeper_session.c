// SPDX-License-Identifier: Apache-2.0
//
// A connection to ZooKeeper on our loop: see zookeeper_session.h. The C client is a state machine
// that says which socket it waits for and until when (zookeeper_interest), and is called back then
// (zookeeper_process); turn() is the one place that does both. All of its callbacks come out of
// these two and zookeeper_close(), so the session is held whenever one of ours runs, and one that
// is destroyed there is freed when the outermost of them returns.
//
// Three things of the client block, and are avoided: it looks up host names (it is given
// addresses), it does so again at each step (told not to), and zookeeper_close() waits for the
// server's answer (the socket is shut for reading before).

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

    // While the session runs there is a lookup, or a client, or the timer `begin` is started.
    struct dns_lookup *lookup;
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

static void begin_later(struct zookeeper_session *session);
static void turn(struct zookeeper_session *session, int events);
static void on_disconnected(struct zookeeper_session *session);

// ---- the socket ----

static void on_ready(void *data, int fd, int events)
{
    int flags = ((events & UV_READABLE) ? ZOOKEEPER_READ : 0) |
                ((events & UV_WRITABLE) ? ZOOKEEPER_WRITE : 0);
    (void)fd;
    turn(data, events == 0 ? ZOOKEEPER_READ : flags);
}

static void drop_socket(struct zookeeper_session *session)
{
    poll_watcher_destroy(session->socket);
    session->socket = NULL;
}

static bool add_socket(struct zookeeper_session *session, int fd)
{
    struct error err = {0};
    session->socket = poll_watcher_create(session->loop, fd, on_ready, session, &err);
    if (session->socket == NULL)
        snprintf(session->problem, sizeof session->problem, "%.*s",
                 (int)sizeof session->problem - 1, err.text);
    return session->socket != NULL;
}

static bool watch(struct zookeeper_session *session, int fd, int interest)
{
    if (session->socket != NULL && poll_watcher_fd(session->socket) != fd)
        drop_socket(session);
    if (fd < 0)
        return true;
    if (session->socket == NULL && !add_socket(session, fd))
        return false;
    return poll_watcher_start(session->socket,
                              ((interest & ZOOKEEPER_READ) ? UV_READABLE : 0) |
                                  ((interest & ZOOKEEPER_WRITE) ? UV_WRITABLE : 0));
}

// ---- the end of a client ----

// The session is held.
static void close_client(struct zookeeper_session *session)
{
    if (session->client == NULL)
        return;
    if (session->connected && session->socket != NULL)
        shutdown(poll_watcher_fd(session->socket), SHUT_RD);
    drop_socket(session);
    timer_stop(&session->step);
    session->connected = session->expired = session->refused = false;
    zookeeper_close(session->client); // answers what is open
    session->client = NULL;
    bool given_up = session->established;
    session->established = false;
    if (given_up && !session->lifetime.ended && session->events->expired != NULL)
        session->events->expired(session->data);
}

static void free_session(void *data)
{
    struct zookeeper_session *session = data;
    close_client(session);
    dns_lookup_cancel(session->lookup);
    timer_stop(&session->begin);
    timer_stop(&session->step);
    free(session);
}

static void fail(struct zookeeper_session *session)
{
    struct error err = {0};
    close_client(session);
    timer_stop(&session->begin);
    error_set(&err, ERROR_REFUSED, "ZooKeeper at %s refused the user and password of its address",
              session->address->name);
    session->events->failed(session->data, &err);
}

// ---- steps of the client ----

static void note_problem(struct zookeeper_session *session, int rc)
{
    if (rc == ZOK || rc == ZNOTHING)
        return;
    const char *text = errno != 0 ? strerror(errno) : zerror(rc);
    if (rc == ZOPERATIONTIMEOUT)
        text = "no answer in time";
    else if (errno == EHOSTDOWN) // what the client makes of an end of file
        text = "the server closed the connection";
    snprintf(session->problem, sizeof session->problem, "%s", text);
}

// Calls the client, and returns after how many seconds it wants to be called again.
static double call_client(struct zookeeper_session *session, int events, int *fd, int *interest)
{
    struct timeval wait = {0};
    int rc = ZOK;
    zoo_set_debug_level(log_get_level() == LOG_DEBUG ? ZOO_LOG_LEVEL_INFO : (ZooLogLevel)0);
    errno = 0;
    if (events != 0)
        rc = zookeeper_process(session->client, events);
    note_problem(session, rc);
    errno = 0;
    rc = zookeeper_interest(session->client, fd, interest, &wait);
    note_problem(session, rc);
    if (rc != ZOK)
        *fd = -1;
    double pause = (double)wait.tv_sec + (double)wait.tv_usec / 1e6;
    return pause > pause_least ? pause : pause_least;
}

// The client does not report that it lost the connection while it sent a request.
static void notice_silent_loss(struct zookeeper_session *session)
{
    if (!session->lifetime.ended && session->connected &&
        zoo_state(session->client) != ZOO_CONNECTED_STATE)
        on_disconnected(session);
}

// The client may close its socket inside, so the loop must not watch it meanwhile.
static void turn(struct zookeeper_session *session, int events)
{
    int fd = -1, interest = 0;
    lifetime_hold(&session->lifetime);
    if (session->socket != NULL)
        poll_watcher_stop(session->socket);
    double pause = call_client(session, events, &fd, &interest);
    notice_silent_loss(session);
    if (session->lifetime.ended) {
        drop_socket(session);
    } else if (session->refused) {
        fail(session);
    } else if (session->expired) {
        log_debug("the ZooKeeper session expired; taking a new one");
        close_client(session);
        if (!session->lifetime.ended)
            timer_start(&session->begin, 0);
    } else {
        if (!watch(session, fd, interest))
            pause = retry_first;
        timer_start(&session->step, loop_seconds(pause));
    }
    lifetime_release(&session->lifetime, free_session, session);
}

// If the loop was busy for long, the server's answers may be in the socket: they must be read
// before the client checks the time.
static void on_step(void *data)
{
    struct zookeeper_session *session = data;
    struct pollfd socket = {.fd = session->socket ? poll_watcher_fd(session->socket) : -1,
                            .events = POLLIN};
    bool readable = session->connected && poll(&socket, 1, 0) > 0;
    turn(session, readable ? ZOOKEEPER_READ : 0);
}

// ---- callbacks of the client ----

// The client puts time, process and position in the source in front: "...@function@123: text".
static void on_client_log(const char *message)
{
    const char *colon = strstr(message, ": ");
    const char *text = colon ? colon + 2 : message;
    log_debug("zookeeper: %.*s", (int)strcspn(text, "\n"), text);
}

static void on_connected(struct zookeeper_session *session)
{
    if (session->connected)
        return;
    session->connected = session->established = true;
    session->failures = 0;
    session->problem[0] = 0;
    timer_stop(&session->begin);
    session->events->connected(session->data);
}

static void on_disconnected(struct zookeeper_session *session)
{
    if (!session->connected)
        return;
    session->connected = false;
    if (!session->expired && !session->refused)
        begin_later(session);
    session->events->disconnected(session->data);
}

static void on_session(zhandle_t *client, int type, int state, const char *path, void *data)
{
    struct zookeeper_session *session = data;
    (void)client;
    (void)path;
    if (session->lifetime.ended || type != ZOO_SESSION_EVENT)
        return;
    session->expired = session->expired || state == ZOO_EXPIRED_SESSION_STATE;
    session->refused = session->refused || state == ZOO_AUTH_FAILED_STATE;
    if (state == ZOO_CONNECTED_STATE)
        on_connected(session);
    else
        on_disconnected(session);
}

static void on_watch(zhandle_t *client, int type, int state, const char *path, void *data)
{
    struct zookeeper_session *session = data;
    (void)client;
    (void)state;
    (void)path;
    if (!session->lifetime.ended && type != ZOO_SESSION_EVENT)
        session->events->changed(session->data);
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

static bool open_client(struct zookeeper_session *session, const char *servers)
{
    const char *credentials = session->address->credentials;
    errno = 0;
    session->client = zookeeper_init2(servers, on_session, (int)(session->timeout * 1000), NULL,
                                      session, ZOO_NO_LOG_CLIENTENV, on_client_log);
    if (session->client == NULL) {
        snprintf(session->problem, sizeof session->problem, "%s", strerror(errno));
        return false;
    }
    zoo_set_servers_resolution_delay(session->client, -1);
    if (credentials != NULL)
        zoo_add_auth(session->client, "digest", credentials, (int)strlen(credentials),
                     on_authenticated, NULL);
    return true;
}

// How long the client may try the servers before they are looked up anew: each once, since it waits
// two thirds of the time-out for one that does not answer.
static double patience(const struct zookeeper_session *session, size_t servers)
{
    double all = session->timeout * (double)servers * 2 / 3;
    return all > session->timeout ? all : session->timeout;
}

static void retry_beginning(struct zookeeper_session *session)
{
    double bound = retry_first * (double)(1u << (session->failures < 5 ? session->failures : 5));
    if (bound > retry_most)
        bound = retry_most;
    session->failures++;
    timer_start(&session->begin, loop_seconds(bound * (0.5 + erand48(session->random) / 2)));
}

static void on_looked_up(void *data, const struct dns_lookup_address *addresses, size_t count,
                         const char *problem)
{
    struct zookeeper_session *session = data;
    session->lookup = NULL;
    if (problem != NULL) {
        snprintf(session->problem, sizeof session->problem, "%s", problem);
        log_debug("looking up the servers of ZooKeeper: %s", problem);
    }
    char *servers = list_servers(addresses, count);
    bool opened = count > 0 && open_client(session, servers);
    free(servers);
    if (opened) {
        timer_start(&session->begin, loop_seconds(patience(session, count)));
        turn(session, 0);
    } else {
        retry_beginning(session);
    }
}

// A session that was not reached for so long is given up with its client.
static void on_begin(void *data)
{
    struct zookeeper_session *session = data;
    lifetime_hold(&session->lifetime);
    close_client(session);
    if (!session->lifetime.ended && session->lookup == NULL)
        session->lookup = dns_lookup_start(session->loop, session->address->servers,
                                           session->address->count, on_looked_up, session);
    lifetime_release(&session->lifetime, free_session, session);
}

static void begin_later(struct zookeeper_session *session)
{
    timer_start(&session->begin, loop_seconds(patience(session, session->address->count)));
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

static struct zookeeper_request *new_request(struct zookeeper_session *session,
                                             zookeeper_on_reply on_reply, void *data)
{
    struct zookeeper_request *request = memory_new(sizeof *request);
    *request = (struct zookeeper_request){.session = session, .on_reply = on_reply, .data = data};
    return request;
}

// The client has queued the request and tried to send it, or failed at once. If it closed its
// socket, the number of the descriptor may be reused at any moment.
static bool accepted(struct zookeeper_session *session, struct zookeeper_request *request, int rc)
{
    if (zoo_state(session->client) != ZOO_CONNECTED_STATE)
        drop_socket(session);
    if (rc != ZOK)
        free(request);
    if (session->lifetime.holds == 0)
        timer_start(&session->step, 0);
    return rc == ZOK;
}

bool zookeeper_session_children(struct zookeeper_session *session, const char *path,
                                zookeeper_on_reply on_reply, void *data)
{
    if (!session->connected)
        return false;
    struct zookeeper_request *request = new_request(session, on_reply, data);
    return accepted(
        session, request,
        zoo_awget_children(session->client, path, on_watch, session, on_names, request));
}

bool zookeeper_session_read(struct zookeeper_session *session, const char *path,
                            zookeeper_on_reply on_reply, void *data)
{
    if (!session->connected)
        return false;
    struct zookeeper_request *request = new_request(session, on_reply, data);
    return accepted(session, request,
                    zoo_awget(session->client, path, on_watch, session, on_data, request));
}

// `open`: with credentials, all other users may read it.
static bool create_node(struct zookeeper_session *session, const char *path, struct slice contents,
                        bool open, int flags, zookeeper_on_reply on_reply, void *data)
{
    struct ACL entries[] = {
        {.perms = ZOO_PERM_ALL, .id = ZOO_AUTH_IDS},
        {.perms = ZOO_PERM_READ, .id = ZOO_ANYONE_ID_UNSAFE},
    };
    struct ACL_vector ours = {.count = open ? 2 : 1, .data = entries};
    const struct ACL_vector *list =
        session->address->credentials != NULL ? &ours : &ZOO_OPEN_ACL_UNSAFE;
    if (!session->connected)
        return false;
    struct zookeeper_request *request = new_request(session, on_reply, data);
    return accepted(session, request,
                    zoo_acreate(session->client, path, (const char *)contents.data,
                                contents.data != NULL ? (int)contents.length : -1, list, flags,
                                on_made, request));
}

bool zookeeper_session_make(struct zookeeper_session *session, const char *path,
                            zookeeper_on_reply on_reply, void *data)
{
    return create_node(session, path, (struct slice){.data = NULL}, true, 0, on_reply, data);
}

bool zookeeper_session_add(struct zookeeper_session *session, const char *path,
                           struct slice contents, zookeeper_on_reply on_reply, void *data)
{
    return create_node(session, path, contents, true, ZOO_EPHEMERAL | ZOO_SEQUENCE, on_reply, data);
}

bool zookeeper_session_keep(struct zookeeper_session *session, const char *path,
                            struct slice contents, zookeeper_on_reply on_reply, void *data)
{
    return create_node(session, path, contents, false, 0, on_reply, data);
}

bool zookeeper_session_write(struct zookeeper_session *session, const char *path,
                             struct slice contents, zookeeper_on_reply on_reply, void *data)
{
    if (!session->connected)
        return false;
    struct zookeeper_request *request = new_request(session, on_reply, data);
    return accepted(session, request,
                    zoo_aset(session->client, path, (const char *)contents.data,
                             (int)contents.length, -1, on_written, request));
}

// ---- life ----

struct zookeeper_session *
zookeeper_session_create(struct loop *loop, const struct zookeeper_address *address, double timeout,
                         const struct zookeeper_session_events *events, void *data)
{
    struct zookeeper_session *session = memory_new(sizeof *session);
    session->loop = loop;
    session->address = address;
    session->timeout = timeout;
    session->events = events;
    session->data = data;
    timer_init(&session->begin, loop, on_begin, session);
    timer_init(&session->step, loop, on_step, session);
    if (getrandom(session->random, sizeof session->random, GRND_NONBLOCK) != sizeof session->random)
        session->random[0] = (unsigned short)loop_now(loop);
    return session;
}

void zookeeper_session_start(struct zookeeper_session *session)
{
    timer_start(&session->begin, 0);
}

void zookeeper_session_destroy(struct zookeeper_session *session)
{
    if (session == NULL || !lifetime_end(&session->lifetime))
        return;
    lifetime_release(&session->lifetime, free_session, session);
}

double zookeeper_session_timeout(const struct zookeeper_session *session)
{
    return session->client ? zoo_recv_timeout(session->client) / 1000.0 : session->timeout;
}

const char *zookeeper_session_problem(const struct zookeeper_session *session)
{
    return session->problem;
}
