// SPDX-License-Identifier: Apache-2.0
//
// The scheduler driver of Apache Mesos for C programs: what mesos/scheduler.hpp is for C++, over
// the v1 HTTP API. A callback or operation has the name it has there, written_like_this, and means
// what it means there; what v1 has beyond it comes in the same style. Messages are the structs that
// protobuf-c generates from Mesos's own files; their headers are installed with this one.
//
//     static void resource_offers(void *data, struct mesos_driver *driver,
//                                 Mesos__V1__Offer *const *offers, size_t count) { ... }
//
//     const struct mesos_scheduler scheduler = {
//         .size = sizeof scheduler, .resource_offers = resource_offers };
//     const struct mesos_driver_options options = {
//         .size = sizeof options, .master = "host:5050", .framework = &info };
//     char text[256];
//     struct mesos_driver *driver =
//         mesos_driver_create(&scheduler, &my_data, &options, text, sizeof text);
//     if (driver == NULL) ...                               // text says why
//     enum mesos_status status = mesos_driver_run(driver);  // until it is stopped or aborted
//     mesos_driver_destroy(driver);
//
// Ownership. What you pass in is read or copied before the function returns and stays yours. What a
// callback is given is the driver's, not to be changed, and gone when the callback returns: copy
// what you keep (pack and unpack it, or take its texts). What mesos_driver_framework_id(),
// mesos_driver_master() and mesos_driver_offers() return is yours. Running out of memory ends the
// process with a message.
//
// Threads. All operations may be called on any thread and in any callback; none blocks but join,
// run and destroy. Operations of one thread reach the master in their order, and so do operations
// of which one was called after the other had returned. Callbacks are called one at a time on one
// thread, that of the loop:
//
//  - Without options.loop, mesos_driver_start() makes a thread that runs a loop of its own, as the
//    original does. It ends with the driver. All signals are blocked on it.
//  - With options.loop, a libuv loop of yours, no thread is made and you run the loop. Create and
//    destroy the driver on the thread that runs it, or will. From its creation until its end the
//    driver keeps uv_run() from returning. After mesos_driver_destroy() let the loop run until its
//    handles are closed (uv_run() returns) before you close it.
//
// A callback that blocks holds up the driver: neither events nor answers are read meanwhile.
//
// Status. It follows the original. Operations before start and after stop or abort do nothing and
// return the status. Stop and abort count at once, on whatever thread they are called: from then on
// no callback starts. A driver that fails (the master says so, or cannot accept the framework) has
// status MESOS_DRIVER_ABORTED when its last callback, `error`, is called. stop() after an abort
// returns MESOS_DRIVER_ABORTED once, sends nothing, and leaves MESOS_DRIVER_STOPPED. What was
// called before the end is still sent, and waited for a few seconds, before join returns.
//
// Errors. mesos_driver_create() returns NULL and writes why. An operation that is called wrongly
// (an offer that was answered, rescinded or never made; a null pointer where a message must be; a
// message that lacks a required field) does nothing: it returns the status, and
// mesos_driver_error() returns, on the same thread, what was wrong with it. What the master refuses
// is logged with the master's words; what it ends the framework for comes to `error`. While the
// driver is disconnected, launched tasks come back as TASK_LOST (TASK_DROPPED with PARTITION_AWARE)
// updates; suppress, revive and update_framework are remembered for the next registration; all else
// is dropped with a line in the log.
//
// A master that is slow. No operation waits for it, and no call is dropped while the connection
// lives; when many wait, callbacks are held back until the master has taken some. Only operations
// that are called without end and without regard to callbacks can fill the room for calls that
// wait, 256 MiB; what is called beyond that is not sent, with a line in the log, and launches come
// back as above.

#ifndef MESOS_DRIVER_H
#define MESOS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "mesos/v1/mesos.pb-c.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"
#include "mesos_log.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mesos_driver;
struct uv_loop_s; // uv_loop_t

enum mesos_status {
    MESOS_DRIVER_NOT_STARTED = 1,
    MESOS_DRIVER_RUNNING = 2,
    MESOS_DRIVER_ABORTED = 3,
    MESOS_DRIVER_STOPPED = 4
};

const char *mesos_status_name(enum mesos_status status); // "DRIVER_RUNNING"; static

// ---- callbacks ----

// Any of them may be NULL: offers are declined then, errors are logged, the rest is passed over.
// Start from { .size = sizeof(struct mesos_scheduler) }: later versions add members at the end.
// `data` is what was given to mesos_driver_create().
struct mesos_scheduler {
    size_t size;

    // First registration of this driver. `master` is NULL if the master did not introduce itself.
    void (*registered)(void *data, struct mesos_driver *driver,
                       const Mesos__V1__FrameworkID *framework_id,
                       const Mesos__V1__MasterInfo *master);
    // A later one: a new master, or the same again. All offers made before it are void.
    void (*reregistered)(void *data, struct mesos_driver *driver,
                         const Mesos__V1__MasterInfo *master);
    // The subscription was lost; the driver looks for the master by itself.
    void (*disconnected)(void *data, struct mesos_driver *driver);

    void (*resource_offers)(void *data, struct mesos_driver *driver,
                            Mesos__V1__Offer *const *offers, size_t count);
    void (*offer_rescinded)(void *data, struct mesos_driver *driver,
                            const Mesos__V1__OfferID *offer_id);

    // Returning acknowledges the update, unless acknowledgements are explicit, the driver was
    // stopped or aborted meanwhile, or it has no uuid.
    void (*status_update)(void *data, struct mesos_driver *driver,
                          const Mesos__V1__TaskStatus *status);
    void (*framework_message)(void *data, struct mesos_driver *driver,
                              const Mesos__V1__ExecutorID *executor_id,
                              const Mesos__V1__AgentID *agent_id, const void *message,
                              size_t length);
    void (*slave_lost)(void *data, struct mesos_driver *driver, const Mesos__V1__AgentID *agent_id);
    // `status` is that of waitpid().
    void (*executor_lost)(void *data, struct mesos_driver *driver,
                          const Mesos__V1__ExecutorID *executor_id,
                          const Mesos__V1__AgentID *agent_id, int status);

    // The driver was aborted before this call, and no other follows.
    void (*error)(void *data, struct mesos_driver *driver, const char *message);

    // Beyond scheduler.hpp: maintenance, and operations on resources. The latter are acknowledged
    // like updates of tasks.
    void (*inverse_offers)(void *data, struct mesos_driver *driver,
                           Mesos__V1__InverseOffer *const *inverse_offers, size_t count);
    void (*inverse_offer_rescinded)(void *data, struct mesos_driver *driver,
                                    const Mesos__V1__OfferID *inverse_offer_id);
    void (*operation_status_update)(void *data, struct mesos_driver *driver,
                                    const Mesos__V1__OperationStatus *status);

    // The master has completed the framework whose id the driver came with (options.framework->id,
    // or that of an earlier registration): its failover timeout is over, or it was torn down, and
    // its tasks are gone. mesos_driver_reregister() in this callback goes on as a new framework;
    // otherwise `error` follows.
    void (*framework_removed)(void *data, struct mesos_driver *driver, const char *message);
};

// ---- life ----

// Start from { .size = sizeof(struct mesos_driver_options) }: later versions add members at the
// end, whose zero means what was before.
struct mesos_driver_options {
    size_t size;

    // "host:port", "http://host:port", "https://host:port", each with "user:password@" before the
    // host if the master wants to know who the framework is, several of them with commas;
    // "zk://host:port,host:port/path" (with "user:password@" in front of the hosts if ZooKeeper
    // asks for it); or "file:///path" of a file that contains one of these.
    const char *master;

    // Needs a name. `user` (which may be NULL in the struct) and `hostname` are filled in from the
    // system, `capabilities` with MULTI_ROLE (unless the old `role` is used) and
    // RESERVATION_REFINEMENT, `roles` with "*". With an id it takes over that framework.
    const Mesos__V1__FrameworkInfo *framework;

    bool explicit_acknowledgements;
    const char *const *suppressed_roles;                             // ends with NULL; or NULL
    const Mesos__V1__Scheduler__OfferConstraints *offer_constraints; // or NULL

    struct uv_loop_s *loop; // yours, or NULL

    // What follows is as the options of the program with these names, which errors name:
    // `ca_file` is --ca-file. Every text may be NULL.

    // TLS, to a master whose address has https://. Files in PEM: the authorities that are trusted
    // (NULL both: those of the system), and the framework's own certificate with its key (NULL: it
    // is in the file of `cert`).
    const char *ca_file, *ca_path, *cert, *key;
    bool tls;      // also to addresses without a scheme, and to masters that ZooKeeper names
    bool insecure; // accept any certificate

    // Who the framework is: the principal and a file with its secret; or a file with both, in JSON
    // or as two words; or a file with a bearer token, or with "token=...". They are read again when
    // the driver subscribes and when the master refuses a call. `redirect_hosts` ("a,b" or "*") are
    // those to which redirects may take them.
    const char *principal, *secret_file, *credential, *token_file, *redirect_hosts;
};

// Everything is copied. NULL if something is wrong with it; then `error`, of `error_size` bytes
// (both may be 0), says what. No master is contacted before start.
struct mesos_driver *mesos_driver_create(const struct mesos_scheduler *scheduler, void *data,
                                         const struct mesos_driver_options *options, char *error,
                                         size_t error_size);

// Frees it; NULL is fine. A driver that runs is aborted without another word, and the framework's
// failover timeout begins. It waits for a callback that is running on another thread. It may be
// called in a callback of the driver, which is then the last. No other thread may use the driver
// any more, but for those that wait in join, which returns.
void mesos_driver_destroy(struct mesos_driver *driver);

// Keeps nothing of yours. The status is MESOS_DRIVER_NOT_STARTED still if no thread can be made.
enum mesos_status mesos_driver_start(struct mesos_driver *driver);

// With `failover` nothing is sent and the tasks live on for the framework's failover timeout;
// without it the master is asked to end the framework and all its tasks. The driver stays yours.
enum mesos_status mesos_driver_stop(struct mesos_driver *driver, bool failover);

// Ends the driver without a call to the master. It stays yours.
enum mesos_status mesos_driver_abort(struct mesos_driver *driver);

// Waits until the driver has been stopped or aborted, and all of it is over; it stays yours.
// Returns at once when it was never started. On the loop's own thread it would wait for ever: there
// it does nothing and mesos_driver_error() says so.
enum mesos_status mesos_driver_join(struct mesos_driver *driver);

// Start and join. On the thread of a loop of yours it does nothing, like join: start the driver and
// run the loop. The driver stays yours.
enum mesos_status mesos_driver_run(struct mesos_driver *driver);

// Needs nothing and keeps nothing.
enum mesos_status mesos_driver_status(struct mesos_driver *driver);

// What was wrong with the last operation that the calling thread has called, on whatever driver:
// "" if nothing was. The text is the thread's, valid until it calls the next.
const char *mesos_driver_error(void);

// ---- offers ----

// Offers are answered once. Lists are pointers to messages and their number; `filters` may be NULL
// everywhere, and then mean 5 seconds. All messages are copied and stay yours.

// With no tasks it declines. `&offer->id, 1` is the list of one offer's id.
enum mesos_status mesos_driver_launch_tasks(struct mesos_driver *driver,
                                            Mesos__V1__OfferID *const *offer_ids,
                                            size_t offer_id_count,
                                            Mesos__V1__TaskInfo *const *tasks, size_t task_count,
                                            const Mesos__V1__Filters *filters);

// The messages are copied and stay yours.
enum mesos_status
mesos_driver_accept_offers(struct mesos_driver *driver, Mesos__V1__OfferID *const *offer_ids,
                           size_t offer_id_count, Mesos__V1__Offer__Operation *const *operations,
                           size_t operation_count, const Mesos__V1__Filters *filters);

// Declines that are called together go out as one call. The messages are copied and stay yours.
enum mesos_status mesos_driver_decline_offer(struct mesos_driver *driver,
                                             const Mesos__V1__OfferID *offer_id,
                                             const Mesos__V1__Filters *filters);

// The messages are copied and stay yours.
enum mesos_status mesos_driver_accept_inverse_offers(struct mesos_driver *driver,
                                                     Mesos__V1__OfferID *const *inverse_offer_ids,
                                                     size_t count,
                                                     const Mesos__V1__Filters *filters);
enum mesos_status mesos_driver_decline_inverse_offers(struct mesos_driver *driver,
                                                      Mesos__V1__OfferID *const *inverse_offer_ids,
                                                      size_t count,
                                                      const Mesos__V1__Filters *filters);

// `roles` ends with NULL, is copied and stays yours. NULL itself means all roles; an empty list
// does nothing.
enum mesos_status mesos_driver_revive_offers(struct mesos_driver *driver, const char *const *roles);
enum mesos_status mesos_driver_suppress_offers(struct mesos_driver *driver,
                                               const char *const *roles);

// The messages are copied and stay yours.
enum mesos_status mesos_driver_request_resources(struct mesos_driver *driver,
                                                 Mesos__V1__Request *const *requests, size_t count);

// ---- tasks and executors ----

// `agent_id` and `kill_policy` may be NULL. All are copied and stay yours.
enum mesos_status mesos_driver_kill_task(struct mesos_driver *driver,
                                         const Mesos__V1__TaskID *task_id,
                                         const Mesos__V1__AgentID *agent_id,
                                         const Mesos__V1__KillPolicy *kill_policy);

// Of each status task_id and agent_id are copied. Without any the master reports all tasks.
enum mesos_status mesos_driver_reconcile_tasks(struct mesos_driver *driver,
                                               Mesos__V1__TaskStatus *const *statuses,
                                               size_t count);

// Only with explicit acknowledgements. Hand in the status as it was received, or a copy of it; one
// that needs no acknowledgement is passed over. It stays whose it was.
enum mesos_status mesos_driver_acknowledge_status_update(struct mesos_driver *driver,
                                                         const Mesos__V1__TaskStatus *status);

// All are copied and stay yours.
enum mesos_status mesos_driver_send_framework_message(struct mesos_driver *driver,
                                                      const Mesos__V1__ExecutorID *executor_id,
                                                      const Mesos__V1__AgentID *agent_id,
                                                      const void *message, size_t length);
enum mesos_status mesos_driver_shutdown_executor(struct mesos_driver *driver,
                                                 const Mesos__V1__ExecutorID *executor_id,
                                                 const Mesos__V1__AgentID *agent_id);

// ---- operations on resources ----

// Only with explicit acknowledgements. The status stays whose it was.
enum mesos_status
mesos_driver_acknowledge_operation_status(struct mesos_driver *driver,
                                          const Mesos__V1__OperationStatus *status);

// Without any the master reports all operations. The messages are copied and stay yours.
enum mesos_status mesos_driver_reconcile_operations(
    struct mesos_driver *driver,
    Mesos__V1__Scheduler__Call__ReconcileOperations__Operation *const *operations, size_t count);

// ---- the framework ----

// Replaces FrameworkInfo, suppressed roles and offer constraints, by copies of these. What is
// missing of id, user, principal, hostname and checkpoint stays as it is; without capabilities
// these, and roles, are filled in as at the start. Before the first registration, or with another
// id, it is the end: `error`. A refused revision does not replace the last accepted one.
enum mesos_status
mesos_driver_update_framework(struct mesos_driver *driver,
                              const Mesos__V1__FrameworkInfo *framework,
                              const char *const *suppressed_roles,
                              const Mesos__V1__Scheduler__OfferConstraints *offer_constraints);

// Gives up the subscription and takes a new one. Keeps nothing of yours.
enum mesos_status mesos_driver_reconnect(struct mesos_driver *driver);

// In framework_removed, and of no effect elsewhere: drops the framework id and subscribes as a new
// framework, which begins with `registered`.
enum mesos_status mesos_driver_reregister(struct mesos_driver *driver);

// ---- what it knows ----

// Copies, which are yours. NULL before the id, or the master, is known. Free them with
// mesos__v1__framework_id__free_unpacked(id, NULL), mesos__v1__master_info__free_unpacked().
Mesos__V1__FrameworkID *mesos_driver_framework_id(struct mesos_driver *driver);
Mesos__V1__MasterInfo *mesos_driver_master(struct mesos_driver *driver);

// Copies of the outstanding offers, in the order in which they came; their number goes to `count`.
// NULL when there are none. They are yours: free them with mesos_driver_free_offers().
Mesos__V1__Offer **mesos_driver_offers(struct mesos_driver *driver, size_t *count);
void mesos_driver_free_offers(Mesos__V1__Offer **offers, size_t count);

// ---- executors ----

// The executor driver: what mesos/executor.hpp is for C++, over the v1 executor API, for a program
// that an agent starts as a custom executor. Ownership, threads, statuses and errors are those of
// the scheduler driver above. Of the agent's environment variables it reads all that there is to
// know; the one with the token is removed, so that children do not see it: create the driver before
// there are other threads that read the environment.
//
// With checkpointing the driver waits for an agent that is lost until the recovery timeout; without
// it, or after that, `shutdown` is called as if the agent had asked for it. A driver that shuts
// down stops by itself as soon as every task has a terminal update. When the grace period is over,
// the process is killed, with its process group if it leads one.
struct mesos_executor_driver;

// Any of them may be NULL: tasks fail then, or are killed at a shutdown; errors are logged; the
// rest is passed over. Start from { .size = sizeof(struct mesos_executor) }.
struct mesos_executor {
    size_t size;

    void (*registered)(void *data, struct mesos_executor_driver *driver,
                       const Mesos__V1__ExecutorInfo *executor,
                       const Mesos__V1__FrameworkInfo *framework,
                       const Mesos__V1__AgentInfo *agent);
    // The agent was away. What it had not acknowledged was sent along.
    void (*reregistered)(void *data, struct mesos_executor_driver *driver,
                         const Mesos__V1__AgentInfo *agent);
    void (*disconnected)(void *data, struct mesos_executor_driver *driver);

    void (*launch_task)(void *data, struct mesos_executor_driver *driver,
                        const Mesos__V1__TaskInfo *task);
    // NULL: launch_task for each of them.
    void (*launch_group)(void *data, struct mesos_executor_driver *driver,
                         Mesos__V1__TaskInfo *const *tasks, size_t count);
    // `kill_policy` is NULL if the task's own holds.
    void (*kill_task)(void *data, struct mesos_executor_driver *driver,
                      const Mesos__V1__TaskID *task_id, const Mesos__V1__KillPolicy *kill_policy);
    void (*framework_message)(void *data, struct mesos_executor_driver *driver, const void *message,
                              size_t length);
    // The last callback, but for `error`.
    void (*shutdown)(void *data, struct mesos_executor_driver *driver);

    // The driver was aborted before this call, and no other follows.
    void (*error)(void *data, struct mesos_executor_driver *driver, const char *message);
};

// Start from { .size = sizeof(struct mesos_executor_options) }.
struct mesos_executor_options {
    size_t size;
    struct uv_loop_s *loop; // yours, or NULL
};

// `options` may be NULL. Everything is copied. NULL if the environment is not that of an executor;
// then `error`, of `error_size` bytes (both may be 0), says why.
struct mesos_executor_driver *
mesos_executor_driver_create(const struct mesos_executor *executor, void *data,
                             const struct mesos_executor_options *options, char *error,
                             size_t error_size);
void mesos_executor_driver_destroy(struct mesos_executor_driver *driver); // NULL is fine

enum mesos_status mesos_executor_driver_start(struct mesos_executor_driver *driver);
// The driver ends when the agent has acknowledged all updates, or some seconds later.
enum mesos_status mesos_executor_driver_stop(struct mesos_executor_driver *driver);
enum mesos_status mesos_executor_driver_abort(struct mesos_executor_driver *driver);
enum mesos_status mesos_executor_driver_join(struct mesos_executor_driver *driver);
enum mesos_status mesos_executor_driver_run(struct mesos_executor_driver *driver);
enum mesos_status mesos_executor_driver_status(struct mesos_executor_driver *driver);

// Needs task_id and state; uuid, source and executor_id are filled in, and the timestamp if there
// is none. The update is kept, and sent again, until the agent acknowledges it. It is copied and
// stays yours.
enum mesos_status mesos_executor_driver_send_status_update(struct mesos_executor_driver *driver,
                                                           const Mesos__V1__TaskStatus *status);

// May be lost. It is copied and stays yours.
enum mesos_status mesos_executor_driver_send_framework_message(struct mesos_executor_driver *driver,
                                                               const void *message, size_t length);

// ---- the log ----

// Where the log of all drivers of the process goes from now on, and from which level: to
// `function`, which is called on any thread, but by one at a time, or, with NULL, to stderr. When
// it returns, the function that was there before is not called any more. The function must not call
// operations of a driver. At the start it is stderr and MESOS_LOG_INFO; MESOS_LOG_QUIET silences
// it.
void mesos_driver_set_log(mesos_log_function function, void *data, enum mesos_log_level level);

#ifdef __cplusplus
}
#endif

#endif
