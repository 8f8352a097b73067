// SPDX-License-Identifier: Apache-2.0
//
// Checks of a task: see task_checks.h. Both kinds are a checker, which makes one attempt at a time:
// a command in the sandbox, which ends by itself or is killed at its deadline, or a question to a
// server. What a result means is decided behind report().

#include "agent/task_checks.h"

#include "base/log.h"
#include "base/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum checker_type {
    CHECKER_NONE, // the task has no such check
    CHECKER_COMMAND,
    CHECKER_HTTP,
    CHECKER_TCP,
};

struct checker {
    struct task_checks *owner;
    enum checker_type type;
    bool stopped;
    double delay, interval, timeout; // seconds
    const Mesos__V1__CommandInfo *command;
    char *url; // of HTTP
    unsigned port;
    bool ipv6;
    struct timer next, deadline;
    struct run *run;            // the command in flight, or NULL
    bool timed_out;             // it was killed
    struct runner_probe *probe; // the question in flight, or NULL
};

struct task_checks {
    struct runner *runner;
    const Mesos__V1__TaskInfo *task;
    const struct task_checks_events *events;
    void *data;
    struct loop *loop;
    struct checker check, health;

    int result;      // of the check: exit code, HTTP status, or whether it connected
    bool has_result; // false: there was none, or it failed

    uint64_t started;
    uint32_t failures; // of the health check, in a row
    bool succeeded;    // it did once
    bool has_healthy, healthy, killed;

    Mesos__V1__CheckStatusInfo info; // what task_checks_fill() points to
    Mesos__V1__CheckStatusInfo__Command info_command;
    Mesos__V1__CheckStatusInfo__Http info_http;
    Mesos__V1__CheckStatusInfo__Tcp info_tcp;
};

// ---- results ----

static void schedule(struct checker *checker, double seconds)
{
    if (!checker->stopped)
        timer_start(&checker->next, loop_seconds(seconds));
}

static void report_check(struct task_checks *checks, int value, const char *fault)
{
    bool has_result = fault == NULL;
    if (has_result == checks->has_result && (!has_result || value == checks->result))
        return;
    checks->has_result = has_result;
    checks->result = value;
    checks->events->changed(checks->data,
                            MESOS__V1__TASK_STATUS__REASON__REASON_TASK_CHECK_STATUS_UPDATED);
}

static void send_health(struct task_checks *checks, bool healthy)
{
    checks->has_healthy = true;
    checks->healthy = healthy;
    checks->events->changed(
        checks->data, MESOS__V1__TASK_STATUS__REASON__REASON_TASK_HEALTH_CHECK_STATUS_UPDATED);
}

static void fail_health(struct task_checks *checks)
{
    const Mesos__V1__HealthCheck *health = checks->task->health_check;
    uint64_t grace = loop_seconds(health->grace_period_seconds);
    if (!checks->succeeded && grace > 0 && loop_now(checks->loop) - checks->started <= grace)
        return;
    checks->failures++;
    checks->killed = checks->failures >= health->consecutive_failures;
    bool killed = checks->killed;
    send_health(checks, false);
    if (killed)
        checks->events->unhealthy(checks->data);
}

static void pass_health(struct task_checks *checks)
{
    bool news = !checks->succeeded || checks->failures > 0;
    checks->succeeded = true;
    checks->failures = 0;
    if (news)
        send_health(checks, true);
}

static bool is_good(enum checker_type type, int value)
{
    return type == CHECKER_COMMAND ? value == 0
           : type == CHECKER_HTTP  ? value >= 200 && value < 400
                                   : value != 0;
}

// The next attempt is scheduled first: the owner may stop everything.
static void report(struct checker *checker, int value, const char *fault)
{
    struct task_checks *checks = checker->owner;
    bool health = checker == &checks->health;
    timer_stop(&checker->deadline);
    schedule(checker, checker->interval);
    if (fault != NULL)
        log_debug("a %s of task %s failed: %s", health ? "health check" : "check",
                  checks->task->task_id->value, fault);
    if (!health)
        report_check(checks, value, fault);
    else if (fault != NULL || !is_good(checker->type, value))
        fail_health(checks);
    else
        pass_health(checks);
}

// ---- commands ----

// It may have waited for its turn behind many tasks, which is not its time.
static void on_started(void *data, int64_t pid)
{
    struct checker *checker = data;
    (void)pid;
    if (checker->timeout > 0)
        timer_start(&checker->deadline, loop_seconds(checker->timeout));
}

static void on_failed(void *data, const char *reason)
{
    struct checker *checker = data;
    checker->run = NULL;
    report(checker, 0, reason);
}

static void on_exited(void *data, const struct runner_end *end)
{
    struct checker *checker = data;
    checker->run = NULL;
    report(checker, (int)end->status,
           checker->timed_out ? "it timed out"
           : end->signal != 0 ? "a signal ended it"
                              : NULL);
}

static void run_command(struct checker *checker)
{
    static const struct runner_events events = {
        .started = on_started, .failed = on_failed, .exited = on_exited};
    struct task_checks *checks = checker->owner;
    struct error err = {0};
    checker->timed_out = false;
    checker->run = checks->events->start(checks->data, checker->command, &events, checker, &err);
    if (checker->run == NULL)
        report(checker, 0, err.text);
}

static void on_deadline(void *data)
{
    struct checker *checker = data;
    checker->timed_out = true;
    checker->owner->runner->ops->kill(checker->run, SIGKILL);
}

// ---- HTTP and TCP ----

static void on_answer(void *data, int value, const char *fault)
{
    struct checker *checker = data;
    checker->probe = NULL;
    report(checker, value, fault);
}

static void ask(struct checker *checker)
{
    struct runner *runner = checker->owner->runner;
    const struct runner_question question = {.url = checker->url,
                                             .port = checker->port,
                                             .ipv6 = checker->ipv6,
                                             .timeout = loop_seconds(checker->timeout)};
    checker->probe = runner->ops->ask(runner, &question, on_answer, checker);
}

static void on_next(void *data)
{
    struct checker *checker = data;
    if (checker->type == CHECKER_COMMAND)
        run_command(checker);
    else
        ask(checker);
}

// ---- what the task asks for ----

static void set_http(struct checker *checker, const char *scheme, uint32_t port, const char *path,
                     bool ipv6)
{
    checker->type = CHECKER_HTTP;
    checker->url = memory_format("%s://%s:%u%s", scheme ? scheme : "http",
                                 ipv6 ? "[::1]" : "127.0.0.1", port, path ? path : "");
}

static void set_tcp(struct checker *checker, uint32_t port, bool ipv6)
{
    checker->type = CHECKER_TCP;
    checker->port = port;
    checker->ipv6 = ipv6;
}

static void set_command(struct checker *checker, const Mesos__V1__CommandInfo *command)
{
    checker->type = CHECKER_COMMAND;
    checker->command = command;
}

static void set_times(struct checker *checker, double delay, double interval, double timeout)
{
    checker->delay = delay;
    checker->interval = interval;
    checker->timeout = timeout;
}

static void read_check(struct checker *checker, const Mesos__V1__CheckInfo *check)
{
    if (check == NULL)
        return;
    if (check->type == MESOS__V1__CHECK_INFO__TYPE__COMMAND)
        set_command(checker, check->command->command);
    else if (check->type == MESOS__V1__CHECK_INFO__TYPE__HTTP)
        set_http(checker, NULL, check->http->port, check->http->path, false);
    else
        set_tcp(checker, check->tcp->port, false);
    set_times(checker, check->delay_seconds, check->interval_seconds, check->timeout_seconds);
}

static void read_health(struct checker *checker, const Mesos__V1__HealthCheck *health)
{
    const Mesos__V1__NetworkInfo__Protocol ipv6 = MESOS__V1__NETWORK_INFO__PROTOCOL__IPv6;
    if (health == NULL)
        return;
    if (health->type == MESOS__V1__HEALTH_CHECK__TYPE__COMMAND)
        set_command(checker, health->command);
    else if (health->type == MESOS__V1__HEALTH_CHECK__TYPE__HTTP)
        set_http(checker, health->http->scheme, health->http->port, health->http->path,
                 health->http->protocol == ipv6);
    else
        set_tcp(checker, health->tcp->port, health->tcp->protocol == ipv6);
    set_times(checker, health->delay_seconds, health->interval_seconds, health->timeout_seconds);
}

// ---- life ----

static void init(struct checker *checker, struct task_checks *checks)
{
    checker->owner = checks;
    timer_init(&checker->next, checks->loop, on_next, checker);
    timer_init(&checker->deadline, checks->loop, on_deadline, checker);
}

struct task_checks *task_checks_create(struct loop *loop, struct runner *runner,
                                       const Mesos__V1__TaskInfo *task,
                                       const struct task_checks_events *events, void *data)
{
    if (task->check == NULL && task->health_check == NULL)
        return NULL;
    struct task_checks *checks = memory_new(sizeof *checks);
    checks->loop = loop;
    checks->runner = runner;
    checks->task = task;
    checks->events = events;
    checks->data = data;
    init(&checks->check, checks);
    init(&checks->health, checks);
    read_check(&checks->check, task->check);
    read_health(&checks->health, task->health_check);
    return checks;
}

void task_checks_start(struct task_checks *checks)
{
    if (checks == NULL)
        return;
    checks->started = loop_now(checks->loop);
    if (checks->check.type != CHECKER_NONE)
        schedule(&checks->check, checks->check.delay);
    if (checks->health.type != CHECKER_NONE)
        schedule(&checks->health, checks->health.delay);
}

static void stop(struct checker *checker)
{
    struct runner *runner = checker->owner->runner;
    checker->stopped = true;
    timer_stop(&checker->next);
    timer_stop(&checker->deadline);
    if (checker->run != NULL)
        runner->ops->forget(checker->run);
    if (checker->probe != NULL)
        runner->ops->cancel(checker->probe);
    checker->run = NULL;
    checker->probe = NULL;
}

void task_checks_stop(struct task_checks *checks)
{
    if (checks == NULL)
        return;
    stop(&checks->check);
    stop(&checks->health);
}

static void release(struct checker *checker)
{
    timer_stop(&checker->next);
    timer_stop(&checker->deadline);
    free(checker->url);
}

void task_checks_destroy(struct task_checks *checks)
{
    if (checks == NULL)
        return;
    release(&checks->check);
    release(&checks->health);
    free(checks);
}

// ---- updates ----

static void fill_check(struct task_checks *checks)
{
    mesos__v1__check_status_info__init(&checks->info);
    mesos__v1__check_status_info__command__init(&checks->info_command);
    mesos__v1__check_status_info__http__init(&checks->info_http);
    mesos__v1__check_status_info__tcp__init(&checks->info_tcp);
    checks->info.has_type = true;
    checks->info.type = checks->task->check->type;
    if (checks->check.type == CHECKER_COMMAND) {
        checks->info.command = &checks->info_command;
        checks->info_command.has_exit_code = checks->has_result;
        checks->info_command.exit_code = checks->result;
    } else if (checks->check.type == CHECKER_HTTP) {
        checks->info.http = &checks->info_http;
        checks->info_http.has_status_code = checks->has_result;
        checks->info_http.status_code = (uint32_t)checks->result;
    } else {
        checks->info.tcp = &checks->info_tcp;
        checks->info_tcp.has_succeeded = checks->has_result;
        checks->info_tcp.succeeded = checks->result != 0;
    }
}

void task_checks_fill(struct task_checks *checks, bool running, Mesos__V1__TaskStatus *status)
{
    if (checks == NULL)
        return;
    if (checks->check.type != CHECKER_NONE) {
        fill_check(checks);
        status->check_status = &checks->info;
    }
    status->has_healthy = running ? checks->has_healthy : checks->killed;
    status->healthy = running && checks->healthy;
}
