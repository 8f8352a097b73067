// SPDX-License-Identifier: Apache-2.0
//
// The executor driver: Mesos's ExecutorDriver over the v1 executor API, in terms of bytes. It keeps
// the subscription to the agent, hands the agent's events to its listener one at a time, keeps what
// the agent has not acknowledged, and turns operations into calls. The sibling of mesos/driver.h,
// with which it shares the subscription, the transport and the statuses.
//
// With checkpointing (MESOS_CHECKPOINT) a lost agent is waited for until the recovery timeout;
// without it, or after that, the executor is shut down as if the agent had asked for it. Shutting
// down is: the callback `shutdown`; then the driver stops by itself as soon as every task has a
// terminal update. When the grace period is over, `expired` is called, and has to end the process.
//
// Stopping waits, for a few seconds, for the acknowledgements of all updates: an executor that ends
// before the agent has its last update makes a task that finished a failed one.
//
// Everything happens on the thread of the loop. Every function may be called inside a callback,
// executor_driver_destroy() included.

#ifndef MESOS_LUA_EXECUTOR_EXECUTOR_DRIVER_H
#define MESOS_LUA_EXECUTOR_EXECUTOR_DRIVER_H

#include "base/bytes.h"
#include "base/error.h"
#include "executor/executor_environment.h"
#include "executor/executor_events.h"
#include "loop/loop.h"
#include "mesos/driver_status.h"
#include "mesos/transport.h"

struct executor_driver;

struct executor_listener {
    // One that has OUTCOME_PENDING ends with executor_driver_callback_finished().
    enum driver_outcome (*callback)(void *data, const struct executor_event *event);
    // The driver has finished: nothing is in flight any more and the stream is closed. Called once,
    // after stop or abort, when no callback runs.
    void (*finished)(void *data);
    // The grace period of a shutdown is over: the process has to end now.
    void (*expired)(void *data);
};

struct executor_driver_options {
    const struct executor_environment *environment; // outlives the driver
    struct transport *transport;                    // to its API; handed over
    bool tls;      // the agent is taken for https if its address does not say so
    bool groups;   // EXECUTOR_LAUNCH_GROUP is delivered; otherwise EXECUTOR_LAUNCH_TASK for each
    uint64_t seed; // of the random delays; 0: from the system
};

// `listener` must outlive the driver. NULL if the agent's address is no address; the transport is
// destroyed then, too.
struct executor_driver *executor_driver_create(struct loop *loop,
                                               const struct executor_driver_options *options,
                                               const struct executor_listener *listener, void *data,
                                               struct error *err);
void executor_driver_destroy(struct executor_driver *driver);

// Ends a callback that was OUTCOME_PENDING.
void executor_driver_callback_finished(struct executor_driver *driver);

enum driver_status executor_driver_status(const struct executor_driver *driver);
bool executor_driver_finished(const struct executor_driver *driver); // or it never ran

// ---- operations ----
// All return the driver's status, and do nothing but that when it is not running.

enum driver_status executor_driver_start(struct executor_driver *driver);
enum driver_status executor_driver_stop(struct executor_driver *driver);
enum driver_status executor_driver_abort(struct executor_driver *driver);

// Aborts the driver and calls the listener with EXECUTOR_ERROR.
void executor_driver_fail(struct executor_driver *driver, const char *text);

// As if the agent had sent SHUTDOWN.
enum driver_status executor_driver_shutdown(struct executor_driver *driver);

// Sends a TaskStatus, once the agent is there, and keeps it until it is acknowledged. uuid, source
// and executor id are filled in, and timestamp and agent id if there are none. What an agent would
// refuse does nothing, and `err` says why.
enum driver_status executor_driver_send_update(struct executor_driver *driver, struct slice status,
                                               struct error *err);

// The check of it, for any thread.
bool executor_driver_check_update(const struct executor_environment *environment,
                                  struct slice status, struct error *err);

// Sends an update of that state, with a message, for a task that lives; otherwise nothing.
enum driver_status executor_driver_end_task(struct executor_driver *driver, const char *task_id,
                                            int32_t state, const char *message);

// The same for all tasks that live: for listeners that do not shut down by themselves.
enum driver_status executor_driver_kill_all(struct executor_driver *driver);

// Dropped, with a line in the log, while there is no agent. `err` says so if too many calls wait.
enum driver_status executor_driver_send_message(struct executor_driver *driver, struct slice data,
                                                struct error *err);

#endif
