// SPDX-License-Identifier: Apache-2.0
//
// The driver as Lua sees it: see driver_methods.h. Most operations are one message of one call: a
// row names the call, its message type and which argument is which field; the codec does the
// encoding. What is encoded lies in scratch memory that the Lua stack owns.

#include "bindings/scheduler/driver_methods.h"

#include "base/log.h"
#include "base/memory.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/hints.h"
#include "bindings/core/scratch.h"
#include "bindings/core/userdata.h"
#include "bindings/message/arguments.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/message_encode.h"
#include "bindings/message/view.h"
#include "bindings/offers/offer_list_index.h"
#include "bindings/scheduler/explain.h"
#include "bindings/scheduler/framework_info.h"
#include "bindings/scheduler/launch_check.h"
#include "bindings/scheduler/output_method.h"
#include "bindings/scheduler/scheduler_handle.h"
#include "bindings/scheduler/task_list.h"
#include "script/protect.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define CALL(name) (&mesos__v1__scheduler__call__##name##__descriptor)

// ---- the object ----

static struct driver *check_driver(lua_State *L) // [-0, +0, v]
{
    return scheduler_driver(scheduler_handle_check(L));
}

// The driver, if it has capacity for another call. Events are held back before it has none, so only
// a loop of the script can make too many; the error names its line. // [-0, +0, v]
static struct driver *check_caller(lua_State *L)
{
    struct driver *driver = check_driver(L);
    if (!driver_full(driver) || driver_status(driver) != DRIVER_RUNNING)
        return driver;
    luaL_error(
        L,
        "%s: %d calls are waiting for the master, %d MiB of them, and no more are taken: make "
        "fewer at a time, and the others when these are answered, such as in a later callback",
        scheduler_handle_operation(L), (int)driver_calls_waiting(driver),
        (int)(DRIVER_CALL_BYTES_MOST >> 20));
    return NULL;
}

static int push_status(lua_State *L, enum driver_status status) // [-0, +1, m]
{
    lua_pushstring(L, driver_status_name(status));
    return 1;
}

static bool running(const struct driver *driver)
{
    return driver_status(driver) == DRIVER_RUNNING;
}

static int l_tostring(lua_State *L) // [-1, +1, m]
{
    struct scheduler *scheduler = scheduler_handle_at(L, 1);
    const char *status =
        scheduler ? driver_status_name(driver_status(scheduler_driver(scheduler))) : "gone";
    lua_pushfstring(L, "SchedulerDriver (%s)", status);
    return 1;
}

// ---- life ----

// A main chunk that would start another driver while the program ends is stopped there.
static void check_start(lua_State *L, const struct scheduler_environment *environment)
{
    if (environment->testing)
        luaL_error(L, "driver:start() is the test's: mesos.testing and the simulator drive the "
                      "scheduler that a script returns, so return it, and build no driver");
    if (environment->checking || (environment->ending && !protect_in_routine(L)))
        script_exit(L, 0);
    if (environment->ending)
        luaL_error(L, "driver:start() starts nothing any more: the program is coming to its end");
    if (environment->replacing)
        luaL_error(L, "a new version cannot run a driver itself, as the version before returned "
                      "its scheduler: return it too, or start the program again");
}

static int l_start(lua_State *L) // [-1, +1, e]
{
    struct scheduler *scheduler = scheduler_handle_check(L);
    struct driver *driver = scheduler_driver(scheduler);
    if (driver_status(driver) == DRIVER_NOT_STARTED) {
        check_start(L, scheduler_environment(scheduler));
        scheduler_hold(L, scheduler, 1);
    }
    return push_status(L, driver_start(driver));
}

static int l_stop(lua_State *L) // [-2, +1, e]
{
    struct driver *driver = check_driver(L);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TBOOLEAN);
    return push_status(L, driver_stop(driver, lua_toboolean(L, 2)));
}

static int l_abort(lua_State *L) // [-1, +1, e]
{
    return push_status(L, driver_abort(check_driver(L)));
}

static int l_status(lua_State *L) // [-1, +1, e]
{
    return push_status(L, driver_status(check_driver(L)));
}

struct joining {
    lua_State *L; // the driver is at index 1
    struct script *script;
};

static bool is_over(void *data)
{
    const struct joining *joining = data;
    struct scheduler *scheduler = scheduler_handle_at(joining->L, 1);
    return scheduler == NULL || script_closing(joining->script) ||
           driver_finished(scheduler_driver(scheduler));
}

// The loop runs inside the call; only the main chunk may block so.
static int l_join(lua_State *L) // [-1, +1, e]
{
    const struct scheduler_services *services =
        scheduler_environment(scheduler_handle_check(L))->services;
    struct joining joining = {.L = L, .script = script_of(L)};
    if (!protect_in_main(L))
        luaL_error(L, "driver:join() waits for the end of the driver and would never see it here: "
                      "call it in the main chunk of the script");
    if (!is_over(&joining)) {
        protect_pause(joining.script);
        services->run(services->data, is_over, &joining);
        protect_continue(joining.script);
    }
    protect_check(L);
    return push_status(L, driver_status(check_driver(L)));
}

static int l_run(lua_State *L) // [-1, +1, e]
{
    l_start(L);
    lua_settop(L, 1);
    return l_join(L);
}

static int l_reconnect(lua_State *L) // [-1, +1, e]
{
    return push_status(L, driver_reconnect(check_driver(L)));
}

// ---- offers ----

// Raises unless the offer can be answered. While disconnected all offers are void, the driver
// answers for the master, and NULL is returned. // [-0, +0, v]
static const struct offer *check_offer(lua_State *L, struct driver *driver,
                                       struct offer_table *offers, int id)
{
    const char *why;
    size_t length;
    const char *text = lua_tolstring(L, id, &length);
    struct slice slice = {.data = (const uint8_t *)text, .length = length};
    const struct offer *offer = offer_table_find(offers, slice, &why);
    if (offer != NULL || !running(driver) || !driver_connected(driver))
        return offer;
    if (why != NULL)
        luaL_error(L, "offer '%s' cannot be used: it %s", text, why);
    luaL_error(L, "offer '%s' cannot be used: no such offer is outstanding", text);
    return NULL;
}

// Raises if an id stands twice in the list at `ids`, or cannot be used. Returns the first offer, or
// NULL. // [-0, +0, e]
static const struct offer *check_offers(lua_State *L, struct driver *driver,
                                        struct offer_table *offers, int ids)
{
    enum { ROOM_MOST = 1 << 16 }; // that the length of a list with holes may ask for
    const struct offer *first = NULL;
    size_t count = lua_rawlen(L, ids);
    lua_createtable(L, 0, count < ROOM_MOST ? (int)count : ROOM_MOST);
    int seen = lua_gettop(L);
    for (lua_Integer i = 1; lua_rawgeti(L, ids, i) != LUA_TNIL; i++) {
        const struct offer *offer = check_offer(L, driver, offers, -1);
        first = i == 1 ? offer : first;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, seen) != LUA_TNIL)
            luaL_error(L, "offer '%s' is named twice", lua_tostring(L, -2));
        lua_pop(L, 1);
        lua_pushboolean(L, true);
        lua_rawset(L, seen);
    }
    lua_settop(L, seen - 1);
    return first;
}

static struct slice text_at(lua_State *L, int index) // [-0, +0, -]
{
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    return (struct slice){.data = (const uint8_t *)text, .length = length};
}

// One id or a list of ids at `ids`; of a list it leaves one of plain ids. Raises unless all can be
// used. Returns the first offer, or NULL. // [-0, +0, e]
static const struct offer *take_offers(lua_State *L, struct driver *driver, int ids)
{
    if (lua_type(L, ids) == LUA_TSTRING)
        return check_offer(L, driver, driver_offers(driver), ids);
    arguments_ids(L, ids, "offerIds");
    return check_offers(L, driver, driver_offers(driver), ids);
}

// What take_offers() left, as those of an Accept. // [-0, +0, e]
static void put_ids(lua_State *L, int ids, struct buffer *buffer)
{
    if (lua_type(L, ids) == LUA_TSTRING) {
        wire_put_id(buffer, FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS, text_at(L, ids));
        return;
    }
    for (lua_Integer i = 1; lua_rawgeti(L, ids, i) != LUA_TNIL; i++) {
        wire_put_id(buffer, FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS, text_at(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

// A nested message: the value at `index` as field `number`. // [-0, +0, e]
static void put_message(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                        uint32_t number, const char *path, struct buffer *buffer)
{
    size_t mark = wire_begin(buffer, number);
    message_encode(L, index, type, path, buffer);
    wire_end(buffer, mark);
}

static void put_filters(lua_State *L, int index, struct buffer *buffer) // [-0, +0, e]
{
    if (!lua_isnoneornil(L, index))
        put_message(L, index, &mesos__v1__filters__descriptor, FIELD_SCHEDULER_CALL_ACCEPT_FILTERS,
                    "filters", buffer);
}

// One value in place of a list of values is a common mistake, and would look like an empty list.
// // [-0, +0, v]
static void check_list(lua_State *L, int index, const char *name)
{
    if (!lua_istable(L, index))
        luaL_error(L, "%s: a list expected, got %s", name, luaL_typename(L, index));
    lua_pushnil(L);
    if (lua_rawlen(L, index) > 0 || lua_next(L, index) == 0) {
        lua_settop(L, lua_gettop(L) - (lua_rawlen(L, index) > 0));
        return;
    }
    lua_pop(L, 1);
    lua_pushliteral(L, "name");
    const char *key = lua_rawget(L, index) != LUA_TNIL ? "name" : luaL_tolstring(L, -2, NULL);
    luaL_error(L,
               "%s: a list expected, got a table with the field '%s': put braces around it: "
               "{ { %s = ... } }",
               name, key, key);
}

// The usual case is one id, which needs no list.
static int l_declineOffer(lua_State *L) // [-3, +1, e]
{
    struct driver *driver = check_caller(L);
    lua_settop(L, 3);
    bool one = lua_type(L, 2) == LUA_TSTRING;
    take_offers(L, driver, 2);
    struct slice filters = {.data = NULL};
    if (!lua_isnil(L, 3)) {
        struct buffer *buffer = scratch_push(L);
        message_encode(L, 3, &mesos__v1__filters__descriptor, "filters", buffer);
        filters = buffer->data ? buffer_slice(buffer) : slice_text("");
    }
    if (one)
        return push_status(L, driver_decline(driver, text_at(L, 2), filters));
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
        driver_decline(driver, text_at(L, -1), filters);
        lua_pop(L, 1);
    }
    return push_status(L, driver_status(driver));
}

enum { AGAIN_NAMED = 3 }; // tasks of one call

struct again {
    lua_State *L;
    const struct tasks *tasks;
    size_t count;
};

// The line of the call, as a text, is on top. // [-0, +0, m]
static void warn_again(void *data, const struct task *task)
{
    struct again *again = data;
    lua_State *L = again->L;
    if (again->count++ >= AGAIN_NAMED)
        return;
    struct slice agent = task_agent_id(again->tasks, task);
    message_decode_enum(L, &mesos__v1__task_state__descriptor, task->state);
    log_warning("%stask '%.*s' is active already (%s%s%.*s): a master refuses this launch, and the "
                "task that is active stays",
                lua_tostring(L, -2), SLICE_ARGS(task_id(task)), lua_tostring(L, -1),
                agent.length > 0 ? " on agent " : "", SLICE_ARGS(agent));
    lua_pop(L, 1);
}

// Warns of an id that is launched while it is active, with the line of the call. // [-0, +1, e]
static int accept(lua_State *L, struct driver *driver, struct slice message)
{
    const struct tasks *tasks = driver_tasks(driver);
    uint64_t before = tasks_relaunched(tasks);
    enum driver_status status = driver_accept(driver, message);
    if (tasks_relaunched(tasks) > before) {
        struct again again = {.L = L, .tasks = tasks};
        luaL_where(L, 1);
        tasks_each_relaunched(tasks, message, warn_again, &again);
        if (again.count > AGAIN_NAMED)
            log_warning("%sthe same of %zu other tasks of this call", lua_tostring(L, -1),
                        again.count - AGAIN_NAMED);
        lua_pop(L, 1);
    }
    return push_status(L, status);
}

// Operation: type = LAUNCH, launch = Launch { task_infos }. // [-0, +0, e]
static void put_launch(lua_State *L, int tasks, struct buffer *buffer)
{
    size_t operation = wire_begin(buffer, FIELD_SCHEDULER_CALL_ACCEPT_OPERATIONS);
    wire_put_varint(buffer, FIELD_OFFER_OPERATION_TYPE, MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH);
    size_t launch = wire_begin(buffer, FIELD_OFFER_OPERATION_LAUNCH);
    message_encode_elements(L, tasks, &mesos__v1__task_info__descriptor,
                            FIELD_OFFER_OPERATION_LAUNCH_TASK_INFOS, "tasks", buffer);
    wire_end(buffer, launch);
    wire_end(buffer, operation);
}

static int l_launchTasks(lua_State *L) // [-4, +1, e]
{
    struct driver *driver = check_caller(L);
    lua_settop(L, 4);
    check_list(L, 3, "tasks");
    if (lua_rawlen(L, 3) == 0) {
        lua_remove(L, 3);
        return l_declineOffer(L);
    }
    struct offer_table *offers = driver_offers(driver);
    const struct offer *first = take_offers(L, driver, 2);
    struct buffer *buffer = scratch_push(L);
    put_ids(L, 2, buffer);
    put_launch(L, 3, buffer);
    put_filters(L, 4, buffer);
    launch_check(L, offers, first, buffer_slice(buffer), "launchTasks");
    return accept(L, driver, buffer_slice(buffer));
}

static int l_acceptOffers(lua_State *L) // [-4, +1, e]
{
    struct driver *driver = check_caller(L);
    lua_settop(L, 4);
    check_list(L, 3, "operations");
    struct offer_table *offers = driver_offers(driver);
    const struct offer *first = take_offers(L, driver, 2);
    struct buffer *buffer = scratch_push(L);
    put_ids(L, 2, buffer);
    message_encode_elements(L, 3, &mesos__v1__offer__operation__descriptor,
                            FIELD_SCHEDULER_CALL_ACCEPT_OPERATIONS, "operations", buffer);
    put_filters(L, 4, buffer);
    launch_check(L, offers, first, buffer_slice(buffer), "acceptOffers");
    return accept(L, driver, buffer_slice(buffer));
}

static int l_reviveOffers(lua_State *L) // [-2, +1, e]
{
    struct driver *driver = check_caller(L);
    return push_status(L, driver_revive(driver, arguments_roles(L, 2, "roles")));
}

static int l_suppressOffers(lua_State *L) // [-2, +1, e]
{
    struct driver *driver = check_caller(L);
    return push_status(L, driver_suppress(driver, arguments_roles(L, 2, "roles")));
}

// ---- acknowledgements ----

// The TaskStatus or OperationStatus argument, as bytes on the stack. // [-0, +1, e]
static struct slice encode_status(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    struct buffer *buffer = scratch_push(L);
    message_encode(L, 2, type, "status", buffer);
    return buffer_slice(buffer);
}

static void check_explicit(lua_State *L, const char *name) // [-0, +0, v]
{
    if (!scheduler_explicit(scheduler_handle_check(L)))
        luaL_error(L,
                   "%s: this driver acknowledges by itself when the callback returns; set "
                   "implicitAcknowledgements = false to do it yourself",
                   name);
}

static int l_acknowledgeStatusUpdate(lua_State *L) // [-2, +1, e]
{
    struct driver *driver = check_caller(L);
    check_explicit(L, "acknowledgeStatusUpdate");
    struct slice status = encode_status(L, &mesos__v1__task_status__descriptor);
    return push_status(L, driver_acknowledge(driver, status));
}

static int l_acknowledgeOperationStatus(lua_State *L) // [-2, +1, e]
{
    struct driver *driver = check_caller(L);
    check_explicit(L, "acknowledgeOperationStatus");
    struct slice status = encode_status(L, &mesos__v1__operation_status__descriptor);
    return push_status(L, driver_acknowledge_operation(driver, status));
}

// ---- operations that are one message of one call ----

enum { ARGUMENTS_MOST = 3 };

struct offer_operation {
    const char *name;
    enum call_type call;
    const ProtobufCMessageDescriptor *type;
    const char *fields[ARGUMENTS_MOST]; // which field each argument is
    bool ids;                           // the first is an inverse offer id, or a list of them
};

static const struct offer_operation operations[] = {
    {"sendFrameworkMessage",
     CALL_MESSAGE,
     CALL(message),
     {"executor_id", "agent_id", "data"},
     false},
    {"shutdownExecutor", CALL_SHUTDOWN, CALL(shutdown), {"executor_id", "agent_id"}, false},
    {"requestResources", CALL_REQUEST, CALL(request), {"requests"}, false},
    {"reconcileOperations",
     CALL_RECONCILE_OPERATIONS,
     CALL(reconcile_operations),
     {"operations"},
     false},
    {"acceptInverseOffers",
     CALL_ACCEPT_INVERSE_OFFERS,
     CALL(accept_inverse_offers),
     {"inverse_offer_ids", "filters"},
     true},
    {"declineInverseOffers",
     CALL_DECLINE_INVERSE_OFFERS,
     CALL(decline_inverse_offers),
     {"inverse_offer_ids", "filters"},
     true},
};

enum { OPERATIONS = sizeof operations / sizeof *operations };

static enum driver_status send_table(lua_State *L, struct driver *driver, enum call_type call,
                                     const ProtobufCMessageDescriptor *type) // [-0, +1, e]
{
    int table = lua_gettop(L);
    struct buffer *buffer = scratch_push(L);
    message_encode(L, table, type, "", buffer);
    struct slice message = buffer->data ? buffer_slice(buffer) : slice_text("");
    return driver_call(driver, call, message);
}

// The arguments become a table with the fields of the message. Its upvalue is the row.
static int l_operation(lua_State *L) // [-n, +1, e]
{
    const struct offer_operation *operation = lua_touserdata(L, lua_upvalueindex(1));
    struct driver *driver = check_caller(L);
    lua_settop(L, 1 + ARGUMENTS_MOST);
    if (operation->ids) {
        arguments_ids(L, 2, "inverseOfferIds");
        check_offers(L, driver, driver_inverse_offers(driver), 2);
    }
    lua_newtable(L);
    for (int i = 0; i < ARGUMENTS_MOST && operation->fields[i] != NULL; i++) {
        lua_pushvalue(L, 2 + i);
        lua_setfield(L, -2, operation->fields[i]);
    }
    return push_status(L, send_table(L, driver, operation->call, operation->type));
}

static int l_killTask(lua_State *L) // [-3, +1, e]
{
    struct driver *driver = check_caller(L);
    lua_settop(L, 3);
    lua_newtable(L); // driver, id, policy, message
    if (!lua_isnil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        lua_pushnil(L); // ..., nil
        while (lua_next(L, 3)) {
            lua_pushvalue(L, -2); // ..., key, value, key
            lua_insert(L, -2);    // ..., key, key, value
            lua_rawset(L, 4);     // ..., key
        }
    }
    lua_pushvalue(L, 2);
    lua_setfield(L, 4, "task_id");
    return push_status(L, send_table(L, driver, CALL_KILL, CALL(kill)));
}

// An unknown field of a status is most often one of the two ids, misspelt. // [-0, +0, e]
static void check_status(lua_State *L, int status, lua_Integer place)
{
    const struct message_type *shape = message_type_get(L, &mesos__v1__task_status__descriptor);
    if (!lua_istable(L, status) && !lua_isuserdata(L, status))
        luaL_error(L, "statuses[%I]: TaskStatus expected, got %s", (LUAI_UACINT)place,
                   luaL_typename(L, status));
    if (!lua_istable(L, status))
        return;
    for (lua_pushnil(L); lua_next(L, status); lua_pop(L, 1)) {
        if (message_type_position(L, shape, -2) >= 0)
            continue;
        const char *name = luaL_tolstring(L, -2, NULL);
        luaL_error(L, "statuses[%I]: unknown field '%s' in TaskStatus%s", (LUAI_UACINT)place, name,
                   message_type_suggestion(L, shape, name));
    }
}

// Takes what a Reconcile.Task needs from a status: a view, a copy of one, or just the ids.
// // [-1, +1, e]
static void reduce_status(lua_State *L, lua_Integer place)
{
    static const char *const fields[] = {"task_id", "agent_id"};
    int status = lua_gettop(L);
    check_status(L, status, place);
    lua_createtable(L, 0, 2); // status, task
    for (int i = 0; i < 2; i++) {
        lua_getfield(L, status, fields[i]); // status, task, id
        lua_setfield(L, -2, fields[i]);     // status, task
    }
    lua_remove(L, status); // task
}

// Reconciles the tasks of a list of driver:tasks(). An empty list must not become an implicit
// reconciliation of all tasks. // [-0, +1, e]
static bool reconcile_list(lua_State *L, struct driver *driver, enum driver_status *status)
{
    size_t count = 0;
    struct buffer *buffer = scratch_push(L);
    if (!task_list_reconcile(L, 2, buffer, &count))
        return false;
    *status = count > 0 ? driver_call(driver, CALL_RECONCILE, buffer_slice(buffer))
                        : driver_status(driver);
    return true;
}

static int l_reconcileTasks(lua_State *L) // [-2, +1, e]
{
    struct driver *driver = check_caller(L);
    enum driver_status status;
    lua_settop(L, 2);
    if (reconcile_list(L, driver, &status))
        return push_status(L, status);
    lua_settop(L, 2);
    lua_newtable(L); // driver, statuses, message
    lua_newtable(L); // driver, statuses, message, tasks
    if (!lua_isnil(L, 2)) {
        check_list(L, 2, "statuses");
        for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) { // ..., status
            reduce_status(L, i);                                         // ..., task
            lua_rawseti(L, 4, i); // driver, statuses, message, tasks
        }
        lua_settop(L, 4); // without the nil behind the list
    }
    lua_setfield(L, 3, "tasks"); // driver, statuses, message
    return push_status(L, send_table(L, driver, CALL_RECONCILE, CALL(reconcile)));
}

static int l_updateFramework(lua_State *L) // [-4, +1, e]
{
    struct driver *driver = check_caller(L);
    lua_settop(L, 4);
    luaL_checktype(L, 2, LUA_TTABLE);
    framework_info_complete(L, 2, driver_framework(driver));
    lua_newtable(L); // driver, framework, roles, constraints, message
    static const char *const fields[] = {"framework_info", "suppressed_roles", "offer_constraints"};
    for (int i = 0; i < 3; i++) {
        lua_pushvalue(L, 2 + i);
        lua_setfield(L, 5, fields[i]);
    }
    struct buffer *buffer = scratch_push(L);
    message_encode_texts(L, 5, CALL(update_framework), "", buffer);
    return push_status(L, driver_update_framework(driver, buffer_slice(buffer)));
}

// ---- what it knows ----

// The outstanding offers of one moment. Lua may run a finalizer wherever it allocates, and that may
// answer offers, so their table is not walked meanwhile.
struct snapshot_offer {
    struct bytes *block; // a reference
    struct slice wire;
};

struct snapshot {
    struct userdata base;
    struct snapshot_offer *offers;
    size_t count;
};

static const char snapshot_type[] = "mesos.offers.snapshot";

static void end_snapshot(lua_State *L, struct userdata *userdata)
{
    struct snapshot *snapshot = (struct snapshot *)userdata;
    (void)L;
    for (size_t i = 0; i < snapshot->count; i++)
        bytes_unref(snapshot->offers[i].block);
    free(snapshot->offers);
    snapshot->offers = NULL;
    snapshot->count = 0;
}

// The table is read when nothing more is allocated by Lua. // [-0, +1, m]
static struct snapshot *push_snapshot(lua_State *L, const struct offer_table *offers)
{
    struct snapshot *snapshot = userdata_push(L, snapshot_type, sizeof *snapshot, 0, end_snapshot);
    size_t count = offer_table_count(offers);
    if (count > 0)
        snapshot->offers = memory_resize(NULL, count * sizeof *snapshot->offers);
    for (const struct offer *offer = offer_table_first(offers); offer;
         offer = offer_table_next(offer))
        snapshot->offers[snapshot->count++] = (struct snapshot_offer){
            .block = bytes_ref(offer_table_block(offer)), .wire = offer_table_wire(offer)};
    return snapshot;
}

static int l_offers(lua_State *L) // [-1, +1, e]
{
    struct driver *driver = check_driver(L);
    struct snapshot *snapshot = push_snapshot(L, driver_offers(driver)); // snapshot
    lua_createtable(L, (int)snapshot->count, 0);                         // snapshot, list
    offer_list_index_adopt(L);
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct snapshot_offer *it = &snapshot->offers[i];
        view_push(L, &mesos__v1__offer__descriptor, it->block, it->wire);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    end_snapshot(L, &snapshot->base);
    return 1;
}

static int l_task(lua_State *L) // [-2, +1, e]
{
    const struct tasks *tasks = driver_tasks(check_driver(L));
    if (lua_type(L, 2) != LUA_TSTRING)
        luaL_error(L, "taskId: an id (a string) expected, got %s", luaL_typename(L, 2));
    const struct task *task = tasks_find(tasks, text_at(L, 2));
    if (task != NULL)
        task_list_push_task(L, tasks, task);
    else
        lua_pushnil(L);
    return 1;
}

static int l_tasks(lua_State *L) // [-2, +4, e]
{
    check_driver(L);
    lua_settop(L, 2);
    return task_list_push(L, 1, 2);
}

static int l_taskCounts(lua_State *L) // [-1, +1, e]
{
    task_list_push_counts(L, driver_tasks(check_driver(L)));
    return 1;
}

static int l_frameworkId(lua_State *L) // [-1, +1, e]
{
    struct slice id = driver_framework_id(check_driver(L));
    if (id.length == 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, (const char *)id.data, id.length);
    return 1;
}

static int l_master(lua_State *L) // [-1, +1, e]
{
    struct slice master = driver_master(check_driver(L));
    if (master.data == NULL)
        lua_pushnil(L);
    else
        message_decode(L, &mesos__v1__master_info__descriptor, master);
    return 1;
}

// ---- the module ----

static const luaL_Reg methods[] = {
    {"start", l_start},
    {"stop", l_stop},
    {"abort", l_abort},
    {"join", l_join},
    {"run", l_run},
    {"status", l_status},
    {"reconnect", l_reconnect},
    {"launchTasks", l_launchTasks},
    {"acceptOffers", l_acceptOffers},
    {"declineOffer", l_declineOffer},
    {"reviveOffers", l_reviveOffers},
    {"suppressOffers", l_suppressOffers},
    {"killTask", l_killTask},
    {"reconcileTasks", l_reconcileTasks},
    {"acknowledgeStatusUpdate", l_acknowledgeStatusUpdate},
    {"acknowledgeOperationStatus", l_acknowledgeOperationStatus},
    {"updateFramework", l_updateFramework},
    {"offers", l_offers},
    {"explain", l_explain},
    {"task", l_task},
    {"tasks", l_tasks},
    {"taskCounts", l_taskCounts},
    {"output", l_output},
    {"frameworkId", l_frameworkId},
    {"master", l_master},
    {NULL, NULL},
};

static const char *operation_name(const void *data, size_t index)
{
    enum { METHODS = sizeof methods / sizeof *methods - 1 };
    (void)data;
    if (index < METHODS)
        return methods[index].name;
    return index - METHODS < OPERATIONS ? operations[index - METHODS].name : NULL;
}

// A driver that is read like a list is where the offers were expected. // [-0, +0, v]
static int raise_no_list(lua_State *L)
{
    luaL_where(L, 1);
    if (*lua_tostring(L, -1) == 0)
        luaL_where(L, 2); // the reader is the iterator of ipairs()
    lua_pushliteral(L, "this is the driver, not a list: the first argument of a callback is its "
                       "scheduler, so write function scheduler:resourceOffers(driver, offers), "
                       "with a colon");
    lua_concat(L, 2);
    return lua_error(L);
}

static int l_no_operation(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        return raise_no_list(L);
    const char *name = lua_tostring(L, 2);
    return luaL_error(L, "SchedulerDriver has no operation '%s'%s", name,
                      hints_push(L, name, operation_name, NULL));
}

// mesos.SchedulerDriver { ... } // [-1, +1, e]
static int l_SchedulerDriver(lua_State *L)
{
    struct scheduler_environment *environment = lua_touserdata(L, lua_upvalueindex(1));
    dot_call_check(L, "SchedulerDriver");
    luaL_checktype(L, 1, LUA_TTABLE);
    if (script_closing(script_of(L)))
        luaL_error(L, "mesos.SchedulerDriver: the script is being closed");
    struct scheduler_handle *handle = scheduler_handle_push(L, scheduler_destroy);
    scheduler_point(scheduler_create(L, 1, environment), handle);
    return 1;
}

struct script_close {
    struct scheduler_environment *environment;
    struct script *script;
};

static void on_script_closed(void *data)
{
    struct script_close *closing = data;
    scheduler_forget(closing->environment, closing->script);
    free(closing);
}

static void watch_script(struct script *script, struct scheduler_environment *environment)
{
    struct script_close *closing = memory_new(sizeof *closing);
    *closing = (struct script_close){.environment = environment, .script = script};
    script_on_close(script, on_script_closed, closing);
}

void driver_methods_open(lua_State *L, struct scheduler_environment *environment)
{
    output_method_open(L);
    userdata_type(L, snapshot_type);
    lua_pop(L, 1);
    scheduler_handle_open(L); // class
    lua_pushcfunction(L, l_tostring);
    lua_setfield(L, -2, "__tostring");
    luaL_newlib(L, methods); // class, methods
    for (size_t i = 0; i < OPERATIONS; i++) {
        lua_pushlightuserdata(L, (void *)&operations[i]);
        lua_pushcclosure(L, l_operation, 1);
        lua_setfield(L, -2, operations[i].name);
    }
    lua_createtable(L, 0, 1); // class, methods, metatable
    lua_pushcfunction(L, l_no_operation);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);        // class, methods
    lua_setfield(L, -2, "__index"); // class
    lua_pop(L, 1);
    task_list_open(L);
    explain_open(L);
    watch_script(script_of(L), environment);
}

void driver_methods_push(lua_State *L, struct scheduler_environment *environment)
{
    lua_pushlightuserdata(L, environment);
    lua_pushcclosure(L, l_SchedulerDriver, 1);
}
