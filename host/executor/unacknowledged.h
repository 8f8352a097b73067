// SPDX-License-Identifier: Apache-2.0
//
// The tasks of an executor, and what its agent has not acknowledged of them: a task until the first
// acknowledgement of an update of it, an update until its own. Both go along with every SUBSCRIBE,
// so that an agent that was started again knows what its predecessor knew. A task is forgotten when
// its terminal update is acknowledged.

#ifndef MESOS_LUA_EXECUTOR_UNACKNOWLEDGED_H
#define MESOS_LUA_EXECUTOR_UNACKNOWLEDGED_H

#include "base/buffer.h"
#include "base/string_map.h"
#include "base/uuid.h"

#include <sys/queue.h>

#define UNACKNOWLEDGED_BYTES_MOST ((size_t)64 << 20) // of updates

// A task that the executor was given.
struct executor_task {
    TAILQ_ENTRY(executor_task) link;
    struct string_map_entry entry;
    char *id;
    struct bytes *block; // the event with its TaskInfo; NULL: acknowledged
    struct slice info;
    bool ended; // a terminal update was made
};

// An update that waits for its acknowledgement.
struct executor_update {
    TAILQ_ENTRY(executor_update) link;
    struct bytes *status; // TaskStatus
    uint8_t uuid[UUID_LENGTH];
    bool sent; // on the live stream
};

struct unacknowledged {
    TAILQ_HEAD(, executor_task) tasks;
    struct string_map by_id; // of the tasks
    TAILQ_HEAD(, executor_update) updates;
    size_t live;  // tasks without a terminal update
    size_t bytes; // of the updates
};

void unacknowledged_init(struct unacknowledged *unacknowledged);
void unacknowledged_free(struct unacknowledged *unacknowledged);

// A task (TaskInfo) has come in an event, on which a reference is taken. False: it is known.
bool unacknowledged_launch(struct unacknowledged *unacknowledged, struct bytes *block,
                           struct slice task);

// Keeps an update (TaskStatus, copied) of that uuid. NULL: there are too many.
struct executor_update *unacknowledged_add(struct unacknowledged *unacknowledged,
                                           struct slice status, const uint8_t uuid[UUID_LENGTH]);

// The agent has that update of that task. False: no such update waits.
bool unacknowledged_take(struct unacknowledged *unacknowledged, struct slice task_id,
                         struct slice uuid);

// The agent will never take that update.
void unacknowledged_drop(struct unacknowledged *unacknowledged, struct executor_update *update);

struct executor_update *unacknowledged_find(struct unacknowledged *unacknowledged,
                                            const uint8_t uuid[UUID_LENGTH]); // or NULL

// Appends all of it as a Call.Subscribe. False at the buffer's cap.
bool unacknowledged_write(const struct unacknowledged *unacknowledged, struct buffer *buffer);
void unacknowledged_mark(struct unacknowledged *unacknowledged, bool sent); // all updates

static inline bool unacknowledged_waits(const struct unacknowledged *unacknowledged)
{
    return !TAILQ_EMPTY(&unacknowledged->updates);
}

// True if the executor was given that task, and has made no terminal update of it.
bool unacknowledged_lives(const struct unacknowledged *unacknowledged, const char *task_id);

#endif
