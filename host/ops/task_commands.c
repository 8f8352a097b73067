// SPDX-License-Identifier: Apache-2.0
//
// Tasks for an operator: see task_commands.h. An output that is being waited for outlives its
// client; the driver's end ends it.

#include "ops/task_commands.h"

#include "base/memory.h"
#include "bindings/message/inspect.h"
#include "mesos/task_output.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <time.h>

enum { PIECE = 64 << 10, WORD_MOST = 1024, LISTED_MOST = 2000 };

static const ProtobufCEnumDescriptor *const states = &mesos__v1__task_state__descriptor;

// The next word; false at the end.
static bool next_word(struct slice *words, char word[WORD_MOST])
{
    size_t at = 0, length = 0;
    while (at < words->length && isspace(words->data[at]))
        at++;
    while (at < words->length && !isspace(words->data[at]) && length < WORD_MOST - 1)
        word[length++] = (char)words->data[at++];
    word[length] = '\0';
    words->data = words->length ? words->data + at : words->data;
    words->length -= at;
    return length > 0;
}

// The same of a client that separates its words with '\n', as there are spaces in ids and files.
static bool next_part(struct slice *parts, char part[WORD_MOST])
{
    const uint8_t *end = parts->length ? memchr(parts->data, '\n', parts->length) : NULL;
    size_t length = end ? (size_t)(end - parts->data) : parts->length;
    size_t kept = length < WORD_MOST ? length : WORD_MOST - 1;
    if (kept > 0)
        memcpy(part, parts->data, kept);
    part[kept] = '\0';
    length += end != NULL;
    parts->data = parts->length ? parts->data + length : parts->data;
    parts->length -= length;
    return kept > 0;
}

// ---- the list ----

// "running", "RUNNING" or "TASK_RUNNING".
static bool read_state(const char *word, uint32_t *mask, struct error *err)
{
    char name[WORD_MOST + 8];
    snprintf(name, sizeof name, "%s%s", strncasecmp(word, "TASK_", 5) == 0 ? "" : "TASK_", word);
    for (char *at = name; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(states, name);
    if (value == NULL)
        return error_set(err, ERROR_INVALID, "tasks: '%.100s' is no state of a task, as running is",
                         word);
    *mask |= TASK_STATE_BIT(task_slot(value->value));
    return true;
}

static bool read_states(struct slice words, uint32_t *mask, struct error *err)
{
    char word[WORD_MOST];
    *mask = 0;
    while (next_word(&words, word))
        if (!read_state(word, mask, err))
            return false;
    *mask = *mask ? *mask : TASK_STATES_ALL;
    return true;
}

static void put_cell(struct buffer *out, struct slice text, int width)
{
    size_t before = out->length;
    inspect_text(out, text.length ? (const char *)text.data : "-", text.length ? text.length : 1);
    size_t length = out->length - before;
    buffer_format(out, "%*s", length < (size_t)width ? (int)((size_t)width - length) + 2 : 2, "");
}

static void put_task(const struct tasks *tasks, const struct task *task, int width,
                     struct buffer *out)
{
    const ProtobufCEnumValue *state = protobuf_c_enum_descriptor_get_value(states, task->state);
    double when = task->updated > 0 ? task->updated : task->launched;
    time_t whole = (time_t)when;
    struct tm parts;
    char since[32] = "-";
    if (when > 0 && localtime_r(&whole, &parts) != NULL)
        strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", &parts);
    put_cell(out, task_id(task), width);
    put_cell(out, slice_text(state ? state->name : "?"), 20);
    put_cell(out, slice_text(since), 19);
    put_cell(out, task_agent_id(tasks, task), 40);
    inspect_text(out, (const char *)task_name(task).data, task_name(task).length);
    buffer_append_text(out, "\n");
}

static int widest(const struct tasks *tasks, const struct task_handle *list, size_t count)
{
    size_t width = strlen("TASK");
    for (size_t i = 0; i < count; i++) {
        size_t length = task_id(tasks_at(tasks, list[i])).length;
        width = length > width ? length : width;
    }
    return width < 60 ? (int)width : 60;
}

bool task_commands_list(struct driver *driver, struct slice words, struct buffer *out,
                        struct error *err)
{
    const struct tasks *tasks = driver_tasks(driver);
    struct task_filter filter = {.states = 0};
    size_t count;
    if (!read_states(words, &filter.states, err))
        return false;
    struct task_handle *list = tasks_select(tasks, &filter, &count);
    size_t shown = count < LISTED_MOST ? count : LISTED_MOST;
    int width = widest(tasks, list, shown);
    buffer_format(out, "%-*s  %-20s  %-19s  %-40s  %s\n", width, "TASK", "STATE", "SINCE", "AGENT",
                  "NAME");
    for (size_t i = 0; i < shown; i++)
        put_task(tasks, tasks_at(tasks, list[i]), width, out);
    if (count > shown)
        buffer_format(out, "... and %zu more\n", count - shown);
    free(list);
    return true;
}

// ---- output ----

struct task_commands {
    LIST_HEAD(, output_command) outputs; // that are waited for
};

struct output_command {
    LIST_ENTRY(output_command) link;
    struct driver *driver; // valid as long as a result is no failure
    struct control_request *request;
    struct task_output *output;
    char *task;
};

static void fail(struct control_request *request, const char *text)
{
    struct buffer clean;
    buffer_init(&clean, 4096);
    inspect_text(&clean, text, strlen(text));
    control_reply(request, json_pack("{s:b, s:s}", "ok", 0, "error", buffer_string(&clean)));
    buffer_free(&clean);
}

// The length without a character that is cut by the end; what comes later may complete it.
static size_t whole_characters(struct slice data)
{
    for (size_t back = 1; back <= 3 && back <= data.length; back++) {
        uint8_t byte = data.data[data.length - back];
        size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        if (byte >= 0xc0)
            return length > back ? data.length - back : data.length;
        if (byte < 0x80)
            break;
    }
    return data.length;
}

static void tell(const struct output_command *command, const struct task_output_result *result)
{
    const struct task *task = tasks_find(driver_tasks(command->driver), slice_text(command->task));
    bool over = task == NULL || !task_is_active(task);
    size_t whole = whole_characters(result->data), length = result->data.length;
    length = over || whole == 0 ? length : whole;
    struct buffer text;
    buffer_init(&text, 4 * PIECE + 16);
    inspect_text(&text, (const char *)result->data.data, length);
    control_reply(command->request,
                  json_pack("{s:b, s:s, s:I, s:I, s:b}", "ok", 1, "output", buffer_string(&text),
                            "offset", (json_int_t)(result->offset + length), "size",
                            (json_int_t)result->size, "over", over));
    buffer_free(&text);
}

static void free_command(struct output_command *command)
{
    LIST_REMOVE(command, link);
    task_output_destroy(command->output);
    free(command->task);
    free(command);
}

static void on_output(void *data, const struct task_output_result *result)
{
    struct output_command *command = data;
    if (result->failure != NULL)
        fail(command->request, result->failure);
    else
        tell(command, result);
    free_command(command);
}

void task_commands_output(struct task_commands *commands, struct driver *driver, struct slice words,
                          struct control_request *request)
{
    char task[WORD_MOST], file[WORD_MOST], offset[WORD_MOST];
    struct error err = {0};
    bool parted = words.length > 0 && memchr(words.data, '\n', words.length) != NULL;
    bool (*next)(struct slice *, char *) = parted ? next_part : next_word;
    if (!next(&words, task)) {
        fail(request, "logs: the id of a task expected");
        return;
    }
    const struct task_output_request wanted = {
        .task_id = slice_text(task),
        .file = next(&words, file) ? file : "stdout",
        .offset = next(&words, offset) ? strtoll(offset, NULL, 10) : 0,
        .length = PIECE,
    };
    struct output_command *command = memory_new(sizeof *command);
    *command =
        (struct output_command){.driver = driver, .request = request, .task = memory_string(task)};
    LIST_INSERT_HEAD(&commands->outputs, command, link);
    command->output = task_output_start(driver, &wanted, on_output, command, &err);
    if (command->output != NULL)
        return;
    fail(request, err.text);
    free_command(command);
}

struct task_commands *task_commands_create(void)
{
    struct task_commands *commands = memory_new(sizeof *commands);
    LIST_INIT(&commands->outputs);
    return commands;
}

void task_commands_destroy(struct task_commands *commands)
{
    struct output_command *command;
    while (commands != NULL && (command = LIST_FIRST(&commands->outputs)) != NULL) {
        fail(command->request, "the host ends");
        free_command(command);
    }
    free(commands);
}
