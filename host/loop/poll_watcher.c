// SPDX-License-Identifier: Apache-2.0
//
// A descriptor on the loop: see poll_watcher.h. The block is freed by the close callback.

#include "loop/poll_watcher.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <stdlib.h>

struct poll_watcher {
    uv_poll_t handle;
    void (*callback)(void);
};

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct poll_watcher *this = handle->data;
    (void)status;
    (void)events;
    this->callback();
}

struct poll_watcher *poll_watcher_create(struct loop *loop, int descriptor, void (*callback)(void))
{
    struct poll_watcher *this = memory_new(sizeof *this);
    this->callback = callback;
    if (uv_poll_init(loop_uv_handle(loop), &this->handle, descriptor) != 0) {
        free(this);
        return NULL;
    }
    this->handle.data = this;
    uv_poll_start(&this->handle, UV_READABLE, on_poll);
    uv_unref((uv_handle_t *)&this->handle);
    return this;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void poll_watcher_destroy(struct poll_watcher *this)
{
    if (this != NULL)
        uv_close((uv_handle_t *)&this->handle, on_closed);
}
