// SPDX-License-Identifier: Apache-2.0
//
// The way from other threads to the thread of a loop: see mailbox.h. A list under a mutex, and a
// uv_async that wakes the loop. The mailbox is one block with its handle: libuv lets go of it in
// the close callback, which frees it.

#include "loop/mailbox.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

struct mailbox_message {
    STAILQ_ENTRY(mailbox_message) link;
    mailbox_letter open;
    void *data;
};

struct mailbox {
    uv_async_t bell;
    void (*on_ring)(void *data);
    void *data;
    size_t capacity;

    pthread_mutex_t mutex; // over what follows
    STAILQ_HEAD(, mailbox_message) letters;
    size_t count;
};

static void on_bell(uv_async_t *bell)
{
    struct mailbox *mailbox = bell->data;
    if (!uv_is_closing((uv_handle_t *)bell))
        mailbox->on_ring(mailbox->data);
}

struct mailbox *mailbox_create(struct loop *loop, size_t capacity, void (*on_ring)(void *data),
                               void *data)
{
    struct mailbox *mailbox = memory_new(sizeof *mailbox);
    mailbox->on_ring = on_ring;
    mailbox->data = data;
    mailbox->capacity = capacity;
    STAILQ_INIT(&mailbox->letters);
    pthread_mutex_init(&mailbox->mutex, NULL);
    if (uv_async_init(loop_uv_handle(loop), &mailbox->bell, on_bell) != 0) {
        pthread_mutex_destroy(&mailbox->mutex);
        free(mailbox);
        return NULL;
    }
    mailbox->bell.data = mailbox;
    return mailbox;
}

// ---- posting ----

static bool append(struct mailbox *mailbox, struct mailbox_message *letter)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool room = mailbox->count < mailbox->capacity;
    if (room) {
        STAILQ_INSERT_TAIL(&mailbox->letters, letter, link);
        mailbox->count++;
    }
    pthread_mutex_unlock(&mailbox->mutex);
    return room;
}

bool mailbox_post(struct mailbox *mailbox, mailbox_letter letter, void *data)
{
    struct mailbox_message *posted = memory_new(sizeof *posted);
    *posted = (struct mailbox_message){.open = letter, .data = data};
    if (!append(mailbox, posted)) {
        free(posted);
        return false;
    }
    mailbox_ring(mailbox);
    return true;
}

void mailbox_ring(struct mailbox *mailbox)
{
    uv_async_send(&mailbox->bell);
}

bool mailbox_full(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool full = mailbox->count >= mailbox->capacity;
    pthread_mutex_unlock(&mailbox->mutex);
    return full;
}

// ---- opening ----

static struct mailbox_message *take(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct mailbox_message *letter = STAILQ_FIRST(&mailbox->letters);
    if (letter != NULL) {
        STAILQ_REMOVE_HEAD(&mailbox->letters, link);
        mailbox->count--;
    }
    pthread_mutex_unlock(&mailbox->mutex);
    return letter;
}

static bool open_next(struct mailbox *mailbox, bool lost)
{
    struct mailbox_message *letter = take(mailbox);
    if (letter == NULL)
        return false;
    letter->open(letter->data, lost);
    free(letter);
    return true;
}

// Those that are there now: who posts without end must not keep the loop from everything else. A
// letter may destroy the mailbox, whose memory lives until the loop closes the handle.
void mailbox_open(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    size_t count = mailbox->count;
    pthread_mutex_unlock(&mailbox->mutex);
    while (count-- > 0 && open_next(mailbox, false))
        ;
}

// ---- the end ----

void mailbox_rest(struct mailbox *mailbox)
{
    uv_unref((uv_handle_t *)&mailbox->bell);
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
    while (open_next(mailbox, true))
        ;
    uv_close((uv_handle_t *)&mailbox->bell, on_closed);
}
