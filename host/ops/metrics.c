// SPDX-License-Identifier: Apache-2.0
//
// The rows of the metrics: see metrics.h. A row without a label is one number; a row with a label
// is a number for each of the label's values. Texts, such as the framework's id, have rows of their
// own and are for people and JSON only.

#include "ops/metrics.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "bindings/message/inspect.h"
#include "mesos/calls.h"
#include "script/script.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/mesos.pb-c.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum metric_kind { KIND_GAUGE, KIND_COUNTER, KIND_HISTOGRAM };
enum unit { UNIT_NUMBER, UNIT_SECONDS, UNIT_BYTES };

// What the rows read.
struct metric_facts {
    const struct session *session;
    struct scheduler *scheduler; // NULL, and the next three with it: there is none
    struct driver *driver;
    const struct driver_counters *counters;
    const struct call_counters *calls;
    struct rusage usage;
};

struct metric_row {
    const char *name;
    enum metric_kind kind;
    enum unit unit;
    const char *title; // in the summary; NULL: it is not in it
    const char *help;
    const char *label; // NULL: one number
    const char *(*value)(size_t index);
    double (*read)(const struct metric_facts *facts, size_t index);
    const struct scheduler_times *(*times)(const struct metric_facts *facts, size_t index);
};

static struct metric_facts collect(const struct session *session)
{
    struct metric_facts facts = {.session = session, .scheduler = session_scheduler(session)};
    if (facts.scheduler != NULL) {
        facts.driver = scheduler_driver(facts.scheduler);
        facts.counters = driver_counters(facts.driver);
        facts.calls = driver_call_counters(facts.driver);
    }
    getrusage(RUSAGE_SELF, &facts.usage);
    return facts;
}

// ---- values of labels; NULL behind the last ----

static const char *call_value(size_t index)
{
    return index + 1 < CALL_TYPES ? calls_name((enum call_type)(index + 1)) : NULL;
}

static const char *callback_value(size_t index)
{
    return index < CALLBACKS ? events_callback_name((enum driver_callback)index) : NULL;
}

static const char *state_value(size_t index)
{
    const ProtobufCEnumDescriptor *states = &mesos__v1__task_state__descriptor;
    if (index == states->n_values)
        return "other";
    return index < states->n_values ? states->values[index].name : NULL;
}

// The index among all states of the active state number `index`; an active state is one that a task
// may still leave. The last stands for all states that this version does not know.
static size_t active_state(size_t index)
{
    const ProtobufCEnumDescriptor *states = &mesos__v1__task_state__descriptor;
    size_t i = 0;
    for (; i < states->n_values; i++)
        if ((TASK_STATE_BIT(states->values[i].value) & task_states_ended) == 0 && index-- == 0)
            return i;
    return i + index;
}

static unsigned slot_of_state(size_t index)
{
    const ProtobufCEnumDescriptor *states = &mesos__v1__task_state__descriptor;
    return index < states->n_values ? task_slot(states->values[index].value) : TASK_STATE_OTHER;
}

static const char *active_state_value(size_t index)
{
    return state_value(active_state(index));
}

static const char *reload_value(size_t index)
{
    static const char *const values[] = {"swapped", "failed", "taken_back", NULL};
    return values[index];
}

static const char *version_value(size_t index)
{
    return index == 0 ? MESOS_LUA_VERSION : NULL;
}

// ---- numbers ----

static double read_one(const struct metric_facts *facts, size_t index)
{
    (void)facts, (void)index;
    return 1;
}

static double read_uptime(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return stopwatch_seconds() - facts->session->started;
}

static double read_connected(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->driver != NULL && driver_connected(facts->driver);
}

static double read_running(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->driver != NULL && driver_status(facts->driver) == DRIVER_RUNNING;
}

static double read_offers(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->driver ? (double)offer_table_count(driver_offers(facts->driver)) : 0;
}

static double read_oldest_offer(const struct metric_facts *facts, size_t index)
{
    (void)index;
    const struct offer *oldest =
        facts->driver ? offer_table_first(driver_offers(facts->driver)) : NULL;
    if (oldest == NULL)
        return 0;
    return (double)(loop_now(facts->session->loop) - offer_table_arrival(oldest)) /
           (double)LOOP_SECOND;
}

static double read_inverse_offers(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->driver ? (double)offer_table_count(driver_inverse_offers(facts->driver)) : 0;
}

static double read_waiting(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->driver ? (double)driver_events_waiting(facts->driver) : 0;
}

static double read_calls_waiting(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->driver ? (double)driver_calls_waiting(facts->driver) : 0;
}

static double read_held_back(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->driver != NULL && driver_backpressured(facts->driver);
}

static double read_tasks(const struct metric_facts *facts, size_t index)
{
    unsigned slot = slot_of_state(active_state(index));
    return facts->driver ? (double)tasks_in_slot(driver_tasks(facts->driver), slot) : 0;
}

static double read_left_out(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->driver ? (double)tasks_left_out(driver_tasks(facts->driver)) : 0;
}

static double read_launched(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return facts->counters ? (double)facts->counters->launched : 0;
}

static double read_state(const struct metric_facts *facts, size_t index)
{
    return facts->counters ? (double)facts->counters->states[slot_of_state(index)] : 0;
}

static double read_calls(const struct metric_facts *facts, size_t index)
{
    return facts->calls ? (double)facts->calls->sent[index + 1] : 0;
}

static double read_refused(const struct metric_facts *facts, size_t index)
{
    return facts->calls ? (double)facts->calls->refused[index + 1] : 0;
}

static double read_unanswered(const struct metric_facts *facts, size_t index)
{
    return facts->calls ? (double)facts->calls->unanswered[index + 1] : 0;
}

static double read_dropped(const struct metric_facts *facts, size_t index)
{
    return facts->calls ? (double)facts->calls->dropped[index + 1] : 0;
}

static double read_events(const struct metric_facts *facts, size_t index)
{
    return facts->counters ? (double)facts->counters->events[index] : 0;
}

static double read_failed(const struct metric_facts *facts, size_t index)
{
    return facts->counters ? (double)facts->counters->failed[index] : 0;
}

static const struct scheduler_times *read_times(const struct metric_facts *facts, size_t index)
{
    if (facts->scheduler == NULL)
        return NULL;
    const struct scheduler_times *times =
        scheduler_times(facts->scheduler, (enum driver_callback)index);
    return times->count > 0 ? times : NULL;
}

static double read_reloads(const struct metric_facts *facts, size_t index)
{
    const struct session_reloads *reloads = facts->session->reloads;
    if (reloads == NULL)
        return 0;
    const uint64_t values[] = {reloads->swapped, reloads->failed, reloads->taken_back};
    return (double)values[index];
}

static double read_pause(const struct metric_facts *facts, size_t index)
{
    const struct session_reloads *reloads = facts->session->reloads;
    (void)index;
    return reloads ? reloads->pause : 0;
}

static const char *span_value(size_t index)
{
    static const char *const values[] = {"minute", "all", NULL};
    return values[index];
}

static struct lag_span lag_of(const struct metric_facts *facts, size_t index)
{
    struct loop *loop = facts->session->loop;
    const struct lag *lag = loop_lag(loop);
    return index == 0 ? lag_minute(lag, loop_now(loop)) : lag->all;
}

static double read_lag(const struct metric_facts *facts, size_t index)
{
    struct lag_span span = lag_of(facts, index);
    return lag_longest(&span);
}

static double read_mean_lag(const struct metric_facts *facts, size_t index)
{
    struct lag_span span = lag_of(facts, index);
    return lag_mean(&span);
}

static double read_memory(const struct metric_facts *facts, size_t index)
{
    const struct script *script = facts->session->script;
    (void)index;
    return script ? (double)script_memory(script) : 0;
}

static double read_errors(const struct metric_facts *facts, size_t index)
{
    const struct script *script = facts->session->script;
    (void)index;
    return script ? (double)script_failures(script) : 0;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double read_cpu(const struct metric_facts *facts, size_t index)
{
    (void)index;
    return seconds_of(facts->usage.ru_utime) + seconds_of(facts->usage.ru_stime);
}

static double read_resident(const struct metric_facts *facts, size_t index)
{
    (void)facts, (void)index;
    unsigned long size, pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &pages) != 2)
        pages = 0;
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double read_descriptors(const struct metric_facts *facts, size_t index)
{
    (void)facts, (void)index;
    double count = -3; // ".", ".." and the one that reads
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static double read_started(const struct metric_facts *facts, size_t index)
{
    return loop_wall(facts->session->loop) - read_uptime(facts, index);
}

static const struct metric_row rows[] = {
    {.name = "mesos_lua_build_info",
     .label = "version",
     .value = version_value,
     .read = read_one,
     .help = "Always 1; the version is the label."},
    {.name = "mesos_lua_uptime_seconds",
     .unit = UNIT_SECONDS,
     .title = "uptime",
     .read = read_uptime,
     .help = "Time since the host was started."},
    {.name = "mesos_lua_driver_running",
     .read = read_running,
     .help = "1 while the driver runs, 0 before its start and after its end."},
    {.name = "mesos_lua_connected",
     .read = read_connected,
     .help = "1 while the framework is subscribed at a master."},
    {.name = "mesos_lua_outstanding_offers",
     .title = "offers held",
     .read = read_offers,
     .help = "Offers that were neither answered nor rescinded."},
    {.name = "mesos_lua_oldest_offer_seconds",
     .unit = UNIT_SECONDS,
     .title = "oldest offer held for",
     .read = read_oldest_offer,
     .help = "How long the oldest of them has been outstanding; 0 without any."},
    {.name = "mesos_lua_outstanding_inverse_offers",
     .read = read_inverse_offers,
     .help = "Inverse offers that were neither answered nor rescinded."},
    {.name = "mesos_lua_scheduler_event_queue_messages",
     .title = "events waiting",
     .read = read_waiting,
     .help = "Received events that wait for the callback before them; "
             "scheduler/event_queue_messages in Mesos."},
    {.name = "mesos_lua_calls_waiting",
     .title = "calls waiting",
     .read = read_calls_waiting,
     .help = "Calls that have no answer yet."},
    {.name = "mesos_lua_events_held_back",
     .read = read_held_back,
     .help = "1 while events wait because the master is slow to read the calls."},
    {.name = "mesos_lua_tasks",
     .title = "tasks",
     .label = "state",
     .value = active_state_value,
     .read = read_tasks,
     .help = "Tasks that have not ended, as far as is known: driver:taskCounts()."},
    {.name = "mesos_lua_tasks_left_out_total",
     .kind = KIND_COUNTER,
     .read = read_left_out,
     .help = "Tasks that driver:tasks() lacks, because --task-limit was reached."},
    {.name = "mesos_lua_tasks_launched_total",
     .kind = KIND_COUNTER,
     .title = "tasks launched",
     .read = read_launched,
     .help = "Tasks in launches sent to a master."},
    {.name = "mesos_lua_status_updates_total",
     .kind = KIND_COUNTER,
     .title = "status updates",
     .label = "state",
     .value = state_value,
     .read = read_state,
     .help = "Status updates of tasks that were given to the script, repeated ones included."},
    {.name = "mesos_lua_calls_total",
     .kind = KIND_COUNTER,
     .title = "calls",
     .label = "type",
     .value = call_value,
     .read = read_calls,
     .help = "Calls sent to a master."},
    {.name = "mesos_lua_calls_refused_total",
     .kind = KIND_COUNTER,
     .title = "calls refused",
     .label = "type",
     .value = call_value,
     .read = read_refused,
     .help = "Calls that a master answered with an error."},
    {.name = "mesos_lua_calls_unanswered_total",
     .kind = KIND_COUNTER,
     .title = "calls unanswered",
     .label = "type",
     .value = call_value,
     .read = read_unanswered,
     .help = "Calls whose connection was lost before the answer."},
    {.name = "mesos_lua_calls_dropped_total",
     .kind = KIND_COUNTER,
     .title = "calls dropped",
     .label = "type",
     .value = call_value,
     .read = read_dropped,
     .help = "Calls that were not sent because there was no master."},
    {.name = "mesos_lua_callbacks_total",
     .kind = KIND_COUNTER,
     .title = "events",
     .label = "callback",
     .value = callback_value,
     .read = read_events,
     .help = "Events by the callback that they belong to, also if the script does not have it."},
    {.name = "mesos_lua_callback_failures_total",
     .kind = KIND_COUNTER,
     .title = "callbacks failed",
     .label = "callback",
     .value = callback_value,
     .read = read_failed,
     .help = "Callbacks that raised an error or were aborted."},
    {.name = "mesos_lua_callback_duration_seconds",
     .kind = KIND_HISTOGRAM,
     .unit = UNIT_SECONDS,
     .title = "callback times",
     .label = "callback",
     .value = callback_value,
     .times = read_times,
     .help = "How long callbacks took from their start to their end, waits included."},
    {.name = "mesos_lua_reloads_total",
     .kind = KIND_COUNTER,
     .title = "reloads",
     .label = "result",
     .value = reload_value,
     .read = read_reloads,
     .help = "New versions of the script that took over, did not load, or were rolled back."},
    {.name = "mesos_lua_reload_pause_seconds",
     .unit = UNIT_SECONDS,
     .title = "last reload took",
     .read = read_pause,
     .help = "How long the last reload held up the events."},
    {.name = "mesos_lua_loop_lag_longest_seconds",
     .unit = UNIT_SECONDS,
     .title = "longest loop lag",
     .label = "span",
     .value = span_value,
     .read = read_lag,
     .help = "The longest delay of a due timer, in the last minute and in all."},
    {.name = "mesos_lua_loop_lag_mean_seconds",
     .unit = UNIT_SECONDS,
     .title = "mean loop lag",
     .label = "span",
     .value = span_value,
     .read = read_mean_lag,
     .help = "The mean delay of a due timer, in the last minute and in all."},
    {.name = "mesos_lua_script_memory_bytes",
     .unit = UNIT_BYTES,
     .title = "memory of the script",
     .read = read_memory,
     .help = "The Lua heap of the version that runs."},
    {.name = "mesos_lua_script_errors_total",
     .kind = KIND_COUNTER,
     .title = "errors of the script",
     .read = read_errors,
     .help = "Callbacks, timers and functions of the version that runs that raised an error."},
    {.name = "process_cpu_seconds_total",
     .kind = KIND_COUNTER,
     .unit = UNIT_SECONDS,
     .title = "processor time",
     .read = read_cpu,
     .help = "User and system time of the process."},
    {.name = "process_resident_memory_bytes",
     .unit = UNIT_BYTES,
     .title = "memory of the process",
     .read = read_resident,
     .help = "Resident memory of the process."},
    {.name = "process_open_fds",
     .title = "open files",
     .read = read_descriptors,
     .help = "Open file descriptors of the process."},
    {.name = "process_start_time_seconds",
     .unit = UNIT_SECONDS,
     .read = read_started,
     .help = "When the host was started, since the Unix epoch."},
};

enum { ROWS = sizeof rows / sizeof *rows };

// ---- texts ----

static void put_slice(struct buffer *out, struct slice text)
{
    inspect_text(out, (const char *)text.data, text.length);
}

static void text_script(const struct metric_facts *facts, struct buffer *out)
{
    put_slice(out, slice_text(facts->session->path));
}

static void text_pid(const struct metric_facts *facts, struct buffer *out)
{
    (void)facts;
    buffer_format(out, "%d", (int)getpid());
}

static void text_version(const struct metric_facts *facts, struct buffer *out)
{
    (void)facts;
    buffer_append_text(out, MESOS_LUA_VERSION);
}

static void text_log_level(const struct metric_facts *facts, struct buffer *out)
{
    (void)facts;
    buffer_append_text(out, log_level_name(log_get_level()));
}

static void text_id(const struct metric_facts *facts, struct buffer *out)
{
    if (facts->driver != NULL)
        put_slice(out, driver_framework_id(facts->driver));
}

static void text_name(const struct metric_facts *facts, struct buffer *out)
{
    if (facts->driver != NULL)
        put_slice(out, wire_find(driver_framework(facts->driver), FIELD_FRAMEWORK_INFO_NAME));
}

static void text_status(const struct metric_facts *facts, struct buffer *out)
{
    if (facts->driver != NULL)
        buffer_append_text(out, driver_status_name(driver_status(facts->driver)));
}

static void text_connection(const struct metric_facts *facts, struct buffer *out)
{
    bool connected = read_connected(facts, 0) != 0;
    buffer_append_text(out, connected ? "connected" : "disconnected");
}

static void put_address(struct buffer *out, const Mesos__V1__MasterInfo *master)
{
    const Mesos__V1__Address *address = master->address;
    const char *host = address && address->hostname ? address->hostname : NULL;
    if (host == NULL)
        host = address && address->ip ? address->ip : master->hostname;
    inspect_text(out, host ? host : "?", host ? strlen(host) : 1);
    buffer_format(out, ":%" PRIu32, address ? (uint32_t)address->port : master->port);
}

static void text_master(const struct metric_facts *facts, struct buffer *out)
{
    struct slice wire = facts->driver ? driver_master(facts->driver) : slice_text(NULL);
    if (wire.data == NULL)
        return;
    Mesos__V1__MasterInfo *master = mesos__v1__master_info__unpack(NULL, wire.length, wire.data);
    if (master != NULL)
        put_address(out, master);
    mesos__v1__master_info__free_unpacked(master, NULL);
}

static void text_callback(const struct metric_facts *facts, struct buffer *out)
{
    const char *name = facts->scheduler ? scheduler_callback(facts->scheduler) : NULL;
    buffer_append_text(out, name ? name : "");
}

static void text_running(const struct metric_facts *facts, struct buffer *out)
{
    char text[512];
    (void)facts;
    if (script_running(text, sizeof text))
        inspect_text(out, text, strlen(text));
}

static const struct {
    const char *name, *title;
    void (*put)(const struct metric_facts *facts, struct buffer *out);
} texts[] = {
    {"version", "mesos-lua", text_version},
    {"pid", "process", text_pid},
    {"script", "script", text_script},
    {"framework_name", "framework", text_name},
    {"framework_id", "framework id", text_id},
    {"driver", "driver", text_status},
    {"connection", "connection", text_connection},
    {"master", "master", text_master},
    {"callback", "in callback", text_callback},
    {"running", "inside", text_running},
    {"log_level", "log level", text_log_level},
};

enum { TEXTS = sizeof texts / sizeof *texts, TEXT_MOST = 4096 };

// ---- Prometheus ----

static void put_number(struct buffer *out, double number)
{
    buffer_format(out, "%.15g", number);
}

static void put_sample(struct buffer *out, const struct metric_row *row, size_t index,
                       double number)
{
    buffer_append_text(out, row->name);
    if (row->label != NULL)
        buffer_format(out, "{%s=\"%s\"}", row->label, row->value(index));
    buffer_append_text(out, " ");
    put_number(out, number);
    buffer_append_text(out, "\n");
}

static void put_bucket(struct buffer *out, const struct metric_row *row, size_t index,
                       const char *bound, uint64_t count)
{
    buffer_format(out, "%s_bucket{%s=\"%s\",le=\"%s\"} %" PRIu64 "\n", row->name, row->label,
                  row->value(index), bound, count);
}

static void put_histogram(struct buffer *out, const struct metric_row *row, size_t index,
                          const struct scheduler_times *times)
{
    char bound[32];
    uint64_t count = 0;
    for (int i = 0; i < SCHEDULER_BOUNDS; i++) {
        snprintf(bound, sizeof bound, "%g", scheduler_bounds[i]);
        count += times->within[i];
        put_bucket(out, row, index, bound, count);
    }
    put_bucket(out, row, index, "+Inf", times->count);
    const char *value = row->value(index);
    buffer_format(out, "%s_sum{%s=\"%s\"} %.9g\n", row->name, row->label, value, times->sum);
    buffer_format(out, "%s_count{%s=\"%s\"} %" PRIu64 "\n", row->name, row->label, value,
                  times->count);
}

static void put_row(struct buffer *out, const struct metric_facts *facts,
                    const struct metric_row *row)
{
    static const char *const kinds[] = {"gauge", "counter", "histogram"};
    buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                  kinds[row->kind]);
    for (size_t i = 0; row->label ? row->value(i) != NULL : i == 0; i++) {
        if (row->times == NULL)
            put_sample(out, row, i, row->read(facts, i));
        else if (row->times(facts, i) != NULL)
            put_histogram(out, row, i, row->times(facts, i));
    }
}

void metrics_prometheus(const struct session *session, struct buffer *out)
{
    struct metric_facts facts = collect(session);
    for (size_t i = 0; i < ROWS; i++)
        put_row(out, &facts, &rows[i]);
}

// ---- JSON ----

// Without the prefix and "_total": "calls", "uptime_seconds".
static void short_name(char *name, size_t size, const struct metric_row *row)
{
    static const char prefix[] = "mesos_lua_", tail[] = "_total";
    bool own = strncmp(row->name, prefix, sizeof prefix - 1) == 0;
    snprintf(name, size, "%s", row->name + (own ? sizeof prefix - 1 : 0));
    size_t length = strlen(name), cut = sizeof tail - 1;
    if (length > cut && strcmp(name + length - cut, tail) == 0)
        name[length - cut] = '\0';
}

static json_t *json_number(const struct metric_row *row, double number)
{
    return row->unit == UNIT_SECONDS ? json_real(number) : json_integer((json_int_t)number);
}

static json_t *json_times(const struct scheduler_times *times)
{
    return json_pack("{s:I, s:f, s:f, s:f}", "count", (json_int_t)times->count, "sum", times->sum,
                     "longest", times->longest, "last", times->last);
}

// Numbers that are 0 are left out.
static json_t *json_labelled(const struct metric_facts *facts, const struct metric_row *row)
{
    json_t *object = json_object();
    for (size_t i = 0; row->value(i) != NULL; i++) {
        const struct scheduler_times *times = row->times ? row->times(facts, i) : NULL;
        double number = row->read ? row->read(facts, i) : 0;
        if (times != NULL)
            json_object_set_new(object, row->value(i), json_times(times));
        else if (number != 0)
            json_object_set_new(object, row->value(i), json_number(row, number));
    }
    return object;
}

static void set_texts(json_t *object, const struct metric_facts *facts)
{
    struct buffer text;
    buffer_init(&text, TEXT_MOST);
    for (size_t i = 0; i < TEXTS; i++) {
        buffer_clear(&text);
        texts[i].put(facts, &text);
        json_t *value = text.length ? json_string(buffer_string(&text)) : json_null();
        json_object_set_new(object, texts[i].name, value);
    }
    buffer_free(&text);
}

json_t *metrics_json(const struct session *session)
{
    struct metric_facts facts = collect(session);
    json_t *object = json_object();
    set_texts(object, &facts);
    for (size_t i = 0; i < ROWS; i++) {
        char name[128];
        short_name(name, sizeof name, &rows[i]);
        json_object_set_new(object, name,
                            rows[i].label ? json_labelled(&facts, &rows[i])
                                          : json_number(&rows[i], rows[i].read(&facts, 0)));
    }
    return object;
}

// ---- for people ----

static void put_seconds(struct buffer *out, double seconds)
{
    if (seconds < 1)
        buffer_format(out, "%.3g ms", seconds * 1e3);
    else if (seconds < 120)
        buffer_format(out, "%.3g s", seconds);
    else if (seconds < 2 * 3600)
        buffer_format(out, "%.0f min", seconds / 60);
    else if (seconds < 2 * 86400)
        buffer_format(out, "%.1f h", seconds / 3600);
    else
        buffer_format(out, "%.1f days", seconds / 86400);
}

static void put_value(struct buffer *out, const struct metric_row *row, double number)
{
    if (row->unit == UNIT_SECONDS)
        put_seconds(out, number);
    else if (row->unit == UNIT_BYTES)
        buffer_format(out, number < 1 << 20 ? "%.1f KiB" : "%.1f MiB",
                      number < 1 << 20 ? number / 1024 : number / (1 << 20));
    else
        put_number(out, number);
}

static void put_times(struct buffer *out, const struct scheduler_times *times)
{
    buffer_format(out, "%" PRIu64 " of ", times->count);
    put_seconds(out, times->sum / (double)times->count);
    buffer_append_text(out, " on average, the longest ");
    put_seconds(out, times->longest);
}

enum { COLUMN = 22 };

static void put_labelled(struct buffer *out, const struct metric_facts *facts,
                         const struct metric_row *row)
{
    bool first = true;
    for (size_t i = 0; row->value(i) != NULL; i++) {
        const struct scheduler_times *times = row->times ? row->times(facts, i) : NULL;
        double number = row->read ? row->read(facts, i) : 0;
        if (times == NULL && number == 0)
            continue;
        if (first)
            buffer_format(out, "%-*s", COLUMN, row->title);
        else if (times != NULL)
            buffer_format(out, "\n%-*s", COLUMN, "");
        else
            buffer_append_text(out, ", ");
        buffer_format(out, "%s ", row->value(i));
        if (times != NULL)
            put_times(out, times);
        else
            put_value(out, row, number);
        first = false;
    }
    buffer_append_text(out, first ? "" : "\n");
}

static void put_texts(struct buffer *out, const struct metric_facts *facts)
{
    struct buffer text;
    buffer_init(&text, TEXT_MOST);
    for (size_t i = 0; i < TEXTS; i++) {
        buffer_clear(&text);
        texts[i].put(facts, &text);
        if (text.length > 0)
            buffer_format(out, "%-*s%s\n", COLUMN, texts[i].title, buffer_string(&text));
    }
    buffer_free(&text);
}

void metrics_summary(const struct session *session, struct buffer *out)
{
    struct metric_facts facts = collect(session);
    put_texts(out, &facts);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].title == NULL)
            continue;
        if (rows[i].label != NULL) {
            put_labelled(out, &facts, &rows[i]);
            continue;
        }
        double number = rows[i].read(&facts, 0);
        if (rows[i].unit == UNIT_SECONDS && number == 0)
            continue;
        buffer_format(out, "%-*s", COLUMN, rows[i].title);
        put_value(out, &rows[i], number);
        buffer_append_text(out, "\n");
    }
}
