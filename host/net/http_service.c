// SPDX-License-Identifier: Apache-2.0
//
// Services: see http_service.h. A place is a listening socket with its server and those who want
// it, the one that has it in front. A place without services is drained: it accepts nothing and is
// destroyed when its last request has ended. A connection is suspended from the moment at which
// its request is handed on until there is an answer.

#include "net/http_service.h"

#include "base/memory.h"
#include "base/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

enum { CONNECTIONS = 1024, CONNECTION_MEMORY = 32 << 10, FILE_MOST = 1 << 20 };

struct http_service {
    TAILQ_ENTRY(http_service) link; // of its place
    struct http_place *place;
    struct http_service_settings settings; // without the texts
};

struct http_place {
    TAILQ_ENTRY(http_place) link;
    struct http_services *services;
    char *address, *hosts, *cert, *key; // as they were given; the last two are the files' text
    struct http_server *server;
    TAILQ_HEAD(, http_service) waiting; // the first of them is served
    TAILQ_HEAD(, service_request) requests;
    unsigned pending;             // their number
    struct http_place *successor; // gets the socket when this one is drained; or NULL
    bool behind;                  // it is the successor of another, and does not run yet
    bool drained;
    struct deferral end;
};

struct http_services {
    struct loop *loop;
    TAILQ_HEAD(, http_place) places;
};

// From its headers until it is completed and answered.
struct service_request {
    TAILQ_ENTRY(service_request) link; // of its place
    struct http_place *place;          // NULL: it was destroyed
    struct http_exchange *exchange;    // NULL: it is completed, without an answer
    struct MHD_Response *response;     // NULL: there is none yet
    int status;
    bool suspended;
};

// ---- requests ----

// It is completed and answered. Until then it counts, as its handler runs on without its client.
static void end_request(struct service_request *request)
{
    struct http_place *place = request->place;
    if (place != NULL) {
        TAILQ_REMOVE(&place->requests, request, link);
        if (--place->pending == 0 && place->drained)
            deferral_queue(&place->end);
    }
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    free(request);
}

static void wake(struct service_request *request)
{
    if (!request->suspended)
        return;
    request->suspended = false;
    MHD_resume_connection(request->exchange->connection);
    http_server_wake(request->place->server);
}

const struct http_exchange *service_request_exchange(const struct service_request *request)
{
    return request->exchange;
}

void service_request_answer(struct service_request *request, const struct http_answer *answer)
{
    if (request->exchange == NULL) {
        end_request(request);
        return;
    }
    request->status = answer->status;
    request->response = http_answer_make(answer);
    wake(request);
}

static enum MHD_Result send_answer(struct service_request *request)
{
    if (request->response == NULL)
        return MHD_NO; // its client has left
    return MHD_queue_response(request->exchange->connection, (unsigned)request->status,
                              request->response);
}

static enum MHD_Result hand_on(struct http_place *place, struct http_service *service,
                               struct http_exchange *exchange)
{
    struct service_request *request = memory_new(sizeof *request);
    *request = (struct service_request){.place = place, .exchange = exchange};
    exchange->data = request;
    TAILQ_INSERT_TAIL(&place->requests, request, link);
    place->pending++;
    service->settings.request(service->settings.data, request);
    if (request->response != NULL)
        return send_answer(request);
    request->suspended = true;
    http_exchange_endless(exchange);
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

static enum MHD_Result refuse_busy(struct http_exchange *exchange, const char *text)
{
    const struct http_answer answer = {.status = MHD_HTTP_SERVICE_UNAVAILABLE,
                                       .type = "text/plain; charset=utf-8",
                                       .text = text,
                                       .header_name = MHD_HTTP_HEADER_RETRY_AFTER,
                                       .header = "1"};
    return http_exchange_answer(exchange, &answer);
}

static size_t on_begin(void *data, struct http_exchange *exchange)
{
    struct http_place *place = data;
    const struct http_service *service = TAILQ_FIRST(&place->waiting);
    (void)exchange;
    return service ? service->settings.body_limit : 0;
}

// The second time that it is called for a request, the request has its answer.
static enum MHD_Result on_answer(void *data, struct http_exchange *exchange)
{
    struct http_place *place = data;
    struct http_service *service = TAILQ_FIRST(&place->waiting);
    if (exchange->data != NULL)
        return send_answer(exchange->data);
    if (exchange->state == HTTP_BODY_TOO_LONG)
        return http_exchange_refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE,
                                    "413 Content Too Large: the body is longer than is taken "
                                    "here.\n");
    if (exchange->state == HTTP_BODY_NO_ROOM)
        return refuse_busy(exchange, "503 Service Unavailable: too much is being received.\n");
    if (service == NULL)
        return refuse_busy(exchange, "503 Service Unavailable: this service has ended.\n");
    if (place->pending >= service->settings.requests)
        return refuse_busy(exchange, "503 Service Unavailable: too many requests.\n");
    return hand_on(place, service, exchange);
}

static void on_completed(void *data, struct http_exchange *exchange)
{
    struct service_request *request = exchange->data;
    (void)data;
    exchange->data = NULL;
    if (request == NULL)
        return;
    request->exchange = NULL;
    request->suspended = false;
    if (request->response != NULL)
        end_request(request);
}

static void on_left(void *data, struct http_exchange *exchange)
{
    (void)data;
    if (exchange->data != NULL)
        wake(exchange->data);
}

// ---- places ----

static void free_place(struct http_place *place)
{
    struct service_request *request;
    TAILQ_REMOVE(&place->services->places, place, link);
    TAILQ_FOREACH(request, &place->requests, link)
    wake(request);
    http_server_destroy(place->server); // completes the requests
    TAILQ_FOREACH(request, &place->requests, link)
    request->place = NULL; // its handler still runs
    deferral_cancel(&place->end);
    free(place->address);
    free(place->hosts);
    free(place->cert);
    memory_wipe(place->key);
    free(place);
}

static void on_end(void *data)
{
    free_place(data);
}

static char *read_text(const char *path, const char *what, struct error *err)
{
    struct buffer text;
    buffer_init(&text, FILE_MOST);
    int file = regular_file_open(AT_FDCWD, path, REGULAR_FILE, NULL, err);
    bool good = file >= 0 && regular_file_read_all(file, &text, err);
    char *copy = good ? memory_text((const char *)text.data, text.length) : NULL;
    if (file >= 0)
        close(file);
    if (!good)
        error_context(err, "%s %s", what, path);
    if (text.length > 0)
        explicit_bzero(text.data, text.length);
    buffer_free(&text);
    return copy;
}

static bool read_files(struct http_place *place, const struct http_service_settings *settings,
                       struct error *err)
{
    if (settings->cert == NULL)
        return true;
    place->cert = read_text(settings->cert, "tls.cert", err);
    place->key = place->cert ? read_text(settings->key, "tls.key", err) : NULL;
    return place->key != NULL;
}

static struct http_place *new_place(struct http_services *services,
                                    const struct http_service_settings *settings, struct error *err)
{
    struct http_place *place = memory_new(sizeof *place);
    place->services = services;
    place->address = memory_string(settings->address);
    place->hosts = memory_string(settings->hosts);
    TAILQ_INIT(&place->waiting);
    TAILQ_INIT(&place->requests);
    deferral_init(&place->end, services->loop, on_end, place);
    TAILQ_INSERT_TAIL(&services->places, place, link);
    if (read_files(place, settings, err))
        return place;
    free_place(place);
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_alike(const struct http_place *place, const struct http_place *other)
{
    return same_text(place->hosts, other->hosts) && same_text(place->cert, other->cert) &&
           same_text(place->key, other->key);
}

static bool is_owned(const struct http_place *place, const void *owner)
{
    const struct http_service *service;
    TAILQ_FOREACH(service, &place->waiting, link)
    if (service->settings.owner == owner)
        return true;
    return false;
}

// The place of that address that another owner has.
static struct http_place *find_place(struct http_services *services,
                                     const struct http_service_settings *settings)
{
    struct http_place *place;
    TAILQ_FOREACH(place, &services->places, link)
    {
        if (strcmp(place->address, settings->address) != 0 || place->drained || place->behind ||
            place->server == NULL || is_owned(place, settings->owner))
            continue;
        if (place->successor == NULL || !is_owned(place->successor, settings->owner))
            return place;
    }
    return NULL;
}

static bool serve(struct http_place *place, int fd, struct error *err)
{
    const struct http_server_settings settings = {.what = "mesos.serve",
                                                  .begin = on_begin,
                                                  .answer = on_answer,
                                                  .completed = on_completed,
                                                  .left = on_left,
                                                  .data = place,
                                                  .hosts = place->hosts,
                                                  .cert = place->cert,
                                                  .key = place->key,
                                                  .numeric = true,
                                                  .memory = CONNECTION_MEMORY,
                                                  .connections = CONNECTIONS};
    struct loop *loop = place->services->loop;
    place->server = fd < 0 ? http_server_create(loop, place->address, &settings, err)
                           : http_server_create_on(loop, fd, place->address, &settings, err);
    return place->server != NULL;
}

// Makes the new place the one that gets the socket of `before`.
static bool follow(struct http_place *place, struct http_place *before, struct error *err)
{
    int fd = fcntl(http_server_listener(before->server), F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, ERROR_IO, "%s: %s", place->address, strerror(errno));
    place->behind = true;
    if (!serve(place, fd, err))
        return false;
    before->successor = place;
    return true;
}

// ---- services ----

static struct http_service *join(struct http_place *place,
                                 const struct http_service_settings *settings)
{
    struct http_service *service = memory_new(sizeof *service);
    service->place = place;
    service->settings = *settings;
    service->settings.address = service->settings.hosts = NULL;
    service->settings.cert = service->settings.key = NULL;
    TAILQ_INSERT_TAIL(&place->waiting, service, link);
    return service;
}

struct http_service *http_service_open(struct http_services *services,
                                       const struct http_service_settings *settings,
                                       struct error *err)
{
    struct http_place *before = find_place(services, settings);
    struct http_place *place = new_place(services, settings, err);
    if (place == NULL)
        return NULL;
    if (before != NULL && is_alike(place, before)) {
        free_place(place);
        return join(before, settings);
    }
    if (before != NULL && before->successor != NULL) {
        free_place(place);
        error_set(err, ERROR_IO, "cannot listen on '%s': it is being handed over already",
                  settings->address);
        return NULL;
    }
    if (before != NULL ? follow(place, before, err) : serve(place, -1, err))
        return join(place, settings);
    int fault = errno;
    free_place(place);
    errno = fault;
    return NULL;
}

// Nothing wants the place any more.
static void drain(struct http_place *place)
{
    place->drained = true;
    http_server_quiesce(place->server);
    if (place->successor != NULL) {
        place->successor->behind = false;
        http_server_run(place->successor->server);
    }
    if (place->pending == 0)
        deferral_queue(&place->end);
}

// A place that waits for the socket of another one is not waited for any more.
static void give_up(struct http_place *place)
{
    struct http_place *before;
    TAILQ_FOREACH(before, &place->services->places, link)
    if (before->successor == place)
        before->successor = NULL;
    place->drained = true;
    deferral_queue(&place->end);
}

void http_service_close(struct http_service *service)
{
    struct http_place *place = service->place;
    TAILQ_REMOVE(&place->waiting, service, link);
    free(service);
    if (!TAILQ_EMPTY(&place->waiting))
        return;
    if (place->behind)
        give_up(place);
    else
        drain(place);
}

const char *http_service_address(const struct http_service *service)
{
    return http_server_address(service->place->server);
}

// ---- all of them ----

struct http_services *http_services_create(struct loop *loop)
{
    struct http_services *services = memory_new(sizeof *services);
    services->loop = loop;
    TAILQ_INIT(&services->places);
    return services;
}

void http_services_destroy(struct http_services *services)
{
    if (services == NULL)
        return;
    struct http_place *place;
    while ((place = TAILQ_FIRST(&services->places)) != NULL) {
        struct http_service *service;
        while ((service = TAILQ_FIRST(&place->waiting)) != NULL) {
            TAILQ_REMOVE(&place->waiting, service, link);
            free(service);
        }
        free_place(place);
    }
    free(services);
}
