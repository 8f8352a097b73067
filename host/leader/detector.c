// SPDX-License-Identifier: Apache-2.0
//
// Choosing the detector for an address: see detector.h.

#include "leader/detector.h"

#include "leader/detector_file.h"
#include "leader/detector_static.h"
#include "leader/detector_zookeeper.h"

#include <string.h>

static const struct {
    const char *prefix;
    struct detector *(*create)(const char *address, const struct detector_options *options,
                               struct loop *loop, struct error *err);
} kinds[] = {
    {"zk://", detector_zookeeper_create},
    {"file://", detector_file_create},
    {"", detector_static_create}, // whatever is left
};

struct detector *detector_create_with(const char *address, const struct detector_options *options,
                                      struct loop *loop, struct error *err)
{
    static const struct detector_options defaults;
    size_t kind = 0;
    while (strncmp(address, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
        kind++;
    return kinds[kind].create(address, options ? options : &defaults, loop, err);
}

struct detector *detector_create(const char *address, struct loop *loop, struct error *err)
{
    return detector_create_with(address, NULL, loop, err);
}
