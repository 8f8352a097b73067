// SPDX-License-Identifier: Apache-2.0
//
// What survives a process, as one document: see state_file.h.

#include "app/state_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char magic[] = "mesos-lua state ";

enum { CHECKSUM_LINE = 9 + 16 + 1 }; // "checksum ", 16 digits, newline

// FNV-1a.
static uint64_t checksum(struct slice bytes)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < bytes.length; i++)
        sum = (sum ^ bytes.data[i]) * UINT64_C(1099511628211);
    return sum;
}

// ---- writing ----

static bool is_line(struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < ' ' || text.data[i] == 0x7f)
            return false;
    return true;
}

static bool write_time(double wall, struct buffer *out)
{
    struct tm parts;
    char text[32];
    time_t seconds = (time_t)wall;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return buffer_format(out, "saved %s\n", text);
}

static bool write_id(struct slice id, struct buffer *out)
{
    return id.length == 0 || buffer_format(out, "framework-id %.*s\n", SLICE_ARGS(id));
}

bool state_file_write(const struct state_file *contents, double wall, struct buffer *out,
                      struct error *err)
{
    buffer_clear(out);
    if (!is_line(contents->framework_id))
        return error_set(err, ERROR_INVALID, "the framework id '%.*s' has control characters",
                         SLICE_ARGS(contents->framework_id));
    bool written = buffer_format(out, "%s%d\n", magic, STATE_FILE_VERSION) &&
                   write_id(contents->framework_id, out) && write_time(wall, out) &&
                   buffer_format(out, "state %zu\n", contents->state.length) &&
                   buffer_append_slice(out, contents->state) && buffer_append_text(out, "\n") &&
                   buffer_format(out, "checksum %016" PRIx64 "\n", checksum(buffer_slice(out)));
    return written ||
           error_set(err, ERROR_LIMIT, "the state takes more than %zu bytes", out->limit);
}

// ---- reading ----

static void skip(struct slice *input, size_t length)
{
    input->data += length;
    input->length -= length;
}

// The line behind `word`, if the input begins with that; the input goes on with the next line.
static bool read_line(struct slice *input, const char *word, struct slice *value)
{
    size_t length = strlen(word);
    if (input->length < length || memcmp(input->data, word, length) != 0)
        return false;
    const uint8_t *end = memchr(input->data, '\n', input->length);
    if (end == NULL)
        return false;
    *value = (struct slice){input->data + length, (size_t)(end - input->data) - length};
    skip(input, value->length + length + 1);
    return true;
}

static bool read_number(struct slice digits, size_t *number)
{
    *number = 0;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *number = *number * 10 + digits.data[i] - '0';
    }
    return digits.length > 0 && digits.length <= 12;
}

static bool check_version(struct slice *input, struct error *err)
{
    struct slice value;
    size_t version = 0;
    if (input->length == 0)
        return error_set(err, ERROR_INVALID, "it is empty");
    if (!read_line(input, magic, &value) || !read_number(value, &version))
        return error_set(err, ERROR_INVALID, "it is not a state file of mesos-lua");
    return version == STATE_FILE_VERSION ||
           error_set(err, ERROR_INVALID,
                     "it has format %zu, this version of mesos-lua reads format %d", version,
                     STATE_FILE_VERSION);
}

// Removes the last line from the document.
static bool check_sum(struct slice *document, struct error *err)
{
    char line[CHECKSUM_LINE + 1];
    bool whole = document->length > CHECKSUM_LINE;
    size_t length = whole ? document->length - CHECKSUM_LINE : 0;
    const uint8_t *last = document->data + length;
    if (!whole || memcmp(last, "checksum ", 9) != 0 || last[-1] != '\n')
        return error_set(err, ERROR_INVALID, "it is cut off, or was changed: its end is missing");
    document->length = length;
    snprintf(line, sizeof line, "checksum %016" PRIx64 "\n", checksum(*document));
    return memcmp(last, line, CHECKSUM_LINE) == 0 ||
           error_set(err, ERROR_INVALID, "it is damaged, or was changed: its checksum is wrong");
}

static bool read_parts(struct slice input, struct state_file *contents)
{
    struct slice value;
    size_t length = 0;
    read_line(&input, "framework-id ", &contents->framework_id);
    if (!read_line(&input, "saved ", &value) || !read_line(&input, "state ", &value))
        return false;
    if (!read_number(value, &length) || input.length == 0 || length != input.length - 1)
        return false;
    contents->state = (struct slice){input.data, length};
    return input.data[length] == '\n';
}

bool state_file_read(struct slice document, struct state_file *contents, struct error *err)
{
    struct slice input = document;
    *contents = (struct state_file){.state = {.data = NULL}};
    if (!check_version(&input, err) || !check_sum(&document, err))
        return false;
    size_t head = (size_t)(input.data - document.data);
    if (head <= document.length)
        input.length = document.length - head;
    if (head > document.length || !read_parts(input, contents))
        return error_set(err, ERROR_INVALID, "its parts are malformed");
    return true;
}
