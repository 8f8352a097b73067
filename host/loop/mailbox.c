// SPDX-License-Identifier: Apache-2.0
//
// Messages from other threads to the thread of a loop: see mailbox.h. A list under a mutex, and a
// uv_async that wakes the loop. The mailbox is one block with its handle, and is freed in the close
// callback.

#include "loop/mailbox.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

struct mailbox_message {
    STAILQ_ENTRY(mailbox_message) link;
    mailbox_call call;
    void *data;
};

struct mailbox {
    uv_async_t async;
    void (*on_wake)(void *data);
    void *data;
    size_t capacity;

    pthread_mutex_t mutex; // over what follows
    STAILQ_HEAD(, mailbox_message) messages;
    size_t count;
};

static void on_async(uv_async_t *async)
{
    struct mailbox *mailbox = async->data;
    if (!uv_is_closing((uv_handle_t *)async))
        mailbox->on_wake(mailbox->data);
}

struct mailbox *mailbox_create(struct loop *loop, size_t capacity, void (*on_wake)(void *data),
                               void *data)
{
    struct mailbox *mailbox = memory_new(sizeof *mailbox);
    mailbox->on_wake = on_wake;
    mailbox->data = data;
    mailbox->capacity = capacity;
    STAILQ_INIT(&mailbox->messages);
    pthread_mutex_init(&mailbox->mutex, NULL);
    if (uv_async_init(loop_uv_handle(loop), &mailbox->async, on_async) != 0) {
        pthread_mutex_destroy(&mailbox->mutex);
        free(mailbox);
        return NULL;
    }
    mailbox->async.data = mailbox;
    return mailbox;
}

// ---- posting ----

static bool append(struct mailbox *mailbox, struct mailbox_message *message)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool fits = mailbox->count < mailbox->capacity;
    if (fits) {
        STAILQ_INSERT_TAIL(&mailbox->messages, message, link);
        mailbox->count++;
    }
    pthread_mutex_unlock(&mailbox->mutex);
    return fits;
}

bool mailbox_post(struct mailbox *mailbox, mailbox_call call, void *data)
{
    struct mailbox_message *posted = memory_new(sizeof *posted);
    *posted = (struct mailbox_message){.call = call, .data = data};
    if (!append(mailbox, posted)) {
        free(posted);
        return false;
    }
    mailbox_wake(mailbox);
    return true;
}

void mailbox_wake(struct mailbox *mailbox)
{
    uv_async_send(&mailbox->async);
}

bool mailbox_full(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool full = mailbox->count >= mailbox->capacity;
    pthread_mutex_unlock(&mailbox->mutex);
    return full;
}

// ---- draining ----

static struct mailbox_message *pop(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct mailbox_message *message = STAILQ_FIRST(&mailbox->messages);
    if (message != NULL) {
        STAILQ_REMOVE_HEAD(&mailbox->messages, link);
        mailbox->count--;
    }
    pthread_mutex_unlock(&mailbox->mutex);
    return message;
}

static bool call_next(struct mailbox *mailbox, bool lost)
{
    struct mailbox_message *message = pop(mailbox);
    if (message == NULL)
        return false;
    message->call(message->data, lost);
    free(message);
    return true;
}

// Only those that are there now: threads that post without end must not starve the loop. A message
// may destroy the mailbox, whose memory lives until the loop closes the handle.
void mailbox_drain(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    size_t count = mailbox->count;
    pthread_mutex_unlock(&mailbox->mutex);
    while (count-- > 0 && call_next(mailbox, false))
        ;
}

// ---- the end ----

void mailbox_unref(struct mailbox *mailbox)
{
    uv_unref((uv_handle_t *)&mailbox->async);
}

static void on_closed(uv_handle_t *handle)
{
    struct mailbox *mailbox = handle->data;
    pthread_mutex_destroy(&mailbox->mutex);
    free(mailbox);
}

void mailbox_destroy(struct mailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    while (call_next(mailbox, true))
        ;
    uv_close((uv_handle_t *)&mailbox->async, on_closed);
}
