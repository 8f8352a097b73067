// SPDX-License-Identifier: Apache-2.0
//
// The driver of driver.h for a program with several threads. The driver itself lives on the thread
// of its loop, as everything else does; here is what may be touched from outside: the status, what
// is known of master and framework, and which offers are outstanding, all under one mutex.
// Operations are posted to the loop's thread, where they are carried out in order.
//
// The status changes when stop or abort is called, not when the loop's thread carries it out, and
// no callback but `error` starts after that.
//
// The loop is the embedder's, which runs it, and creates and destroys the driver on its thread; or
// one of the driver's own, which a thread runs from start to end.

#ifndef MESOS_LUA_API_THREADED_DRIVER_H
#define MESOS_LUA_API_THREADED_DRIVER_H

#include "api/operation.h"
#include "mesos/driver.h"

struct threaded_driver;
struct uv_loop_s;

struct threaded_driver_options {
    struct uv_loop_s *uv; // NULL: a loop and a thread of its own
    const char *master;
    // FrameworkInfo, suppressed roles, constraints, acknowledgements; the rest is filled in.
    struct driver_options driver;
};

// Called on the loop's thread; false: it failed, and its event is not acknowledged.
// The driver may be destroyed in it.
typedef bool (*threaded_callback)(void *data, const struct driver_event *event);

struct threaded_driver *threaded_driver_create(const struct threaded_driver_options *options,
                                               threaded_callback callback, void *data,
                                               struct error *err);

// Aborts it if it runs. With a thread of its own it waits for that thread, unless it is called on
// it; then, as inside any callback, what is left goes when the callback has returned.
void threaded_driver_destroy(struct threaded_driver *driver);

// ---- on any thread ----

enum driver_status threaded_driver_start(struct threaded_driver *driver, struct error *err);
enum driver_status threaded_driver_stop(struct threaded_driver *driver, bool failover);
enum driver_status threaded_driver_abort(struct threaded_driver *driver);

// Waits for the end. On the loop's thread, where that would block for ever: an error and the
// status.
enum driver_status threaded_driver_join(struct threaded_driver *driver, struct error *err);

// Start and join, for a driver that may be destroyed in a callback between the two.
enum driver_status threaded_driver_run(struct threaded_driver *driver, struct error *err);

enum driver_status threaded_driver_status(struct threaded_driver *driver);

// Takes the operation. With an error, for instance about an offer, nothing is done.
enum driver_status threaded_driver_submit(struct threaded_driver *driver,
                                          struct driver_operation *operation, struct error *err);

// Copies of what is known. framework_id: NULL before registration; free(). master: one reference,
// NULL when there is none. offers: a sequence of OfferID and Offer messages as field 1, in `list`.
char *threaded_driver_framework_id(struct threaded_driver *driver);
struct bytes *threaded_driver_master(struct threaded_driver *driver);
size_t threaded_driver_offers(struct threaded_driver *driver, struct buffer *list);

#endif
