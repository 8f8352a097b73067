// SPDX-License-Identifier: Apache-2.0
//
// What the benchmarks share: see fixture.h.

#include "fixture.h"

#include "base/log.h"
#include "base/memory.h"
#include "bindings/module.h"
#include "bindings/scheduler/scheduler.h"
#include "leader/detector.h"
#include "loop/loop_virtual.h"
#include "mesos/transport.h"
#include "script/script.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct stage {
    struct loop *loop;
    struct script *script;
    struct scheduler *scheduler;
    struct scheduler_services services;
    struct scheduler_environment environment;
    struct transport *transport;
    uint64_t calls, bytes;
};

struct stage_transport {
    struct transport transport;
    struct stage *stage;
};

// ---- the two parts of a connection ----

static bool open_stream(struct transport *transport, const char *master, struct slice subscribe,
                        struct error *err)
{
    (void)transport, (void)master, (void)subscribe, (void)err;
    return true;
}

static void close_stream(struct transport *transport)
{
    (void)transport;
}

static void send_call(struct transport *transport, struct slice call, transport_on_reply on_reply,
                      void *data)
{
    struct stage *stage = ((struct stage_transport *)transport)->stage;
    const struct http_reply reply = {.status = 202};
    stage->calls++;
    stage->bytes += call.length;
    if (on_reply != NULL)
        on_reply(data, &reply);
}

static void pause_stream(struct transport *transport, bool paused)
{
    (void)transport, (void)paused;
}

static void destroy_transport(struct transport *transport)
{
    free(transport);
}

static const struct transport_ops transport_ops = {
    .open = open_stream,
    .close = close_stream,
    .send = send_call,
    .pause = pause_stream,
    .destroy = destroy_transport,
};

static void do_nothing(struct detector *detector)
{
    (void)detector;
}

static void destroy_detector(struct detector *detector)
{
    free(detector);
}

static const struct detector_ops detector_ops = {
    .start = do_nothing, .retry = do_nothing, .stop = do_nothing, .destroy = destroy_detector};

static bool on_connect(void *data, const char *master, const struct credentials_options *credential,
                       struct driver_options *options, struct error *err)
{
    (void)master, (void)credential, (void)err;
    struct stage *stage = data;
    struct stage_transport *made = memory_new(sizeof *made);
    made->transport.ops = &transport_ops;
    made->stage = stage;
    options->detector = memory_new(sizeof *options->detector);
    options->detector->ops = &detector_ops;
    options->transport = stage->transport = &made->transport;
    return true;
}

// ---- the script ----

static void fail(const struct error *err)
{
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

static void on_warning(void *data, const char *text)
{
    (void)data;
    fprintf(stderr, "bench: %s\n", text);
}

static void load(struct stage *stage, const char *text)
{
    struct error err = {0};
    char path[] = "/tmp/mesos-lua-bench-XXXXXX";
    int file = mkstemp(path);
    if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text))
        error_set(&err, ERROR_IO, "cannot write the script");
    close(file);
    bool good = err.code == ERROR_NONE && script_load(stage->script, path, 0, NULL, &err) &&
                scheduler_adopt(stage->script, &stage->environment, on_warning, NULL,
                                &stage->scheduler, &err);
    unlink(path);
    if (!good)
        fail(&err);
}

struct stage *stage_create(const char *text)
{
    struct error err = {0};
    struct stage *stage = memory_new(sizeof *stage);
    log_set_level(LOG_WARNING);
    stage->loop = loop_virtual_create(1.8e9);
    stage->services = (struct scheduler_services){.connect = on_connect, .data = stage};
    stage->environment =
        (struct scheduler_environment){.loop = stage->loop, .services = &stage->services};
    const struct script_module modules[] = {{"mesos", module_open, &stage->environment},
                                            {.name = NULL}};
    const struct script_settings settings = {
        .loop = stage->loop, .modules = modules, .callback_warn = 1};
    stage->script = script_create(&settings, &err);
    if (stage->script == NULL)
        fail(&err);
    load(stage, text);
    driver_start(scheduler_driver(stage->scheduler));
    struct transport *transport = stage->transport;
    struct subscription *subscription = transport->data;
    subscription->detector->events->leader(subscription, "http://master:5050");
    transport->events->accepted(transport->data);
    static const char subscribed[] = "\x08\x01\x12\x05\x0a\x03\x0a\x01"
                                     "f";
    transport->events->record(transport->data, bytes_copy(subscribed, sizeof subscribed - 1));
    return stage;
}

void stage_destroy(struct stage *stage)
{
    scheduler_destroy(stage->scheduler);
    script_destroy(stage->script);
    loop_destroy(stage->loop);
    free(stage);
}

void stage_event(struct stage *stage, struct bytes *record)
{
    struct transport *transport = stage->transport;
    transport->events->record(transport->data, bytes_ref(record));
    loop_virtual_advance(stage->loop, 0);
}

uint64_t stage_calls(struct stage *stage, uint64_t *bytes)
{
    uint64_t calls = stage->calls;
    *bytes = stage->bytes;
    stage->calls = stage->bytes = 0;
    return calls;
}

uint64_t stage_failures(const struct stage *stage)
{
    const struct driver_counters *counters = driver_counters(scheduler_driver(stage->scheduler));
    uint64_t failures = 0;
    for (int i = 0; i < CALLBACKS; i++)
        failures += counters->failed[i];
    return failures;
}

// ---- events ----

static Mesos__V1__Resource *scalar(const char *name, double amount,
                                   Mesos__V1__Resource__AllocationInfo *role)
{
    Mesos__V1__Resource *resource = memory_new(sizeof *resource);
    mesos__v1__resource__init(resource);
    resource->name = memory_string(name);
    resource->type = MESOS__V1__VALUE__TYPE__SCALAR;
    resource->scalar = memory_new(sizeof *resource->scalar);
    mesos__v1__value__scalar__init(resource->scalar);
    resource->scalar->value = amount;
    resource->allocation_info = role;
    return resource;
}

static Mesos__V1__Resource *ports(Mesos__V1__Resource__AllocationInfo *role)
{
    Mesos__V1__Resource *resource = memory_new(sizeof *resource);
    mesos__v1__resource__init(resource);
    resource->name = "ports";
    resource->type = MESOS__V1__VALUE__TYPE__RANGES;
    resource->ranges = memory_new(sizeof *resource->ranges);
    mesos__v1__value__ranges__init(resource->ranges);
    resource->ranges->n_range = 3;
    resource->ranges->range = memory_new(3 * sizeof *resource->ranges->range);
    for (int i = 0; i < 3; i++) {
        Mesos__V1__Value__Range *range = memory_new(sizeof *range);
        mesos__v1__value__range__init(range);
        range->begin = (uint64_t)(31000 + 300 * i);
        range->end = range->begin + 200;
        resource->ranges->range[i] = range;
    }
    resource->allocation_info = role;
    return resource;
}

static Mesos__V1__Attribute *attribute(const char *name, const char *text)
{
    Mesos__V1__Attribute *made = memory_new(sizeof *made);
    mesos__v1__attribute__init(made);
    made->name = (char *)(uintptr_t)name;
    made->type = MESOS__V1__VALUE__TYPE__TEXT;
    made->text = memory_new(sizeof *made->text);
    mesos__v1__value__text__init(made->text);
    made->text->value = (char *)(uintptr_t)text;
    return made;
}

// The pieces of one offer are made once and shared; only ids and names differ.
static void add_offer(Mesos__V1__Offer *offer, unsigned number)
{
    static const char master[] = "8a1d8f0e-5b3c-4f1c-9a53-0d4f6b1f7a22";
    mesos__v1__offer__init(offer);
    offer->id = memory_new(sizeof *offer->id);
    mesos__v1__offer_id__init(offer->id);
    offer->id->value = memory_format("%s-O%u", master, number);
    offer->framework_id = memory_new(sizeof *offer->framework_id);
    mesos__v1__framework_id__init(offer->framework_id);
    offer->framework_id->value = memory_format("%s-0000", master);
    offer->agent_id = memory_new(sizeof *offer->agent_id);
    mesos__v1__agent_id__init(offer->agent_id);
    offer->agent_id->value = memory_format("%s-S%u", master, number);
    offer->hostname = memory_format("agent-%u.rack-%u.example.com", number, number % 40);
    Mesos__V1__Resource__AllocationInfo *role = memory_new(sizeof *role);
    mesos__v1__resource__allocation_info__init(role);
    role->role = "web";
    offer->allocation_info = role;
    offer->n_resources = 6;
    offer->resources = memory_new(6 * sizeof *offer->resources);
    offer->resources[0] = scalar("cpus", 16 + number % 16, role);
    offer->resources[1] = scalar("mem", 65536 - number, role);
    offer->resources[2] = scalar("disk", 900000, role);
    offer->resources[3] = scalar("gpus", number % 5, role);
    offer->resources[4] = scalar("network_bandwidth", 10000, role);
    offer->resources[5] = ports(role);
    static const char *const names[] = {"rack", "zone", "os", "kernel", "generation", "pool"};
    static const char *const texts[] = {"rack-17",        "zone-b", "debian-12",
                                        "6.1.0-18-amd64", "g7",     "general"};
    offer->n_attributes = 6;
    offer->attributes = memory_new(6 * sizeof *offer->attributes);
    for (int i = 0; i < 6; i++)
        offer->attributes[i] = attribute(names[i], texts[i]);
    offer->url = memory_new(sizeof *offer->url);
    mesos__v1__url__init(offer->url);
    offer->url->scheme = "http";
    offer->url->path = "/slave(1)";
    offer->url->address = memory_new(sizeof *offer->url->address);
    mesos__v1__address__init(offer->url->address);
    offer->url->address->hostname = offer->hostname;
    offer->url->address->ip = memory_format("10.%u.%u.7", number / 200 % 200, number % 200);
    offer->url->address->port = 5051;
}

// What is built here stays allocated: a benchmark is a short life.
struct bytes *stage_offers_from(unsigned first, unsigned count)
{
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS;
    event.offers = &offers;
    offers.n_offers = count;
    offers.offers = memory_new(count * sizeof *offers.offers);
    for (unsigned i = 0; i < count; i++) {
        offers.offers[i] = memory_new(sizeof **offers.offers);
        add_offer(offers.offers[i], first + i);
    }
    struct bytes *bytes = bytes_create(mesos__v1__scheduler__event__get_packed_size(&event));
    mesos__v1__scheduler__event__pack(&event, bytes->data);
    return bytes;
}

struct bytes *stage_offers(unsigned count)
{
    return stage_offers_from(0, count);
}

static struct bytes *pack(const Mesos__V1__Scheduler__Event *event)
{
    struct bytes *bytes = bytes_create(mesos__v1__scheduler__event__get_packed_size(event));
    mesos__v1__scheduler__event__pack(event, bytes->data);
    return bytes;
}

static struct bytes *make_update(char *task, char *agent, unsigned number)
{
    char uuid[] = "\x10\x32\x54\x76\x98\xba\x4c\xfe\x81\x01\x23\x45\x67\x89\xab\xcd";
    memcpy(uuid, &number, sizeof number);
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    task_id.value = executor_id.value = task;
    agent_id.value = agent;
    status.task_id = &task_id;
    status.agent_id = &agent_id;
    status.executor_id = &executor_id;
    status.state = MESOS__V1__TASK_STATE__TASK_RUNNING;
    status.has_source = status.has_timestamp = status.has_uuid = 1;
    status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
    status.timestamp = 1.8e9;
    status.uuid = (ProtobufCBinaryData){.len = 16, .data = (uint8_t *)uuid};
    update.status = &status;
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE;
    event.update = &update;
    return pack(&event);
}

struct bytes *stage_update(void)
{
    char task[] = "job-4711-attempt-2", agent[] = "8a1d8f0e-5b3c-4f1c-9a53-0d4f6b1f7a22-S17";
    return make_update(task, agent, 0x76543210);
}

struct bytes *stage_task_update(unsigned number)
{
    char *task = memory_format("job-%u-attempt-2", number);
    char *agent = memory_format("8a1d8f0e-5b3c-4f1c-9a53-0d4f6b1f7a22-S%u", number / 50);
    struct bytes *event = make_update(task, agent, number);
    free(task);
    free(agent);
    return event;
}

struct bytes *stage_message(void)
{
    char agent[] = "8a1d8f0e-5b3c-4f1c-9a53-0d4f6b1f7a22-S17", executor[] = "executor";
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Message message = MESOS__V1__SCHEDULER__EVENT__MESSAGE__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    agent_id.value = agent;
    executor_id.value = executor;
    message.agent_id = &agent_id;
    message.executor_id = &executor_id;
    message.data = (ProtobufCBinaryData){.len = 8, .data = (uint8_t *)executor};
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__MESSAGE;
    event.message = &message;
    return pack(&event);
}

size_t stage_script_memory(const struct stage *stage)
{
    lua_gc(script_state(stage->script), LUA_GCCOLLECT);
    return script_memory(stage->script);
}

uint64_t stage_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// ---- figures ----

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stage_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}
