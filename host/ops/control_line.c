// SPDX-License-Identifier: Apache-2.0
//
// The requests of a client: see control_line.h. The contents of a line are copied, so the input may
// be discarded before the request is carried out.

#include "ops/control_line.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void complain(struct control_line *line, const char *complaint)
{
    line->command = NULL;
    line->argument = slice_text("");
    line->complaint = complaint;
}

static void read_object(struct control_line *line, struct slice text)
{
    const char *argument = "";
    size_t length = 0;
    json_error_t reason;
    line->object = json_loadb((const char *)text.data, text.length, 0, &reason);
    if (line->object == NULL)
        complain(line, "the request is not JSON");
    else if (json_unpack(line->object, "{s:s, s?s%}", "command", &line->command, "argument",
                         &argument, &length) != 0)
        complain(line, "the request is not {\"command\": \"...\", \"argument\": \"...\"}");
    else
        line->argument = (struct slice){(const uint8_t *)argument, length};
}

static void read_words(struct control_line *line, struct slice text)
{
    line->text = memory_text((const char *)text.data, text.length);
    size_t length = strcspn(line->text, " ");
    size_t start = length + strspn(line->text + length, " ");
    line->text[length] = '\0';
    line->command = line->text;
    line->argument = (struct slice){(const uint8_t *)line->text + start, text.length - start};
}

bool control_line_read(struct slice input, bool ended, struct control_line *line)
{
    *line = (struct control_line){.argument = slice_text("")};
    const uint8_t *newline = input.length ? memchr(input.data, '\n', input.length) : NULL;
    if (newline == NULL && !(ended && input.length > 0))
        return false;
    struct slice text = {input.data, newline ? (size_t)(newline - input.data) : input.length};
    line->length = text.length + (newline != NULL);
    if (text.length > 0 && text.data[text.length - 1] == '\r')
        text.length--;
    if (text.length == 0)
        return true;
    if (memchr(text.data, '\0', text.length) != NULL)
        complain(line, "the request has a zero byte in it");
    else if (text.data[0] == '{')
        read_object(line, text);
    else
        read_words(line, text);
    return true;
}

void control_line_free(struct control_line *line)
{
    json_decref(line->object);
    free(line->text);
    *line = (struct control_line){.argument = slice_text("")};
}
