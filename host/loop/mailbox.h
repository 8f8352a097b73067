// SPDX-License-Identifier: Apache-2.0
//
// The way from other threads to the thread of a loop. Letters are posted on any thread and opened
// on the loop's, in the order in which they were posted. Between two rounds of the loop the mailbox
// tells its owner that somebody has rung, and the owner opens it; he may open it at any other
// moment as well, for instance to have all that was posted before behind him.
//
// A mailbox keeps a libuv loop alive until mailbox_rest().

#ifndef MESOS_LUA_LOOP_MAILBOX_H
#define MESOS_LUA_LOOP_MAILBOX_H

#include "loop/loop.h"

struct mailbox;

// What is posted: called once. `lost` means that the mailbox was destroyed before the letter was
// opened; then it is only to be freed.
typedef void (*mailbox_letter)(void *data, bool lost);

// On a loop of loop_uv.h, on its thread (or before it runs). At most `capacity` letters wait.
// `on_ring` is called on the loop's thread after one or several rings.
struct mailbox *mailbox_create(struct loop *loop, size_t capacity, void (*on_ring)(void *data),
                               void *data);

// ---- on any thread, as long as the mailbox is not being destroyed ----

// Posts and rings. False if it is full.
bool mailbox_post(struct mailbox *mailbox, mailbox_letter letter, void *data);
void mailbox_ring(struct mailbox *mailbox);

// Would mailbox_post() fail? Posters who agree on a lock can rely on the answer.
bool mailbox_full(struct mailbox *mailbox);

// ---- on the thread of the loop ----

// Opens the letters that are there, one after the other. May be called while a letter is being
// opened, which then opens those behind it.
void mailbox_open(struct mailbox *mailbox);

// The mailbox keeps the libuv loop alive no more.
void mailbox_rest(struct mailbox *mailbox);

// Letters that were not opened are lost. Legal inside `on_ring` and inside a letter. NULL is fine.
void mailbox_destroy(struct mailbox *mailbox);

#endif
