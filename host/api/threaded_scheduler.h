// SPDX-License-Identifier: Apache-2.0
//
// The scheduler driver of driver.h for a program with several threads: a threaded driver that also
// knows, for all threads, the framework id, the master, and which offers are outstanding.

#ifndef MESOS_LUA_API_THREADED_SCHEDULER_H
#define MESOS_LUA_API_THREADED_SCHEDULER_H

#include "api/operation.h"
#include "api/threaded_driver.h"
#include "mesos/driver.h"
#include "net/credentials.h"
#include "net/tls.h"

struct threaded_scheduler_options {
    struct uv_loop_s *uv; // NULL: a loop and a thread of its own
    const char *master;
    bool tls_first;         // for addresses without a scheme
    struct tls_options tls; // copied
    struct credentials_options credentials;
    // FrameworkInfo, suppressed roles, constraints, acknowledgements; the rest is filled in.
    struct driver_options driver;
};

// Called on the loop's thread; false: it failed, and its event is not acknowledged.
// The driver may be destroyed in it.
typedef bool (*threaded_scheduler_callback)(void *data, const struct driver_event *event);

// Its operations are struct driver_operation.
struct threaded_driver *threaded_scheduler_create(const struct threaded_scheduler_options *options,
                                                  threaded_scheduler_callback callback, void *data,
                                                  struct error *err);

// ---- on any thread ----

// Copies of what is known. framework_id: NULL before registration; free(). master: one reference,
// NULL when there is none. offers: a sequence of OfferID and Offer messages as field 1, in `list`.
char *threaded_scheduler_framework_id(struct threaded_driver *driver);
struct bytes *threaded_scheduler_master(struct threaded_driver *driver);
size_t threaded_scheduler_offers(struct threaded_driver *driver, struct buffer *list);

#endif
