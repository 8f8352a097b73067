// SPDX-License-Identifier: Apache-2.0
//
// How fast the simulator's world is: the real driver, with a policy in Lua or the same in C, on the
// real master by direct call, with agents whose tasks only last, on the virtual clock. Jobs of one
// task come at random and use 70 % of the agents; a task takes 120 s on average.
//
// Events are what happens between a master and its framework: jobs that are submitted, offers that
// are made, calls, and updates. What counts is CPU time; each world is a process of its own.
//
//     bench-sim                             the table: a virtual minute of 1,000 to 100,000 agents
//     bench-sim lua|c [AGENTS [SECONDS]]    one world, for the ten minutes and for callgrind

#include "fixture.h"

#include "agent/runner_virtual.h"
#include "api/c_callbacks.h"
#include "api/message_check.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "bindings/module.h"
#include "bindings/scheduler/scheduler.h"
#include "bindings/scheduler/submissions.h"
#include "cluster/scheduler_direct.h"
#include "leader/detector.h"
#include "loop/loop_virtual.h"
#include "master/master_records.h"
#include "mesos/framework_defaults.h"
#include "script/script.h"
#include "script/serialize.h"

#include <lauxlib.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const double load = 0.7, run_time = 120; // of a task on average, in seconds

enum { AGENT_CPUS = 8, JOB_ID = 24, BATCH_MOST = 64, TABLE_SECONDS = 60 };

// Tasks have 1 cpu, and two of five have 2.
static const double mean_cpus = 1.4;

struct job {
    uint64_t number;
    double cpus, mem;
};

struct world {
    struct loop *loop;
    struct runner *runner;
    struct master *master;
    struct driver *driver;
    uint64_t random, jobs, started;
    double gap; // between jobs on average, in seconds
    struct timer arrival;
    void (*submit)(struct world *world, const struct job *job);
    // Of a policy in Lua.
    struct script *script;
    struct scheduler *scheduler;
    struct scheduler_services services;
    struct scheduler_environment environment;
    lua_State *rows;
    // Of one in C.
    struct c_callbacks program;
    struct job *queue; // from `first` on `waiting` of them
    size_t first, waiting, capacity;
};

static void fail(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(1);
}

// ---- random numbers: splitmix64 ----

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static double uniform(uint64_t bits) // above 0, at most 1
{
    return ((double)(bits >> 11) + 1) / 9007199254740992.0;
}

static double next_random(struct world *world)
{
    return uniform(mix(world->random += UINT64_C(0x9e3779b97f4a7c15)));
}

// ---- the workload ----

// How long the task of a job lasts is a matter of its number.
static void on_fate(void *data, const struct runner_command *command, const char *task_id,
                    struct runner_virtual_fate *fate)
{
    struct world *world = data;
    (void)command;
    uint64_t number = strtoull(task_id + 4, NULL, 10);
    fate->duration = loop_seconds(-log(uniform(mix(number + 1))) * run_time);
    world->started++;
}

static void on_arrival(void *data)
{
    struct world *world = data;
    struct job job = {.number = world->jobs++, .cpus = next_random(world) < 0.6 ? 1 : 2};
    job.mem = job.cpus * 1024;
    timer_start(&world->arrival, loop_seconds(-log(next_random(world)) * world->gap));
    world->submit(world, &job);
}

// ---- the policy in Lua ----

static bool on_connect(void *data, const char *master, const struct credentials_options *credential,
                       struct driver_options *options, struct error *err)
{
    struct world *world = data;
    (void)master, (void)credential;
    options->detector = detector_create("127.0.0.1:5050", world->loop, err);
    options->transport = transport_direct_create(world->loop, &scheduler_direct_peer,
                                                 scheduler_direct_create(world->master, "bench"));
    options->subscription.backoff_factor = 0;
    options->subscription.missed_intervals = 0;
    options->subscription.answer_deadline = HUGE_VAL;
    return options->detector != NULL;
}

static void on_answer(void *data, const struct submission_end *end)
{
    (void)data;
    if (!end->ok)
        fail("a job was refused");
}

static void submit_to_lua(struct world *world, const struct job *job)
{
    struct error err = {0};
    struct buffer bytes;
    lua_State *L = world->rows;
    buffer_init(&bytes, 4096);
    lua_createtable(L, 0, 4);
    lua_pushfstring(L, "job-%I", (LUAI_UACINT)job->number);
    lua_setfield(L, -2, "id");
    lua_pushnumber(L, (double)loop_now(world->loop) / (double)LOOP_SECOND);
    lua_setfield(L, -2, "at");
    lua_pushnumber(L, job->cpus);
    lua_setfield(L, -2, "cpus");
    lua_pushnumber(L, job->mem);
    lua_setfield(L, -2, "mem");
    if (!serialize_save(L, -1, "job", &bytes, &err) ||
        !scheduler_submit(world->scheduler, bytes_copy(bytes.data, bytes.length), on_answer, world,
                          &err))
        fail(err.text);
    lua_pop(L, 1);
    buffer_free(&bytes);
}

static void on_warning(void *data, const char *text)
{
    (void)data;
    fail(text);
}

static void on_failure(void *data, const char *what, const char *text)
{
    (void)data, (void)what;
    fail(text);
}

static bool on_callback_ended(void *data, const char *callback, const char *text)
{
    (void)data, (void)callback;
    if (text != NULL)
        fail(text);
    return false;
}

static void open_lua(struct world *world)
{
    struct error err = {0};
    world->services = (struct scheduler_services){.connect = on_connect, .data = world};
    world->environment = (struct scheduler_environment){
        .loop = world->loop, .services = &world->services, .testing = true};
    const struct script_module modules[] = {{"mesos", module_open, &world->environment},
                                            {.name = NULL}};
    const struct script_settings settings = {
        .loop = world->loop, .modules = modules, .on_failure = on_failure};
    world->script = script_create(&settings, &err);
    world->rows = luaL_newstate();
    if (world->script == NULL ||
        !script_load(world->script, "spec/bench/policies/first_fit.lua", 0, NULL, &err) ||
        !scheduler_adopt(world->script, &world->environment, on_warning, NULL, &world->scheduler,
                         &err))
        fail(err.text);
    scheduler_observe(world->scheduler, on_callback_ended, world);
    world->driver = scheduler_driver(world->scheduler);
    world->submit = submit_to_lua;
}

// ---- the same in C, as a program on mesos_driver.h writes it: structs of protobuf-c ----

static void submit_to_c(struct world *world, const struct job *job)
{
    if (world->first > 0 && world->first + world->waiting == world->capacity) {
        memmove(world->queue, world->queue + world->first, world->waiting * sizeof *world->queue);
        world->first = 0;
    }
    if (world->waiting == world->capacity) {
        world->capacity = world->capacity ? 2 * world->capacity : 1024;
        world->queue = memory_resize(world->queue, world->capacity * sizeof *world->queue);
    }
    world->queue[world->first + world->waiting++] = *job;
}

// The messages of one task.
struct task_messages {
    char name[JOB_ID];
    Mesos__V1__TaskID id;
    Mesos__V1__CommandInfo command;
    Mesos__V1__Value__Scalar scalars[2];
    Mesos__V1__Resource resources[2], *list[2];
    Mesos__V1__TaskInfo info;
};

static void fill_task(struct task_messages *task, const struct job *job,
                      const Mesos__V1__Offer *offer)
{
    static char *const names[] = {"cpus", "mem"};
    const double amounts[] = {job->cpus, job->mem};
    snprintf(task->name, sizeof task->name, "job-%llu", (unsigned long long)job->number);
    mesos__v1__task_id__init(&task->id);
    mesos__v1__command_info__init(&task->command);
    mesos__v1__task_info__init(&task->info);
    for (size_t i = 0; i < 2; i++) {
        mesos__v1__value__scalar__init(&task->scalars[i]);
        mesos__v1__resource__init(&task->resources[i]);
        task->scalars[i].value = amounts[i];
        task->resources[i].name = names[i];
        task->resources[i].type = MESOS__V1__VALUE__TYPE__SCALAR;
        task->resources[i].scalar = &task->scalars[i];
        task->list[i] = &task->resources[i];
    }
    task->id.value = task->info.name = task->name;
    task->command.value = "work";
    task->info.task_id = &task->id;
    task->info.agent_id = offer->agent_id;
    task->info.command = &task->command;
    task->info.n_resources = 2;
    task->info.resources = task->list;
}

// As mesos_driver_launch_tasks() and mesos_driver_decline_offer(), but for the way to the thread.
static void launch(struct world *world, const Mesos__V1__Offer *offer,
                   Mesos__V1__TaskInfo *const *tasks, size_t count)
{
    struct error err = {0};
    struct buffer message;
    Mesos__V1__OfferID *ids[] = {offer->id};
    Mesos__V1__Offer__Operation__Launch launches = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
    Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT,
                                *list[] = {&operation};
    Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
    launches.n_task_infos = count;
    launches.task_infos = (Mesos__V1__TaskInfo **)(uintptr_t)tasks;
    operation.has_type = true;
    operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
    operation.launch = &launches;
    accept.n_offer_ids = accept.n_operations = 1;
    accept.offer_ids = ids;
    accept.operations = list;
    buffer_init(&message, 1 << 20);
    if (!message_check_list(tasks, count, &mesos__v1__task_info__descriptor, "tasks", &err) ||
        !message_check_pack(&accept, &message, &err))
        fail(err.text);
    driver_accept(world->driver, buffer_slice(&message));
    buffer_free(&message);
}

static size_t fill(struct world *world, const Mesos__V1__Offer *offer, struct task_messages *tasks)
{
    double cpus = 0, mem = 0;
    size_t count = 0;
    for (size_t i = 0; i < offer->n_resources; i++) {
        const Mesos__V1__Resource *resource = offer->resources[i];
        if (strcmp(resource->name, "cpus") == 0)
            cpus = resource->scalar->value;
        else if (strcmp(resource->name, "mem") == 0)
            mem = resource->scalar->value;
    }
    while (world->waiting > 0 && count < BATCH_MOST) {
        const struct job *job = &world->queue[world->first];
        if (job->cpus > cpus || job->mem > mem)
            break;
        fill_task(&tasks[count++], job, offer);
        cpus -= job->cpus;
        mem -= job->mem;
        world->first++;
        world->waiting--;
    }
    return count;
}

static void resource_offers(void *data, struct mesos_driver *driver,
                            Mesos__V1__Offer *const *offers, size_t offer_count)
{
    static struct task_messages tasks[BATCH_MOST];
    static Mesos__V1__TaskInfo *list[BATCH_MOST];
    struct world *world = data;
    (void)driver;
    for (size_t i = 0; i < offer_count; i++) {
        size_t count = fill(world, offers[i], tasks);
        for (size_t j = 0; j < count; j++)
            list[j] = &tasks[j].info;
        if (count > 0)
            launch(world, offers[i], list, count);
        else
            driver_decline(world->driver, slice_text(offers[i]->id->value),
                           (struct slice){.data = NULL});
    }
}

static void status_update(void *data, struct mesos_driver *driver,
                          const Mesos__V1__TaskStatus *status)
{
    (void)data, (void)driver, (void)status;
}

static enum driver_outcome on_callback(void *data, const struct driver_event *event)
{
    struct world *world = data;
    return c_callbacks_call(&world->program, event) ? OUTCOME_DONE : OUTCOME_FAILED;
}

static void on_finished(void *data)
{
    (void)data;
}

static void open_c(struct world *world)
{
    static const struct driver_listener listener = {.callback = on_callback,
                                                    .finished = on_finished};
    struct error err = {0};
    struct driver_options options = {.subscription = {.backoff_factor = 0}};
    struct buffer framework;
    Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
    struct framework_defaults defaults;
    info.name = "first-fit";
    framework_defaults_fill(&defaults, &info);
    buffer_init(&framework, 4096);
    if (!message_check_pack(&info, &framework, &err) ||
        !on_connect(world, NULL, NULL, &options, &err))
        fail(err.text);
    options.framework = buffer_slice(&framework);
    world->program = (struct c_callbacks){
        .scheduler = {.resource_offers = resource_offers, .status_update = status_update},
        .data = world};
    world->driver = driver_create(world->loop, &options, &listener, world, &err);
    if (world->driver == NULL)
        fail(err.text);
    buffer_free(&framework);
    world->submit = submit_to_c;
}

// ---- worlds ----

static void add_agents(struct world *world, unsigned count)
{
    struct resources resources;
    struct error err;
    if (!resources_parse(&resources, "cpus:8;mem:32768;disk:100000;ports:[31000-32000]", NULL,
                         &err))
        fail(err.text);
    for (unsigned i = 0; i < count; i++) {
        struct agent_description description = {0};
        char text[32], host[32];
        snprintf(text, sizeof text, "rack=r%u", i / 40);
        snprintf(host, sizeof host, "agent-%u", i + 1);
        if (!agent_description_parse(&description, text, &err))
            fail(err.text);
        free(description.hostname);
        description.hostname = memory_string(host);
        master_add_agent(world->master, &resources, &description);
        agent_description_free(&description);
    }
    resources_free(&resources);
}

static void open_world(struct world *world, bool lua, unsigned agents)
{
    log_set_level(LOG_WARNING);
    *world = (struct world){.loop = loop_virtual_create(1767225600), .random = 1};
    world->runner = runner_virtual_create(world->loop, on_fate, world);
    const struct master_options options = {.ip = "127.0.0.1",
                                           .port = 5050,
                                           .hostname = "localhost",
                                           .work_dir = "/nowhere",
                                           .path = "/usr/bin:/bin",
                                           .containers = true,
                                           .runner = world->runner};
    world->master = master_create(world->loop, &options);
    add_agents(world, agents);
    if (lua)
        open_lua(world);
    else
        open_c(world);
    world->gap = run_time * mean_cpus / (load * AGENT_CPUS * agents);
    timer_init(&world->arrival, world->loop, on_arrival, world);
    timer_start(&world->arrival, LOOP_SECOND);
    driver_start(world->driver);
}

static uint64_t calls_made(const struct world *world)
{
    uint64_t calls = 0;
    for (size_t i = 0; i < HISTORY_CALLS; i++)
        calls += world->master->counts.calls[i];
    return calls;
}

static double cpu_seconds(void)
{
    return (double)stage_now() / 1e9;
}

// What a world took.
struct result {
    uint64_t events;
    double cpu, megabytes;
};

static double nanoseconds(const struct result *result)
{
    return result->cpu / (double)result->events * 1e9; // an event
}

static struct result report(const struct world *world, const char *policy, unsigned agents,
                            double seconds, double cpu)
{
    const struct driver_counters *counters = driver_counters(world->driver);
    uint64_t calls = calls_made(world), offers = world->master->next_offer,
             updates = counters->events[CALLBACK_STATUS_UPDATE];
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const struct result result = {.events = world->jobs + calls + offers + updates,
                                  .cpu = cpu,
                                  .megabytes = (double)usage.ru_maxrss / 1024};
    printf("%s, %u agents, %.0f virtual s: %llu jobs, %llu offers, %llu calls, %llu updates\n",
           policy, agents, seconds, (unsigned long long)world->jobs, (unsigned long long)offers,
           (unsigned long long)calls, (unsigned long long)updates);
    printf("    %.2f s of CPU, %.1f us an event, %.1f us a job, %.3f M events/s, %.0f MiB\n", cpu,
           nanoseconds(&result) / 1000, cpu / (double)world->jobs * 1e6,
           (double)result.events / cpu / 1e6, result.megabytes);
    fflush(stdout);
    return result;
}

// To be found by callgrind's --toggle-collect.
__attribute__((noinline)) static void run_world(struct world *world, double seconds)
{
    loop_virtual_advance(world->loop, loop_seconds(seconds));
}

static struct result measure(bool lua, unsigned agents, double seconds)
{
    struct world world;
    open_world(&world, lua, agents);
    double start = cpu_seconds();
    run_world(&world, seconds);
    struct result result =
        report(&world, lua ? "lua" : "c", agents, seconds, cpu_seconds() - start);
    if (driver_events_waiting(world.driver) > 0 || world.started < world.jobs / 2)
        fail("the policy did not do its work");
    return result;
}

// In a process of its own, which leaves its result in shared memory.
static void measure_apart(bool lua, unsigned agents, struct result *result)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        *result = measure(lua, agents, TABLE_SECONDS);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
        fail("a world came to a bad end");
}

static void measure_all(void)
{
    static const unsigned sizes[] = {1000, 10000, 100000};
    struct result(*results)[3] =
        mmap(NULL, 2 * sizeof *results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED)
        fail("no memory to share");
    for (int lua = 1; lua >= 0; lua--)
        for (size_t i = 0; i < 3; i++)
            measure_apart(lua, sizes[i], &results[lua][i]);
    const struct result *most = &results[true][2];
    printf("figure sim-rate %.3g\n", (double)most->events / most->cpu / 1e6);
    printf("figure sim-lua %.3g\n", nanoseconds(most) / nanoseconds(&results[false][2]));
    printf("figure sim-scale %.3g\n", nanoseconds(most) / nanoseconds(&results[true][0]));
    printf("figure sim-memory %.4g\n", most->megabytes);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        measure_all();
        return 0;
    }
    bool lua = strcmp(argv[1], "lua") == 0;
    unsigned agents = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;
    double seconds = argc > 3 ? atof(argv[3]) : TABLE_SECONDS;
    struct result result = measure(lua, agents, seconds);
    if (lua && agents == 100000 && seconds == 600)
        printf("figure sim-ten-minutes %.3g\n", result.cpu);
    return 0;
}
