// SPDX-License-Identifier: Apache-2.0
//
// The scheduler API: see peer_api.h.

#include "net/peer_api.h"

#include <stddef.h>

const struct peer_api peer_api_master = {
    .peer = "master", .path = "/api/v1/scheduler", .stream_ids = true};
