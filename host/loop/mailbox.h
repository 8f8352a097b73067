// SPDX-License-Identifier: Apache-2.0
//
// Messages from other threads to the thread of a loop. They are posted on any thread and called on
// the loop's, in the order in which they were posted. After a wake the mailbox calls `on_wake` from
// the loop, where the owner drains it; the owner may drain it at any other moment as well, for
// instance to handle all that was posted before.
//
// A mailbox keeps a libuv loop alive until mailbox_unref().

#ifndef MESOS_LUA_LOOP_MAILBOX_H
#define MESOS_LUA_LOOP_MAILBOX_H

#include "loop/loop.h"

struct mailbox;

// A message: called once. `lost` means that the mailbox was destroyed before it was drained; then
// `data` is only to be freed.
typedef void (*mailbox_call)(void *data, bool lost);

// On a loop of loop_uv.h, on its thread (or before it runs). At most `capacity` messages wait.
// `on_wake` is called on the loop's thread after one or several wakes.
struct mailbox *mailbox_create(struct loop *loop, size_t capacity, void (*on_wake)(void *data),
                               void *data);

// ---- on any thread, as long as the mailbox is not being destroyed ----

// Posts and wakes. False if it is full.
bool mailbox_post(struct mailbox *mailbox, mailbox_call call, void *data);
void mailbox_wake(struct mailbox *mailbox);

// True if mailbox_post() would fail. Threads that post under a common lock can rely on the answer.
bool mailbox_full(struct mailbox *mailbox);

// ---- on the thread of the loop ----

// Calls the messages that are there, one after the other. May be called inside a message, and then
// calls those behind it.
void mailbox_drain(struct mailbox *mailbox);

// The mailbox does not keep the libuv loop alive from now on.
void mailbox_unref(struct mailbox *mailbox);

// Messages that were not called are lost. Legal inside `on_wake` and inside a message. NULL is
// fine.
void mailbox_destroy(struct mailbox *mailbox);

#endif
