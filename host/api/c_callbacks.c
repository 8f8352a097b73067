// SPDX-License-Identifier: Apache-2.0
//
// Events as calls of a C program's functions: see c_callbacks.h. The program may destroy the driver
// in its function, so nothing of the driver is read after it.

#include "api/c_callbacks.h"

#include "api/c_interface.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>

// One text of an event as the id message that holds it.
#define ID_OF(name, init, slice)                                                                   \
    name = init;                                                                                   \
    name.value = memory_text((const char *)(slice).data, (slice).length)

static bool complain(const struct driver_event *event)
{
    log_error("%s: what the master sent cannot be unpacked", events_callback_name(event->callback));
    return false;
}

static bool call_registered(const struct c_callbacks *program, const struct driver_event *event)
{
    if (program->scheduler.registered == NULL)
        return true;
    Mesos__V1__FrameworkID ID_OF(id, (Mesos__V1__FrameworkID)MESOS__V1__FRAMEWORK_ID__INIT,
                                 event->framework_id);
    void *master = c_interface_unpack(&mesos__v1__master_info__descriptor, event->message);
    program->scheduler.registered(program->data, program->driver, &id, master);
    c_interface_free(master);
    free(id.value);
    return true;
}

static bool call_reregistered(const struct c_callbacks *program, const struct driver_event *event)
{
    if (program->scheduler.reregistered == NULL)
        return true;
    void *master = c_interface_unpack(&mesos__v1__master_info__descriptor, event->message);
    program->scheduler.reregistered(program->data, program->driver, master);
    c_interface_free(master);
    return true;
}

static bool call_disconnected(const struct c_callbacks *program, const struct driver_event *event)
{
    (void)event;
    if (program->scheduler.disconnected != NULL)
        program->scheduler.disconnected(program->data, program->driver);
    return true;
}

static void free_list(void **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        c_interface_free(list[i]);
    free(list);
}

// The offers of an event, or NULL.
static void **unpack_offers(const ProtobufCMessageDescriptor *type,
                            const struct driver_event *event)
{
    void **list = memory_new(event->count * sizeof *list);
    for (size_t i = 0; i < event->count; i++) {
        list[i] = c_interface_unpack(type, event->offers[i]);
        if (list[i] == NULL) {
            free_list(list, i);
            return NULL;
        }
    }
    return list;
}

static bool call_resource_offers(const struct c_callbacks *program,
                                 const struct driver_event *event)
{
    size_t count = event->count;
    if (program->scheduler.resource_offers == NULL)
        return true;
    void **offers = unpack_offers(&mesos__v1__offer__descriptor, event);
    if (offers == NULL)
        return complain(event);
    program->scheduler.resource_offers(program->data, program->driver,
                                       (Mesos__V1__Offer *const *)offers, count);
    free_list(offers, count);
    return true;
}

static bool call_inverse_offers(const struct c_callbacks *program, const struct driver_event *event)
{
    size_t count = event->count;
    if (program->scheduler.inverse_offers == NULL)
        return true;
    void **offers = unpack_offers(&mesos__v1__inverse_offer__descriptor, event);
    if (offers == NULL)
        return complain(event);
    program->scheduler.inverse_offers(program->data, program->driver,
                                      (Mesos__V1__InverseOffer *const *)offers, count);
    free_list(offers, count);
    return true;
}

static bool call_rescinded(const struct c_callbacks *program, const struct driver_event *event)
{
    void (*callback)(void *, struct mesos_driver *, const Mesos__V1__OfferID *) =
        event->callback == CALLBACK_OFFER_RESCINDED ? program->scheduler.offer_rescinded
                                                    : program->scheduler.inverse_offer_rescinded;
    if (callback == NULL)
        return true;
    Mesos__V1__OfferID ID_OF(id, (Mesos__V1__OfferID)MESOS__V1__OFFER_ID__INIT, event->offer_id);
    callback(program->data, program->driver, &id);
    free(id.value);
    return true;
}

static bool call_status_update(const struct c_callbacks *program, const struct driver_event *event)
{
    if (program->scheduler.status_update == NULL)
        return true;
    void *status = c_interface_unpack(&mesos__v1__task_status__descriptor, event->message);
    if (status == NULL)
        return complain(event);
    program->scheduler.status_update(program->data, program->driver, status);
    c_interface_free(status);
    return true;
}

static bool call_operation_status(const struct c_callbacks *program,
                                  const struct driver_event *event)
{
    if (program->scheduler.operation_status_update == NULL)
        return true;
    void *status = c_interface_unpack(&mesos__v1__operation_status__descriptor, event->message);
    if (status == NULL)
        return complain(event);
    program->scheduler.operation_status_update(program->data, program->driver, status);
    c_interface_free(status);
    return true;
}

// An event without an executor is one of the agent alone.
static bool call_about_executor(const struct c_callbacks *program, const struct driver_event *event)
{
    const struct mesos_scheduler *scheduler = &program->scheduler;
    Mesos__V1__ExecutorID ID_OF(executor, (Mesos__V1__ExecutorID)MESOS__V1__EXECUTOR_ID__INIT,
                                event->executor_id);
    Mesos__V1__AgentID ID_OF(agent, (Mesos__V1__AgentID)MESOS__V1__AGENT_ID__INIT, event->agent_id);
    if (event->callback == CALLBACK_SLAVE_LOST && scheduler->slave_lost != NULL)
        scheduler->slave_lost(program->data, program->driver, &agent);
    else if (event->callback == CALLBACK_EXECUTOR_LOST && scheduler->executor_lost != NULL)
        scheduler->executor_lost(program->data, program->driver, &executor, &agent, event->status);
    else if (event->callback == CALLBACK_FRAMEWORK_MESSAGE && scheduler->framework_message != NULL)
        scheduler->framework_message(program->data, program->driver, &executor, &agent,
                                     event->data.data, event->data.length);
    free(executor.value);
    free(agent.value);
    return true;
}

static bool call_error(const struct c_callbacks *program, const struct driver_event *event)
{
    char *text = memory_text((const char *)event->data.data, event->data.length);
    if (program->scheduler.error != NULL)
        program->scheduler.error(program->data, program->driver, text);
    else
        log_error("%s", text);
    free(text);
    return true;
}

static bool call_framework_removed(const struct c_callbacks *program,
                                   const struct driver_event *event)
{
    if (program->scheduler.framework_removed == NULL)
        return true;
    char *text = memory_text((const char *)event->data.data, event->data.length);
    program->scheduler.framework_removed(program->data, program->driver, text);
    free(text);
    return true;
}

static bool (*const calls[CALLBACKS])(const struct c_callbacks *program,
                                      const struct driver_event *) = {
    [CALLBACK_REGISTERED] = call_registered,
    [CALLBACK_REREGISTERED] = call_reregistered,
    [CALLBACK_DISCONNECTED] = call_disconnected,
    [CALLBACK_RESOURCE_OFFERS] = call_resource_offers,
    [CALLBACK_OFFER_RESCINDED] = call_rescinded,
    [CALLBACK_STATUS_UPDATE] = call_status_update,
    [CALLBACK_FRAMEWORK_MESSAGE] = call_about_executor,
    [CALLBACK_SLAVE_LOST] = call_about_executor,
    [CALLBACK_EXECUTOR_LOST] = call_about_executor,
    [CALLBACK_ERROR] = call_error,
    [CALLBACK_INVERSE_OFFERS] = call_inverse_offers,
    [CALLBACK_INVERSE_OFFER_RESCINDED] = call_rescinded,
    [CALLBACK_OPERATION_STATUS_UPDATE] = call_operation_status,
    [CALLBACK_FRAMEWORK_REMOVED] = call_framework_removed,
};

bool c_callbacks_call(const struct c_callbacks *program, const struct driver_event *event)
{
    return calls[event->callback](program, event);
}
