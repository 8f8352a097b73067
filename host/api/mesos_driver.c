// SPDX-License-Identifier: Apache-2.0
//
// The driver for C programs: see include/mesos_driver.h. Its operations are checked and packed
// here, on the thread that called them, and submitted to the threaded driver as operations
// (operation.h). Callbacks are in c_callbacks.c; everything about threads is in threaded_driver.c
// and threaded_scheduler.c.

#include "mesos_driver.h"

#include "api/c_callbacks.h"
#include "api/c_interface.h"
#include "api/message_check.h"
#include "api/threaded_scheduler.h"
#include "base/log.h"
#include "base/memory.h"
#include "mesos/framework_defaults.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Scheduler__Call__Accept Accept;
typedef Mesos__V1__Scheduler__Call__Decline Decline;
typedef Mesos__V1__Scheduler__Call__UpdateFramework UpdateFramework;
typedef Mesos__V1__Scheduler__Call__Reconcile__Task ReconciledTask;

struct mesos_driver {
    struct threaded_driver *threaded;
    struct c_callbacks callbacks;
    bool explicit_acknowledgements;
};

// ---- callbacks ----

static void decline_offers(struct mesos_driver *driver, const struct driver_event *event);

static bool on_callback(void *data, const struct driver_event *event)
{
    struct mesos_driver *driver = data;
    if (event->callback == CALLBACK_RESOURCE_OFFERS &&
        driver->callbacks.scheduler.resource_offers == NULL) {
        decline_offers(driver, event);
        return true;
    }
    return c_callbacks_call(&driver->callbacks, event);
}

// ---- submitting ----

// Begins an operation.
static bool is_driver(const struct mesos_driver *driver)
{
    struct error *err = c_interface_fresh_error();
    return driver != NULL || error_set(err, ERROR_INVALID, "driver is missing");
}

// Only a running driver checks its arguments.
static bool is_running(struct mesos_driver *driver)
{
    return is_driver(driver) && threaded_driver_status(driver->threaded) == DRIVER_RUNNING;
}

// Without a driver nothing was ever started.
static enum mesos_status status_of(struct mesos_driver *driver)
{
    return driver != NULL ? c_interface_status(threaded_driver_status(driver->threaded))
                          : MESOS_DRIVER_NOT_STARTED;
}

// Takes the operation.
static enum mesos_status submit(struct mesos_driver *driver, struct driver_operation *operation)
{
    return c_interface_status(
        threaded_driver_submit(driver->threaded, operation, c_interface_error()));
}

// An operation whose message is this one, which was checked.
static enum mesos_status submit_message(struct mesos_driver *driver,
                                        struct driver_operation *operation, const void *message)
{
    if (message_check_pack(message, &operation->message, c_interface_error()))
        return submit(driver, operation);
    operation_destroy(operation);
    return status_of(driver);
}

static struct driver_operation *call_operation(enum call_type type)
{
    struct driver_operation *operation = operation_create(operation_call);
    operation->type = type;
    return operation;
}

static enum mesos_status submit_call(struct mesos_driver *driver, enum call_type type,
                                     const void *message)
{
    return submit_message(driver, call_operation(type), message);
}

static bool check(const void *message, const ProtobufCMessageDescriptor *type, const char *name)
{
    return message_check_message(message, type, name, c_interface_error());
}

static bool check_optional(const void *message, const ProtobufCMessageDescriptor *type,
                           const char *name)
{
    return message == NULL || check(message, type, name);
}

static bool check_list(const void *messages, size_t count, const ProtobufCMessageDescriptor *type,
                       const char *name)
{
    return message_check_list(messages, count, type, name, c_interface_error());
}

// ---- offers ----

static bool check_answer(Mesos__V1__OfferID *const *ids, size_t count, const char *name,
                         const Mesos__V1__Filters *filters)
{
    if (count == 0)
        return error_set(c_interface_error(), ERROR_INVALID, "%s: at least one is needed", name);
    return check_list(ids, count, &mesos__v1__offer_id__descriptor, name) &&
           check_optional(filters, &mesos__v1__filters__descriptor, "filters");
}

static struct driver_operation *offers_operation(operation_act act, enum operation_offers offers,
                                                 const char *spent)
{
    struct driver_operation *operation = operation_create(act);
    operation->offers = offers;
    operation->spent = spent;
    return operation;
}

static enum mesos_status decline(struct mesos_driver *driver, Mesos__V1__OfferID *const *ids,
                                 size_t count, const Mesos__V1__Filters *filters)
{
    Decline message = MESOS__V1__SCHEDULER__CALL__DECLINE__INIT;
    message.n_offer_ids = count;
    message.offer_ids = (Mesos__V1__OfferID **)ids;
    message.filters = (Mesos__V1__Filters *)filters;
    return submit_message(
        driver, offers_operation(operation_decline, OPERATION_OFFERS, "was declined already"),
        &message);
}

static enum mesos_status accept(struct mesos_driver *driver, Mesos__V1__OfferID *const *ids,
                                size_t id_count, Mesos__V1__Offer__Operation *const *operations,
                                size_t operation_count, const Mesos__V1__Filters *filters)
{
    Accept message = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
    message.n_offer_ids = id_count;
    message.offer_ids = (Mesos__V1__OfferID **)ids;
    message.n_operations = operation_count;
    message.operations = (Mesos__V1__Offer__Operation **)operations;
    message.filters = (Mesos__V1__Filters *)filters;
    return submit_message(
        driver, offers_operation(operation_accept, OPERATION_OFFERS, "was accepted already"),
        &message);
}

// The offers of an event, for a program without resource_offers.
static void decline_offers(struct mesos_driver *driver, const struct driver_event *event)
{
    struct driver_operation *operation =
        offers_operation(operation_decline, OPERATION_OFFERS, "was declined already");
    for (size_t i = 0; i < event->count; i++)
        wire_put_bytes(&operation->message, FIELD_SCHEDULER_CALL_DECLINE_OFFER_IDS,
                       wire_find(event->offers[i], FIELD_OFFER_ID));
    submit(driver, operation);
}

enum mesos_status mesos_driver_launch_tasks(struct mesos_driver *driver,
                                            Mesos__V1__OfferID *const *offer_ids,
                                            size_t offer_id_count,
                                            Mesos__V1__TaskInfo *const *tasks, size_t task_count,
                                            const Mesos__V1__Filters *filters)
{
    if (!is_running(driver) || !check_answer(offer_ids, offer_id_count, "offer_ids", filters) ||
        !check_list(tasks, task_count, &mesos__v1__task_info__descriptor, "tasks"))
        return status_of(driver);
    if (task_count == 0)
        return decline(driver, offer_ids, offer_id_count, filters);
    Mesos__V1__Offer__Operation__Launch launch = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
    launch.n_task_infos = task_count;
    launch.task_infos = (Mesos__V1__TaskInfo **)tasks;
    Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    operation.has_type = true;
    operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
    operation.launch = &launch;
    Mesos__V1__Offer__Operation *list[] = {&operation};
    return accept(driver, offer_ids, offer_id_count, list, 1, filters);
}

enum mesos_status
mesos_driver_accept_offers(struct mesos_driver *driver, Mesos__V1__OfferID *const *offer_ids,
                           size_t offer_id_count, Mesos__V1__Offer__Operation *const *operations,
                           size_t operation_count, const Mesos__V1__Filters *filters)
{
    if (!is_running(driver) || !check_answer(offer_ids, offer_id_count, "offer_ids", filters) ||
        !check_list(operations, operation_count, &mesos__v1__offer__operation__descriptor,
                    "operations"))
        return status_of(driver);
    return accept(driver, offer_ids, offer_id_count, operations, operation_count, filters);
}

enum mesos_status mesos_driver_decline_offer(struct mesos_driver *driver,
                                             const Mesos__V1__OfferID *offer_id,
                                             const Mesos__V1__Filters *filters)
{
    if (!is_running(driver) || !check(offer_id, &mesos__v1__offer_id__descriptor, "offer_id") ||
        !check_optional(filters, &mesos__v1__filters__descriptor, "filters"))
        return status_of(driver);
    Mesos__V1__OfferID *ids[] = {(Mesos__V1__OfferID *)offer_id};
    return decline(driver, ids, 1, filters);
}

enum mesos_status mesos_driver_accept_inverse_offers(struct mesos_driver *driver,
                                                     Mesos__V1__OfferID *const *ids, size_t count,
                                                     const Mesos__V1__Filters *filters)
{
    if (!is_running(driver) || !check_answer(ids, count, "inverse_offer_ids", filters))
        return status_of(driver);
    Mesos__V1__Scheduler__Call__AcceptInverseOffers message =
        MESOS__V1__SCHEDULER__CALL__ACCEPT_INVERSE_OFFERS__INIT;
    message.n_inverse_offer_ids = count;
    message.inverse_offer_ids = (Mesos__V1__OfferID **)ids;
    message.filters = (Mesos__V1__Filters *)filters;
    struct driver_operation *operation =
        offers_operation(operation_call, OPERATION_INVERSE_OFFERS, "was accepted already");
    operation->type = CALL_ACCEPT_INVERSE_OFFERS;
    return submit_message(driver, operation, &message);
}

enum mesos_status mesos_driver_decline_inverse_offers(struct mesos_driver *driver,
                                                      Mesos__V1__OfferID *const *ids, size_t count,
                                                      const Mesos__V1__Filters *filters)
{
    if (!is_running(driver) || !check_answer(ids, count, "inverse_offer_ids", filters))
        return status_of(driver);
    Mesos__V1__Scheduler__Call__DeclineInverseOffers message =
        MESOS__V1__SCHEDULER__CALL__DECLINE_INVERSE_OFFERS__INIT;
    message.n_inverse_offer_ids = count;
    message.inverse_offer_ids = (Mesos__V1__OfferID **)ids;
    message.filters = (Mesos__V1__Filters *)filters;
    struct driver_operation *operation =
        offers_operation(operation_call, OPERATION_INVERSE_OFFERS, "was declined already");
    operation->type = CALL_DECLINE_INVERSE_OFFERS;
    return submit_message(driver, operation, &message);
}

static enum mesos_status submit_roles(struct mesos_driver *driver, enum call_type type,
                                      const char *const *roles)
{
    if (!is_running(driver) || (roles != NULL && roles[0] == NULL))
        return status_of(driver);
    struct driver_operation *operation = operation_create(operation_roles);
    operation->type = type;
    operation->all = roles == NULL;
    for (size_t i = 0; roles != NULL && roles[i] != NULL; i++)
        buffer_append(&operation->message, roles[i], strlen(roles[i]) + 1);
    return submit(driver, operation);
}

enum mesos_status mesos_driver_revive_offers(struct mesos_driver *driver, const char *const *roles)
{
    return submit_roles(driver, CALL_REVIVE, roles);
}

enum mesos_status mesos_driver_suppress_offers(struct mesos_driver *driver,
                                               const char *const *roles)
{
    return submit_roles(driver, CALL_SUPPRESS, roles);
}

enum mesos_status mesos_driver_request_resources(struct mesos_driver *driver,
                                                 Mesos__V1__Request *const *requests, size_t count)
{
    if (!is_running(driver) ||
        !check_list(requests, count, &mesos__v1__request__descriptor, "requests"))
        return status_of(driver);
    Mesos__V1__Scheduler__Call__Request message = MESOS__V1__SCHEDULER__CALL__REQUEST__INIT;
    message.n_requests = count;
    message.requests = (Mesos__V1__Request **)requests;
    return submit_call(driver, CALL_REQUEST, &message);
}

// ---- tasks and executors ----

enum mesos_status mesos_driver_kill_task(struct mesos_driver *driver,
                                         const Mesos__V1__TaskID *task_id,
                                         const Mesos__V1__AgentID *agent_id,
                                         const Mesos__V1__KillPolicy *kill_policy)
{
    if (!is_running(driver) || !check(task_id, &mesos__v1__task_id__descriptor, "task_id") ||
        !check_optional(agent_id, &mesos__v1__agent_id__descriptor, "agent_id") ||
        !check_optional(kill_policy, &mesos__v1__kill_policy__descriptor, "kill_policy"))
        return status_of(driver);
    Mesos__V1__Scheduler__Call__Kill message = MESOS__V1__SCHEDULER__CALL__KILL__INIT;
    message.task_id = (Mesos__V1__TaskID *)task_id;
    message.agent_id = (Mesos__V1__AgentID *)agent_id;
    message.kill_policy = (Mesos__V1__KillPolicy *)kill_policy;
    return submit_call(driver, CALL_KILL, &message);
}

enum mesos_status mesos_driver_reconcile_tasks(struct mesos_driver *driver,
                                               Mesos__V1__TaskStatus *const *statuses, size_t count)
{
    if (!is_running(driver) ||
        !check_list(statuses, count, &mesos__v1__task_status__descriptor, "statuses"))
        return status_of(driver);
    Mesos__V1__Scheduler__Call__Reconcile message = MESOS__V1__SCHEDULER__CALL__RECONCILE__INIT;
    ReconciledTask *tasks = memory_new(count * sizeof *tasks);
    message.tasks = memory_new(count * sizeof *message.tasks);
    for (size_t i = 0; i < count; i++) {
        tasks[i] = (ReconciledTask)MESOS__V1__SCHEDULER__CALL__RECONCILE__TASK__INIT;
        tasks[i].task_id = statuses[i]->task_id;
        tasks[i].agent_id = statuses[i]->agent_id;
        message.tasks[message.n_tasks++] = &tasks[i];
    }
    enum mesos_status status = submit_call(driver, CALL_RECONCILE, &message);
    free(message.tasks);
    free(tasks);
    return status;
}

static enum mesos_status submit_acknowledgement(struct mesos_driver *driver, enum call_type type,
                                                const void *status,
                                                const ProtobufCMessageDescriptor *descriptor)
{
    if (!is_running(driver) || !check(status, descriptor, "status"))
        return status_of(driver);
    if (!driver->explicit_acknowledgements) {
        error_set(c_interface_error(), ERROR_INVALID,
                  "this driver acknowledges by itself when the callback returns: set "
                  "explicit_acknowledgements to do it yourself");
        return status_of(driver);
    }
    struct driver_operation *operation = operation_create(operation_acknowledge);
    operation->type = type;
    return submit_message(driver, operation, status);
}

enum mesos_status mesos_driver_acknowledge_status_update(struct mesos_driver *driver,
                                                         const Mesos__V1__TaskStatus *status)
{
    return submit_acknowledgement(driver, CALL_ACKNOWLEDGE, status,
                                  &mesos__v1__task_status__descriptor);
}

enum mesos_status
mesos_driver_acknowledge_operation_status(struct mesos_driver *driver,
                                          const Mesos__V1__OperationStatus *status)
{
    return submit_acknowledgement(driver, CALL_ACKNOWLEDGE_OPERATION_STATUS, status,
                                  &mesos__v1__operation_status__descriptor);
}

static bool check_executor(const Mesos__V1__ExecutorID *executor_id,
                           const Mesos__V1__AgentID *agent_id)
{
    return check(executor_id, &mesos__v1__executor_id__descriptor, "executor_id") &&
           check(agent_id, &mesos__v1__agent_id__descriptor, "agent_id");
}

enum mesos_status mesos_driver_send_framework_message(struct mesos_driver *driver,
                                                      const Mesos__V1__ExecutorID *executor_id,
                                                      const Mesos__V1__AgentID *agent_id,
                                                      const void *data, size_t length)
{
    if (!is_running(driver) || !check_executor(executor_id, agent_id))
        return status_of(driver);
    if (data == NULL && length > 0) {
        error_set(c_interface_error(), ERROR_INVALID, "message is missing");
        return status_of(driver);
    }
    Mesos__V1__Scheduler__Call__Message message = MESOS__V1__SCHEDULER__CALL__MESSAGE__INIT;
    message.executor_id = (Mesos__V1__ExecutorID *)executor_id;
    message.agent_id = (Mesos__V1__AgentID *)agent_id;
    message.data = (ProtobufCBinaryData){.len = length, .data = (uint8_t *)data};
    return submit_call(driver, CALL_MESSAGE, &message);
}

enum mesos_status mesos_driver_shutdown_executor(struct mesos_driver *driver,
                                                 const Mesos__V1__ExecutorID *executor_id,
                                                 const Mesos__V1__AgentID *agent_id)
{
    if (!is_running(driver) || !check_executor(executor_id, agent_id))
        return status_of(driver);
    Mesos__V1__Scheduler__Call__Shutdown message = MESOS__V1__SCHEDULER__CALL__SHUTDOWN__INIT;
    message.executor_id = (Mesos__V1__ExecutorID *)executor_id;
    message.agent_id = (Mesos__V1__AgentID *)agent_id;
    return submit_call(driver, CALL_SHUTDOWN, &message);
}

enum mesos_status mesos_driver_reconcile_operations(
    struct mesos_driver *driver,
    Mesos__V1__Scheduler__Call__ReconcileOperations__Operation *const *operations, size_t count)
{
    if (!is_running(driver) ||
        !check_list(operations, count,
                    &mesos__v1__scheduler__call__reconcile_operations__operation__descriptor,
                    "operations"))
        return status_of(driver);
    Mesos__V1__Scheduler__Call__ReconcileOperations message =
        MESOS__V1__SCHEDULER__CALL__RECONCILE_OPERATIONS__INIT;
    message.n_operations = count;
    message.operations = (Mesos__V1__Scheduler__Call__ReconcileOperations__Operation **)operations;
    return submit_call(driver, CALL_RECONCILE_OPERATIONS, &message);
}

// ---- the framework ----

static size_t count_texts(const char *const *texts)
{
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL)
        count++;
    return count;
}

// A missing user is an empty one on the way: the loop's thread knows the current one.
enum mesos_status
mesos_driver_update_framework(struct mesos_driver *driver,
                              const Mesos__V1__FrameworkInfo *framework,
                              const char *const *suppressed_roles,
                              const Mesos__V1__Scheduler__OfferConstraints *offer_constraints)
{
    static char no_user[] = "";
    const ProtobufCMessageDescriptor *type = &mesos__v1__framework_info__descriptor;
    if (!is_running(driver) ||
        !message_check_type(framework, type, "framework", c_interface_error()))
        return status_of(driver);
    UpdateFramework message = MESOS__V1__SCHEDULER__CALL__UPDATE_FRAMEWORK__INIT;
    Mesos__V1__FrameworkInfo info = *framework;
    if (info.user == NULL)
        info.user = no_user;
    message.framework_info = &info;
    message.n_suppressed_roles = count_texts(suppressed_roles);
    message.suppressed_roles = (char **)suppressed_roles;
    message.offer_constraints = (Mesos__V1__Scheduler__OfferConstraints *)offer_constraints;
    if (!check(&info, type, "framework") ||
        !check_optional(offer_constraints, &mesos__v1__scheduler__offer_constraints__descriptor,
                        "offer_constraints"))
        return status_of(driver);
    return submit_message(driver, operation_create(operation_update_framework), &message);
}

enum mesos_status mesos_driver_reconnect(struct mesos_driver *driver)
{
    if (!is_running(driver))
        return status_of(driver);
    return submit(driver, operation_create(operation_reconnect));
}

enum mesos_status mesos_driver_reregister(struct mesos_driver *driver)
{
    if (!is_running(driver))
        return status_of(driver);
    return submit(driver, operation_create(operation_reregister));
}

// ---- what it knows ----

Mesos__V1__FrameworkID *mesos_driver_framework_id(struct mesos_driver *driver)
{
    char *text = is_driver(driver) ? threaded_scheduler_framework_id(driver->threaded) : NULL;
    if (text == NULL)
        return NULL;
    Mesos__V1__FrameworkID *id = memory_new(sizeof *id);
    mesos__v1__framework_id__init(id);
    id->value = text;
    return id;
}

Mesos__V1__MasterInfo *mesos_driver_master(struct mesos_driver *driver)
{
    struct bytes *bytes = is_driver(driver) ? threaded_scheduler_master(driver->threaded) : NULL;
    if (bytes == NULL)
        return NULL;
    Mesos__V1__MasterInfo *master =
        mesos__v1__master_info__unpack(NULL, bytes->length, bytes->data);
    bytes_unref(bytes);
    return master;
}

static bool is_count(const size_t *count)
{
    return count != NULL || error_set(c_interface_error(), ERROR_INVALID, "count is missing");
}

Mesos__V1__Offer **mesos_driver_offers(struct mesos_driver *driver, size_t *count)
{
    struct buffer list;
    if (!is_driver(driver) || !is_count(count))
        return NULL;
    buffer_init(&list, SIZE_MAX / 2);
    size_t most = threaded_scheduler_offers(driver->threaded, &list);
    Mesos__V1__Offer **offers = most > 0 ? memory_new(most * sizeof *offers) : NULL;
    struct slice rest = buffer_slice(&list), wire;
    *count = 0;
    while (*count < most && wire_next_bytes(&rest, WIRE_LIST, &wire)) {
        offers[*count] = mesos__v1__offer__unpack(NULL, wire.length, wire.data);
        *count += offers[*count] != NULL;
    }
    buffer_free(&list);
    return offers;
}

void mesos_driver_free_offers(Mesos__V1__Offer **offers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mesos__v1__offer__free_unpacked(offers[i], NULL);
    free(offers);
}

// ---- life ----

static bool check_master(const char *master, struct error *err)
{
    if (master == NULL || master[0] == 0)
        return error_set(err, ERROR_INVALID, "options.master is missing");
    if (strcmp(master, "local") == 0 || strncmp(master, "local:", 6) == 0)
        return error_set(
            err, ERROR_INVALID,
            "options.master: '%s' is for the program; start one with `mesos-lua local` "
            "and give the address that it prints",
            master);
    return true;
}

static bool pack_framework(const struct mesos_driver_options *options, struct buffer *buffer,
                           struct error *err)
{
    const ProtobufCMessageDescriptor *type = &mesos__v1__framework_info__descriptor;
    struct framework_defaults defaults;
    if (!message_check_type(options->framework, type, "options.framework", err))
        return false;
    Mesos__V1__FrameworkInfo info = *options->framework;
    framework_defaults_fill(&defaults, &info);
    return message_check_message(&info, type, "options.framework", err) &&
           message_check_pack(&info, buffer, err);
}

static bool pack_constraints(const struct mesos_driver_options *options, struct buffer *buffer,
                             struct error *err)
{
    const void *constraints = options->offer_constraints;
    if (constraints == NULL)
        return true;
    return message_check_message(constraints, &mesos__v1__scheduler__offer_constraints__descriptor,
                                 "options.offer_constraints", err) &&
           message_check_pack(constraints, buffer, err);
}

static struct threaded_scheduler_options describe(const struct mesos_driver_options *options,
                                                  struct slice framework)
{
    return (struct threaded_scheduler_options){
        .uv = options->loop,
        .master = options->master,
        .tls_first = options->tls,
        .tls = {.ca_file = options->ca_file,
                .ca_path = options->ca_path,
                .cert = options->cert,
                .key = options->key,
                .insecure = options->insecure},
        .credentials = {.principal = options->principal,
                        .secret_file = options->secret_file,
                        .credential_file = options->credential,
                        .token_file = options->token_file,
                        .redirect_hosts = options->redirect_hosts},
        .driver = {.framework = framework,
                   .suppressed_roles = options->suppressed_roles,
                   .explicit_acknowledgements = options->explicit_acknowledgements},
    };
}

static bool start_up(struct mesos_driver *driver, const struct mesos_driver_options *options,
                     struct error *err)
{
    struct buffer framework, constraints;
    buffer_init(&framework, OPERATION_BYTES_MOST);
    buffer_init(&constraints, OPERATION_BYTES_MOST);
    if (check_master(options->master, err) && pack_framework(options, &framework, err) &&
        pack_constraints(options, &constraints, err)) {
        struct threaded_scheduler_options threaded = describe(options, buffer_slice(&framework));
        if (options->offer_constraints != NULL)
            threaded.driver.offer_constraints =
                constraints.data ? buffer_slice(&constraints) : slice_text("");
        driver->threaded = threaded_scheduler_create(&threaded, on_callback, driver, err);
    }
    buffer_free(&framework);
    buffer_free(&constraints);
    return driver->threaded != NULL;
}

struct mesos_driver *mesos_driver_create(const struct mesos_scheduler *scheduler, void *data,
                                         const struct mesos_driver_options *options, char *error,
                                         size_t error_size)
{
    struct error *err = c_interface_fresh_error();
    struct mesos_driver_options known = {0};
    struct mesos_driver *driver = memory_new(sizeof *driver);
    bool good = c_interface_read(&driver->callbacks.scheduler, sizeof driver->callbacks.scheduler,
                                 scheduler, scheduler ? scheduler->size : 0, "scheduler", err) &&
                c_interface_read(&known, sizeof known, options, options ? options->size : 0,
                                 "options", err);
    driver->callbacks.driver = driver;
    driver->callbacks.data = data;
    driver->explicit_acknowledgements = known.explicit_acknowledgements;
    if (good && start_up(driver, &known, err))
        return driver;
    free(driver);
    if (error_size > 0)
        snprintf(error, error_size, "%s", err->text);
    return NULL;
}

void mesos_driver_destroy(struct mesos_driver *driver)
{
    if (driver == NULL)
        return;
    threaded_driver_destroy(driver->threaded);
    free(driver);
}

enum mesos_status mesos_driver_start(struct mesos_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_start(driver->threaded, c_interface_error()));
}

enum mesos_status mesos_driver_stop(struct mesos_driver *driver, bool failover)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_stop(driver->threaded, failover));
}

enum mesos_status mesos_driver_abort(struct mesos_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_abort(driver->threaded));
}

enum mesos_status mesos_driver_join(struct mesos_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_join(driver->threaded, c_interface_error()));
}

enum mesos_status mesos_driver_run(struct mesos_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_run(driver->threaded, c_interface_error()));
}

enum mesos_status mesos_driver_status(struct mesos_driver *driver)
{
    if (driver == NULL)
        is_driver(driver);
    return status_of(driver);
}

// ---- the log ----

// The program's function, and what it is given.
struct log_sink {
    mesos_log_function function;
    void *data;
};

// The levels have the same numbers.
static void on_line(void *data, enum log_level level, const char *text)
{
    const struct log_sink *sink = data;
    sink->function(sink->data, (enum mesos_log_level)level, text);
}

// Once it is replaced, the old one is not read any more.
void mesos_driver_set_log(mesos_log_function function, void *data, enum mesos_log_level level)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // over `current`
    static struct log_sink *current;
    struct log_sink *sink = function ? memory_new(sizeof *sink) : NULL;
    if (sink != NULL)
        *sink = (struct log_sink){.function = function, .data = data};
    pthread_mutex_lock(&mutex);
    log_set_level((enum log_level)level);
    log_set_sink(sink ? on_line : NULL, sink);
    free(current);
    current = sink;
    pthread_mutex_unlock(&mutex);
}
