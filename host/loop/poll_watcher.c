// SPDX-License-Identifier: Apache-2.0
//
// Watching a descriptor: see poll_watcher.h.

#include "loop/poll_watcher.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <stdlib.h>

struct poll_watcher {
    uv_poll_t poll;
    int fd;
    int events; // that are watched for; 0: none
    poll_watcher_on_ready on_ready;
    void *data;
};

struct poll_watcher *poll_watcher_create(struct loop *loop, int fd, poll_watcher_on_ready on_ready,
                                         void *data, struct error *err)
{
    struct poll_watcher *watcher = memory_new(sizeof *watcher);
    int status = uv_poll_init(loop_uv_handle(loop), &watcher->poll, fd);
    if (status < 0) {
        error_set(err, ERROR_IO, "%s", uv_strerror(status));
        free(watcher);
        return NULL;
    }
    watcher->poll.data = watcher;
    watcher->fd = fd;
    watcher->on_ready = on_ready;
    watcher->data = data;
    return watcher;
}

// libuv stops a watcher that it reports an error on.
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct poll_watcher *watcher = poll->data;
    if (status < 0)
        uv_poll_start(poll, watcher->events, on_poll);
    watcher->on_ready(watcher->data, watcher->fd, status < 0 ? 0 : events);
}

bool poll_watcher_start(struct poll_watcher *watcher, int events)
{
    if (watcher->events == events)
        return true;
    if (uv_poll_start(&watcher->poll, events, on_poll) != 0)
        return false;
    watcher->events = events;
    return true;
}

void poll_watcher_stop(struct poll_watcher *watcher)
{
    watcher->events = 0;
    uv_poll_stop(&watcher->poll);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void poll_watcher_destroy(struct poll_watcher *watcher)
{
    if (watcher != NULL)
        uv_close((uv_handle_t *)&watcher->poll, on_closed);
}

int poll_watcher_fd(const struct poll_watcher *watcher)
{
    return watcher->fd;
}

void poll_watcher_unref(struct poll_watcher *watcher)
{
    uv_unref((uv_handle_t *)&watcher->poll);
}
