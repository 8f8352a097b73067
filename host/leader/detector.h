// SPDX-License-Identifier: Apache-2.0
//
// Finding the leading master. A detector turns the address that a user wrote into the address of
// the master that leads now, "http://host:port" or "https://host:port", and says so again whenever
// it changes. If name and ip of a master are both known it is "https://name:port#ip" (net/url.h).

#ifndef MESOS_LUA_LEADER_DETECTOR_H
#define MESOS_LUA_LEADER_DETECTOR_H

#include "base/error.h"
#include "loop/loop.h"
#include "net/credentials.h"

struct detector;

struct detector_events {
    void (*leader)(void *data, const char *master);         // NULL: there is none now
    void (*failed)(void *data, const struct error *reason); // it gave up; nothing follows
};

struct detector_options {
    double session_timeout; // seconds, of ZooKeeper; 0: 10
    bool tls; // masters that are found without a scheme (ZooKeeper has none) are taken for https
    struct credentials *credentials; // take user and password of a master's address, or NULL; a
                                     // reference is taken
};

struct detector_ops {
    void (*start)(struct detector *detector); // the first event comes later, not inside start()
    // The leader that it named could not be reached: look again, or rotate.
    void (*retry)(struct detector *detector);
    void (*stop)(struct detector *detector); // no event after it
    void (*destroy)(struct detector *detector);
};

struct detector {
    const struct detector_ops *ops;
    const struct detector_events *events;
    void *data;
    bool guess; // the last leader is the next of a list, as the one before failed: it is not known
                // to lead
};

// A detector for `address` as users write it, or NULL and an error that names what is wrong with
// it. `options` may be NULL.
struct detector *detector_create_with(const char *address, const struct detector_options *options,
                                      struct loop *loop, struct error *err);
struct detector *detector_create(const char *address, struct loop *loop, struct error *err);

static inline void detector_start(struct detector *detector)
{
    detector->ops->start(detector);
}

static inline void detector_retry(struct detector *detector)
{
    detector->ops->retry(detector);
}

static inline void detector_stop(struct detector *detector)
{
    detector->ops->stop(detector);
}

static inline void detector_destroy(struct detector *detector)
{
    if (detector != NULL)
        detector->ops->destroy(detector);
}

#endif
