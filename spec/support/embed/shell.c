// SPDX-License-Identifier: Apache-2.0
//
// mesos_driver.h as a shell for specs: each line of standard input is one operation, called on the
// main thread; each callback and each result is a line of standard output, fields with tabs between
// them. What an operation reports as wrong stands behind its status.
//
//     shell MASTER [explicit] [suppress ROLE] [constrain ROLE] [tls] [insecure] [ca-file FILE] ...

#include <mesos_driver.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MOST = 16, STATUSES_MOST = 64 };

static struct mesos_driver *driver;

// The statuses that were received, by copy, for explicit acknowledgements.
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Mesos__V1__TaskStatus *statuses[STATUSES_MOST];
static Mesos__V1__OperationStatus *operation_status;
static size_t status_count;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void *copy(const void *message)
{
    const ProtobufCMessage *from = message;
    size_t size = protobuf_c_message_get_packed_size(from);
    uint8_t *wire = malloc(size + 1);
    protobuf_c_message_pack(from, wire);
    void *to = protobuf_c_message_unpack(from->descriptor, NULL, size, wire);
    free(wire);
    return to;
}

// ---- callbacks ----

static void registered(void *data, struct mesos_driver *the_driver,
                       const Mesos__V1__FrameworkID *id, const Mesos__V1__MasterInfo *master)
{
    say("registered\t%s\t%u\t%d", id->value, master->port, data == &driver && the_driver == driver);
}

static void reregistered(void *data, struct mesos_driver *the_driver,
                         const Mesos__V1__MasterInfo *master)
{
    (void)data, (void)the_driver;
    say("reregistered\t%u", master->port);
}

static void disconnected(void *data, struct mesos_driver *the_driver)
{
    (void)data, (void)the_driver;
    say("disconnected");
}

static void resource_offers(void *data, struct mesos_driver *the_driver,
                            Mesos__V1__Offer *const *offers, size_t count)
{
    (void)data, (void)the_driver;
    for (size_t i = 0; i < count; i++)
        say("offer\t%s\t%s\t%g", offers[i]->id->value, offers[i]->hostname,
            offers[i]->resources[0]->scalar->value);
}

static void offer_rescinded(void *data, struct mesos_driver *the_driver,
                            const Mesos__V1__OfferID *id)
{
    (void)data, (void)the_driver;
    say("rescinded\t%s", id->value);
}

static void status_update(void *data, struct mesos_driver *the_driver,
                          const Mesos__V1__TaskStatus *status)
{
    (void)data, (void)the_driver;
    pthread_mutex_lock(&mutex);
    if (status_count < STATUSES_MOST)
        statuses[status_count++] = copy(status);
    pthread_mutex_unlock(&mutex);
    say("status\t%s\t%d\t%s", status->task_id->value, (int)status->state,
        status->message ? status->message : "");
}

static void framework_message(void *data, struct mesos_driver *the_driver,
                              const Mesos__V1__ExecutorID *executor_id,
                              const Mesos__V1__AgentID *agent_id, const void *message,
                              size_t length)
{
    (void)data, (void)the_driver;
    say("message\t%s\t%s\t%.*s", executor_id->value, agent_id->value, (int)length,
        (const char *)message);
}

static void slave_lost(void *data, struct mesos_driver *the_driver, const Mesos__V1__AgentID *id)
{
    (void)data, (void)the_driver;
    say("slave_lost\t%s", id->value);
}

static void executor_lost(void *data, struct mesos_driver *the_driver,
                          const Mesos__V1__ExecutorID *executor_id,
                          const Mesos__V1__AgentID *agent_id, int status)
{
    (void)data, (void)the_driver;
    say("executor_lost\t%s\t%s\t%d", executor_id->value, agent_id->value, status);
}

static void on_error(void *data, struct mesos_driver *the_driver, const char *message)
{
    (void)data;
    say("error\t%s\t%s", message, mesos_status_name(mesos_driver_status(the_driver)));
}

static void inverse_offers(void *data, struct mesos_driver *the_driver,
                           Mesos__V1__InverseOffer *const *offers, size_t count)
{
    (void)data, (void)the_driver;
    for (size_t i = 0; i < count; i++)
        say("inverse\t%s", offers[i]->id->value);
}

static void inverse_offer_rescinded(void *data, struct mesos_driver *the_driver,
                                    const Mesos__V1__OfferID *id)
{
    (void)data, (void)the_driver;
    say("inverse_rescinded\t%s", id->value);
}

static void operation_status_update(void *data, struct mesos_driver *the_driver,
                                    const Mesos__V1__OperationStatus *status)
{
    (void)data, (void)the_driver;
    pthread_mutex_lock(&mutex);
    if (operation_status == NULL)
        operation_status = copy(status);
    pthread_mutex_unlock(&mutex);
    say("operation\t%s\t%d", status->operation_id ? status->operation_id->value : "",
        (int)status->state);
}

static volatile bool insists; // a removed framework goes on as a new one

static void framework_removed(void *data, struct mesos_driver *the_driver, const char *message)
{
    (void)data;
    say("removed\t%s", message);
    if (insists)
        mesos_driver_reregister(the_driver);
}

static const struct mesos_scheduler scheduler = {
    .size = sizeof scheduler,
    .registered = registered,
    .reregistered = reregistered,
    .disconnected = disconnected,
    .resource_offers = resource_offers,
    .offer_rescinded = offer_rescinded,
    .status_update = status_update,
    .framework_message = framework_message,
    .slave_lost = slave_lost,
    .executor_lost = executor_lost,
    .error = on_error,
    .inverse_offers = inverse_offers,
    .inverse_offer_rescinded = inverse_offer_rescinded,
    .operation_status_update = operation_status_update,
    .framework_removed = framework_removed,
};

// ---- messages from words ----

// "-" is the null pointer.
static char *text_of(char *word)
{
    return word != NULL && strcmp(word, "-") != 0 ? word : NULL;
}

#define ID(type, init, name, word)                                                                 \
    type name = init;                                                                              \
    name.value = text_of(word);

static Mesos__V1__TaskInfo *task_of(char *id, char *agent, Mesos__V1__TaskInfo *task,
                                    Mesos__V1__TaskID *task_id, Mesos__V1__AgentID *agent_id)
{
    static char name[] = "shell";
    mesos__v1__task_info__init(task);
    mesos__v1__task_id__init(task_id);
    mesos__v1__agent_id__init(agent_id);
    task_id->value = text_of(id);
    agent_id->value = text_of(agent);
    task->name = name;
    task->task_id = task_id;
    task->agent_id = agent_id;
    return task;
}

// ---- operations: the words behind the name, NULL at the end ----

static enum mesos_status do_launch(char **words) // OFFER AGENT [TASK]
{
    ID(Mesos__V1__OfferID, MESOS__V1__OFFER_ID__INIT, offer, words[0])
    Mesos__V1__OfferID *offers[] = {&offer};
    Mesos__V1__TaskInfo task, *tasks[] = {&task};
    Mesos__V1__TaskID task_id;
    Mesos__V1__AgentID agent_id;
    task_of(words[2], words[1], &task, &task_id, &agent_id);
    Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;
    filters.has_refuse_seconds = 1;
    filters.refuse_seconds = 7;
    return mesos_driver_launch_tasks(driver, offers, 1, tasks, words[2] ? 1 : 0, &filters);
}

static enum mesos_status do_accept(char **words) // OFFER OFFER: creates nothing, reserves nothing
{
    ID(Mesos__V1__OfferID, MESOS__V1__OFFER_ID__INIT, first, words[0])
    ID(Mesos__V1__OfferID, MESOS__V1__OFFER_ID__INIT, second, words[1])
    Mesos__V1__OfferID *offers[] = {&first, &second};
    Mesos__V1__Offer__Operation__Reserve reserve = MESOS__V1__OFFER__OPERATION__RESERVE__INIT;
    Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    operation.has_type = 1;
    operation.type = MESOS__V1__OFFER__OPERATION__TYPE__RESERVE;
    operation.reserve = &reserve;
    Mesos__V1__Offer__Operation *operations[] = {&operation};
    return mesos_driver_accept_offers(driver, offers, 2, operations, 1, NULL);
}

static enum mesos_status do_decline(char **words) // OFFER
{
    ID(Mesos__V1__OfferID, MESOS__V1__OFFER_ID__INIT, offer, words[0])
    return mesos_driver_decline_offer(driver, &offer, NULL);
}

static enum mesos_status do_accept_inverse(char **words) // OFFER
{
    ID(Mesos__V1__OfferID, MESOS__V1__OFFER_ID__INIT, offer, words[0])
    Mesos__V1__OfferID *offers[] = {&offer};
    return mesos_driver_accept_inverse_offers(driver, offers, 1, NULL);
}

static enum mesos_status do_decline_inverse(char **words) // OFFER
{
    ID(Mesos__V1__OfferID, MESOS__V1__OFFER_ID__INIT, offer, words[0])
    Mesos__V1__OfferID *offers[] = {&offer};
    return mesos_driver_decline_inverse_offers(driver, offers, 1, NULL);
}

static enum mesos_status do_kill(char **words) // TASK [AGENT [NANOSECONDS]]
{
    ID(Mesos__V1__TaskID, MESOS__V1__TASK_ID__INIT, task, words[0])
    ID(Mesos__V1__AgentID, MESOS__V1__AGENT_ID__INIT, agent, words[1])
    Mesos__V1__DurationInfo period = MESOS__V1__DURATION_INFO__INIT;
    Mesos__V1__KillPolicy policy = MESOS__V1__KILL_POLICY__INIT;
    policy.grace_period = &period;
    bool agreed = words[1] != NULL && words[2] != NULL;
    if (agreed)
        period.nanoseconds = strtol(words[2], NULL, 10);
    return mesos_driver_kill_task(driver, &task, words[1] ? &agent : NULL, agreed ? &policy : NULL);
}

static enum mesos_status do_reconcile(char **words) // [TASK]
{
    ID(Mesos__V1__TaskID, MESOS__V1__TASK_ID__INIT, task, words[0])
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    status.task_id = &task;
    Mesos__V1__TaskStatus *list[] = {&status};
    return mesos_driver_reconcile_tasks(driver, list, words[0] ? 1 : 0);
}

static enum mesos_status do_reconcile_operations(char **words) // [OPERATION]
{
    ID(Mesos__V1__OperationID, MESOS__V1__OPERATION_ID__INIT, id, words[0])
    Mesos__V1__Scheduler__Call__ReconcileOperations__Operation
        operation = MESOS__V1__SCHEDULER__CALL__RECONCILE_OPERATIONS__OPERATION__INIT,
        *list[] = {&operation};
    operation.operation_id = &id;
    return mesos_driver_reconcile_operations(driver, list, words[0] ? 1 : 0);
}

static enum mesos_status do_revive(char **words) // [ROLE...], or "none" for the empty list
{
    if (words[0] != NULL && strcmp(words[0], "none") == 0)
        return mesos_driver_revive_offers(driver, (const char *const *)words + 1);
    return mesos_driver_revive_offers(driver, words[0] ? (const char *const *)words : NULL);
}

static enum mesos_status do_suppress(char **words)
{
    return mesos_driver_suppress_offers(driver, words[0] ? (const char *const *)words : NULL);
}

static enum mesos_status do_request(char **words) // AGENT
{
    ID(Mesos__V1__AgentID, MESOS__V1__AGENT_ID__INIT, agent, words[0])
    Mesos__V1__Request request = MESOS__V1__REQUEST__INIT, *list[] = {&request};
    request.agent_id = &agent;
    return mesos_driver_request_resources(driver, list, 1);
}

static enum mesos_status do_message(char **words) // EXECUTOR AGENT TEXT
{
    ID(Mesos__V1__ExecutorID, MESOS__V1__EXECUTOR_ID__INIT, executor, words[0])
    ID(Mesos__V1__AgentID, MESOS__V1__AGENT_ID__INIT, agent, words[1])
    return mesos_driver_send_framework_message(driver, &executor, &agent, words[2],
                                               strlen(words[2]));
}

static enum mesos_status do_shutdown(char **words) // EXECUTOR AGENT
{
    ID(Mesos__V1__ExecutorID, MESOS__V1__EXECUTOR_ID__INIT, executor, words[0])
    ID(Mesos__V1__AgentID, MESOS__V1__AGENT_ID__INIT, agent, words[1])
    return mesos_driver_shutdown_executor(driver, &executor, &agent);
}

static enum mesos_status do_acknowledge(char **words) // the N-th status that came
{
    pthread_mutex_lock(&mutex);
    Mesos__V1__TaskStatus *status = words[0] ? statuses[strtoul(words[0], NULL, 10)] : NULL;
    pthread_mutex_unlock(&mutex);
    return mesos_driver_acknowledge_status_update(driver, status);
}

static enum mesos_status do_acknowledge_operation(char **words)
{
    (void)words;
    pthread_mutex_lock(&mutex);
    Mesos__V1__OperationStatus *status = operation_status;
    pthread_mutex_unlock(&mutex);
    return mesos_driver_acknowledge_operation_status(driver, status);
}

static enum mesos_status do_update(char **words) // NAME [ID [SUPPRESSED]]
{
    ID(Mesos__V1__FrameworkID, MESOS__V1__FRAMEWORK_ID__INIT, id, words[1])
    Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
    info.name = text_of(words[0]);
    info.id = id.value ? &id : NULL;
    const char *roles[] = {words[1] ? words[2] : NULL, NULL};
    return mesos_driver_update_framework(driver, &info, roles, NULL);
}

static enum mesos_status do_reconnect(char **words)
{
    (void)words;
    return mesos_driver_reconnect(driver);
}

static enum mesos_status do_insist(char **words)
{
    (void)words;
    insists = true;
    return mesos_driver_reregister(driver); // means nothing here
}

static enum mesos_status do_start(char **words)
{
    (void)words;
    return mesos_driver_start(driver);
}

static enum mesos_status do_stop(char **words) // [failover]
{
    return mesos_driver_stop(driver, words[0] != NULL);
}

static enum mesos_status do_abort(char **words)
{
    (void)words;
    return mesos_driver_abort(driver);
}

static enum mesos_status do_join(char **words)
{
    (void)words;
    return mesos_driver_join(driver);
}

static enum mesos_status do_status(char **words)
{
    (void)words;
    return mesos_driver_status(driver);
}

// What the driver knows.
static enum mesos_status do_know(char **words)
{
    (void)words;
    size_t count;
    Mesos__V1__FrameworkID *id = mesos_driver_framework_id(driver);
    Mesos__V1__MasterInfo *master = mesos_driver_master(driver);
    Mesos__V1__Offer **offers = mesos_driver_offers(driver, &count);
    say("knows\t%s\t%u\t%zu\t%s", id ? id->value : "-", master ? master->port : 0, count,
        count ? offers[0]->id->value : "-");
    mesos__v1__framework_id__free_unpacked(id, NULL);
    mesos__v1__master_info__free_unpacked(master, NULL);
    mesos_driver_free_offers(offers, count);
    return mesos_driver_status(driver);
}

// Messages that no program should hand over.
static bool complains(enum mesos_status status)
{
    return status == MESOS_DRIVER_NOT_STARTED && strstr(mesos_driver_error(), "driver is missing");
}

// All that can be called without a driver.
static enum mesos_status misuse_driver(void)
{
    bool all = complains(mesos_driver_start(NULL)) && complains(mesos_driver_stop(NULL, false)) &&
               complains(mesos_driver_abort(NULL)) && complains(mesos_driver_join(NULL)) &&
               complains(mesos_driver_run(NULL)) && complains(mesos_driver_status(NULL)) &&
               complains(mesos_driver_launch_tasks(NULL, NULL, 0, NULL, 0, NULL)) &&
               complains(mesos_driver_accept_offers(NULL, NULL, 0, NULL, 0, NULL)) &&
               complains(mesos_driver_decline_offer(NULL, NULL, NULL)) &&
               complains(mesos_driver_accept_inverse_offers(NULL, NULL, 0, NULL)) &&
               complains(mesos_driver_decline_inverse_offers(NULL, NULL, 0, NULL)) &&
               complains(mesos_driver_suppress_offers(NULL, NULL)) &&
               complains(mesos_driver_request_resources(NULL, NULL, 0)) &&
               complains(mesos_driver_kill_task(NULL, NULL, NULL, NULL)) &&
               complains(mesos_driver_reconcile_tasks(NULL, NULL, 0)) &&
               complains(mesos_driver_acknowledge_status_update(NULL, NULL)) &&
               complains(mesos_driver_send_framework_message(NULL, NULL, NULL, NULL, 0)) &&
               complains(mesos_driver_shutdown_executor(NULL, NULL, NULL)) &&
               complains(mesos_driver_acknowledge_operation_status(NULL, NULL)) &&
               complains(mesos_driver_reconcile_operations(NULL, NULL, 0)) &&
               complains(mesos_driver_update_framework(NULL, NULL, NULL, NULL)) &&
               complains(mesos_driver_reconnect(NULL)) &&
               complains(mesos_driver_reregister(NULL)) &&
               mesos_driver_framework_id(NULL) == NULL && mesos_driver_master(NULL) == NULL &&
               mesos_driver_offers(NULL, NULL) == NULL && mesos_driver_offers(driver, NULL) == NULL;
    return all ? mesos_driver_revive_offers(NULL, NULL) : MESOS_DRIVER_ABORTED;
}

static enum mesos_status do_misuse(char **words)
{
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__TaskID raw;
    memset(&raw, 0, sizeof raw);
    Mesos__V1__OfferID offer = MESOS__V1__OFFER_ID__INIT, *offers[] = {&offer, NULL};
    static char text[] = "x";
    offer.value = text;
    if (strcmp(words[0], "driver") == 0)
        return misuse_driver();
    if (strcmp(words[0], "null") == 0)
        return mesos_driver_kill_task(driver, NULL, NULL, NULL);
    if (strcmp(words[0], "empty") == 0)
        return mesos_driver_kill_task(driver, &id, NULL, NULL);
    if (strcmp(words[0], "raw") == 0)
        return mesos_driver_kill_task(driver, &raw, NULL, NULL);
    if (strcmp(words[0], "type") == 0)
        return mesos_driver_kill_task(driver, (const Mesos__V1__TaskID *)&offer, NULL, NULL);
    if (strcmp(words[0], "element") == 0)
        return mesos_driver_launch_tasks(driver, offers, 2, NULL, 0, NULL);
    if (strcmp(words[0], "list") == 0)
        return mesos_driver_launch_tasks(driver, NULL, 2, NULL, 0, NULL);
    if (strcmp(words[0], "none") == 0)
        return mesos_driver_launch_tasks(driver, NULL, 0, NULL, 0, NULL);
    offers[1] = &offer;
    return mesos_driver_launch_tasks(driver, offers, 2, NULL, 0, NULL);
}

static const struct {
    const char *name;
    enum mesos_status (*call)(char **words);
} commands[] = {
    {"start", do_start},
    {"stop", do_stop},
    {"abort", do_abort},
    {"join", do_join},
    {"status", do_status},
    {"know", do_know},
    {"launch", do_launch},
    {"accept", do_accept},
    {"decline", do_decline},
    {"accept_inverse", do_accept_inverse},
    {"decline_inverse", do_decline_inverse},
    {"kill", do_kill},
    {"reconcile", do_reconcile},
    {"reconcile_operations", do_reconcile_operations},
    {"revive", do_revive},
    {"suppress", do_suppress},
    {"request", do_request},
    {"message", do_message},
    {"shutdown", do_shutdown},
    {"acknowledge", do_acknowledge},
    {"acknowledge_operation", do_acknowledge_operation},
    {"update", do_update},
    {"reconnect", do_reconnect},
    {"insist", do_insist},
    {"misuse", do_misuse},
};

static void obey(char *line)
{
    char *words[WORDS_MOST] = {NULL}, *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \n", &rest); word && count < WORDS_MOST - 1;
         word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    for (size_t i = 0; count > 0 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, words[0]) != 0)
            continue;
        enum mesos_status status = commands[i].call(words + 1);
        say("%s\t%s\t%s", words[0], mesos_status_name(status), mesos_driver_error());
    }
}

static void on_log(void *data, enum mesos_log_level level, const char *text)
{
    fprintf(data, "log %d %s\n", (int)level, text);
}

static bool set_text(struct mesos_driver_options *options, const char *name, const char *value)
{
    const struct {
        const char *name, **text;
    } texts[] = {
        {"ca-file", &options->ca_file},
        {"ca-path", &options->ca_path},
        {"cert", &options->cert},
        {"key", &options->key},
        {"principal", &options->principal},
        {"secret-file", &options->secret_file},
        {"credential", &options->credential},
        {"token-file", &options->token_file},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i].name, name) == 0)
            return (*texts[i].text = value) != NULL;
    }
    return false;
}

static struct mesos_driver *create(int argc, char **argv)
{
    static char name[] = "shell";
    Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
    Mesos__V1__Scheduler__OfferConstraints constraints =
        MESOS__V1__SCHEDULER__OFFER_CONSTRAINTS__INIT;
    const char *suppressed[] = {NULL, NULL};
    char text[256];
    info.name = name;
    struct mesos_driver_options options = {
        .size = sizeof options, .master = argc > 1 ? argv[1] : NULL, .framework = &info};
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "explicit") == 0)
            options.explicit_acknowledgements = true;
        else if (strcmp(argv[i], "constrain") == 0)
            options.offer_constraints = &constraints;
        else if (strcmp(argv[i], "nameless") == 0)
            info.name = NULL;
        else if (strcmp(argv[i], "sizeless") == 0)
            options.size = 0;
        else if (strcmp(argv[i], "suppress") == 0 && i + 1 < argc)
            suppressed[0] = argv[++i];
        else if (strcmp(argv[i], "tls") == 0)
            options.tls = true;
        else if (strcmp(argv[i], "insecure") == 0)
            options.insecure = true;
        else if (i + 1 < argc && set_text(&options, argv[i], argv[i + 1]))
            i++;
    }
    options.suppressed_roles = suppressed;
    struct mesos_driver *created =
        mesos_driver_create(&scheduler, &driver, &options, text, sizeof text);
    if (created == NULL)
        say("cannot\t%s", text);
    return created;
}

int main(int argc, char **argv)
{
    char line[1024];
    mesos_driver_set_log(on_log, stderr, MESOS_LOG_INFO);
    driver = create(argc, argv);
    if (driver == NULL)
        return 2;
    while (fgets(line, sizeof line, stdin) != NULL)
        obey(line);
    mesos_driver_destroy(driver);
    for (size_t i = 0; i < status_count; i++)
        mesos__v1__task_status__free_unpacked(statuses[i], NULL);
    mesos__v1__operation_status__free_unpacked(operation_status, NULL);
    return 0;
}
