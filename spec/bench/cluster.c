// SPDX-License-Identifier: Apache-2.0
//
// The books of the local cluster: its master, allocator and agents on a virtual clock, with tasks
// that only wait and without HTTP. What counts is CPU time, and the memory that is in use.
//
// 10,000 agents: what an agent takes, and what a round of the allocator costs when nothing has
// changed, when all is offered, when all is refused, and when one agent has changed; and when all
// is offered as bytes, as the cluster's server and the simulator want it. 1,000 and 100,000 agents
// that are refused: what a round costs when ten of them have changed. Then 1,000 agents, 20
// frameworks and 10,000 tasks: what a task takes while it runs and after it, and how many launches
// and updates, each acknowledged, are done in a second.

#include "fixture.h"

#include "agent/runner_virtual.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_virtual.h"
#include "master/master.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID = 80, FRAMEWORKS = 20, MANY_AGENTS = 10000, AGENTS = 1000, TASKS_EACH = 10, ROUNDS = 9 };
enum { ALL_AGENTS = 100000, CHANGED = 10 };

// How frameworks want their events: as messages, which they read in place; packed by protobuf-c, as
// a server would do it; or as the master encodes them.
enum form { MESSAGES, PACKED, ENCODED };

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

struct offer_id {
    char id[ID], agent[ID];
};

struct update_id {
    char task[ID], agent[ID];
    uint8_t uuid[16];
};

// A framework's side of its stream. It notes what came; answers are made outside of the events.
struct client {
    struct master *master;
    char stream[16], framework[ID], role[16];
    struct offer_id *offers;
    struct update_id *updates;
    size_t offer_count, update_count, updates_seen;
};

struct world {
    struct loop *loop;
    struct runner *runner;
    struct master *master;
    struct client clients[FRAMEWORKS];
    unsigned tasks;
};

static size_t memory_in_use(void)
{
    return mallinfo2().uordblks;
}

static void fail(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(1);
}

// ---- clients ----

// Ids are short; printf would take longer than the master.
static void copy_id(char to[ID], const char *id)
{
    size_t length = strlen(id);
    memcpy(to, id, length < ID ? length + 1 : ID);
    to[ID - 1] = '\0';
}

static void on_offers(struct client *client, const Mesos__V1__Scheduler__Event__Offers *offers)
{
    size_t count = client->offer_count + offers->n_offers;
    client->offers = memory_resize(client->offers, count * sizeof *client->offers);
    for (size_t i = 0; i < offers->n_offers; i++) {
        struct offer_id *offer = &client->offers[client->offer_count++];
        copy_id(offer->id, offers->offers[i]->id->value);
        copy_id(offer->agent, offers->offers[i]->agent_id->value);
    }
}

static void on_update(struct client *client, const Mesos__V1__TaskStatus *status)
{
    client->updates =
        memory_resize(client->updates, (client->update_count + 1) * sizeof *client->updates);
    struct update_id *update = &client->updates[client->update_count++];
    copy_id(update->task, status->task_id->value);
    copy_id(update->agent, status->agent_id->value);
    memcpy(update->uuid, status->uuid.data, sizeof update->uuid);
}

static void on_event(void *data, const Event *event)
{
    struct client *client = data;
    if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED)
        copy_id(client->framework, event->subscribed->framework_id->value);
    else if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR)
        fail(event->error->message);
    else if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS)
        on_offers(client, event->offers);
    else if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE)
        on_update(client, event->update->status);
}

static void on_end(void *data)
{
    (void)data;
}

static void on_packed(void *data, const Event *event)
{
    size_t length = mesos__v1__scheduler__event__get_packed_size(event);
    struct bytes *record = bytes_create(length);
    mesos__v1__scheduler__event__pack(event, record->data);
    bytes_unref(record);
    on_event(data, event);
}

static void copy_slice(char to[ID], struct slice id)
{
    snprintf(to, ID, "%.*s", SLICE_ARGS(id));
}

static void on_encoded(void *data, struct slice event)
{
    struct client *client = data;
    struct slice offers = wire_find(event, FIELD_SCHEDULER_EVENT_OFFERS), offer;
    while (wire_next_bytes(&offers, FIELD_SCHEDULER_EVENT_OFFERS_OFFERS, &offer)) {
        client->offers =
            memory_resize(client->offers, (client->offer_count + 1) * sizeof *client->offers);
        struct offer_id *id = &client->offers[client->offer_count++];
        copy_slice(id->id, wire_text(wire_find(offer, FIELD_OFFER_ID)));
        copy_slice(id->agent, wire_text(wire_find(offer, FIELD_OFFER_AGENT_ID)));
    }
}

static void subscribe(struct client *client, struct master *master, unsigned number, enum form form)
{
    static const struct master_sink sinks[] = {
        [MESSAGES] = {.event = on_event, .end = on_end},
        [PACKED] = {.event = on_packed, .end = on_end},
        [ENCODED] = {.event = on_event, .encoded = on_encoded, .end = on_end}};
    Mesos__V1__FrameworkInfo__Capability capabilities[2], *list[2];
    static const Mesos__V1__FrameworkInfo__Capability__Type types[] = {
        MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE,
        MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT};
    for (size_t i = 0; i < 2; i++) {
        mesos__v1__framework_info__capability__init(&capabilities[i]);
        capabilities[i].has_type = true;
        capabilities[i].type = types[i];
        list[i] = &capabilities[i];
    }
    *client = (struct client){.master = master};
    snprintf(client->stream, sizeof client->stream, "stream-%u", number);
    snprintf(client->role, sizeof client->role, "role-%u", number);
    char *roles[] = {client->role};
    Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
    info.user = "nobody";
    info.name = "bench";
    info.n_roles = 1;
    info.roles = roles;
    info.n_capabilities = 2;
    info.capabilities = list;
    Mesos__V1__Scheduler__Call__Subscribe subscribe = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
    subscribe.framework_info = &info;
    Call call = MESOS__V1__SCHEDULER__CALL__INIT;
    call.has_type = true;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
    call.subscribe = &subscribe;
    master_subscribe(master, &call, client->stream, &sinks[form], client);
}

static void make_call(struct client *client, Call *call, Mesos__V1__Scheduler__Call__Type type)
{
    Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
    const struct master_caller caller = {.stream_id = client->stream};
    id.value = client->framework;
    call->has_type = true;
    call->type = type;
    call->framework_id = &id;
    if (master_call(client->master, call, &caller).status != 202)
        fail("a call was refused");
}

static void decline_all(struct client *client, double seconds)
{
    Mesos__V1__OfferID *ids = memory_new((client->offer_count + 1) * sizeof *ids);
    Mesos__V1__OfferID **list = memory_new((client->offer_count + 1) * sizeof *list);
    for (size_t i = 0; i < client->offer_count; i++) {
        mesos__v1__offer_id__init(&ids[i]);
        ids[i].value = client->offers[i].id;
        list[i] = &ids[i];
    }
    Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;
    filters.has_refuse_seconds = true;
    filters.refuse_seconds = seconds;
    Mesos__V1__Scheduler__Call__Decline decline = MESOS__V1__SCHEDULER__CALL__DECLINE__INIT;
    decline.n_offer_ids = client->offer_count;
    decline.offer_ids = list;
    decline.filters = &filters;
    Call call = MESOS__V1__SCHEDULER__CALL__INIT;
    call.decline = &decline;
    if (client->offer_count > 0)
        make_call(client, &call, MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE);
    client->offer_count = 0;
    free(list);
    free(ids);
}

// ---- worlds ----

static void advance(struct world *world, double seconds)
{
    loop_virtual_advance(world->loop, loop_seconds(seconds));
}

static void add_agent(struct world *world)
{
    struct resources resources;
    struct agent_description description;
    struct error err;
    if (!resources_parse(&resources, "cpus:16;mem:65536;disk:100000;ports:[31000-32000]", NULL,
                         &err) ||
        !agent_description_parse(&description, "zone=a rack=7", &err))
        fail(err.text);
    master_add_agent(world->master, &resources, &description);
    agent_description_free(&description);
    resources_free(&resources);
}

static void open_world(struct world *world, unsigned agents)
{
    *world = (struct world){.loop = loop_virtual_create(1e9)};
    world->runner = runner_virtual_create(world->loop, NULL, NULL);
    const struct master_options options = {.ip = "127.0.0.1",
                                           .port = 5050,
                                           .hostname = "localhost",
                                           .work_dir = "/nowhere",
                                           .path = "/bin",
                                           .runner = world->runner};
    world->master = master_create(world->loop, &options);
    for (unsigned i = 0; i < agents; i++)
        add_agent(world);
    advance(world, 1.5);
}

static void close_world(struct world *world)
{
    world->runner->ops->destroy(world->runner);
    master_destroy(world->master);
    loop_destroy(world->loop);
    for (unsigned i = 0; i < FRAMEWORKS; i++) {
        free(world->clients[i].offers);
        free(world->clients[i].updates);
    }
}

static void open_clients(struct world *world, enum form form)
{
    for (unsigned i = 0; i < FRAMEWORKS; i++)
        subscribe(&world->clients[i], world->master, i, form);
}

static size_t offers_held(const struct world *world)
{
    size_t count = 0;
    for (unsigned i = 0; i < FRAMEWORKS; i++)
        count += world->clients[i].offer_count;
    return count;
}

// ---- rounds ----

// The time of one second, in which the allocator has one round.
static double time_round(struct world *world)
{
    uint64_t start = stage_now();
    advance(world, 1);
    return (double)(stage_now() - start) / 1e6;
}

static void show(const char *name, const char *what, double value, const char *unit)
{
    printf("%-64s %10.3f %s\nfigure %s %.3g\n", what, value, unit, name, value);
}

static void show_rounds(const char *name, const char *what, double *times)
{
    show(name, what, stage_median(times, ROUNDS), "ms");
}

// All agents are offered by one round: `seconds` is how long each refusal lasts.
static void offer_all(struct world *world, double seconds, const char *name, const char *what)
{
    double times[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        for (unsigned j = 0; j < FRAMEWORKS; j++)
            decline_all(&world->clients[j], seconds);
        times[i] = time_round(world);
        if (offers_held(world) != MANY_AGENTS)
            fail("not every agent was offered");
    }
    show_rounds(name, what, times);
}

// No agent can be offered, as all frameworks refuse everything for long.
static void refuse_all(struct world *world)
{
    double idle[ROUNDS], one[ROUNDS], whole[ROUNDS];
    for (unsigned i = 0; i <= FRAMEWORKS; i++) {
        for (unsigned j = 0; j < FRAMEWORKS; j++)
            decline_all(&world->clients[j], 1e6);
        advance(world, 1);
    }
    if (offers_held(world) != 0)
        fail("an agent was offered although it was refused");
    for (int i = 0; i < ROUNDS; i++) {
        idle[i] = time_round(world);
        add_agent(world);
        one[i] = time_round(world);
        for (unsigned j = 0; j < FRAMEWORKS; j++)
            decline_all(&world->clients[j], 1e6);
        Call call = MESOS__V1__SCHEDULER__CALL__INIT;
        make_call(&world->clients[i], &call, MESOS__V1__SCHEDULER__CALL__TYPE__SUPPRESS);
        make_call(&world->clients[i], &call, MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE);
        whole[i] = time_round(world);
        if (offers_held(world) < MANY_AGENTS)
            fail("a framework that revived was not offered all");
        for (unsigned j = 0; j < FRAMEWORKS; j++)
            decline_all(&world->clients[j], 1e6);
        advance(world, 1);
    }
    show_rounds("cluster-idle", "ms a round, 10,000 agents that all 20 frameworks refused", idle);
    show_rounds("cluster-one", "the same when an agent has come", one);
    show_rounds("cluster-revive", "the same when a framework has revived, and gets all", whole);
}

static void measure_rounds(void)
{
    struct world world;
    size_t before = memory_in_use();
    open_world(&world, MANY_AGENTS);
    show("cluster-agent", "bytes an agent", (double)(memory_in_use() - before) / MANY_AGENTS, "B");
    open_clients(&world, MESSAGES);
    advance(&world, 0.1);
    offer_all(&world, 0, "cluster-round", "ms a round that offers 10,000 agents to 20 frameworks");
    refuse_all(&world);
    close_world(&world);
}

static void measure_form(enum form form, const char *name, const char *what)
{
    struct world world;
    open_world(&world, MANY_AGENTS);
    open_clients(&world, form);
    advance(&world, 0.1);
    offer_all(&world, 0, name, what);
    close_world(&world);
}

// One framework has refused all agents but ten, which are offered to it again in each round.
static void measure_changed(unsigned agents, const char *name, const char *what)
{
    struct world world;
    double times[ROUNDS];
    open_world(&world, agents);
    struct client *client = &world.clients[0];
    subscribe(client, world.master, 0, ENCODED);
    advance(&world, 0.1);
    if (client->offer_count != agents)
        fail("not every agent was offered");
    struct offer_id kept[CHANGED];
    client->offer_count -= CHANGED;
    memcpy(kept, client->offers + client->offer_count, sizeof kept);
    decline_all(client, 1e6);
    memcpy(client->offers, kept, sizeof kept);
    client->offer_count = CHANGED;
    for (int i = 0; i < ROUNDS; i++) {
        decline_all(client, 0);
        times[i] = time_round(&world);
        if (client->offer_count != CHANGED)
            fail("other agents were offered than those that have changed");
    }
    show_rounds(name, what, times);
    close_world(&world);
}

// ---- tasks ----

static void fill_task(Mesos__V1__TaskInfo *task, Mesos__V1__Resource **resources,
                      const struct offer_id *offer, Mesos__V1__AgentID *agent,
                      Mesos__V1__TaskID *id, Mesos__V1__CommandInfo *command)
{
    mesos__v1__task_info__init(task);
    mesos__v1__agent_id__init(agent);
    mesos__v1__command_info__init(command);
    agent->value = (char *)(uintptr_t)offer->agent;
    command->value = "sleep 1000";
    task->name = id->value;
    task->task_id = id;
    task->agent_id = agent;
    task->command = command;
    task->n_resources = 2;
    task->resources = resources;
}

// TASKS_EACH tasks on an offer.
static void launch(struct world *world, struct client *client, const struct offer_id *offer)
{
    Mesos__V1__Value__Scalar amounts[2];
    Mesos__V1__Resource needs[2], *resources[2];
    for (size_t i = 0; i < 2; i++) {
        mesos__v1__value__scalar__init(&amounts[i]);
        mesos__v1__resource__init(&needs[i]);
        amounts[i].value = i == 0 ? 0.1 : 32;
        needs[i].name = i == 0 ? "cpus" : "mem";
        needs[i].type = MESOS__V1__VALUE__TYPE__SCALAR;
        needs[i].scalar = &amounts[i];
        resources[i] = &needs[i];
    }
    Mesos__V1__TaskInfo tasks[TASKS_EACH], *list[TASKS_EACH];
    Mesos__V1__TaskID ids[TASKS_EACH];
    Mesos__V1__AgentID agent;
    Mesos__V1__CommandInfo command;
    char names[TASKS_EACH][32];
    for (size_t i = 0; i < TASKS_EACH; i++) {
        snprintf(names[i], sizeof names[i], "task-%u", world->tasks++);
        mesos__v1__task_id__init(&ids[i]);
        ids[i].value = names[i];
        fill_task(&tasks[i], resources, offer, &agent, &ids[i], &command);
        list[i] = &tasks[i];
    }
    Mesos__V1__Offer__Operation__Launch launches = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
    launches.n_task_infos = TASKS_EACH;
    launches.task_infos = list;
    Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    operation.has_type = true;
    operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
    operation.launch = &launches;
    Mesos__V1__OfferID offer_id = MESOS__V1__OFFER_ID__INIT, *offer_ids[] = {&offer_id};
    Mesos__V1__Offer__Operation *operations[] = {&operation};
    Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
    offer_id.value = (char *)(uintptr_t)offer->id;
    accept.n_offer_ids = accept.n_operations = 1;
    accept.offer_ids = offer_ids;
    accept.operations = operations;
    Call call = MESOS__V1__SCHEDULER__CALL__INIT;
    call.accept = &accept;
    make_call(client, &call, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT);
    for (size_t i = 0; i < 2; i++) // the master has put its allocation into them
        if (needs[i].allocation_info != NULL)
            protobuf_c_message_free_unpacked(&needs[i].allocation_info->base, NULL);
}

static void acknowledge_all(struct client *client)
{
    for (size_t i = 0; i < client->update_count; i++) {
        struct update_id update = client->updates[i];
        Mesos__V1__TaskID task = MESOS__V1__TASK_ID__INIT;
        Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
        Mesos__V1__Scheduler__Call__Acknowledge acknowledge =
            MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;
        task.value = update.task;
        agent.value = update.agent;
        acknowledge.task_id = &task;
        acknowledge.agent_id = &agent;
        acknowledge.uuid = (ProtobufCBinaryData){.data = update.uuid, .len = sizeof update.uuid};
        Call call = MESOS__V1__SCHEDULER__CALL__INIT;
        call.acknowledge = &acknowledge;
        make_call(client, &call, MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE);
        client->updates_seen++;
    }
    client->update_count = 0;
}

static size_t acknowledge_everything(struct world *world, size_t expected)
{
    size_t seen = 0;
    for (int turn = 0; turn < 1000 && seen < expected; turn++) {
        loop_virtual_advance(world->loop, LOOP_SECOND / 1000);
        seen = 0;
        for (unsigned i = 0; i < FRAMEWORKS; i++) {
            acknowledge_all(&world->clients[i]);
            seen += world->clients[i].updates_seen;
        }
    }
    if (seen != expected)
        fail("there are not as many updates as there should be");
    return seen;
}

static void launch_everywhere(struct world *world)
{
    for (unsigned i = 0; i < FRAMEWORKS; i++) {
        struct client *client = &world->clients[i];
        for (size_t j = 0; j < client->offer_count; j++)
            launch(world, client, &client->offers[j]);
        client->offer_count = 0;
    }
}

static void measure_tasks(void)
{
    enum { TASKS = AGENTS * TASKS_EACH };
    struct world world;
    open_world(&world, AGENTS);
    open_clients(&world, MESSAGES);
    advance(&world, 0.1);
    if (offers_held(&world) != AGENTS)
        fail("not every agent was offered");
    size_t before = memory_in_use();
    uint64_t start = stage_now();
    launch_everywhere(&world);
    acknowledge_everything(&world, 2 * TASKS); // TASK_STARTING, TASK_RUNNING
    double running = (double)(stage_now() - start) / 1e9;
    size_t after = memory_in_use();
    for (unsigned i = 0; i < FRAMEWORKS; i++)
        after -= malloc_usable_size(world.clients[i].updates);
    show("cluster-task", "bytes a task that runs", (double)(after - before) / TASKS, "B");
    start = stage_now();
    runner_virtual_end(world.runner, TASKS, 0);
    acknowledge_everything(&world, 3 * TASKS);
    double ended = (double)(stage_now() - start) / 1e9;
    after = memory_in_use();
    for (unsigned i = 0; i < FRAMEWORKS; i++)
        after -= malloc_usable_size(world.clients[i].updates);
    show("cluster-ended", "bytes a task that has ended, as far as it is remembered",
         (double)(after - before) / TASKS, "B");
    show("cluster-events", "launches and updates a second, 1,000 each",
         4.0 * TASKS / (running + ended) / 1000, "");
    printf("%-64s %10.3f\n", "tasks a second from launch to end, with 3 updates, 1,000 each",
           TASKS / (running + ended) / 1000);
    close_world(&world);
}

// Without arguments everything; "rounds", "changed" or "tasks" alone.
int main(int argc, char **argv)
{
    log_set_level(LOG_QUIET);
    if (argc < 2 || strcmp(argv[1], "rounds") == 0)
        measure_rounds();
    if (argc < 2 || strcmp(argv[1], "changed") == 0) {
        measure_form(PACKED, "cluster-packed",
                     "the round of all, with events packed by protobuf-c");
        measure_form(ENCODED, "cluster-encoded", "the same, with events that the master encodes");
        measure_changed(AGENTS, "cluster-ten", "ms a round, 1,000 agents refused, 10 changed");
        measure_changed(ALL_AGENTS, "cluster-ten-of-all", "the same with 100,000 agents");
    }
    if (argc < 2 || strcmp(argv[1], "tasks") == 0)
        measure_tasks();
    return 0;
}
