// SPDX-License-Identifier: Apache-2.0
//
// An address in a file: see detector_file.h. It owns a second detector, made from the contents,
// whose events it passes on; without one it looks at the file once a second.

#include "leader/detector_file.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/regular_file.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL LOOP_SECOND
#define CONTENTS 4096 // bytes of an address
static const char scheme[] = "file://";

struct detector_file {
    struct detector base;
    struct loop *loop;
    struct detector_options options; // of `inner`
    struct timer poll;
    char *path;
    char *contents;         // what `inner` was made from, or NULL
    struct detector *inner; // or NULL
    char logged[1024];      // the message that was logged last
};

static struct detector_file *self(struct detector *base)
{
    return (struct detector_file *)base;
}

// ---- reading ----

static bool is_file(const char *text)
{
    return strncmp(text, scheme, sizeof scheme - 1) == 0;
}

static void trim(char *text)
{
    size_t length = strlen(text), blank = 0;
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    text[length] = 0;
    while (isspace((unsigned char)text[blank]))
        blank++;
    memmove(text, text + blank, length - blank + 1);
}

static bool read_contents(const char *path, char contents[CONTENTS + 1], struct error *err)
{
    size_t length;
    int file = regular_file_open(AT_FDCWD, path, REGULAR_FILE, NULL, err);
    if (file < 0)
        return false;
    bool done = regular_file_read(file, contents, CONTENTS + 1, &length, err);
    close(file);
    if (done && length > CONTENTS)
        return error_set(err, ERROR_LIMIT, "it is longer than %d bytes", CONTENTS);
    contents[done ? length : 0] = 0;
    trim(contents);
    return done;
}

// It may be the wrong file, and hold secrets, which the errors of the other detectors would quote.
static bool no_address(struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "what it contains is not the address of a master, such as host:port or "
                     "zk://host:port/path (it is not shown here)");
}

// ---- the inner detector ----

static void on_leader(void *data, const char *master)
{
    struct detector_file *detector = data;
    detector->base.guess = detector->inner->guess;
    detector->base.events->leader(detector->base.data, master);
}

static void on_failed(void *data, const struct error *reason)
{
    struct detector_file *detector = data;
    detector->base.events->failed(detector->base.data, reason);
}

static const struct detector_events inner_events = {.leader = on_leader, .failed = on_failed};

static void drop_inner(struct detector_file *detector)
{
    detector_destroy(detector->inner);
    detector->inner = NULL;
    free(detector->contents);
    detector->contents = NULL;
}

// Starts a detector for the file's contents, or retries the present one if they are the same.
static bool look(struct detector_file *detector, struct error *err)
{
    char contents[CONTENTS + 1];
    if (!read_contents(detector->path, contents, err))
        return false;
    if (is_file(contents))
        return error_set(err, ERROR_INVALID, "it contains the name of a file once more");
    if (detector->inner != NULL && strcmp(contents, detector->contents) == 0) {
        detector_retry(detector->inner);
        return true;
    }
    if (*contents == 0)
        return error_set(err, ERROR_INVALID, "it is empty");
    drop_inner(detector);
    detector->inner = detector_create_with(contents, &detector->options, detector->loop, NULL);
    if (detector->inner == NULL)
        return no_address(err);
    detector->contents = memory_string(contents);
    detector->inner->events = &inner_events;
    detector->inner->data = detector;
    detector_start(detector->inner);
    return true;
}

// Once for each reason, not once a second.
static void log_once(struct detector_file *detector, const char *reason)
{
    if (strcmp(detector->logged, reason) == 0)
        return;
    snprintf(detector->logged, sizeof detector->logged, "%s", reason);
    log_warning("waiting for a master address in %s: %s", detector->path, reason);
}

static void on_poll(void *data)
{
    struct detector_file *detector = data;
    struct error err;
    if (look(detector, &err)) {
        detector->logged[0] = 0;
        return;
    }
    log_once(detector, err.text);
    timer_start(&detector->poll, INTERVAL);
}

// ---- life ----

static void start(struct detector *base)
{
    timer_start(&self(base)->poll, 0);
}

static void stop(struct detector *base)
{
    timer_stop(&self(base)->poll);
    drop_inner(self(base));
}

static void destroy(struct detector *base)
{
    stop(base);
    credentials_unref(self(base)->options.credentials);
    free(self(base)->path);
    free(base);
}

static const struct detector_ops ops = {
    .start = start, .retry = start, .stop = stop, .destroy = destroy};

struct detector *detector_file_create(const char *url, const struct detector_options *options,
                                      struct loop *loop, struct error *err)
{
    const char *path = url + sizeof scheme - 1;
    if (*path != '/') {
        error_set(err, ERROR_INVALID,
                  "master address '%s': an absolute path expected, such as "
                  "file:///etc/mesos/zk",
                  url);
        return NULL;
    }
    struct detector_file *detector = memory_new(sizeof *detector);
    detector->base.ops = &ops;
    detector->loop = loop;
    detector->options = *options;
    if (options->credentials != NULL)
        credentials_ref(options->credentials);
    detector->path = memory_string(path);
    timer_init(&detector->poll, loop, on_poll, detector);
    return &detector->base;
}
