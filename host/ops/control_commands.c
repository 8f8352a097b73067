// SPDX-License-Identifier: Apache-2.0
//
// The commands of an operator: see control_commands.h. Requests for a reload wait in a list for its
// result. Some commands can be carried out while Lua code runs and keeps the loop from turning:
// they only read, or queue what is to be done when it turns.

#include "ops/control_commands.h"

#include "base/log.h"
#include "base/log_file.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "base/suggest.h"
#include "bindings/lib/eval.h"
#include "bindings/message/inspect.h"
#include "bindings/scheduler/submissions.h"
#include "mesos/explanation.h"
#include "ops/cluster_status.h"
#include "ops/task_commands.h"
#include "script/script.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 1 << 20, ERROR_MOST = 64 << 10, WHERE_MOST = 512, ID_MOST = 1024 };

enum stop_kind { STOP_AS_SIGNAL, STOP_FAILOVER, STOP_TEARDOWN, STOP_KINDS };

static const char *const stop_words[] = {"", "failover", "teardown"};

struct waiter {
    struct waiter *next;
    struct control_request *request;
};

struct control_commands {
    const struct session *session;
    void (*stop)(void *data);
    void *data;
    struct waiter *waiters; // for the result of a reload
    struct task_commands *tasks;
    struct deferral stopping;
    enum stop_kind stop_kind;
};

// Code that an operator's client waits for.
struct job {
    struct control_request *request;
    struct evaluation *evaluation;
};

// ---- replies ----

static void succeed(struct control_request *request, const char *output)
{
    control_reply(request, json_pack("{s:b, s:s}", "ok", 1, "output", output));
}

static json_t *json_text(const char *text)
{
    struct buffer clean;
    buffer_init(&clean, ERROR_MOST);
    inspect_text(&clean, text, strlen(text));
    json_t *string = json_string(buffer_string(&clean));
    buffer_free(&clean);
    return string;
}

static void fail(struct control_request *request, const char *text)
{
    control_reply(request, json_pack("{s:b, s:o}", "ok", 0, "error", json_text(text)));
}

static void finish(struct control_request *request, bool ok, const char *text)
{
    if (!ok) {
        fail(request, text);
        return;
    }
    char *line = memory_format("%s\n", text);
    succeed(request, line);
    free(line);
}

// ---- status and metrics ----

// A line; the object is released.
static void put_json(struct buffer *text, json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
    buffer_format(text, "%s\n", line ? line : "{}");
    free(line);
    json_decref(object);
}

// The status of a cluster that runs alone.
static void status_of_cluster(struct control_commands *commands, struct control_request *request,
                              struct slice argument)
{
    const struct session *session = commands->session;
    struct buffer text;
    buffer_init(&text, TEXT_MOST);
    if (argument.length == 0) {
        cluster_status(session->cluster, &text);
    } else if (slice_equal(argument, slice_text("--json"))) {
        put_json(&text, cluster_status_json(session->cluster,
                                            loop_wall(session->loop) -
                                                (stopwatch_seconds() - session->started)));
    }
    if (text.length > 0)
        succeed(request, buffer_string(&text));
    else
        fail(request, "status: nothing or --json expected");
    buffer_free(&text);
}

static void on_status(struct control_commands *commands, struct control_request *request,
                      struct slice argument)
{
    struct buffer text;
    buffer_init(&text, TEXT_MOST);
    if (commands->session->cluster != NULL) {
        status_of_cluster(commands, request, argument);
    } else if (argument.length == 0) {
        metrics_summary(commands->session, &text);
        succeed(request, buffer_string(&text));
    } else if (slice_equal(argument, slice_text("--json"))) {
        put_json(&text, metrics_json(commands->session));
        succeed(request, buffer_string(&text));
    } else {
        fail(request, "status: nothing or --json expected");
    }
    buffer_free(&text);
}

static void on_metrics(struct control_commands *commands, struct control_request *request,
                       struct slice argument)
{
    struct buffer text;
    (void)argument;
    buffer_init(&text, TEXT_MOST);
    metrics_prometheus(commands->session, &text);
    succeed(request, buffer_string(&text));
    buffer_free(&text);
}

// ---- why a need is not met ----

static void explain_need(struct scheduler *scheduler, struct control_request *request,
                         struct slice argument)
{
    struct error err = {0};
    struct explanation explanation;
    explanation_init(&explanation, scheduler_driver(scheduler));
    if (explanation_read(&explanation, argument, &err)) {
        struct buffer text;
        buffer_init(&text, ERROR_MOST);
        explanation_finish(&explanation);
        explanation_write(&explanation, &text);
        control_reply(request,
                      json_pack("{s:b, s:o}", "ok", 1, "output", json_text(buffer_string(&text))));
        buffer_free(&text);
    } else {
        fail(request, err.text);
    }
    explanation_free(&explanation);
}

// ---- code ----

static void on_evaluated(void *data, const struct eval_end *end)
{
    struct job *job = data;
    json_t *reply = json_object();
    struct slice output = end->output;
    json_object_set_new(reply, "ok", json_boolean(end->error == NULL));
    json_object_set_new(reply, "output",
                        json_stringn(output.data ? (const char *)output.data : "", output.length));
    if (end->error != NULL)
        json_object_set_new(reply, "error", json_text(end->error));
    if (end->incomplete)
        json_object_set_new(reply, "incomplete", json_true());
    control_reply(job->request, reply);
    free(job);
}

static void on_client_left(void *data)
{
    struct job *job = data;
    log_debug("the client of an eval has disconnected: the evaluation is aborted");
    eval_abandon(job->evaluation);
}

static void start_job(struct control_commands *commands, struct control_request *request,
                      struct slice code)
{
    struct job *job = memory_new(sizeof *job);
    job->request = request;
    job->evaluation = eval_create(commands->session->script, session_scheduler(commands->session),
                                  code, on_evaluated, job);
    control_request_follow(request, on_client_left, job);
    eval_start(job->evaluation);
}

static void on_eval(struct control_commands *commands, struct control_request *request,
                    struct slice argument)
{
    if (argument.length == 0)
        fail(request, "eval: Lua code expected, such as: eval '#driver:offers()'");
    else if (commands->session->script == NULL)
        fail(request, "eval: the script is not loaded yet");
    else
        start_job(commands, request, argument);
}

// ---- why ----

// True of the id of a job or a service, which only the script knows; a need has NAME=VALUE.
static bool is_id(struct slice argument)
{
    return argument.length > 0 && memchr(argument.data, '=', argument.length) == NULL;
}

// What the scheduler of a script says of an id: it may have a method for that.
static void explain_id(struct control_commands *commands, struct control_request *request,
                       struct slice id)
{
    static const char head[] = "local scheduler, id = _ENV['(scheduler)'], '",
                      body[] =
                          "'\nif type(scheduler.explain) ~= 'function' then error(('why: %s is "
                          "neither a need, such as cpus=4,rack=b, nor an id: the scheduler has no "
                          "method explain(id), as those of mesos.jobs and mesos.services have')"
                          ":format(id), 0) end\n"
                          "local text, offers = scheduler:explain(id)\n"
                          "print(text)\n"
                          "if offers then print((offers.text:gsub('%s+$', ''))) end";
    struct buffer code;
    buffer_init(&code, ERROR_MOST);
    buffer_append_text(&code, head);
    for (size_t i = 0; i < id.length; i++)
        buffer_format(&code, "\\%03u", id.data[i]);
    buffer_append_text(&code, body);
    start_job(commands, request, buffer_slice(&code));
    buffer_free(&code);
}

static void on_why(struct control_commands *commands, struct control_request *request,
                   struct slice argument)
{
    struct scheduler *scheduler = session_scheduler(commands->session);
    if (scheduler == NULL)
        fail(request, "why: no driver runs");
    else if (!is_id(argument))
        explain_need(scheduler, request, argument);
    else if (argument.length > ID_MOST)
        fail(request, "why: an id of at most 1024 bytes expected");
    else
        explain_id(commands, request, argument);
}

// ---- jobs ----

static void on_submitted(void *data, const struct submission_end *end)
{
    struct control_request *request = data;
    char *text = memory_text((const char *)end->text.data, end->text.length);
    finish(request, end->ok, text);
    free(text);
}

// "--lua TEXT", or JSON.
static enum submission_form form_of(struct slice *argument)
{
    static const char mark[] = "--lua";
    size_t length = sizeof mark - 1;
    if (argument->length < length || memcmp(argument->data, mark, length) != 0)
        return SUBMISSION_JSON;
    argument->data += length;
    argument->length -= length;
    return SUBMISSION_LUA;
}

static void on_submit(struct control_commands *commands, struct control_request *request,
                      struct slice argument)
{
    struct scheduler *scheduler = session_scheduler(commands->session);
    struct error err = {0};
    if (argument.length == 0) {
        fail(request, "submit: a job expected, such as: submit '{\"id\": \"a\", \"cpus\": 1}'");
        return;
    }
    if (scheduler == NULL || commands->session->script == NULL) {
        fail(request, "submit: the script has no scheduler yet");
        return;
    }
    enum submission_form form = form_of(&argument);
    struct bytes *job = submissions_read(commands->session->script, form, argument, &err);
    if (job == NULL || !scheduler_submit(scheduler, job, on_submitted, request, &err)) {
        error_context(&err, "submit");
        fail(request, err.text);
    }
}

// ---- tasks ----

static struct driver *find_driver(struct control_commands *commands,
                                  struct control_request *request)
{
    struct scheduler *scheduler = session_scheduler(commands->session);
    if (scheduler == NULL)
        fail(request, "the script has no scheduler yet");
    return scheduler ? scheduler_driver(scheduler) : NULL;
}

static void on_tasks(struct control_commands *commands, struct control_request *request,
                     struct slice argument)
{
    struct driver *driver = find_driver(commands, request);
    struct error err = {0};
    struct buffer text;
    if (driver == NULL)
        return;
    buffer_init(&text, TEXT_MOST);
    if (task_commands_list(driver, argument, &text, &err))
        succeed(request, buffer_string(&text));
    else
        fail(request, err.text);
    buffer_free(&text);
}

static void on_logs(struct control_commands *commands, struct control_request *request,
                    struct slice argument)
{
    struct driver *driver = find_driver(commands, request);
    if (driver != NULL)
        task_commands_output(commands->tasks, driver, argument, request);
}

// ---- reloading ----

static void on_reloaded(void *data, bool ok, const char *text)
{
    struct control_commands *commands = data;
    while (commands->waiters != NULL) {
        struct waiter *waiter = commands->waiters;
        commands->waiters = waiter->next;
        finish(waiter->request, ok, text);
        free(waiter);
    }
}

static void on_reload(struct control_commands *commands, struct control_request *request,
                      struct slice argument)
{
    struct scheduler *scheduler = session_scheduler(commands->session);
    (void)argument;
    if (commands->session->reloads == NULL) {
        fail(request, "nothing to reload; a script that returns its scheduler can be reloaded "
                      "while it runs, one that runs its drivers itself cannot");
        return;
    }
    if (driver_status(scheduler_driver(scheduler)) != DRIVER_RUNNING) {
        fail(request, "not reloaded: the driver does not run");
        return;
    }
    struct waiter *waiter = memory_new(sizeof *waiter);
    *waiter = (struct waiter){.next = commands->waiters, .request = request};
    commands->waiters = waiter;
    commands->session->reload(commands->session->data, on_reloaded, commands);
}

// ---- other commands ----

static void on_log_level(struct control_commands *commands, struct control_request *request,
                         struct slice argument)
{
    enum log_level level;
    char name[16];
    (void)commands;
    snprintf(name, sizeof name, "%.*s", SLICE_ARGS(argument));
    if (argument.length == 0)
        finish(request, true, log_level_name(log_get_level()));
    else if (argument.length >= sizeof name || !log_level_find(name, &level))
        fail(request, "log-level: debug, info, warning, error or quiet expected");
    else {
        log_set_level(level);
        finish(request, true, log_level_name(level));
    }
}

static void on_log_reopen(struct control_commands *commands, struct control_request *request,
                          struct slice argument)
{
    struct error err = {0};
    (void)commands, (void)argument;
    if (log_file_reopen(&err))
        finish(request, true, "the log file was opened anew");
    else
        fail(request, err.text);
}

static void stop_drivers(struct control_commands *commands, bool failover)
{
    for (struct scheduler *each = commands->session->environment->first; each;
         each = scheduler_next(each))
        driver_stop(scheduler_driver(each), failover);
}

// Runs from the loop, after the code that runs now has returned or waits.
static void on_stopping(void *data)
{
    struct control_commands *commands = data;
    if (commands->stop_kind != STOP_AS_SIGNAL)
        stop_drivers(commands, commands->stop_kind == STOP_FAILOVER);
    commands->stop(commands->data);
}

static bool find_stop(struct slice argument, enum stop_kind *kind)
{
    for (int i = 0; i < STOP_KINDS; i++) {
        if (slice_equal(argument, slice_text(stop_words[i]))) {
            *kind = (enum stop_kind)i;
            return true;
        }
    }
    return false;
}

static void on_stop(struct control_commands *commands, struct control_request *request,
                    struct slice argument)
{
    char where[WHERE_MOST];
    if (!find_stop(argument, &commands->stop_kind)) {
        fail(request, "stop: nothing, failover (the tasks live on) or teardown (they are killed) "
                      "expected");
        return;
    }
    bool busy = script_running(where, sizeof where);
    log_info("ctl stop%s%s: stopping%s%s", argument.length ? " " : "",
             stop_words[commands->stop_kind], busy ? " when it returns or waits: " : "",
             busy ? where : "");
    char *text = memory_format(busy ? "stopping when it returns or waits: %s (interrupt stops it)"
                                    : "stopping%s",
                               busy ? where : "");
    finish(request, true, text);
    free(text);
    deferral_queue(&commands->stopping);
}

static void on_interrupt(struct control_commands *commands, struct control_request *request,
                         struct slice argument)
{
    char where[WHERE_MOST];
    (void)commands, (void)argument;
    if (!script_running(where, sizeof where)) {
        fail(request, "nothing to interrupt: no Lua code runs now; a reload or stop aborts what "
                      "waits");
        return;
    }
    script_interrupt("ctl interrupt");
    char *text = memory_format("interrupted %s", where);
    finish(request, true, text);
    free(text);
}

static void on_fault(struct control_commands *commands, struct control_request *request,
                     struct slice argument)
{
    struct error err = {0};
    struct buffer output;
    if (commands->session->embedded == NULL) {
        fail(request, "fault: faults are for a local cluster (mesos-lua local, --master local), "
                      "and this process has none");
        return;
    }
    char *words = memory_text((const char *)argument.data, argument.length);
    buffer_init(&output, TEXT_MOST);
    if (cluster_fault(commands->session->embedded, words, &output, &err))
        succeed(request, buffer_string(&output));
    else
        fail(request, err.text);
    buffer_free(&output);
    free(words);
}

static void on_help(struct control_commands *commands, struct control_request *request,
                    struct slice argument)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    (void)commands;
    (void)argument;
    control_commands_usage(file);
    fclose(file);
    succeed(request, text);
    free(text);
}

static const struct {
    const char *name, *usage, *help;
    void (*handle)(struct control_commands *commands, struct control_request *request,
                   struct slice argument);
    bool needs_script;
    bool any_time; // also while Lua code runs, by control_serve()
} rows[] = {
    {"status", "status [--json]", "framework, master, offers, calls, events, times, memory",
     on_status, false, true},
    {"eval", "eval CODE", "run Lua code in the script and print what it returns; - reads it",
     on_eval, true, false},
    {"repl", "repl", "the same line by line, with history; :help tells more", NULL, false, true},
    {"submit", "submit JSON|-|--lua TEXT",
     "give a job to the callback submit; - reads one from each line of its input", on_submit, true,
     false},
    {"tasks", "tasks [STATE...]", "list the tasks, or those in a state such as running", on_tasks,
     true, false},
    {"logs", "logs TASK [FILE] [-f]",
     "print what a task printed, or another file of its sandbox; -f: to its end", on_logs, true,
     false},
    {"interrupt", "interrupt", "stop the Lua code that runs now, as --callback-limit does",
     on_interrupt, true, true},
    {"reload", "reload", "load the script again, and print the result", on_reload, true, false},
    {"why", "why NEED|ID",
     "why no offer is used for it (cpus=4,mem=1024,rack=b), or why a job does not run", on_why,
     true, true},
    {"log-level", "log-level [LEVEL]", "print or set the log level", on_log_level, false, true},
    {"log-reopen", "log-reopen", "open the file of --log-file anew, as after logrotate",
     on_log_reopen, false, true},
    {"metrics", "metrics", "the numbers in Prometheus's format", on_metrics, true, true},
    {"fault", "fault [FAULT...]", "make the local cluster fail; without words: how", on_fault,
     false, false},
    {"stop", "stop [failover|teardown]",
     "end as SIGTERM does, or leave the tasks alive, or kill them", on_stop, false, true},
    {"help", "help", "this", on_help, false, true},
};

enum { ROWS = sizeof rows / sizeof *rows };

static const char *row_name(const void *data, size_t index)
{
    (void)data;
    return index < ROWS ? rows[index].name : NULL;
}

const char *control_commands_name(size_t index)
{
    return row_name(NULL, index);
}

bool control_commands_known(const char *name, struct error *err)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    const char *near = suggest(name, row_name, NULL);
    if (near != NULL)
        return error_set(err, ERROR_INVALID, "unknown command '%s' (did you mean '%s'?)", name,
                         near);
    return error_set(err, ERROR_INVALID, "unknown command '%s' (help lists the commands)", name);
}

void control_commands_usage(FILE *file)
{
    for (size_t i = 0; i < ROWS; i++)
        fprintf(file, "  %-26s%s\n", rows[i].usage, rows[i].help);
}

void control_commands_tables(FILE *file)
{
    for (size_t i = 0; i < ROWS; i++)
        fprintf(file, "ctl\t%s\t%s\t%s\n", rows[i].name, rows[i].usage, rows[i].help);
}

// True for an unknown command, too: its error needs no turn of the loop.
static bool is_ready(void *data, const char *command, struct slice argument)
{
    (void)data;
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, command) == 0)
            return rows[i].any_time && !(rows[i].handle == on_why && is_id(argument));
    return true;
}

static void handle(void *data, struct control_request *request, const char *command,
                   struct slice argument)
{
    struct control_commands *commands = data;
    struct error err = {0};
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, command) != 0 || rows[i].handle == NULL)
            continue;
        if (rows[i].needs_script && commands->session->path == NULL)
            fail(request,
                 "no script runs here: this is a cluster alone (status, fault, log-level, stop)");
        else
            rows[i].handle(commands, request, argument);
        return;
    }
    if (control_commands_known(command, &err))
        error_set(&err, ERROR_INVALID, "%s is a command of mesos-lua ctl", command);
    fail(request, err.text);
}

const struct control_events control_commands_events = {.handle = handle, .ready = is_ready};

struct control_commands *control_commands_create(const struct session *session,
                                                 void (*stop)(void *data), void *data)
{
    struct control_commands *commands = memory_new(sizeof *commands);
    *commands = (struct control_commands){.session = session, .stop = stop, .data = data};
    commands->tasks = task_commands_create();
    deferral_init(&commands->stopping, session->loop, on_stopping, commands);
    return commands;
}

void control_commands_destroy(struct control_commands *commands)
{
    if (commands == NULL)
        return;
    on_reloaded(commands, false, "not reloaded: the host ends");
    deferral_cancel(&commands->stopping);
    task_commands_destroy(commands->tasks);
    free(commands);
}
