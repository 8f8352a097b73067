// SPDX-License-Identifier: Apache-2.0
//
// The scheduler driver for several threads: see threaded_scheduler.h. What all threads know lies
// behind the mutex of the threaded driver.

#include "api/threaded_scheduler.h"

#include "base/memory.h"
#include "mesos/transport_http.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>

struct threaded_scheduler {
    struct threaded_driver base;
    threaded_scheduler_callback callback;
    void *data;

    bool connected;
    char *framework_id;   // NULL: not known yet
    struct bytes *master; // MasterInfo, or NULL
    struct offer_table *offers, *inverse_offers;
    struct tls_options tls; // its texts are here
};

static struct threaded_scheduler *self(struct threaded_driver *driver)
{
    return (struct threaded_scheduler *)driver;
}

// ---- offers, as all threads see them ----

// Each has a block of its own here: references on the core's blocks belong to the loop's thread.
static void remember_offers(struct offer_table *offers, const struct driver_event *event)
{
    for (size_t i = 0; i < event->count; i++) {
        struct slice wire = event->offers[i];
        struct bytes *block = bytes_copy(wire.data, wire.length);
        wire = slice_of(block);
        offer_table_add(offers, block, &wire, 1);
        bytes_unref(block);
    }
}

static void forget_offers(struct threaded_scheduler *driver, const char *why)
{
    offer_table_spend_all(driver->offers, why);
    offer_table_spend_all(driver->inverse_offers, why);
}

static void remember_registration(struct threaded_scheduler *driver,
                                  const struct driver_event *event)
{
    forget_offers(driver, "was made void by a new registration");
    driver->connected = true;
    free(driver->framework_id);
    driver->framework_id =
        memory_text((const char *)event->framework_id.data, event->framework_id.length);
    bytes_unref(driver->master);
    driver->master =
        event->message.data ? bytes_copy(event->message.data, event->message.length) : NULL;
}

static void remember(struct threaded_scheduler *driver, const struct driver_event *event)
{
    switch (event->callback) {
    case CALLBACK_REGISTERED:
    case CALLBACK_REREGISTERED:
        remember_registration(driver, event);
        break;
    case CALLBACK_DISCONNECTED:
        driver->connected = false;
        forget_offers(driver, "was made void when the master was lost");
        break;
    case CALLBACK_RESOURCE_OFFERS:
        remember_offers(driver->offers, event);
        break;
    case CALLBACK_INVERSE_OFFERS:
        remember_offers(driver->inverse_offers, event);
        break;
    case CALLBACK_OFFER_RESCINDED:
        offer_table_spend(driver->offers, event->offer_id, "was rescinded");
        break;
    case CALLBACK_INVERSE_OFFER_RESCINDED:
        offer_table_spend(driver->inverse_offers, event->offer_id, "was rescinded");
        break;
    default:
        break;
    }
}

// ---- events of the core ----

// True if this callback may start.
static bool admit(struct threaded_scheduler *driver, const struct driver_event *event)
{
    bool error = event->callback == CALLBACK_ERROR;
    threaded_driver_lock(&driver->base);
    bool admitted = threaded_driver_admit(&driver->base, error);
    if (admitted && !error)
        remember(driver, event);
    threaded_driver_unlock(&driver->base);
    return admitted;
}

// What was asked for during the callback is done before the core looks whether it still runs, and
// acknowledges.
static enum driver_outcome on_callback(void *data, const struct driver_event *event)
{
    struct threaded_scheduler *driver = data;
    bool ok = admit(driver, event);
    if (ok) {
        driver->base.calling++;
        ok = driver->callback(driver->data, event);
        driver->base.calling--;
    }
    threaded_driver_apply(&driver->base);
    return ok ? OUTCOME_DONE : OUTCOME_FAILED;
}

static void on_finished(void *data)
{
    struct threaded_scheduler *driver = data;
    threaded_driver_finished(&driver->base);
}

static const struct driver_listener listener = {.callback = on_callback, .finished = on_finished};

// ---- submitting ----

static struct slice next_id(struct slice *list)
{
    struct slice id = {.data = NULL};
    return wire_next_bytes(list, FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS, &id)
               ? wire_text(id)
               : (struct slice){.data = NULL};
}

static bool is_named_again(struct slice rest, struct slice id)
{
    for (struct slice other; (other = next_id(&rest)).data != NULL;)
        if (slice_equal(other, id))
            return true;
    return false;
}

// While disconnected all offers are void, and the core answers for the master.
static bool check_offers(struct threaded_scheduler *driver, struct offer_table *offers,
                         struct slice list, struct error *err)
{
    const char *why;
    for (struct slice id; (id = next_id(&list)).data != NULL;) {
        if (is_named_again(list, id))
            return error_set(err, ERROR_INVALID, "offer '%.*s' is named twice", SLICE_ARGS(id));
        if (offer_table_find(offers, id, &why) == NULL && driver->connected)
            return error_set(err, ERROR_INVALID, "offer '%.*s' cannot be used: %s%s",
                             SLICE_ARGS(id), why ? "it " : "",
                             why ? why : "no such offer is outstanding");
    }
    return true;
}

static void spend_offers(struct offer_table *offers, struct slice list, const char *why)
{
    for (struct slice id; (id = next_id(&list)).data != NULL;)
        offer_table_spend(offers, id, why);
}

static bool accept(struct threaded_driver *base, void *data, struct error *err)
{
    struct threaded_scheduler *driver = self(base);
    struct driver_operation *operation = data;
    struct slice message = buffer_slice(&operation->message);
    struct offer_table *offers =
        operation->offers == OPERATION_INVERSE_OFFERS ? driver->inverse_offers : driver->offers;
    if (operation->offers == OPERATION_NO_OFFERS)
        return true;
    if (!check_offers(driver, offers, message, err))
        return false;
    spend_offers(offers, message, operation->spent);
    return true;
}

static void act(void *core, void *data)
{
    struct driver_operation *operation = data;
    if (core != NULL)
        operation->act(core, operation);
    operation_destroy(operation);
}

// ---- the core ----

static void start(void *core)
{
    driver_start(core);
}

static void end(void *core, enum threaded_ending ending)
{
    if (ending == THREADED_ABORT)
        driver_abort(core);
    else
        driver_stop(core, ending == THREADED_STOP_FAILOVER);
}

static void destroy(void *core)
{
    driver_destroy(core);
}

static enum driver_status status(const void *core)
{
    return driver_status(core);
}

static void copy_tls(struct tls_options *to, const struct tls_options *from)
{
    *to = *from;
    to->ca_file = memory_string(from->ca_file);
    to->ca_path = memory_string(from->ca_path);
    to->cert = memory_string(from->cert);
    to->key = memory_string(from->key);
}

static void free_tls(struct tls_options *tls)
{
    free((char *)(uintptr_t)tls->ca_file);
    free((char *)(uintptr_t)tls->ca_path);
    free((char *)(uintptr_t)tls->cert);
    free((char *)(uintptr_t)tls->key);
}

static void free_driver(struct threaded_driver *base)
{
    struct threaded_scheduler *driver = self(base);
    offer_table_destroy(driver->offers);
    offer_table_destroy(driver->inverse_offers);
    bytes_unref(driver->master);
    free(driver->framework_id);
    free_tls(&driver->tls);
    free(driver);
}

static const struct threaded_ops ops = {.start = start,
                                        .end = end,
                                        .destroy = destroy,
                                        .status = status,
                                        .act = act,
                                        .accept = accept,
                                        .free = free_driver};

// ---- life ----

// Gives the core its detector and its transport.
static bool choose_master(struct threaded_scheduler *driver, struct driver_options *core,
                          const struct threaded_scheduler_options *options, struct error *err)
{
    struct loop *loop = driver->base.loop;
    struct credentials *credentials = credentials_create(&options->credentials, err);
    if (credentials == NULL)
        return error_context(err, "options");
    const struct detector_options detection = {.tls = options->tls_first,
                                               .credentials = credentials};
    core->detector = detector_create_with(options->master, &detection, loop, err);
    const struct transport_http_options transport = {.tls = &driver->tls,
                                                     .credentials = credentials};
    if (core->detector != NULL)
        core->transport = transport_http_create(loop, &transport);
    credentials_unref(credentials);
    return core->detector != NULL || error_context(err, "master");
}

static bool connect_core(struct threaded_scheduler *driver,
                         const struct threaded_scheduler_options *options, struct error *err)
{
    struct driver_options core = options->driver;
    struct loop *loop = driver->base.loop;
    copy_tls(&driver->tls, &options->tls);
    if (!tls_check(&driver->tls, err))
        return error_context(err, "options");
    if (!choose_master(driver, &core, options, err))
        return false;
    if (!threaded_driver_open(&driver->base, err)) {
        detector_destroy(core.detector);
        transport_destroy(core.transport);
        return false;
    }
    core.subscription = subscription_defaults;
    driver->base.core = driver_create(loop, &core, &listener, driver, err);
    if (driver->base.core == NULL)
        return false;
    struct slice id = driver_framework_id(driver->base.core);
    driver->framework_id = id.length > 0 ? memory_text((const char *)id.data, id.length) : NULL;
    return true;
}

struct threaded_driver *threaded_scheduler_create(const struct threaded_scheduler_options *options,
                                                  threaded_scheduler_callback callback, void *data,
                                                  struct error *err)
{
    struct threaded_scheduler *driver = memory_new(sizeof *driver);
    threaded_driver_init(&driver->base, &ops, options->uv);
    driver->callback = callback;
    driver->data = data;
    driver->offers = offer_table_create();
    driver->inverse_offers = offer_table_create();
    if (connect_core(driver, options, err))
        return &driver->base;
    threaded_driver_discard(&driver->base);
    return NULL;
}

// ---- what it knows ----

char *threaded_scheduler_framework_id(struct threaded_driver *base)
{
    struct threaded_scheduler *driver = self(base);
    threaded_driver_lock(base);
    char *id = memory_string(driver->framework_id);
    threaded_driver_unlock(base);
    return id;
}

struct bytes *threaded_scheduler_master(struct threaded_driver *base)
{
    struct threaded_scheduler *driver = self(base);
    threaded_driver_lock(base);
    struct bytes *copy =
        driver->master ? bytes_copy(driver->master->data, driver->master->length) : NULL;
    threaded_driver_unlock(base);
    return copy;
}

size_t threaded_scheduler_offers(struct threaded_driver *base, struct buffer *list)
{
    struct threaded_scheduler *driver = self(base);
    threaded_driver_lock(base);
    size_t count = 0;
    for (const struct offer *offer = offer_table_first(driver->offers); offer;
         offer = offer_table_next(offer))
        count += wire_put_bytes(list, WIRE_LIST, offer_table_wire(offer));
    threaded_driver_unlock(base);
    return count;
}
