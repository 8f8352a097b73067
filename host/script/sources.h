// SPDX-License-Identifier: Apache-2.0
//
// The Lua files of one version of a script, as they were when it read them. With them a version can
// be brought back when its files have long changed, and a change of a file can be told from a new
// time stamp alone. They are shared by references; the script that they belong to adds to them as
// long as it lives.

#ifndef MESOS_LUA_SCRIPT_SOURCES_H
#define MESOS_LUA_SCRIPT_SOURCES_H

#include "base/buffer.h"
#include "base/error.h"

struct sources;

struct source {
    char *module;       // what it was required as; NULL: the script itself
    char *path;         // under which it was opened
    struct bytes *text; // NULL: the file was missing or could not be read
    bool regular;       // true for a file that can be read again, false for a pipe or such
};

struct sources *sources_create(void); // empty; one reference
struct sources *sources_ref(struct sources *sources);
void sources_unref(struct sources *sources); // NULL is fine

// Reads a file and adds it, in place of the one of the same path. NULL, with `err` without the path
// in it, if it cannot be read; it is then added as missing.
const struct source *sources_read(struct sources *sources, const char *module, const char *path,
                                  struct error *err);
void sources_add(struct sources *sources, const struct source *source); // a copy; shares the text

// Notes that a module was not found at `path`, where it may appear later.
void sources_add_missing(struct sources *sources, const char *module, const char *path);

size_t sources_count(const struct sources *sources);
const struct source *sources_at(const struct sources *sources, size_t i); // in the order of reading

// The file that a module (NULL: the script) came from, else a note that it is missing, else NULL.
const struct source *sources_find(const struct sources *sources, const char *module);

// True if a file holds other bytes than it did, or one is there that was missing. A file that is
// gone or empty is taken for one that is being written: no change until it is there again.
bool sources_changed(const struct sources *sources);

// Appends the paths of the files that differ between two versions: "a.lua, b.lua (new)". A source
// that only the old version has read, since it ran for longer, is compared with its file.
void sources_compare(const struct sources *old, const struct sources *current, struct buffer *text);

#endif
