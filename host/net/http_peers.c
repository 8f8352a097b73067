// SPDX-License-Identifier: Apache-2.0
//
// The connections of an HTTP server: see http_peers.h. There is a list for each state, with the one
// that is in it for the longest time in front, so the first of a list is always the one that is
// overdue, or to be closed first.

#include "net/http_peers.h"

#include "base/log.h"
#include "base/memory.h"
#include "loop/poll_watcher.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { STATES = HTTP_PEER_CLOSED + 1 };

enum {
    FRAMING_MOST = 4096,  // bytes that may be read without a piece of a request coming out of them
    SILENCE_OF_LOG = 60,  // ticks between two warnings about the same
    RESERVE_MOST = 4096,  // descriptors that are kept for the rest of the program
    FEW_DESCRIPTORS = 128 // under that few are kept, as there would be none left
};

// Ticks that a peer may stay in a state; 0: for ever.
static const unsigned patience[STATES] = {
    [HTTP_PEER_IDLE] = 300,
    [HTTP_PEER_RECEIVING] = 30,
    [HTTP_PEER_ANSWERING] = 60,
};

TAILQ_HEAD(peer_list, http_peer);

struct http_peer {
    struct http_peers *peers;
    TAILQ_ENTRY(http_peer) link;
    void *context;
    int fd;
    enum http_peer_state state;
    uint64_t since; // ticks
    uint64_t taken; // bytes that the server had read when a piece came out of them last
    struct poll_watcher *watch;
    bool chunked; // its request is: `taken` counts
    bool left;    // it sends no more
};

struct http_peers {
    struct loop *loop;
    struct http_peers_settings settings;
    struct peer_list in[STATES];
    unsigned count[STATES];
    unsigned leavers; // that are not closed yet
    struct timer tick;
    uint64_t now, warned;  // ticks
    unsigned closing_most; // that are shut down and still have a descriptor of the reserve
    unsigned capacity;     // connections for which there are descriptors
};

// ---- lists ----

static void put(struct http_peer *peer, enum http_peer_state state)
{
    struct http_peers *peers = peer->peers;
    peer->state = state;
    peer->since = peers->now;
    TAILQ_INSERT_TAIL(&peers->in[state], peer, link);
    peers->count[state]++;
    if (patience[state] != 0 && !timer_active(&peers->tick))
        timer_start(&peers->tick, LOOP_SECOND);
}

static void take(struct http_peer *peer)
{
    TAILQ_REMOVE(&peer->peers->in[peer->state], peer, link);
    peer->peers->count[peer->state]--;
}

void http_peers_enter(struct http_peer *peer, enum http_peer_state state)
{
    if (peer->state == state || peer->state == HTTP_PEER_CLOSED)
        return;
    take(peer);
    put(peer, state);
    peer->chunked = false;
}

static void shut(struct http_peer *peer)
{
    http_peers_enter(peer, HTTP_PEER_CLOSED);
    shutdown(peer->fd, SHUT_RDWR);
}

// ---- counting ----

static unsigned silent(const struct http_peers *peers)
{
    return peers->count[HTTP_PEER_IDLE] + peers->count[HTTP_PEER_RECEIVING];
}

static unsigned total(const struct http_peers *peers)
{
    unsigned sum = 0;
    for (int state = 0; state < HTTP_PEER_CLOSED; state++)
        sum += peers->count[state];
    return sum;
}

// ---- descriptors ----

// Without /proc the number is a guess.
static unsigned count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;
    if (folder == NULL)
        return FEW_DESCRIPTORS / 2;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

// A part of all descriptors is the program's own, besides those that it uses already.
static void measure_capacity(struct http_peers *peers)
{
    struct rlimit limit;
    unsigned all = UINT32_MAX, used = count_descriptors();
    unsigned others = used - total(peers) - peers->count[HTTP_PEER_CLOSED];
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT32_MAX)
        all = (unsigned)limit.rlim_cur;
    unsigned reserved = all < FEW_DESCRIPTORS ? all / 8 : all / 4;
    reserved = reserved < RESERVE_MOST ? reserved : RESERVE_MOST;
    peers->closing_most = reserved - reserved / 4;
    reserved += others;
    peers->capacity = all > reserved ? all - reserved : 1;
}

// ---- too many ----

static void warn_crowd(struct http_peers *peers, const char *why)
{
    if (peers->warned != 0 && peers->now - peers->warned < SILENCE_OF_LOG)
        return;
    peers->warned = peers->now;
    log_warning("%s has %u connections, and %s: the silent ones are closed, the oldest first",
                peers->settings.what, total(peers), why);
}

// Closes the oldest of the larger kind, so that a flood of connections displaces its own. There is
// at least one: the newest.
static void close_oldest(struct http_peers *peers, const char *why)
{
    bool idle = peers->count[HTTP_PEER_IDLE] >= peers->count[HTTP_PEER_RECEIVING];
    warn_crowd(peers, why);
    shut(TAILQ_FIRST(&peers->in[idle ? HTTP_PEER_IDLE : HTTP_PEER_RECEIVING]));
}

static void limit(struct http_peers *peers)
{
    if (total(peers) > peers->capacity)
        close_oldest(peers, "the descriptors that are left are for the program itself");
    else if (silent(peers) > (peers->settings.most + 1) / 2)
        close_oldest(peers, "half of those that it may have are silent");
    else if (total(peers) > peers->settings.most)
        close_oldest(peers, "it takes no more");
}

// ---- time ----

static void close_overdue(struct http_peers *peers, enum http_peer_state state)
{
    struct http_peer *peer;
    while (patience[state] != 0 && (peer = TAILQ_FIRST(&peers->in[state])) != NULL &&
           peers->now - peer->since >= patience[state]) {
        log_debug("%s closes a connection that took too long", peers->settings.what);
        shut(peer);
    }
}

static void on_tick(void *data)
{
    struct http_peers *peers = data;
    peers->now++;
    if (total(peers) > peers->capacity / 2)
        measure_capacity(peers);
    for (int state = 0; state < HTTP_PEER_CLOSED; state++)
        close_overdue(peers, (enum http_peer_state)state);
    http_peers_settle(peers);
    if (silent(peers) + peers->count[HTTP_PEER_ANSWERING] > 0)
        timer_start(&peers->tick, LOOP_SECOND);
}

// ---- those that leave ----

static size_t unread(const struct http_peer *peer)
{
    int bytes = 0;
    return ioctl(peer->fd, FIONREAD, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

// The end of a connection is reported to the server, whose own poll may have seen it together with
// the last bytes and have read these only.
static void on_watch(void *data, int fd, int events)
{
    struct http_peer *peer = data;
    struct http_peers *peers = peer->peers;
    (void)fd;
    (void)events; // an error of the socket is its end as well
    poll_watcher_stop(peer->watch);
    peers->leavers += !peer->left;
    peer->left = true;
    peers->settings.left(peers->settings.data, peer->context, peer->state == HTTP_PEER_ENDLESS);
}

static void close_leavers(struct peer_list *list)
{
    for (struct http_peer *peer = TAILQ_FIRST(list), *next; peer != NULL; peer = next) {
        next = TAILQ_NEXT(peer, link);
        if (peer->left && unread(peer) == 0)
            shut(peer);
    }
}

void http_peers_settle(struct http_peers *peers)
{
    if (peers->leavers == 0)
        return;
    close_leavers(&peers->in[HTTP_PEER_IDLE]);
    close_leavers(&peers->in[HTTP_PEER_RECEIVING]);
}

// ---- those that do not move ----

// The C library declares only the beginning of the struct of the kernel.
struct tcp_counts {
    struct tcp_info info;
    uint64_t pacing_rate, pacing_rate_most, acknowledged, received;
};

static uint64_t count_taken(const struct http_peer *peer)
{
    struct tcp_counts counts = {0};
    socklen_t length = sizeof counts;
    size_t waiting = unread(peer);
    if (getsockopt(peer->fd, IPPROTO_TCP, TCP_INFO, &counts, &length) != 0 ||
        counts.received < waiting)
        return 0;
    return counts.received - waiting;
}

void http_peers_moved(struct http_peer *peer)
{
    peer->taken = count_taken(peer);
    peer->chunked = true;
}

static bool is_stuck(const struct http_peer *peer)
{
    return peer->chunked && count_taken(peer) > peer->taken + FRAMING_MOST;
}

void http_peers_unstick(struct http_peers *peers)
{
    struct http_peer *peer = TAILQ_FIRST(&peers->in[HTTP_PEER_RECEIVING]), *next;
    bool found = false;
    for (; peer != NULL; peer = next) {
        next = TAILQ_NEXT(peer, link);
        if (!is_stuck(peer))
            continue;
        log_debug("%s closes a connection whose request does not go on", peers->settings.what);
        found = true;
        shut(peer);
    }
    peer = TAILQ_FIRST(&peers->in[HTTP_PEER_RECEIVING]);
    if (!found && peer != NULL)
        shut(peer);
}

// ---- life ----

static void open_watch(struct http_peer *peer)
{
    peer->watch = poll_watcher_create(peer->peers->loop, peer->fd, on_watch, peer, NULL);
    if (peer->watch != NULL)
        poll_watcher_start(peer->watch, UV_DISCONNECT);
}

struct http_peers *http_peers_create(struct loop *loop, const struct http_peers_settings *settings)
{
    struct http_peers *peers = memory_new(sizeof *peers);
    peers->loop = loop;
    peers->settings = *settings;
    peers->now = 1;
    measure_capacity(peers);
    timer_init(&peers->tick, loop, on_tick, peers);
    for (int state = 0; state < STATES; state++)
        TAILQ_INIT(&peers->in[state]);
    return peers;
}

bool http_peers_welcome(const struct http_peers *peers)
{
    return peers->count[HTTP_PEER_CLOSED] <= peers->closing_most;
}

struct http_peer *http_peers_add(struct http_peers *peers, int fd, void *context)
{
    struct http_peer *peer = memory_new(sizeof *peer);
    peer->peers = peers;
    peer->fd = fd;
    peer->context = context;
    put(peer, HTTP_PEER_RECEIVING);
    open_watch(peer);
    limit(peers);
    return peer;
}

void http_peers_remove(struct http_peer *peer)
{
    poll_watcher_destroy(peer->watch);
    peer->peers->leavers -= peer->left;
    take(peer);
    free(peer);
}

int http_peers_fd(const struct http_peer *peer)
{
    return peer->fd;
}

void http_peers_destroy(struct http_peers *peers)
{
    if (peers == NULL)
        return;
    timer_stop(&peers->tick);
    free(peers);
}
