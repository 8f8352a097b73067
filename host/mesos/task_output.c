// SPDX-License-Identifier: Apache-2.0
//
// What a task printed: see task_output.h. First the master tells the address of the agent, then the
// agent gives pieces of the file until there are enough. A driver that is destroyed meanwhile ends
// what it was asked for; its list of these is in driver_internal.h.

#include "mesos/task_output.h"

#include "base/memory.h"
#include "mesos/driver_internal.h"
#include "net/curl_loop.h"
#include "net/http_client.h"

#include "mesos/v1/agent/agent.pb-c.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MOST ((size_t)64 << 20) // bytes of a master's list of agents
#define REPLY_OVERHEAD ((size_t)1 << 16)

// Where in the sandbox the file may be, in the order in which it is looked for.
enum output_place {
    PLACE_TASK,    // the folder of a task of a group
    PLACE_SANDBOX, // of the executor
};

struct task_output {
    LIST_ENTRY(task_output) link; // of the driver
    struct driver *driver;        // NULL: it is gone
    struct curl_loop *curl;
    struct http_client *fetch; // the request under way, or NULL
    char *task_id, *executor_id, *agent_id, *framework_id, *file;
    char *address, *process; // of the agent: "10.0.0.3:5051", "slave(1)"; NULL: not known yet
    enum output_place place;
    bool measuring; // the first question is about the size
    int64_t offset;
    size_t length;
    uint64_t size;
    struct buffer data;
    struct error error;
    const char *code;
    struct deferral end;
    void (*on_done)(void *data, const struct task_output_result *result);
    void *owner;
};

// ---- the end ----

static void leave_driver(struct task_output *output)
{
    if (output->driver != NULL)
        LIST_REMOVE(output, link);
    output->driver = NULL;
}

void task_output_destroy(struct task_output *output)
{
    if (output == NULL)
        return;
    leave_driver(output);
    http_client_destroy(output->fetch);
    curl_loop_destroy(output->curl);
    deferral_cancel(&output->end);
    buffer_free(&output->data);
    free(output->task_id);
    free(output->executor_id);
    free(output->agent_id);
    free(output->framework_id);
    free(output->file);
    free(output->address);
    free(output->process);
    free(output);
}

static void on_end(void *data)
{
    struct task_output *output = data;
    leave_driver(output); // it is told once, also if the driver ends meanwhile
    const struct task_output_result result = {
        .data = buffer_slice(&output->data),
        .offset = (uint64_t)output->offset - output->data.length,
        .size = output->size,
        .failure = output->code ? output->error.text : NULL,
        .code = output->code,
    };
    output->on_done(output->owner, &result);
}

// The result is told from the loop.
static void finish(struct task_output *output)
{
    http_client_destroy(output->fetch);
    output->fetch = NULL;
    deferral_queue(&output->end);
}

static void fail(struct task_output *output, const char *code)
{
    output->code = code;
    error_context(&output->error, "%s of task %s", output->file, output->task_id);
    finish(output);
}

void task_output_end_all(struct driver *driver)
{
    while (!LIST_EMPTY(&driver->outputs)) {
        struct task_output *output = LIST_FIRST(&driver->outputs);
        leave_driver(output);
        error_set(&output->error, ERROR_REFUSED, "the driver has ended");
        fail(output, "ECANCELED");
    }
}

// ---- asking ----

static void ask(struct task_output *output, const struct transport_question *question,
                void (*on_reply)(void *data, const struct http_client_reply *reply))
{
    http_client_destroy(output->fetch);
    output->fetch = transport_ask(output->driver->transport, output->curl, question, on_reply,
                                  output, &output->error);
    if (output->fetch == NULL)
        fail(output, "ENOTSUP");
}

// True if there is an answer with status 200.
static bool check_reply(struct task_output *output, const struct http_client_reply *reply,
                        const char *who)
{
    if (reply->status == 200)
        return true;
    if (reply->status == 0) {
        error_set(&output->error, ERROR_IO, "%s", reply->failure);
        fail(output, "EIO");
        return false;
    }
    int shown = reply->body.length < 200 ? (int)reply->body.length : 200;
    error_set(&output->error, ERROR_REFUSED, "%s has answered %d%s%.*s", who, reply->status,
              shown > 0 ? ": " : "", shown, shown > 0 ? (const char *)reply->body.data : "");
    fail(output, reply->status == 404 ? "ENOENT" : reply->status < 500 ? "EACCES" : "EIO");
    return false;
}

// ---- the file ----

static char *path_of(const struct task_output *output)
{
    bool own = output->place == PLACE_TASK;
    return memory_format("/frameworks/%s/executors/%s/runs/latest/%s%s%s%s", output->framework_id,
                         output->executor_id, own ? "tasks/" : "", own ? output->task_id : "",
                         own ? "/" : "", output->file);
}

static void on_piece(void *data, const struct http_client_reply *reply);

// While measuring, the question is about what is behind the end, which is nothing.
static void ask_piece(struct task_output *output)
{
    Mesos__V1__Agent__Call call = MESOS__V1__AGENT__CALL__INIT;
    Mesos__V1__Agent__Call__ReadFile read = MESOS__V1__AGENT__CALL__READ_FILE__INIT;
    struct buffer body;
    char *path = path_of(output), *api = memory_format("/%s/api/v1", output->process);
    read.path = path;
    read.offset = output->measuring ? INT64_MAX : (uint64_t)output->offset;
    read.has_length = true;
    read.length = output->length - output->data.length;
    call.has_type = true;
    call.type = MESOS__V1__AGENT__CALL__TYPE__READ_FILE;
    call.read_file = &read;
    size_t size = mesos__v1__agent__call__get_packed_size(&call);
    buffer_init(&body, SIZE_MAX);
    mesos__v1__agent__call__pack(&call, buffer_reserve(&body, size));
    body.length = size;
    const struct transport_question question = {.agent = output->address,
                                                .path = api,
                                                .body = buffer_slice(&body),
                                                .limit = output->length + REPLY_OVERHEAD};
    ask(output, &question, on_piece);
    buffer_free(&body);
    free(path);
    free(api);
}

// The size is known: a place from the end becomes one from the start.
static void place_offset(struct task_output *output)
{
    output->measuring = false;
    uint64_t back = 0 - (uint64_t)output->offset;
    output->offset = back < output->size ? (int64_t)(output->size - back) : 0;
}

static void take_piece(struct task_output *output, const Mesos__V1__Agent__Response__ReadFile *read)
{
    output->size = read->size;
    if (output->measuring) {
        place_offset(output);
        ask_piece(output);
        return;
    }
    size_t wanted = output->length - output->data.length,
           length = read->data.len < wanted ? read->data.len : wanted;
    buffer_append(&output->data, read->data.data, length);
    output->offset += (int64_t)length;
    bool more = output->data.length < output->length && length > 0 &&
                (uint64_t)output->offset < output->size;
    if (more)
        ask_piece(output);
    else
        finish(output);
}

static void on_piece(void *data, const struct http_client_reply *reply)
{
    struct task_output *output = data;
    if (reply->status == 404 && output->place == PLACE_TASK) {
        output->place = PLACE_SANDBOX;
        ask_piece(output);
        return;
    }
    if (!check_reply(output, reply, "its agent"))
        return;
    Mesos__V1__Agent__Response *response =
        mesos__v1__agent__response__unpack(NULL, reply->body.length, reply->body.data);
    if (response != NULL && response->read_file != NULL) {
        take_piece(output, response->read_file);
    } else {
        error_set(&output->error, ERROR_PROTOCOL, "its agent's answer is not that of a v1 API");
        fail(output, "EPROTO");
    }
    mesos__v1__agent__response__free_unpacked(response, NULL);
}

// ---- the agent ----

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

// "slave(1)@10.0.0.3:5051"
static bool take_address(struct task_output *output, const json_t *list)
{
    size_t i;
    json_t *agent;
    json_array_foreach(list, i, agent)
    {
        const char *pid = text_of(agent, "pid"), *at = strchr(pid, '@');
        if (strcmp(text_of(agent, "id"), output->agent_id) != 0 || at == NULL)
            continue;
        output->process = memory_text(pid, (size_t)(at - pid));
        output->address = memory_string(at + 1);
        return true;
    }
    return error_set(&output->error, ERROR_REFUSED,
                     "the master has no agent %s now, and its sandboxes are out of reach",
                     output->agent_id);
}

static void on_agents(void *data, const struct http_client_reply *reply)
{
    struct task_output *output = data;
    if (!check_reply(output, reply, "the master"))
        return;
    json_t *root = json_loadb((const char *)reply->body.data, reply->body.length, 0, NULL);
    if (take_address(output, json_object_get(root, "slaves")))
        ask_piece(output);
    else
        fail(output, "ENOTFOUND");
    json_decref(root);
}

static void ask_agents(struct task_output *output)
{
    struct buffer path;
    buffer_init(&path, SIZE_MAX);
    buffer_append_text(&path, "/master/slaves?slave_id=");
    for (const char *at = output->agent_id; *at != '\0'; at++)
        buffer_format(&path, isalnum((unsigned char)*at) || *at == '-' ? "%c" : "%%%02X",
                      (unsigned char)*at);
    const struct transport_question question = {.path = buffer_string(&path), .limit = LIST_MOST};
    ask(output, &question, on_agents);
    buffer_free(&path);
}

// ---- the start ----

static char *copy(struct slice text)
{
    return memory_text((const char *)text.data, text.length);
}

static struct task_output *new_output(struct driver *driver, const struct task *task,
                                      const struct task_output_request *request)
{
    struct task_output *output = memory_new(sizeof *output);
    struct slice executor = task_executor_id(task), id = task_id(task);
    bool own = executor.length == 0 || slice_equal(executor, id);
    output->driver = driver;
    LIST_INSERT_HEAD(&driver->outputs, output, link);
    output->curl = curl_loop_create(driver->loop, NULL);
    output->task_id = copy(id);
    output->executor_id = copy(own ? id : executor);
    output->agent_id = copy(task_agent_id(driver->tasks, task));
    output->framework_id = copy(framework_id(&driver->framework));
    output->file = memory_string(request->file);
    output->place = own ? PLACE_SANDBOX : PLACE_TASK;
    output->measuring = request->offset < 0;
    output->offset = request->offset;
    output->length = request->length;
    buffer_init(&output->data, request->length);
    deferral_init(&output->end, driver->loop, on_end, output);
    return output;
}

// A path that leaves the sandbox is refused by the agent as well.
static bool check_file(const char *file, struct error *err)
{
    if (*file == '/' || strstr(file, "..") != NULL || *file == '\0')
        return error_set(err, ERROR_INVALID, "'%s' is no path inside of a sandbox", file);
    return true;
}

struct task_output *
task_output_start(struct driver *driver, const struct task_output_request *request,
                  void (*on_done)(void *data, const struct task_output_result *result), void *data,
                  struct error *err)
{
    const struct task *task = tasks_find(driver->tasks, request->task_id);
    if (!check_file(request->file, err))
        return NULL;
    if (task == NULL || task_agent_id(driver->tasks, task).length == 0) {
        error_set(err, ERROR_INVALID,
                  task ? "it is not known yet which agent has the task '%.*s'"
                       : "no task '%.*s' is known",
                  SLICE_ARGS(request->task_id));
        return NULL;
    }
    struct task_output *output = new_output(driver, task, request);
    output->on_done = on_done;
    output->owner = data;
    ask_agents(output);
    return output;
}
