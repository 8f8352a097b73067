// SPDX-License-Identifier: Apache-2.0
//
// `mesos-lua new NAME [--kind KIND]`: a framework to start from, with its tests.

#ifndef MESOS_LUA_CLI_NEW_FILES_H
#define MESOS_LUA_CLI_NEW_FILES_H

#include "app/options.h"

#include <stddef.h>

// A template of host/cli/new, in which NAME stands for the name.
struct new_text {
    const char *file; // "batch.lua", "batch_spec.lua"; NULL: behind the last row
    const char *text; // not ended by '\0'
    size_t length;
};

extern const struct new_text new_texts[]; // made by new_texts.lua

// Returns the exit status: 0, or 2 if nothing was written. No file that is there is changed.
int new_files_write(const struct options *options);

#endif
