// SPDX-License-Identifier: Apache-2.0
//
// The variables of an agent: see executor_environment.h. One row for each text, one for each time.

#include "executor/executor_environment.h"

#include "base/duration.h"
#include "base/memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const struct text_row {
    const char *name, *older; // the variable, and one that counts if that is not set; or NULL
    size_t offset;
    bool required;
} texts[] = {
    {"MESOS_AGENT_ENDPOINT", NULL, offsetof(struct executor_environment, endpoint), false},
    {"MESOS_DOMAIN_SOCKET", NULL, offsetof(struct executor_environment, socket), false},
    {"MESOS_FRAMEWORK_ID", NULL, offsetof(struct executor_environment, framework_id), true},
    {"MESOS_EXECUTOR_ID", NULL, offsetof(struct executor_environment, executor_id), true},
    {"MESOS_AGENT_ID", "MESOS_SLAVE_ID", offsetof(struct executor_environment, agent_id), false},
    {"MESOS_SANDBOX", "MESOS_DIRECTORY", offsetof(struct executor_environment, sandbox), false},
    {"MESOS_EXECUTOR_AUTHENTICATION_TOKEN", NULL, offsetof(struct executor_environment, token),
     false},
};

// The defaults are those of an agent.
static const struct time_row {
    const char *name;
    size_t offset;
    double initial;
} times[] = {
    {"MESOS_RECOVERY_TIMEOUT", offsetof(struct executor_environment, recovery), 15 * 60},
    {"MESOS_SUBSCRIPTION_BACKOFF_MAX", offsetof(struct executor_environment, backoff_max), 2},
    {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", offsetof(struct executor_environment, grace_period),
     5},
};

static const char *value_of(const char *name)
{
    const char *value = name ? getenv(name) : NULL;
    return value != NULL && *value != '\0' ? value : NULL;
}

static bool read_text(struct executor_environment *environment, const struct text_row *row,
                      struct error *err)
{
    const char *value = value_of(row->name);
    if (value == NULL)
        value = value_of(row->older);
    *(char **)((char *)environment + row->offset) = memory_string(value);
    if (value != NULL || !row->required)
        return true;
    return error_set(err, ERROR_INVALID,
                     "%s is not set: a Mesos agent starts an executor, and sets it", row->name);
}

static bool read_time(struct executor_environment *environment, const struct time_row *row,
                      struct error *err)
{
    const char *value = value_of(row->name);
    double *seconds = (double *)((char *)environment + row->offset);
    *seconds = row->initial;
    if (value == NULL || (duration_parse(value, seconds) && *seconds >= 0))
        return true;
    return error_set(err, ERROR_INVALID, "%s: a time such as 5secs expected, got '%s'", row->name,
                     value);
}

// MESOS_SLAVE_PID is "slave(1)@ip:port". As with Mesos's own driver its first half is in the path:
// where several agents have one address it says which, and on a domain socket an agent takes no
// other path.
static bool find_agent(struct executor_environment *environment, struct error *err)
{
    const char *pid = value_of("MESOS_SLAVE_PID"), *at = pid ? strchr(pid, '@') : NULL;
    if (at == NULL && environment->socket != NULL)
        environment->path = memory_string("/slave(1)/api/v1/executor");
    else if (at == NULL)
        environment->path = memory_string("/api/v1/executor");
    else
        environment->path = memory_format("/%.*s/api/v1/executor", (int)(at - pid), pid);
    if (environment->endpoint == NULL && (at != NULL || environment->socket != NULL))
        environment->endpoint = memory_string(at ? at + 1 : "localhost");
    return environment->endpoint != NULL ||
           error_set(err, ERROR_INVALID,
                     "MESOS_AGENT_ENDPOINT is not set: a Mesos agent starts an executor, and sets "
                     "it");
}

static bool check_socket(const struct executor_environment *environment, struct error *err)
{
    size_t most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;
    return environment->socket == NULL || strlen(environment->socket) <= most ||
           error_set(err, ERROR_INVALID,
                     "MESOS_DOMAIN_SOCKET: '%s' is longer than the %zu bytes of a socket's path",
                     environment->socket, most);
}

bool executor_environment_read(struct executor_environment *environment, struct error *err)
{
    const char *checkpoint = value_of("MESOS_CHECKPOINT");
    bool good = true;
    *environment = (struct executor_environment){.checkpoint = checkpoint != NULL &&
                                                               strcmp(checkpoint, "1") == 0};
    for (size_t i = 0; good && i < sizeof texts / sizeof *texts; i++)
        good = read_text(environment, &texts[i], err);
    for (size_t i = 0; good && i < sizeof times / sizeof *times; i++)
        good = read_time(environment, &times[i], err);
    unsetenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    if (!good || !find_agent(environment, err) || !check_socket(environment, err))
        return false;
    environment->api = (struct peer_api){
        .peer = "agent", .path = environment->path, .socket = environment->socket};
    return true;
}

void executor_environment_imagine(struct executor_environment *environment)
{
    *environment = (struct executor_environment){.endpoint = memory_string("127.0.0.1:5051"),
                                                 .framework_id = memory_string("framework"),
                                                 .executor_id = memory_string("executor"),
                                                 .path = memory_string("/api/v1/executor")};
    environment->api = (struct peer_api){.peer = "agent", .path = environment->path};
}

void executor_environment_free(struct executor_environment *environment)
{
    memory_wipe(environment->token);
    environment->token = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(*(char **)((char *)environment + texts[i].offset));
    free(environment->path);
    *environment = (struct executor_environment){.checkpoint = false};
}
