// SPDX-License-Identifier: Apache-2.0
//
// What survives a process, as one document: the framework's id and mesos.state. The head is text:
// `head -5` shows an operator whose file it is. The state is as script/serialize.h writes it, and a
// checksum over all of it stands at the end.
//
//     mesos-lua state 1
//     framework-id 20ee6b2e-a37c-4b9d-9d3a-6f2d5f1c9a10-0003        left out if there is none
//     saved 2026-11-22T15:04:05Z
//     state 1234
//     <1234 bytes>
//     checksum 0123456789abcdef
//
// The checksum finds damage, not malice: write access to the file is as good as being the
// framework.

#ifndef MESOS_LUA_APP_STATE_FILE_H
#define MESOS_LUA_APP_STATE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

enum { STATE_FILE_VERSION = 1 };

struct state_file {
    struct slice framework_id; // empty: none
    struct slice state;        // as serialize_save() wrote it; empty: none
};

// Replaces the contents of `out` by the document; `wall` is the time, in seconds since the Unix
// epoch. False at the cap of `out`, or if the id has control characters.
bool state_file_write(const struct state_file *contents, double wall, struct buffer *out,
                      struct error *err);

// Reads a document; the slices point into it. False if it has another version, or is not as it was
// written.
bool state_file_read(struct slice document, struct state_file *contents, struct error *err);

#endif
