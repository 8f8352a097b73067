// SPDX-License-Identifier: Apache-2.0
//
// Which detector an address wants: see detector.h.

#include "mesos/detector.h"

#include "mesos/detector_file.h"
#include "mesos/detector_static.h"

#include <stdlib.h>
#include <string.h>

// The address may contain a password, so the error does not quote it.
static struct detector *refuse_zookeeper(const char *address, struct loop *loop,
                                         const struct detector_options *options, struct error *err)
{
    (void)address;
    (void)loop;
    (void)options;
    error_set(err, ERROR_INVALID,
              "ZooKeeper addresses (zk://) come with a later version; give the addresses of the "
              "masters instead: host:port,host:port");
    return NULL;
}

static const struct {
    const char *prefix;
    struct detector *(*create)(const char *address, struct loop *loop,
                               const struct detector_options *options, struct error *err);
} kinds[] = {
    {"zk://", refuse_zookeeper},
    {"file://", detector_file_create},
    {"", detector_static_create}, // whatever is left
};

struct detector *detector_create(const char *address, struct loop *loop,
                                 const struct detector_options *options, struct error *err)
{
    static const struct detector_options defaults;
    size_t kind = 0;
    while (strncmp(address, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
        kind++;
    return kinds[kind].create(address, loop, options ? options : &defaults, err);
}
