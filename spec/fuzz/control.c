// SPDX-License-Identifier: Apache-2.0
//
// What a client of the control socket may send, in pieces of any length: each line gives a command
// or a complaint, none is lost, how the bytes were cut makes no difference, and what was understood
// is understood alike when it is written as JSON.

#include "ops/control.h"
#include "base/buffer.h"
#include "ops/control_line.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_round(const struct control_line *line)
{
    json_t *object = json_pack("{s:s, s:s%}", "command", line->command, "argument",
                               line->argument.data, line->argument.length);
    if (object == NULL)
        return; // plain words need not be UTF-8
    char *text = json_dumps(object, JSON_COMPACT);
    struct control_line again;
    check(control_line_read(slice_text(text), true, &again));
    check(again.complaint == NULL && strcmp(again.command, line->command) == 0);
    check(slice_equal(again.argument, line->argument));
    check(again.length == strlen(text));
    control_line_free(&again);
    json_decref(object);
    free(text);
}

static void check_line(const struct control_line *line)
{
    check(line->command == NULL || line->complaint == NULL);
    check(line->argument.data != NULL);
    if (line->command != NULL)
        check_round(line);
}

// Appends what the lines of the input say, and takes them out of it.
static void take(struct buffer *input, bool ended, struct buffer *said)
{
    struct control_line line;
    while (control_line_read(buffer_slice(input), ended, &line)) {
        check(line.length > 0 && line.length <= input->length);
        check_line(&line);
        buffer_format(said, "%s|%s|", line.command ? line.command : "",
                      line.complaint ? line.complaint : "");
        buffer_append_slice(said, line.argument);
        buffer_append_text(said, "\n");
        buffer_consume(input, line.length);
        control_line_free(&line);
    }
}

// As a session does, which reads pieces of `step` bytes; 0: all at once.
static void hear(const uint8_t *data, size_t size, size_t step, struct buffer *said)
{
    struct buffer input;
    buffer_init(&input, CONTROL_REQUEST);
    for (size_t at = 0; at < size;) {
        size_t length = step == 0 || step > size - at ? size - at : step;
        check(buffer_append(&input, data + at, length));
        take(&input, false, said);
        at += length;
    }
    take(&input, true, said);
    check(input.length == 0);
    buffer_free(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer whole, pieces;
    if (size == 0)
        return 0;
    buffer_init(&whole, 4 * CONTROL_REQUEST);
    buffer_init(&pieces, 4 * CONTROL_REQUEST);
    hear(data + 1, size - 1, 0, &whole);
    hear(data + 1, size - 1, 1 + data[0], &pieces);
    check(slice_equal(buffer_slice(&whole), buffer_slice(&pieces)));
    buffer_free(&whole);
    buffer_free(&pieces);
    return 0;
}
