// SPDX-License-Identifier: Apache-2.0
//
// Rules of Mesos for commands, checks and containers: see command_validation.h. They are applied in
// the order of a real master, since only the first fault is reported.

#include "agent/command_validation.h"

#include <string.h>

typedef Mesos__V1__CommandInfo Command;
typedef Mesos__V1__Environment__Variable Variable;

static bool fault(struct error *err, const char *text)
{
    return error_set(err, ERROR_INVALID, "%s", text);
}

static bool expect(bool present, const char *field, const char *kind, struct error *err)
{
    return present || error_set(err, ERROR_INVALID, "Expecting '%s' to be set for %s", field, kind);
}

// ---- commands ----

static bool check_secret(const Mesos__V1__Secret *secret, struct error *err)
{
    bool reference = secret->type == MESOS__V1__SECRET__TYPE__REFERENCE;
    if (reference && secret->reference == NULL)
        return fault(err, "Secret of type REFERENCE must have the 'reference' field set");
    if (reference && secret->value != NULL)
        return error_set(err, ERROR_INVALID,
                         "Secret '%.200s' of type REFERENCE must not have the 'value' field set",
                         secret->reference->name);
    if (secret->type != MESOS__V1__SECRET__TYPE__VALUE)
        return true;
    if (secret->value == NULL)
        return fault(err, "Secret of type VALUE must have the 'value' field set");
    return secret->reference == NULL ||
           fault(err, "Secret of type VALUE must not have the 'reference' field set");
}

static bool wrong(const Variable *variable, const char *type, const char *must, struct error *err)
{
    return error_set(err, ERROR_INVALID, "Environment variable '%.200s' of type '%s' must %s",
                     variable->name, type, must);
}

static bool check_secret_variable(const Variable *variable, struct error *err)
{
    if (variable->secret == NULL)
        return wrong(variable, "SECRET", "have a secret set", err);
    if (variable->value != NULL)
        return wrong(variable, "SECRET", "not have a value set", err);
    if (!check_secret(variable->secret, err))
        return error_context(err, "Environment variable '%.200s' specifies an invalid secret",
                             variable->name);
    const Mesos__V1__Secret__Value *value = variable->secret->value;
    return value == NULL || memchr(value->data.data, 0, value->data.len) == NULL ||
           error_set(err, ERROR_INVALID,
                     "Environment variable '%.200s' specifies a secret containing null bytes, "
                     "which is not allowed in the environment",
                     variable->name);
}

static bool check_variable(const Variable *variable, struct error *err)
{
    if (variable->type == MESOS__V1__ENVIRONMENT__VARIABLE__TYPE__SECRET)
        return check_secret_variable(variable, err);
    if (variable->type == MESOS__V1__ENVIRONMENT__VARIABLE__TYPE__UNKNOWN)
        return fault(err, "Environment variable of type 'UNKNOWN' is not allowed");
    if (variable->value == NULL)
        return wrong(variable, "VALUE", "have a value set", err);
    return variable->secret == NULL || wrong(variable, "VALUE", "not have a secret set", err);
}

bool command_validation_command(const Command *command, struct error *err)
{
    const Mesos__V1__Environment *environment = command->environment;
    for (size_t i = 0; environment != NULL && i < environment->n_variables; i++)
        if (!check_variable(environment->variables[i], err))
            return false;
    return true;
}

// ---- checks and health checks ----

// `kind` is "check" or "health check", `type` the message of its type.
static bool check_probe(const Command *command, const char *kind, const char *owner,
                        struct error *err)
{
    bool shell = !command->has_shell || command->shell;
    if (command->value == NULL)
        return error_set(err, ERROR_INVALID, "Command %s must contain %s", kind,
                         shell ? "'shell command'" : "'executable path'");
    return command_validation_command(command, err) ||
           error_context(err, "%s's `CommandInfo` is invalid", owner);
}

static bool check_path(const char *path, const char *kind, struct error *err)
{
    return path == NULL || path[0] == '/' ||
           error_set(err, ERROR_INVALID, "The path '%.200s' of HTTP %s must start with '/'", path,
                     kind);
}

struct length {
    const char *field;
    bool given;
    double seconds;
};

static bool check_lengths(const struct length *lengths, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (lengths[i].given && lengths[i].seconds < 0)
            return error_set(err, ERROR_INVALID, "Expecting '%s' to be non-negative",
                             lengths[i].field);
    return true;
}

static bool check_of_type(const Mesos__V1__CheckInfo *check, struct error *err)
{
    switch (check->type) {
    case MESOS__V1__CHECK_INFO__TYPE__COMMAND:
        return expect(check->command != NULL, "command", "COMMAND check", err) &&
               check_probe(check->command->command, "check", "Check", err);
    case MESOS__V1__CHECK_INFO__TYPE__HTTP:
        return expect(check->http != NULL, "http", "HTTP check", err) &&
               check_path(check->http->path, "check", err);
    case MESOS__V1__CHECK_INFO__TYPE__TCP:
        return expect(check->tcp != NULL, "tcp", "TCP check", err);
    default:
        return fault(err, "'UNKNOWN' is not a valid check type");
    }
}

bool command_validation_check(const Mesos__V1__CheckInfo *check, struct error *err)
{
    const struct length lengths[] = {
        {"delay_seconds", check->has_delay_seconds, check->delay_seconds},
        {"interval_seconds", check->has_interval_seconds, check->interval_seconds},
        {"timeout_seconds", check->has_timeout_seconds, check->timeout_seconds},
    };
    if (!check->has_type)
        return fault(err, "CheckInfo must specify 'type'");
    return check_of_type(check, err) &&
           check_lengths(lengths, sizeof lengths / sizeof lengths[0], err);
}

static bool check_http(const Mesos__V1__HealthCheck__HTTPCheckInfo *http, struct error *err)
{
    if (http->scheme != NULL && strcmp(http->scheme, "http") != 0 &&
        strcmp(http->scheme, "https") != 0)
        return error_set(err, ERROR_INVALID, "Unsupported HTTP health check scheme: '%.200s'",
                         http->scheme);
    return check_path(http->path, "health check", err);
}

static bool health_of_type(const Mesos__V1__HealthCheck *health, struct error *err)
{
    switch (health->type) {
    case MESOS__V1__HEALTH_CHECK__TYPE__COMMAND:
        return expect(health->command != NULL, "command", "COMMAND health check", err) &&
               check_probe(health->command, "health check", "Health check", err);
    case MESOS__V1__HEALTH_CHECK__TYPE__HTTP:
        return expect(health->http != NULL, "http", "HTTP health check", err) &&
               check_http(health->http, err);
    case MESOS__V1__HEALTH_CHECK__TYPE__TCP:
        return expect(health->tcp != NULL, "tcp", "TCP health check", err);
    default:
        return fault(err, "'UNKNOWN' is not a valid health check type");
    }
}

bool command_validation_health_check(const Mesos__V1__HealthCheck *health, struct error *err)
{
    const struct length lengths[] = {
        {"delay_seconds", health->has_delay_seconds, health->delay_seconds},
        {"grace_period_seconds", health->has_grace_period_seconds, health->grace_period_seconds},
        {"interval_seconds", health->has_interval_seconds, health->interval_seconds},
        {"timeout_seconds", health->has_timeout_seconds, health->timeout_seconds},
    };
    if (!health->has_type)
        return fault(err, "HealthCheck must specify 'type'");
    return health_of_type(health, err) &&
           check_lengths(lengths, sizeof lengths / sizeof lengths[0], err);
}

// ---- containers ----

static bool check_source(const Mesos__V1__Volume__Source *source, struct error *err)
{
    const struct {
        Mesos__V1__Volume__Source__Type type;
        bool set;
        const char *fault;
    } rows[] = {
#define ROW(TYPE, field, name)                                                                     \
    {MESOS__V1__VOLUME__SOURCE__TYPE__##TYPE, source->field != NULL,                               \
     "'source." #field "' is not set for " name " volume"}
        ROW(DOCKER_VOLUME, docker_volume, "DOCKER_VOLUME"),
        ROW(HOST_PATH, host_path, "HOST_PATH"),
        ROW(SANDBOX_PATH, sandbox_path, "SANDBOX_PATH"),
        ROW(SECRET, secret, "SECRET"),
        ROW(CSI_VOLUME, csi_volume, "CSI"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (source->type == rows[i].type)
            return rows[i].set || fault(err, rows[i].fault);
    return fault(err, "'source.type' is unknown");
}

static bool check_volume(const Mesos__V1__Volume *volume, struct error *err)
{
    int count = (volume->host_path != NULL) + (volume->image != NULL) + (volume->source != NULL);
    if (count != 1)
        return fault(err, "Only one of them should be set: 'host_path', 'image' and 'source'");
    return volume->source == NULL || check_source(volume->source, err);
}

bool command_validation_container(const Mesos__V1__ContainerInfo *container, struct error *err)
{
    for (size_t i = 0; i < container->n_volumes; i++)
        if (!check_volume(container->volumes[i], err))
            return error_context(err, "Invalid volume");
    if (container->type != MESOS__V1__CONTAINER_INFO__TYPE__DOCKER)
        return true;
    if (container->docker == NULL)
        return fault(err, "DockerInfo 'docker' is not set for DOCKER typed ContainerInfo");
    for (size_t i = 0; i < container->docker->n_parameters; i++)
        if (strcmp(container->docker->parameters[i]->key, "name") == 0)
            return fault(err, "Parameter in DockerInfo must not be 'name'");
    return true;
}

// ---- uris ----

static bool check_uri(const char *uri, struct error *err)
{
    if (strpbrk(uri, "\\'") != NULL)
        return fault(err, "Illegal characters in URI");
    const char *scheme_end = strstr(uri, "://");
    if (scheme_end == NULL || scheme_end - uri < 2)
        return true;
    const char *slash = strchr(scheme_end + 3, '/');
    return (slash != NULL && slash[1] != '\0') ||
           error_set(err, ERROR_INVALID, "Malformed URI (missing path): %.300s", uri);
}

static bool check_output_file(const char *path, struct error *err)
{
    if (*path == '\0')
        return fault(err, "URI output file path is empty");
    return *path != '/' || fault(err, "URI output file must be within the sandbox directory");
}

bool command_validation_uris(const Command *command, struct error *err)
{
    for (size_t i = 0; i < command->n_uris; i++) {
        const Mesos__V1__CommandInfo__URI *uri = command->uris[i];
        if (!check_uri(uri->value, err) ||
            (uri->output_file != NULL && !check_output_file(uri->output_file, err)))
            return error_context(err, "Could not fetch");
    }
    return true;
}
