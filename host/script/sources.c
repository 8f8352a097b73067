// SPDX-License-Identifier: Apache-2.0
//
// The files of a version: see sources.h.

#include "script/sources.h"

#include "base/memory.h"
#include "base/regular_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MOST = 64 << 20, MISSING_MOST = 1000 };

struct sources {
    size_t references;
    struct source **list;
    size_t count, missing;
};

struct sources *sources_create(void)
{
    struct sources *sources = memory_new(sizeof *sources);
    sources->references = 1;
    return sources;
}

struct sources *sources_ref(struct sources *sources)
{
    sources->references++;
    return sources;
}

void sources_unref(struct sources *sources)
{
    if (sources == NULL || --sources->references > 0)
        return;
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->list[i]->module);
        free(sources->list[i]->path);
        bytes_unref(sources->list[i]->text);
        free(sources->list[i]);
    }
    free(sources->list);
    free(sources);
}

// ---- reading ----

static bool same_text(const struct bytes *a, const struct bytes *b)
{
    return a == b || (a != NULL && b != NULL && slice_equal(slice_of(a), slice_of(b)));
}

// The contents of a file, or NULL. A pipe that no process writes to is an error.
static struct bytes *read_file(const char *path, enum regular_file_kinds kinds, bool *regular,
                               struct error *err)
{
    struct stat status;
    struct buffer buffer;
    struct bytes *text = NULL;
    int file = regular_file_open(AT_FDCWD, path, kinds, &status, err);
    if (file < 0)
        return NULL;
    buffer_init(&buffer, FILE_MOST);
    *regular = S_ISREG(status.st_mode);
    bool read = regular_file_read_all(file, &buffer, err);
    if (read && (*regular || buffer.length > 0))
        text = bytes_copy(buffer_string(&buffer), buffer.length);
    else if (read)
        error_set(err, ERROR_INVALID, "it is a pipe that holds nothing, and no process writes to");
    buffer_free(&buffer);
    close(file);
    return text;
}

// ---- the list ----

static struct source *find_path(const struct sources *sources, const char *path)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->list[i]->path, path) == 0)
            return sources->list[i];
    return NULL;
}

// Takes over the reference to the text.
static struct source *put(struct sources *sources, const char *module, const char *path,
                          struct bytes *text, bool regular)
{
    struct source *source = find_path(sources, path);
    if (source == NULL) {
        source = memory_new(sizeof *source);
        source->module = memory_string(module);
        source->path = memory_string(path);
        sources->list = memory_resize(sources->list, (sources->count + 1) * sizeof *sources->list);
        sources->list[sources->count++] = source;
    }
    bytes_unref(source->text);
    source->text = text;
    source->regular = regular;
    return source;
}

const struct source *sources_read(struct sources *sources, const char *module, const char *path,
                                  struct error *err)
{
    bool regular = true;
    struct bytes *text =
        read_file(path, module ? REGULAR_FILE : REGULAR_FILE_OR_PIPE, &regular, err);
    if (text != NULL)
        return put(sources, module, path, text, regular);
    sources_add_missing(sources, module, path);
    return NULL;
}

void sources_add(struct sources *sources, const struct source *source)
{
    struct bytes *text = source->text ? bytes_ref(source->text) : NULL;
    put(sources, source->module, source->path, text, source->regular);
}

void sources_add_missing(struct sources *sources, const char *module, const char *path)
{
    if (sources->missing >= MISSING_MOST || find_path(sources, path) != NULL)
        return;
    sources->missing++;
    put(sources, module, path, NULL, true);
}

size_t sources_count(const struct sources *sources)
{
    return sources->count;
}

const struct source *sources_at(const struct sources *sources, size_t i)
{
    return sources->list[i];
}

static bool is_module(const struct source *source, const char *module)
{
    if (module == NULL || source->module == NULL)
        return module == source->module;
    return strcmp(module, source->module) == 0;
}

const struct source *sources_find(const struct sources *sources, const char *module)
{
    const struct source *found = NULL;
    for (size_t i = 0; i < sources->count; i++)
        if (is_module(sources->list[i], module) && (found == NULL || found->text == NULL))
            found = sources->list[i];
    return found;
}

// ---- comparing ----

static bool file_changed(const struct source *source)
{
    bool regular = false;
    if (!source->regular)
        return false;
    struct bytes *text = read_file(source->path, REGULAR_FILE, &regular, NULL);
    bool changed = text != NULL && regular && !same_text(text, source->text) &&
                   (text->length > 0 || source->text == NULL);
    bytes_unref(text);
    return changed;
}

bool sources_changed(const struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        if (file_changed(sources->list[i]))
            return true;
    return false;
}

static void name(struct buffer *text, const char *path, const char *how)
{
    buffer_format(text, "%s%s%s", text->length > 0 ? ", " : "", path, how);
}

void sources_compare(const struct sources *old, const struct sources *current, struct buffer *text)
{
    for (size_t i = 0; i < current->count; i++) {
        const struct source *now = current->list[i], *before = find_path(old, now->path);
        bool known = before != NULL && before->text != NULL;
        if (now->text != NULL && !same_text(now->text, known ? before->text : NULL))
            name(text, now->path, known ? "" : " (new)");
    }
    for (size_t i = 0; i < old->count; i++)
        if (find_path(current, old->list[i]->path) == NULL && file_changed(old->list[i]))
            name(text, old->list[i]->path, "");
}
