// SPDX-License-Identifier: Apache-2.0
//
// The runtime of containers: see the header. Its start is a chain of commands: `info`, `ps`, and
// `rm` of what is left over.

#include "agent/container_runtime.h"

#include "base/log.h"
#include "base/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LABEL "mesos-lua.host"
#define ANSWER_TIMEOUT (30 * LOOP_SECOND) // of `info` and `ps`, of a daemon that starts
#define ANSWER_LIMIT ((size_t)1 << 20)
enum { SHOWN = 400, LEFTOVERS = 1000, ID = 128 }; // the latter in one command, and of one's text

struct container_runtime {
    struct loop *loop;
    char *program, *label;
    struct task_words environment, leftovers;
    struct subprocess *asking;
    bool ready, cpus, memory;
    void (*on_ready)(void *data);
    void *data;
};

// ---- commands ----

struct subprocess *
container_runtime_ask(struct container_runtime *runtime, const char *const *words, uint64_t timeout,
                      void (*on_end)(void *data, const struct subprocess_end *end), void *data,
                      struct error *err)
{
    struct task_words line = {0};
    const char *code;
    task_command_put(&line, memory_string(runtime->program));
    for (size_t i = 0; words[i] != NULL; i++)
        task_command_put(&line, memory_string(words[i]));
    const struct subprocess_command command = {.argv = (const char *const *)line.items,
                                               .environment =
                                                   container_runtime_environment(runtime),
                                               .limit = ANSWER_LIMIT,
                                               .timeout = timeout};
    struct subprocess *child = subprocess_start(runtime->loop, &command, on_end, data, &code, err);
    task_command_free(&line);
    return child;
}

static int length_of(struct slice text)
{
    while (text.length > 0 && text.data[text.length - 1] == '\n')
        text.length--;
    return (int)(text.length < SHOWN ? text.length : SHOWN);
}

char *container_runtime_failure(const struct container_runtime *runtime, const char *command,
                                const struct subprocess_end *end)
{
    char *what = memory_format("Failed to run '%s %s'", runtime->program, command), *text;
    if (end->outcome == SUBPROCESS_FAILED)
        text = memory_format("%s: %s", what, end->text);
    else if (end->outcome != SUBPROCESS_ENDED)
        text = memory_format("%s: %s", what,
                             end->outcome == SUBPROCESS_TIMED_OUT ? "it takes too long"
                                                                  : "it writes too much");
    else if (end->signal != 0)
        text = memory_format("%s: terminated with signal %s", what, strsignal(end->signal));
    else
        text = memory_format("%s: exited with status %d; stderr='%.*s'", what, (int)end->status,
                             length_of(end->err), (const char *)end->err.data);
    free(what);
    return text;
}

// ---- processes that have started containers ----

// When it was started, in the kernel's own unit; 0: there is no such process.
static unsigned long long started(long pid)
{
    char path[64], line[1024];
    unsigned long long start = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    const char *after = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (after != NULL)
        sscanf(after,
               ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
               "%*s %llu",
               &start);
    fclose(file);
    return start;
}

// "key=pid.start" of Docker, "key:pid.start" of podman.
static bool is_abandoned(const char *line)
{
    const char *label = strstr(line, LABEL);
    long pid;
    unsigned long long start;
    if (label == NULL || sscanf(label + strlen(LABEL), "%*1[=:]%ld.%llu", &pid, &start) != 2)
        return false;
    return started(pid) != start;
}

// ---- the chain ----

static void note_leftovers(struct container_runtime *runtime, struct slice out)
{
    char *text = memory_text((const char *)out.data, out.length), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest);
         line != NULL && runtime->leftovers.count < LEFTOVERS; line = strtok_r(NULL, "\n", &rest)) {
        size_t length = strcspn(line, " ");
        if (is_abandoned(line) && length > 0 && length < ID)
            task_command_put(&runtime->leftovers, memory_text(line, length));
    }
    free(text);
}

static void finish(struct container_runtime *runtime)
{
    runtime->ready = true;
    runtime->on_ready(runtime->data);
}

static struct subprocess *take(struct container_runtime *runtime)
{
    struct subprocess *child = runtime->asking;
    runtime->asking = NULL;
    return child;
}

static bool succeeded(const struct subprocess_end *end)
{
    return end->outcome == SUBPROCESS_ENDED && end->status == 0;
}

static void on_removed(void *data, const struct subprocess_end *end)
{
    struct container_runtime *runtime = data;
    char *text = succeeded(end) ? NULL : container_runtime_failure(runtime, "rm", end);
    if (text != NULL)
        log_warning("containers that a former host has left remain: %s", text);
    free(text);
    subprocess_destroy(take(runtime));
    finish(runtime);
}

static void ask(struct container_runtime *runtime, const char *const *words,
                void (*on_end)(void *data, const struct subprocess_end *end))
{
    struct error err = {0};
    runtime->asking = container_runtime_ask(runtime, words, ANSWER_TIMEOUT, on_end, runtime, &err);
    if (runtime->asking != NULL)
        return;
    log_warning("%s: %s", runtime->program, err.text);
    finish(runtime);
}

static void remove_leftovers(struct container_runtime *runtime)
{
    size_t count = runtime->leftovers.count;
    log_info("removing %zu container%s that a former host has left", count, count == 1 ? "" : "s");
    const char **words = memory_new((count + 4) * sizeof *words);
    words[0] = "rm";
    words[1] = "-f";
    words[2] = "-v";
    for (size_t i = 0; i < count; i++)
        words[i + 3] = runtime->leftovers.items[i];
    ask(runtime, words, on_removed);
    free(words);
}

static void on_listed(void *data, const struct subprocess_end *end)
{
    struct container_runtime *runtime = data;
    if (succeeded(end))
        note_leftovers(runtime, end->out);
    subprocess_destroy(take(runtime));
    if (runtime->leftovers.count > 0)
        remove_leftovers(runtime);
    else
        finish(runtime);
}

static bool has_word(struct slice text, const char *word)
{
    char *copy = memory_text((const char *)text.data, text.length);
    bool found = strstr(copy, word) != NULL;
    free(copy);
    return found;
}

// Without cgroups a runtime fails if it is asked for limits, or prints a warning in each
// container's output.
static void on_info(void *data, const struct subprocess_end *end)
{
    static const char *const list[] = {
        "ps",           "-a",       "--no-trunc",          "--filter",
        "label=" LABEL, "--format", "{{.ID}} {{.Labels}}", NULL};
    struct container_runtime *runtime = data;
    bool good = succeeded(end);
    char *text = good ? NULL : container_runtime_failure(runtime, "info", end);
    runtime->cpus = good && has_word(end->out, "cpu ");
    runtime->memory = good && has_word(end->out, "memory ");
    if (!good)
        log_warning("tasks with an image will fail: %s", text);
    else if (!runtime->cpus || !runtime->memory)
        log_warning("%s cannot limit %s here", runtime->program,
                    runtime->cpus     ? "memory"
                    : runtime->memory ? "cpus"
                                      : "cpus and memory");
    free(text);
    subprocess_destroy(take(runtime));
    if (good)
        ask(runtime, list, on_listed);
    else
        finish(runtime);
}

// The answers of both are brought into one form: the names of what can be limited.
static void begin(struct container_runtime *runtime)
{
    const char *name = strrchr(runtime->program, '/');
    bool docker = strcmp(name ? name + 1 : runtime->program, "docker") == 0;
    const char *const words[] = {"info", "--format",
                                 docker ? "{{if .CPUShares}}cpu {{end}}{{if .MemoryLimit}}memory "
                                          "{{end}}"
                                        : "{{range .Host.CgroupControllers}}{{.}} {{end}}",
                                 NULL};
    ask(runtime, words, on_info);
}

// ---- life ----

static void copy_environment(struct container_runtime *runtime)
{
    static const char *const names[] = {"PATH",
                                        "HOME",
                                        "USER",
                                        "LOGNAME",
                                        "TMPDIR",
                                        "XDG_RUNTIME_DIR",
                                        "XDG_CONFIG_HOME",
                                        "XDG_DATA_HOME",
                                        "DBUS_SESSION_BUS_ADDRESS",
                                        "DOCKER_HOST",
                                        "DOCKER_CONFIG",
                                        "DOCKER_CONTEXT",
                                        "DOCKER_CERT_PATH",
                                        "DOCKER_TLS_VERIFY",
                                        "CONTAINER_HOST",
                                        "CONTAINERS_CONF",
                                        "CONTAINERS_REGISTRIES_CONF",
                                        "CONTAINERS_STORAGE_CONF",
                                        "REGISTRY_AUTH_FILE",
                                        "HTTP_PROXY",
                                        "HTTPS_PROXY",
                                        "NO_PROXY",
                                        "http_proxy",
                                        "https_proxy",
                                        "no_proxy",
                                        "SSL_CERT_FILE",
                                        "SSL_CERT_DIR"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]) != NULL)
            task_command_set(&runtime->environment, names[i], getenv(names[i]));
}

struct container_runtime *container_runtime_create(struct loop *loop, const char *program,
                                                   void (*ready)(void *data), void *data)
{
    struct container_runtime *runtime = memory_new(sizeof *runtime);
    runtime->loop = loop;
    runtime->program = memory_string(program);
    runtime->label = memory_format(LABEL "=%ld.%llu", (long)getpid(), started(getpid()));
    runtime->on_ready = ready;
    runtime->data = data;
    copy_environment(runtime);
    begin(runtime);
    return runtime;
}

void container_runtime_destroy(struct container_runtime *runtime)
{
    subprocess_destroy(runtime->asking);
    task_command_free(&runtime->environment);
    task_command_free(&runtime->leftovers);
    free(runtime->program);
    free(runtime->label);
    free(runtime);
}

bool container_runtime_ready(const struct container_runtime *runtime)
{
    return runtime->ready;
}

bool container_runtime_limits_cpus(const struct container_runtime *runtime)
{
    return runtime->cpus;
}

bool container_runtime_limits_memory(const struct container_runtime *runtime)
{
    return runtime->memory;
}

const char *container_runtime_program(const struct container_runtime *runtime)
{
    return runtime->program;
}

const char *container_runtime_label(const struct container_runtime *runtime)
{
    return runtime->label;
}

const char *const *container_runtime_environment(const struct container_runtime *runtime)
{
    return (const char *const *)runtime->environment.items;
}
