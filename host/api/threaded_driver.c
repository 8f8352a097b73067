// SPDX-License-Identifier: Apache-2.0
//
// The driver for several threads: see threaded_driver.h. `core` is the driver of driver.h and is
// touched by the loop's thread only. The mutex is never held while anything of the core, or of the
// program, is called.
//
// Other threads say what they want in two ways: operations are letters in the mailbox; start, the
// end and destruction are words under the mutex (`status`, `ending`, `doomed`), which obey() brings
// to the core, behind the letters that were posted before them.
//
// References: one of the creator until he destroys it, one of the thread that runs the loop until
// it ends, one of everybody who waits in join.

#include "api/threaded_driver.h"

#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_thread.h"
#include "loop/loop_uv.h"
#include "loop/mailbox.h"
#include "mesos/transport_http.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LETTERS_MOST = 65536 };

enum ending { ENDING_NONE, ENDING_ABORT, ENDING_STOP, ENDING_STOP_FAILOVER };

struct threaded_driver {
    threaded_callback callback;
    void *data;
    struct loop *loop;
    bool own;            // the loop
    pthread_t home;      // of the embedder's loop: the thread that created the driver
    struct driver *core; // loop's thread only, like the two behind it
    unsigned calling;    // callbacks that have not returned
    bool finished;       // the core has come to its end

    pthread_mutex_t mutex; // over what follows
    pthread_cond_t ended;
    unsigned references;
    struct mailbox *mailbox;    // NULL when it is taken down
    struct loop_thread *thread; // NULL before the start, and without a loop of its own
    enum driver_status status;
    enum ending ending; // what the core has to hear; the first word counts
    bool failing;       // the core has aborted itself, and tells why in `error`
    bool over;          // and nothing is left to wait for
    bool doomed;        // destroyed
    bool connected;
    char *framework_id;   // NULL: not known yet
    struct bytes *master; // MasterInfo, or NULL
    struct offer_table *offers, *inverse_offers;
};

static void lock(struct threaded_driver *this)
{
    pthread_mutex_lock(&this->mutex);
}

static void unlock(struct threaded_driver *this)
{
    pthread_mutex_unlock(&this->mutex);
}

// ---- references ----

static void free_all(struct threaded_driver *this)
{
    offer_table_destroy(this->offers);
    offer_table_destroy(this->inverse_offers);
    bytes_unref(this->master);
    free(this->framework_id);
    pthread_cond_destroy(&this->ended);
    pthread_mutex_destroy(&this->mutex);
    free(this);
}

static void unref(struct threaded_driver *this)
{
    lock(this);
    bool last = --this->references == 0;
    unlock(this);
    if (last)
        free_all(this);
}

// ---- operations ----

struct driver_operation *operation_create(void (*act)(struct driver *,
                                                      const struct driver_operation *))
{
    struct driver_operation *operation = memory_new(sizeof *operation);
    operation->act = act;
    buffer_init(&operation->message, OPERATION_BYTES_MOST);
    return operation;
}

void operation_destroy(struct driver_operation *operation)
{
    if (operation == NULL)
        return;
    buffer_free(&operation->message);
    free(operation);
}

struct driver_letter {
    struct threaded_driver *driver;
    struct driver_operation *operation;
};

static void on_letter(void *data, bool lost)
{
    const struct driver_letter letter = *(struct driver_letter *)data;
    free(data);
    if (!lost && letter.driver->core != NULL)
        letter.operation->act(letter.driver->core, letter.operation);
    operation_destroy(letter.operation);
}

// ---- what the loop's thread does for the others ----

// The core may have aborted itself.
static void notice(struct threaded_driver *this)
{
    if (this->core == NULL || driver_status(this->core) != DRIVER_ABORTED)
        return;
    lock(this);
    if (this->status == DRIVER_RUNNING) {
        this->status = DRIVER_ABORTED;
        this->failing = true;
    }
    unlock(this);
}

static void destroy_core(struct threaded_driver *this)
{
    struct driver *core = this->core;
    this->core = NULL;
    driver_destroy(core);
}

static void start_core(struct threaded_driver *this, enum driver_status status)
{
    bool wanted = status != DRIVER_NOT_STARTED;
    if (wanted && driver_status(this->core) == DRIVER_NOT_STARTED)
        driver_start(this->core);
}

static void end_core(struct threaded_driver *this, enum ending ending, bool doomed)
{
    if (doomed)
        destroy_core(this);
    else if (ending == ENDING_ABORT)
        driver_abort(this->core);
    else if (ending != ENDING_NONE)
        driver_stop(this->core, ending == ENDING_STOP_FAILOVER);
}

// Does what others have asked for, in their order: the words are read first, since who says the
// last of them has posted his letters before. It may call callbacks, in which the driver may be
// destroyed; `this` outlives that, since it goes only when no callback is running.
static void obey(struct threaded_driver *this)
{
    lock(this);
    enum driver_status status = this->status;
    enum ending ending = this->ending;
    bool doomed = this->doomed;
    unlock(this);
    if (this->core == NULL)
        return;
    start_core(this, status);
    mailbox_open(this->mailbox);
    if (this->core != NULL)
        end_core(this, ending, doomed);
    notice(this);
}

// ---- taking down ----

static void tell_over(struct threaded_driver *this)
{
    lock(this);
    this->over = true;
    pthread_cond_broadcast(&this->ended);
    unlock(this);
}

// On the loop's thread, or, when it never had one, on any: no callback is running.
static void take_down(struct threaded_driver *this)
{
    destroy_core(this);
    lock(this);
    struct mailbox *mailbox = this->mailbox;
    this->mailbox = NULL;
    unlock(this);
    mailbox_destroy(mailbox);
    if (this->own)
        loop_uv_drain(this->loop);
    loop_destroy(this->loop);
    tell_over(this);
}

static bool thread_done(void *data)
{
    struct threaded_driver *this = data;
    return this->finished || this->core == NULL;
}

static void on_thread_ended(void *data)
{
    struct threaded_driver *this = data;
    take_down(this);
    unref(this);
}

// Between two turns of the loop. A driver on the embedder's loop that was destroyed in a callback
// goes here.
static void on_ring(void *data)
{
    struct threaded_driver *this = data;
    lock(this);
    bool doomed = this->doomed;
    unlock(this);
    if (!doomed || this->own) {
        obey(this);
    } else if (this->calling == 0) {
        take_down(this);
        unref(this);
    }
}

// ---- offers, as all threads see them ----

// Each has a block of its own here: references on the core's blocks belong to the loop's thread.
static void remember_offers(struct offer_table *offers, const struct driver_event *event)
{
    for (size_t i = 0; i < event->count; i++) {
        struct slice wire = event->offers[i];
        struct bytes *block = bytes_copy(wire.data, wire.length);
        offer_table_add(offers, block, slice_of(block));
        bytes_unref(block);
    }
}

static void forget_offers(struct threaded_driver *this, const char *why)
{
    offer_table_spend_all(this->offers, why);
    offer_table_spend_all(this->inverse_offers, why);
}

static void remember_registration(struct threaded_driver *this, const struct driver_event *event)
{
    forget_offers(this, "was made void by a new registration");
    this->connected = true;
    free(this->framework_id);
    this->framework_id =
        memory_text((const char *)event->framework_id.data, event->framework_id.length);
    bytes_unref(this->master);
    this->master =
        event->message.data ? bytes_copy(event->message.data, event->message.length) : NULL;
}

static void remember(struct threaded_driver *this, const struct driver_event *event)
{
    switch (event->callback) {
    case CALLBACK_REGISTERED:
    case CALLBACK_REREGISTERED:
        remember_registration(this, event);
        break;
    case CALLBACK_DISCONNECTED:
        this->connected = false;
        forget_offers(this, "was made void when the master was lost");
        break;
    case CALLBACK_RESOURCE_OFFERS:
        remember_offers(this->offers, event);
        break;
    case CALLBACK_INVERSE_OFFERS:
        remember_offers(this->inverse_offers, event);
        break;
    case CALLBACK_OFFER_RESCINDED:
        offer_table_spend(this->offers, event->offer_id, "was rescinded");
        break;
    case CALLBACK_INVERSE_OFFER_RESCINDED:
        offer_table_spend(this->inverse_offers, event->offer_id, "was rescinded");
        break;
    default:
        break;
    }
}

// ---- what the core tells ----

// May this callback start? `error` belongs to the abort that it explains: not to one of the
// program.
static bool admit(struct threaded_driver *this, const struct driver_event *event)
{
    lock(this);
    bool running = this->status == DRIVER_RUNNING;
    bool admitted = running;
    if (event->callback == CALLBACK_ERROR) {
        if (running)
            this->status = DRIVER_ABORTED;
        admitted = running || this->failing;
    } else if (running) {
        remember(this, event);
    }
    unlock(this);
    return admitted;
}

// What was asked for during the callback is done before the core looks whether it still runs, and
// acknowledges.
static enum driver_outcome on_callback(void *data, const struct driver_event *event)
{
    struct threaded_driver *this = data;
    bool ok = admit(this, event);
    if (ok) {
        this->calling++;
        ok = this->callback(this->data, event);
        this->calling--;
    }
    obey(this);
    return ok ? OUTCOME_DONE : OUTCOME_FAILED;
}

// Who waits for a thread of ours waits until it has taken everything down: the program may exit
// right after.
static void on_finished(void *data)
{
    struct threaded_driver *this = data;
    this->finished = true;
    mailbox_rest(this->mailbox);
    if (!this->own)
        tell_over(this);
}

static const struct driver_listener listener = {.callback = on_callback, .finished = on_finished};

// ---- life ----

static bool connect_core(struct threaded_driver *this,
                         const struct threaded_driver_options *options, struct error *err)
{
    struct driver_options core = options->driver;
    struct credentials *credentials = credentials_create(&(struct credentials_options){0}, err);
    const struct detector_options detection = {.credentials = credentials};
    core.detector = detector_create_with(options->master, &detection, this->loop, err);
    const struct transport_http_options transport = {.credentials = credentials};
    if (core.detector != NULL)
        core.transport = transport_http_create(this->loop, &transport);
    credentials_unref(credentials);
    if (core.detector == NULL)
        return error_context(err, "master");
    this->mailbox = mailbox_create(this->loop, LETTERS_MOST, on_ring, this);
    if (this->mailbox == NULL) {
        detector_destroy(core.detector);
        transport_destroy(core.transport);
        return error_set(err, ERROR_IO, "the loop takes no more handles: too many open files?");
    }
    core.subscription = subscription_defaults;
    this->core = driver_create(this->loop, &core, &listener, this, err);
    if (this->core == NULL) {
        mailbox_rest(this->mailbox);
        mailbox_destroy(this->mailbox);
        return false;
    }
    struct slice id = driver_framework_id(this->core);
    this->framework_id = id.length > 0 ? memory_text((const char *)id.data, id.length) : NULL;
    return true;
}

struct threaded_driver *threaded_driver_create(const struct threaded_driver_options *options,
                                               threaded_callback callback, void *data,
                                               struct error *err)
{
    struct threaded_driver *this = memory_new(sizeof *this);
    this->callback = callback;
    this->data = data;
    this->own = options->uv == NULL;
    this->home = pthread_self();
    this->loop = loop_uv_create(options->uv);
    this->references = 1;
    this->status = DRIVER_NOT_STARTED;
    this->offers = offer_table_create();
    this->inverse_offers = offer_table_create();
    pthread_mutex_init(&this->mutex, NULL);
    pthread_cond_init(&this->ended, NULL);
    if (connect_core(this, options, err))
        return this;
    loop_destroy(this->loop);
    free_all(this);
    return NULL;
}

static bool is_on_loop(struct threaded_driver *this)
{
    return this->own ? loop_thread_runs(this->loop) : pthread_equal(this->home, pthread_self());
}

// Returns the thread that there is to wait for.
static struct loop_thread *doom(struct threaded_driver *this)
{
    lock(this);
    this->doomed = true;
    if (this->status == DRIVER_RUNNING)
        this->status = DRIVER_ABORTED;
    if (this->mailbox != NULL)
        mailbox_ring(this->mailbox);
    struct loop_thread *thread = this->thread;
    unlock(this);
    return thread;
}

void threaded_driver_destroy(struct threaded_driver *this)
{
    if (this == NULL)
        return;
    bool on_loop = is_on_loop(this);
    struct loop_thread *thread = doom(this);
    if (thread != NULL && on_loop) {
        destroy_core(this);
        loop_thread_detach(thread);
    } else if (thread != NULL) {
        loop_thread_join(thread);
    } else if (this->calling > 0) {
        destroy_core(this);
        return; // on_ring() does the rest
    } else {
        take_down(this);
    }
    unref(this);
}

// ---- start and end ----

static bool start_thread(struct threaded_driver *this, struct error *err)
{
    this->thread = loop_thread_start(this->loop, thread_done, on_thread_ended, this, err);
    this->references += this->thread != NULL;
    return this->thread != NULL;
}

// Once the thread runs, or the mutex is free, a callback may destroy the driver: only somebody on
// the loop's thread looks at it after that.
enum driver_status threaded_driver_start(struct threaded_driver *this, struct error *err)
{
    bool on_loop = is_on_loop(this);
    lock(this);
    bool fresh = this->status == DRIVER_NOT_STARTED && (!this->own || start_thread(this, err));
    if (fresh) {
        this->status = DRIVER_RUNNING;
        mailbox_ring(this->mailbox);
    }
    enum driver_status status = this->status;
    unlock(this);
    if (fresh && on_loop)
        obey(this);
    return status;
}

// What stop and abort have in common: the first of them that finds the driver running decides.
static enum driver_status end(struct threaded_driver *this, enum driver_status status,
                              enum ending ending)
{
    bool on_loop = is_on_loop(this);
    lock(this);
    enum driver_status before = this->status;
    if (before == DRIVER_RUNNING) {
        this->status = status;
        this->ending = ending;
        mailbox_ring(this->mailbox);
    } else if (before == DRIVER_ABORTED && status == DRIVER_STOPPED) {
        this->status = DRIVER_STOPPED;
    }
    unlock(this);
    if (before == DRIVER_RUNNING && on_loop)
        obey(this);
    return before == DRIVER_RUNNING ? status : before;
}

enum driver_status threaded_driver_stop(struct threaded_driver *this, bool failover)
{
    return end(this, DRIVER_STOPPED, failover ? ENDING_STOP_FAILOVER : ENDING_STOP);
}

enum driver_status threaded_driver_abort(struct threaded_driver *this)
{
    return end(this, DRIVER_ABORTED, ENDING_ABORT);
}

static bool may_wait(bool on_loop, struct error *err)
{
    if (on_loop)
        error_set(err, ERROR_INVALID,
                  "this is the thread that runs the driver's loop: waiting here would be for ever");
    return !on_loop;
}

enum driver_status threaded_driver_join(struct threaded_driver *this, struct error *err)
{
    bool on_loop = is_on_loop(this);
    lock(this);
    this->references++;
    if (this->status != DRIVER_NOT_STARTED && !this->over && may_wait(on_loop, err))
        while (!this->over)
            pthread_cond_wait(&this->ended, &this->mutex);
    enum driver_status status = this->status;
    unlock(this);
    unref(this);
    return status;
}

enum driver_status threaded_driver_run(struct threaded_driver *this, struct error *err)
{
    if (!may_wait(is_on_loop(this), err))
        return threaded_driver_status(this);
    lock(this);
    this->references++;
    unlock(this);
    enum driver_status status = threaded_driver_start(this, err);
    if (status == DRIVER_RUNNING)
        status = threaded_driver_join(this, err);
    unref(this);
    return status;
}

enum driver_status threaded_driver_status(struct threaded_driver *this)
{
    lock(this);
    enum driver_status status = this->status;
    unlock(this);
    return status;
}

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
static bool check_offers(struct threaded_driver *this, struct offer_table *offers,
                         struct slice list, struct error *err)
{
    const char *why;
    for (struct slice id; (id = next_id(&list)).data != NULL;) {
        if (is_named_again(list, id))
            return error_set(err, ERROR_INVALID, "offer '%.*s' is named twice", SLICE_ARGS(id));
        if (offer_table_find(offers, id, &why) == NULL && this->connected)
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

static void post(struct threaded_driver *this, struct driver_operation *operation)
{
    struct driver_letter *letter = memory_new(sizeof *letter);
    *letter = (struct driver_letter){.driver = this, .operation = operation};
    mailbox_post(this->mailbox, on_letter, letter);
}

// Under the mutex: takes the operation if it may be done. All posting is done under it, so that
// there is room if there was; once posted, the operation belongs to the loop's thread.
static bool take(struct threaded_driver *this, struct driver_operation *operation,
                 struct error *err)
{
    struct slice message = buffer_slice(&operation->message);
    struct offer_table *offers =
        operation->offers == OPERATION_INVERSE_OFFERS ? this->inverse_offers : this->offers;
    if (mailbox_full(this->mailbox))
        return error_set(err, ERROR_LIMIT,
                         "%d operations are waiting for the loop's thread: it is stuck, or does "
                         "not run",
                         LETTERS_MOST);
    if (operation->offers != OPERATION_NO_OFFERS) {
        if (!check_offers(this, offers, message, err))
            return false;
        spend_offers(offers, message, operation->spent);
    }
    post(this, operation);
    return true;
}

// On the loop's thread the letters are opened right away, the new one as the last of them.
enum driver_status threaded_driver_submit(struct threaded_driver *this,
                                          struct driver_operation *operation, struct error *err)
{
    bool on_loop = is_on_loop(this);
    if (on_loop)
        obey(this);
    lock(this);
    bool taken = this->status == DRIVER_RUNNING && take(this, operation, err);
    enum driver_status status = this->status;
    unlock(this);
    if (!taken)
        operation_destroy(operation);
    else if (on_loop) {
        obey(this);
        status = threaded_driver_status(this);
    }
    return status;
}

// ---- what it knows ----

char *threaded_driver_framework_id(struct threaded_driver *this)
{
    lock(this);
    char *id = memory_string(this->framework_id);
    unlock(this);
    return id;
}

struct bytes *threaded_driver_master(struct threaded_driver *this)
{
    lock(this);
    struct bytes *copy = this->master ? bytes_copy(this->master->data, this->master->length) : NULL;
    unlock(this);
    return copy;
}

size_t threaded_driver_offers(struct threaded_driver *this, struct buffer *list)
{
    lock(this);
    size_t count = 0;
    for (const struct offer *offer = offer_table_first(this->offers); offer;
         offer = offer_table_next(offer))
        count += wire_put_bytes(list, WIRE_LIST, offer_table_wire(offer));
    unlock(this);
    return count;
}
