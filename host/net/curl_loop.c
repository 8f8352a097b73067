// SPDX-License-Identifier: Apache-2.0
//
// libcurl's multi interface on libuv: see curl_loop.h. libcurl says which sockets it waits for and
// when it wants to be called at the latest; watchers and our timer call it back.

#include "net/curl_loop.h"

#include "base/memory.h"
#include "loop/poll_watcher.h"

#include <pthread.h>
#include <stdlib.h>

struct curl_loop {
    struct loop *loop;
    struct tls *tls;
    CURLM *multi;
    struct timer timer;
};

// Hands over the transfers that are over.
static void collect(struct curl_loop *curl_loop)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(curl_loop->multi, &left)) != NULL;) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        struct curl_loop_job *job = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
        if (!job->stays)
            curl_multi_remove_handle(curl_loop->multi, easy);
        job->done(job->data, result);
    }
}

// ---- sockets ----

static void on_ready(void *data, int fd, int events)
{
    struct curl_loop *curl_loop = data;
    int flags = ((events & UV_READABLE) ? CURL_CSELECT_IN : 0) |
                ((events & UV_WRITABLE) ? CURL_CSELECT_OUT : 0);
    if (events == 0)
        flags = CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
    int running;
    curl_multi_socket_action(curl_loop->multi, fd, flags, &running);
    collect(curl_loop);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *data, void *known)
{
    (void)easy;
    struct curl_loop *curl_loop = data;
    struct poll_watcher *watcher = known;
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(curl_loop->multi, socket, NULL);
        poll_watcher_destroy(watcher);
        return 0;
    }
    if (watcher == NULL) {
        watcher = poll_watcher_create(curl_loop->loop, socket, on_ready, curl_loop, NULL);
        if (watcher == NULL)
            return -1;
        curl_multi_assign(curl_loop->multi, socket, watcher);
    }
    poll_watcher_start(watcher, ((what & CURL_POLL_IN) ? UV_READABLE : 0) |
                                    ((what & CURL_POLL_OUT) ? UV_WRITABLE : 0));
    return 0;
}

// ---- time ----

static void on_timeout(void *data)
{
    struct curl_loop *curl_loop = data;
    int running;
    curl_multi_socket_action(curl_loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(curl_loop);
}

static int on_timer_change(CURLM *multi, long milliseconds, void *data)
{
    (void)multi;
    struct curl_loop *curl_loop = data;
    if (milliseconds < 0)
        timer_stop(&curl_loop->timer);
    else
        timer_start(&curl_loop->timer, (uint64_t)milliseconds * (LOOP_SECOND / 1000));
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
    struct curl_loop *curl_loop = memory_new(sizeof *curl_loop);
    curl_loop->loop = loop;
    curl_loop->tls = tls_create(tls);
    timer_init(&curl_loop->timer, loop, on_timeout, curl_loop);
    curl_loop->multi = curl_multi_init();
    curl_multi_setopt(curl_loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(curl_loop->multi, CURLMOPT_SOCKETDATA, curl_loop);
    curl_multi_setopt(curl_loop->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(curl_loop->multi, CURLMOPT_TIMERDATA, curl_loop);
    curl_multi_setopt(curl_loop->multi, CURLMOPT_MAXCONNECTS, 1L);
    return curl_loop;
}

void curl_loop_destroy(struct curl_loop *curl_loop)
{
    if (curl_loop == NULL)
        return;
    curl_multi_cleanup(curl_loop->multi);
    tls_destroy(curl_loop->tls);
    timer_stop(&curl_loop->timer);
    free(curl_loop);
}

struct tls *curl_loop_tls(struct curl_loop *curl_loop)
{
    return curl_loop->tls;
}

void curl_loop_start(struct curl_loop *curl_loop, CURL *easy)
{
    curl_multi_add_handle(curl_loop->multi, easy);
}

void curl_loop_stop(struct curl_loop *curl_loop, CURL *easy)
{
    curl_multi_remove_handle(curl_loop->multi, easy);
}
