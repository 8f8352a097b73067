// SPDX-License-Identifier: Apache-2.0
//
// libcurl's multi interface on libuv: see http.h. libcurl says which sockets it waits for and when
// it wants to be called at the latest; libuv and our timer call it back. A watcher of a socket is a
// block of its own, freed by libuv's close callback, since libcurl forgets a socket earlier than
// libuv does.

#include "net/curl_loop.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <pthread.h>
#include <stdlib.h>

struct curl_loop {
    struct loop *loop;
    struct tls *tls;
    CURLM *multi;
    struct timer timer;
};

struct watcher {
    uv_poll_t poll;
    struct curl_loop *http;
    curl_socket_t socket;
    int events;
};

// Hands over the transfers that are over.
static void collect(struct curl_loop *http)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        struct curl_loop_job *job = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
        if (!job->stays)
            curl_multi_remove_handle(http->multi, easy);
        job->done(job->data, result);
    }
}

// ---- sockets ----

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct watcher *watcher)
{
    uv_poll_start(&watcher->poll, watcher->events, on_poll);
}

// libuv stops a watcher that it reports an error on; libcurl finds out which error by reading, and
// may want to go on watching.
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watcher *watcher = poll->data;
    int flags = ((events & UV_READABLE) ? CURL_CSELECT_IN : 0) |
                ((events & UV_WRITABLE) ? CURL_CSELECT_OUT : 0);
    if (status < 0)
        flags = CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
    int running;
    curl_multi_socket_action(watcher->http->multi, watcher->socket, flags, &running);
    if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
        watch(watcher);
    collect(watcher->http);
}

static void on_watcher_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_watcher(struct curl_loop *http, struct watcher *watcher)
{
    if (watcher == NULL)
        return;
    curl_multi_assign(http->multi, watcher->socket, NULL);
    uv_close((uv_handle_t *)&watcher->poll, on_watcher_closed);
}

static struct watcher *add_watcher(struct curl_loop *http, curl_socket_t socket)
{
    struct watcher *watcher = memory_new(sizeof *watcher);
    if (uv_poll_init_socket(loop_uv_handle(http->loop), &watcher->poll, socket) != 0) {
        free(watcher);
        return NULL;
    }
    watcher->poll.data = watcher;
    watcher->http = http;
    watcher->socket = socket;
    curl_multi_assign(http->multi, socket, watcher);
    return watcher;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *data, void *known)
{
    (void)easy;
    struct curl_loop *http = data;
    struct watcher *watcher = known;
    if (what == CURL_POLL_REMOVE) {
        drop_watcher(http, watcher);
        return 0;
    }
    if (watcher == NULL && (watcher = add_watcher(http, socket)) == NULL)
        return -1;
    watcher->events =
        ((what & CURL_POLL_IN) ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) ? UV_WRITABLE : 0);
    watch(watcher);
    return 0;
}

// ---- time ----

static void on_timeout(void *data)
{
    struct curl_loop *http = data;
    int running;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(http);
}

static int on_timer_change(CURLM *multi, long milliseconds, void *data)
{
    (void)multi;
    struct curl_loop *http = data;
    if (milliseconds < 0)
        timer_stop(&http->timer);
    else
        timer_start(&http->timer, (uint64_t)milliseconds * (LOOP_SECOND / 1000));
    return 0;
}

// ---- life ----

static void initialise(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct curl_loop *curl_loop_create(struct loop *loop, const struct tls_options *tls)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; // drivers may be created on any thread
    pthread_once(&once, initialise);
    struct curl_loop *http = memory_new(sizeof *http);
    http->loop = loop;
    http->tls = tls_create(tls);
    timer_init(&http->timer, loop, on_timeout, http);
    http->multi = curl_multi_init();
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 1L);
    return http;
}

void curl_loop_destroy(struct curl_loop *http)
{
    if (http == NULL)
        return;
    curl_multi_cleanup(http->multi);
    tls_destroy(http->tls);
    timer_stop(&http->timer);
    free(http);
}

struct tls *curl_loop_tls(struct curl_loop *http)
{
    return http->tls;
}

struct loop *curl_loop_loop(struct curl_loop *http)
{
    return http->loop;
}

void curl_loop_start(struct curl_loop *http, CURL *easy)
{
    curl_multi_add_handle(http->multi, easy);
}

void curl_loop_stop(struct curl_loop *http, CURL *easy)
{
    curl_multi_remove_handle(http->multi, easy);
}
