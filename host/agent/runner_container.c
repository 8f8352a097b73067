// SPDX-License-Identifier: Apache-2.0
//
// Containers; see the header. All runs that this runner gives out are its own (`contained`), also
// those that are processes without a container: for these it passes on the events.
//
// A container is in one phase after the other; enter() changes it. `asking` is the command of the
// runtime that the phase waits for, `killing` one that sends a signal: both may be there at a time.

#include "agent/runner_container.h"

#include "agent/container_command.h"
#include "agent/container_runtime.h"
#include "agent/folders.h"
#include "agent/runner_aliases.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define LOOK_AGAIN (LOOP_SECOND / 20)  // whether the container runs
#define KILL_AGAIN (LOOP_SECOND / 5)   // after a signal that could not be sent
#define ASK_TIMEOUT (60 * LOOP_SECOND) // of commands other than `pull`
enum { SIGNALLED = 128 };              // the status of what a signal has ended, less its number

enum contained_phase {
    CONTAINED_PLAIN,   // it is not a container
    CONTAINED_WAITING, // the runtime has not answered yet
    CONTAINED_LOOKING, // for its image
    CONTAINED_PULLING,
    CONTAINED_STARTING, // the client process has been started
    CONTAINED_RUNNING,
    CONTAINED_ENDING, // the client has ended, the container is looked at
    CONTAINED_REMOVING,
    CONTAINED_KILLED, // before there was a container
};

struct contained {
    struct container_runner *owner;
    TAILQ_ENTRY(contained) link;
    const struct runner_events *events;
    void *data;
    enum contained_phase phase;
    struct run *client; // of the runner below, or NULL
    struct subprocess *asking, *killing;
    struct timer again, kill_again;
    struct deferral killed;
    int signal; // to be sent; 0: none
    bool pull, native;
    uint64_t memory;
    char *name, *image, *directory;
    struct runner_alias *aliases;
    struct task_words words, folders; // of the command
    struct task_words mounts;         // options, for persistent volumes
    unsigned cpu_shares;
    struct runner_end end;
    char *reason; // of the end
};

struct container_runner {
    struct runner base; // the first member, see self()
    struct runner_ops ops;
    struct loop *loop;
    struct runner *processes;
    struct container_runtime *runtime;
    TAILQ_HEAD(, contained) all;
};

static struct container_runner *self(struct runner *runner)
{
    return (struct container_runner *)runner;
}

static void enter(struct contained *contained, enum contained_phase phase)
{
    contained->phase = phase;
}

static bool has_client(const struct contained *contained)
{
    return contained->phase == CONTAINED_STARTING || contained->phase == CONTAINED_RUNNING;
}

// ---- life ----

static void stop_asking(struct contained *contained)
{
    timer_stop(&contained->again);
    subprocess_destroy(contained->asking);
    contained->asking = NULL;
}

static void stop_killing(struct contained *contained)
{
    timer_stop(&contained->kill_again);
    subprocess_destroy(contained->killing);
    contained->killing = NULL;
    contained->signal = 0;
}

static void destroy_contained(struct contained *contained)
{
    stop_asking(contained);
    stop_killing(contained);
    deferral_cancel(&contained->killed);
    TAILQ_REMOVE(&contained->owner->all, contained, link);
    task_command_free(&contained->words);
    task_command_free(&contained->folders);
    task_command_free(&contained->mounts);
    free(contained->name);
    free(contained->image);
    free(contained->directory);
    runner_aliases_free(contained->aliases);
    free(contained->reason);
    free(contained);
}

static void report_exit(struct contained *contained)
{
    contained->end.reason = contained->reason;
    contained->events->exited(contained->data, &contained->end);
    destroy_contained(contained);
}

static void report_failure(struct contained *contained, const char *reason)
{
    contained->events->failed(contained->data, reason);
    destroy_contained(contained);
}

// ---- commands of the runtime ----

static bool ask(struct contained *contained, const char *const *words, uint64_t timeout,
                void (*on_end)(void *data, const struct subprocess_end *end), struct error *err)
{
    contained->asking =
        container_runtime_ask(contained->owner->runtime, words, timeout, on_end, contained, err);
    return contained->asking != NULL;
}

static bool succeeded(const struct subprocess_end *end)
{
    return end->outcome == SUBPROCESS_ENDED && end->status == 0;
}

static bool says(const struct subprocess_end *end, const char *word)
{
    size_t length = strlen(word);
    return succeeded(end) && end->out.length >= length && memcmp(end->out.data, word, length) == 0;
}

static void fail_command(struct contained *contained, const char *command,
                         const struct subprocess_end *end)
{
    char *words = memory_format("%s %s", command, contained->image);
    char *reason = container_runtime_failure(contained->owner->runtime, words, end);
    report_failure(contained, reason);
    free(words);
    free(reason);
}

// ---- the end: looked at, removed, reported ----

static void on_removed(void *data, const struct subprocess_end *end)
{
    struct contained *contained = data;
    if (!succeeded(end))
        log_warning("container %s could not be removed", contained->name);
    report_exit(contained);
}

static void remove_container(struct contained *contained)
{
    const char *const words[] = {"rm", "-f", "-v", contained->name, NULL};
    struct error err;
    enter(contained, CONTAINED_REMOVING);
    if (!ask(contained, words, ASK_TIMEOUT, on_removed, &err))
        report_exit(contained);
}

static void on_looked(void *data, const struct subprocess_end *end)
{
    struct contained *contained = data;
    if (says(end, "true"))
        contained->end.memory = contained->memory;
    stop_asking(contained);
    remove_container(contained);
}

// What ran in a container of Mesos ends as a process does.
static void undo_shell_status(struct runner_end *end)
{
    if (end->signal != 0 || end->status <= SIGNALLED || end->status >= SIGNALLED + NSIG)
        return;
    end->signal = (int)end->status - SIGNALLED;
    end->status = 0;
}

// Memory may have ended a part of it only: a real agent would have ended it all.
static void look_at_end(struct contained *contained)
{
    const char *const words[] = {"inspect", "--format", "{{.State.OOMKilled}}", contained->name,
                                 NULL};
    struct error err;
    enter(contained, CONTAINED_ENDING);
    if (contained->native)
        undo_shell_status(&contained->end);
    if (!contained->native || contained->memory == 0 ||
        !ask(contained, words, ASK_TIMEOUT, on_looked, &err))
        remove_container(contained);
}

// ---- signals ----

static void send_signal(struct contained *contained);

static void on_kill_again(void *data)
{
    send_signal(data);
}

// The container may not be there yet.
static void on_kill_sent(void *data, const struct subprocess_end *end)
{
    struct contained *contained = data;
    bool good = succeeded(end);
    subprocess_destroy(contained->killing);
    contained->killing = NULL;
    if (!good)
        timer_start(&contained->kill_again, KILL_AGAIN);
}

static void send_signal(struct contained *contained)
{
    char number[16];
    const char *const words[] = {"kill", "--signal", number, contained->name, NULL};
    struct error err;
    snprintf(number, sizeof number, "%d", contained->signal);
    contained->killing = container_runtime_ask(contained->owner->runtime, words, ASK_TIMEOUT,
                                               on_kill_sent, contained, &err);
    if (contained->killing == NULL)
        timer_start(&contained->kill_again, KILL_AGAIN);
}

// ---- the client ----

static void on_client_started(void *data, int64_t pid);
static void on_client_failed(void *data, const char *reason);
static void on_client_exited(void *data, const struct runner_end *end);

static const struct runner_events client_events = {
    .started = on_client_started, .failed = on_client_failed, .exited = on_client_exited};

static void look(struct contained *contained);
static void proceed(struct contained *contained);

// Events never come inside start(), so a container waits for a turn of the loop there.
static void on_again(void *data)
{
    struct contained *contained = data;
    if (contained->phase == CONTAINED_WAITING)
        proceed(contained);
    else
        look(contained);
}

static void on_state(void *data, const struct subprocess_end *end)
{
    struct contained *contained = data;
    char text[24] = "";
    if (succeeded(end) && end->out.length < sizeof text)
        memcpy(text, end->out.data, end->out.length);
    long long pid = strtoll(text, NULL, 10);
    stop_asking(contained);
    if (pid <= 0) {
        timer_start(&contained->again, LOOK_AGAIN);
        return;
    }
    enter(contained, CONTAINED_RUNNING);
    contained->events->started(contained->data, pid);
}

// Its process has a number once it runs.
static void look(struct contained *contained)
{
    const char *const words[] = {"inspect", "--format", "{{.State.Pid}}", contained->name, NULL};
    struct error err;
    if (!ask(contained, words, ASK_TIMEOUT, on_state, &err))
        timer_start(&contained->again, LOOK_AGAIN);
}

static void on_client_started(void *data, int64_t pid)
{
    struct contained *contained = data;
    if (contained->phase == CONTAINED_PLAIN)
        contained->events->started(contained->data, pid);
    else if (contained->signal == 0)
        look(contained);
}

static void on_client_failed(void *data, const char *reason)
{
    struct contained *contained = data;
    contained->client = NULL;
    report_failure(contained, reason);
}

static void note_end(struct contained *contained, const struct runner_end *end)
{
    contained->end = *end;
    contained->reason = memory_string(end->reason);
    contained->end.container = contained->phase != CONTAINED_PLAIN && !contained->native;
}

static void on_client_exited(void *data, const struct runner_end *end)
{
    struct contained *contained = data;
    bool quick = contained->phase == CONTAINED_STARTING && contained->signal == 0;
    contained->client = NULL;
    note_end(contained, end);
    if (contained->phase == CONTAINED_PLAIN) {
        report_exit(contained);
        return;
    }
    stop_asking(contained);
    stop_killing(contained);
    enter(contained, CONTAINED_ENDING);
    if (quick) // it ended before it was seen to run
        contained->events->started(contained->data, 0);
    look_at_end(contained);
}

// ---- from the image to the client ----

static bool make_folders(const struct contained *contained, struct error *err)
{
    for (size_t i = 0; i < contained->folders.count; i++)
        if (!folders_make(contained->folders.items[i], 0755))
            return error_set(err, ERROR_IO, "Failed to create the folder '%s' of a volume: %s",
                             contained->folders.items[i], strerror(errno));
    return true;
}

static void put(struct task_words *line, const char *option, char *value)
{
    task_command_put(line, memory_string(option));
    task_command_put(line, value);
}

static struct task_words client_line(const struct contained *contained)
{
    struct container_runtime *runtime = contained->owner->runtime;
    struct task_words line = {0};
    put(&line, container_runtime_program(runtime), memory_string("run"));
    put(&line, "--name", memory_string(contained->name));
    put(&line, "--label", memory_string(container_runtime_label(runtime)));
    if (container_runtime_limits_cpus(runtime))
        put(&line, "--cpu-shares", memory_format("%u", contained->cpu_shares));
    if (container_runtime_limits_memory(runtime))
        put(&line, "--memory", memory_format("%llu", (unsigned long long)contained->memory));
    for (size_t i = 0; i < contained->mounts.count; i++)
        task_command_put(&line, memory_string(contained->mounts.items[i]));
    for (size_t i = 0; i < contained->words.count; i++)
        task_command_put(&line, memory_string(contained->words.items[i]));
    return line;
}

static bool start_client(struct contained *contained, struct task_words *line, struct error *err)
{
    struct runner *processes = contained->owner->processes;
    struct container_runtime *runtime = contained->owner->runtime;
    const struct runner_command command = {.file = container_runtime_program(runtime),
                                           .argv = (const char *const *)line->items,
                                           .environment = container_runtime_environment(runtime),
                                           .directory = contained->directory,
                                           .aliases = contained->aliases};
    contained->client = processes->ops->start(processes, &command, &client_events, contained, err);
    task_command_free(line);
    return contained->client != NULL;
}

static void launch(struct contained *contained)
{
    struct task_words line = client_line(contained);
    struct error err = {0};
    enter(contained, CONTAINED_STARTING);
    if (!make_folders(contained, &err) || !start_client(contained, &line, &err))
        report_failure(contained, err.text);
    task_command_free(&line);
}

static void on_pulled(void *data, const struct subprocess_end *end)
{
    struct contained *contained = data;
    if (!succeeded(end)) {
        fail_command(contained, "pull", end);
        return;
    }
    stop_asking(contained);
    launch(contained);
}

static void pull(struct contained *contained)
{
    const char *const words[] = {"pull", contained->image, NULL};
    struct error err;
    enter(contained, CONTAINED_PULLING);
    if (!ask(contained, words, 0, on_pulled, &err))
        report_failure(contained, err.text);
}

static void on_image(void *data, const struct subprocess_end *end)
{
    struct contained *contained = data;
    bool found = succeeded(end);
    stop_asking(contained);
    if (found)
        launch(contained);
    else
        pull(contained);
}

static void look_for_image(struct contained *contained)
{
    const char *const words[] = {"image", "inspect", contained->image, NULL};
    struct error err;
    enter(contained, CONTAINED_LOOKING);
    if (!ask(contained, words, ASK_TIMEOUT, on_image, &err))
        report_failure(contained, err.text);
}

static void proceed(struct contained *contained)
{
    if (contained->pull)
        pull(contained);
    else
        look_for_image(contained);
}

static struct contained *first_waiting(const struct container_runner *runner)
{
    struct contained *contained;
    TAILQ_FOREACH(contained, &runner->all, link)
    if (contained->phase == CONTAINED_WAITING)
        return contained;
    return NULL;
}

static void on_ready(void *data)
{
    for (struct contained *contained; (contained = first_waiting(data)) != NULL;)
        proceed(contained);
}

// ---- the runner ----

static void on_killed(void *data)
{
    struct contained *contained = data;
    contained->end = (struct runner_end){.signal = SIGKILL};
    report_exit(contained);
}

static void copy_words(struct task_words *to, const char *const *from)
{
    for (size_t i = 0; from != NULL && from[i] != NULL; i++)
        task_command_put(to, memory_string(from[i]));
}

// Persistent volumes. A link in the sandbox would lead to a folder that is not in the container.
static void mount_links(struct contained *contained, const struct runner_command *command)
{
    for (size_t i = 0; i < command->link_count; i++)
        put(&contained->mounts, "-v",
            memory_format("%s:" CONTAINER_COMMAND_SANDBOX "/%s", command->links[i].target,
                          command->links[i].name));
}

static struct contained *new_contained(struct container_runner *runner,
                                       const struct runner_events *events, void *data)
{
    struct contained *contained = memory_new(sizeof *contained);
    contained->owner = runner;
    contained->events = events;
    contained->data = data;
    timer_init(&contained->again, runner->loop, on_again, contained);
    timer_init(&contained->kill_again, runner->loop, on_kill_again, contained);
    deferral_init(&contained->killed, runner->loop, on_killed, contained);
    TAILQ_INSERT_TAIL(&runner->all, contained, link);
    return contained;
}

// A process without a container, or the client of `exec`.
static struct run *start_plain(struct container_runner *runner,
                               const struct runner_command *command,
                               const struct runner_events *events, void *data, struct error *err)
{
    struct contained *contained = new_contained(runner, events, data);
    contained->client =
        runner->processes->ops->start(runner->processes, command, &client_events, contained, err);
    if (contained->client != NULL)
        return (struct run *)contained;
    destroy_contained(contained);
    return NULL;
}

static struct run *start_beside(struct container_runner *runner,
                                const struct runner_command *command,
                                const struct runner_events *events, void *data, struct error *err)
{
    struct task_words line = {0};
    put(&line, container_runtime_program(runner->runtime), memory_string("exec"));
    copy_words(&line, command->container->words);
    const struct runner_command client = {.file = container_runtime_program(runner->runtime),
                                          .argv = (const char *const *)line.items,
                                          .environment =
                                              container_runtime_environment(runner->runtime),
                                          .directory = command->directory};
    struct run *run = start_plain(runner, &client, events, data, err);
    task_command_free(&line);
    return run;
}

static struct run *start_container(struct container_runner *runner,
                                   const struct runner_command *command,
                                   const struct runner_events *events, void *data)
{
    const struct runner_container *container = command->container;
    struct contained *contained = new_contained(runner, events, data);
    enter(contained, CONTAINED_WAITING);
    contained->name = memory_string(container->name);
    contained->image = memory_string(container->image);
    contained->directory = memory_string(command->directory);
    contained->aliases = runner_aliases_copy(command->aliases);
    contained->pull = container->pull;
    contained->native = container->native;
    contained->cpu_shares = container->cpu_shares;
    contained->memory = container->memory;
    copy_words(&contained->words, container->words);
    copy_words(&contained->folders, container->folders);
    mount_links(contained, command);
    if (container_runtime_ready(runner->runtime))
        timer_start(&contained->again, 0);
    return (struct run *)contained;
}

static struct run *start(struct runner *runner, const struct runner_command *command,
                         const struct runner_events *events, void *data, struct error *err)
{
    if (command->container == NULL)
        return start_plain(self(runner), command, events, data, err);
    if (command->container->beside)
        return start_beside(self(runner), command, events, data, err);
    return start_container(self(runner), command, events, data);
}

// That of a container stays.
static void limit(struct run *run, uint64_t memory)
{
    struct contained *contained = (struct contained *)run;
    if (contained->phase == CONTAINED_PLAIN)
        contained->owner->processes->ops->limit(contained->client, memory);
}

static void kill_run(struct run *run, int number)
{
    struct contained *contained = (struct contained *)run;
    struct runner *processes = contained->owner->processes;
    if (contained->phase == CONTAINED_PLAIN) {
        processes->ops->kill(contained->client, number);
    } else if (has_client(contained)) {
        stop_killing(contained);
        contained->signal = number;
        send_signal(contained);
    } else if (contained->phase < CONTAINED_STARTING) {
        stop_asking(contained);
        enter(contained, CONTAINED_KILLED);
        deferral_queue(&contained->killed);
    }
}

static void forget(struct run *run)
{
    struct contained *contained = (struct contained *)run;
    if (contained->client != NULL)
        contained->owner->processes->ops->forget(contained->client);
    destroy_contained(contained);
}

static struct runner_probe *ask_server(struct runner *runner,
                                       const struct runner_question *question,
                                       runner_on_answer done, void *data)
{
    struct runner *processes = self(runner)->processes;
    return processes->ops->ask(processes, question, done, data);
}

static bool make_volume(struct runner *runner, const char *path, struct error *err)
{
    struct runner *processes = self(runner)->processes;
    return processes->ops->make_volume(processes, path, err);
}

static void remove_volume(struct runner *runner, const char *path, bool keep)
{
    struct runner *processes = self(runner)->processes;
    processes->ops->remove_volume(processes, path, keep);
}

// What a container has mounted is fixed when it starts.
static bool add_link(struct runner *runner, const char *directory, const struct runner_link *link,
                     const char *user, struct error *err)
{
    struct runner *processes = self(runner)->processes;
    return processes->ops->link(processes, directory, link, user, err);
}

static void remove_link(struct runner *runner, const char *directory, const char *name)
{
    struct runner *processes = self(runner)->processes;
    processes->ops->unlink(processes, directory, name);
}

static void destroy(struct runner *runner)
{
    struct runner *processes = self(runner)->processes;
    while (!TAILQ_EMPTY(&self(runner)->all))
        forget((struct run *)TAILQ_FIRST(&self(runner)->all));
    container_runtime_destroy(self(runner)->runtime);
    processes->ops->destroy(processes);
    free(runner);
}

struct runner *runner_container_create(struct loop *loop, const char *program,
                                       struct runner *processes)
{
    struct container_runner *runner = memory_new(sizeof *runner);
    runner->ops = (struct runner_ops){.start = start,
                                      .kill = kill_run,
                                      .limit = limit,
                                      .forget = forget,
                                      .ask = ask_server,
                                      .cancel = processes->ops->cancel,
                                      .make_volume = make_volume,
                                      .remove_volume = remove_volume,
                                      .link = add_link,
                                      .unlink = remove_link,
                                      .destroy = destroy};
    runner->base.ops = &runner->ops;
    runner->loop = loop;
    runner->processes = processes;
    TAILQ_INIT(&runner->all);
    runner->runtime = container_runtime_create(loop, program, on_ready, runner);
    return &runner->base;
}
