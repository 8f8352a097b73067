// SPDX-License-Identifier: Apache-2.0
//
// Changes of the framework while it runs: updateFramework, a new version of its script, roles that
// are suppressed and revived. The driver remembers what the master accepted last (revisions.h) and
// rolls back to it when a revision is refused, so a later SUBSCRIBE carries nothing that the master
// refused.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

void driver_send_revision(struct driver *driver)
{
    driver->outdated = !connected(driver);
    if (!connected(driver))
        return;
    framework_write(&driver->framework, &driver->message);
    if (calls_send(&driver->calls, CALL_UPDATE_FRAMEWORK, buffer_slice(&driver->message)))
        revisions_sent(&driver->revisions, &driver->framework);
}

// Of several revisions in flight the last one decides.
void driver_revision_answered(struct driver *driver, enum revision_answer answer)
{
    revisions_answered(&driver->revisions, answer);
    if (answer != REVISION_REFUSED || driver->revisions.first != NULL ||
        !revisions_differ(&driver->revisions, &driver->framework))
        return;
    log_warning("the framework stays as the master knows it");
    revisions_roll_back(&driver->revisions, &driver->framework);
}

bool driver_resubscribe(struct driver *driver, struct slice reason)
{
    if (!running(driver) || connected(driver) ||
        !revisions_differ(&driver->revisions, &driver->framework))
        return false;
    log_warning("the master refused the framework as it was changed, which goes on as the master "
                "knows it: %.*s",
                SLICE_ARGS(reason));
    revisions_roll_back(&driver->revisions, &driver->framework);
    subscription_start(&driver->subscription);
    return true;
}

// ---- another version of the script ----

static void add_names(struct roles *roles, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        roles_add(roles, names[i]);
}

static bool revised_framework(struct driver *driver, const struct driver_revision *revision,
                              struct framework *next)
{
    const struct framework *now = &driver->framework;
    struct slice info = revision->framework.data ? revision->framework : buffer_slice(&now->wire);
    struct slice constraints = {.data = NULL};
    if (revision->constraints)
        constraints = revision->offer_constraints;
    else if (now->constraints != NULL)
        constraints = slice_of(now->constraints);
    if (!framework_init(next, info, constraints,
                        revision->roles ? revision->suppressed_roles : NULL))
        return false;
    if (!revision->roles)
        add_names(&next->suppressed, now->suppressed.names, now->suppressed.count);
    if (framework_id(now).length > 0)
        framework_set_id(next, framework_id(now));
    framework_set_principal(next, now->info->principal);
    return true;
}

void driver_revise(struct driver *driver, const struct driver_revision *revision)
{
    struct framework next;
    driver->explicit_acknowledgements = revision->explicit_acknowledgements;
    if (revision->framework.data == NULL && !revision->roles && !revision->constraints)
        return;
    if (!revised_framework(driver, revision, &next)) {
        log_error("the framework stays as it was: its new FrameworkInfo is malformed or larger "
                  "than 64 MiB");
        return;
    }
    framework_free(&driver->framework);
    driver->framework = next;
    driver_send_revision(driver);
}

// ---- updateFramework ----

// Reads the new framework, roles and constraints. False if they may not replace the current ones.
static bool read_update(struct driver *driver, struct slice wire, struct framework *update,
                        struct error *err)
{
    struct slice roles = wire, role;
    struct slice info = wire_find(wire, FIELD_SCHEDULER_CALL_UPDATE_FRAMEWORK_FRAMEWORK_INFO);
    struct slice constraints =
        wire_find(wire, FIELD_SCHEDULER_CALL_UPDATE_FRAMEWORK_OFFER_CONSTRAINTS);
    if (!framework_init(update, info, constraints, NULL))
        return error_set(err, ERROR_INVALID, "updateFramework: the FrameworkInfo is malformed");
    while (wire_next_bytes(&roles, FIELD_SCHEDULER_CALL_UPDATE_FRAMEWORK_SUPPRESSED_ROLES, &role))
        roles_add_slice(&update->suppressed, role);
    struct slice known = framework_id(&driver->framework), given = framework_id(update);
    if (known.length == 0)
        error_set(err, ERROR_INVALID,
                  "updateFramework must not be called before the framework is registered");
    else if (!slice_equal(known, given))
        error_set(
            err, ERROR_INVALID,
            "updateFramework: the id in the FrameworkInfo is '%.*s', the framework's is '%.*s'",
            SLICE_ARGS(given), SLICE_ARGS(known));
    else
        return true;
    framework_free(update);
    return false;
}

enum driver_status driver_update_framework(struct driver *driver, struct slice wire)
{
    struct framework update;
    struct error err = {0};
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    if (!read_update(driver, wire, &update, &err)) {
        driver_fail(driver, err.text);
        return driver->status;
    }
    framework_free(&driver->framework);
    driver->framework = update;
    driver_send_revision(driver);
    return driver->status;
}

// ---- roles ----

// While disconnected the roles are remembered: SUBSCRIBE brings them to the next master.
static void send_roles(struct driver *driver, enum call_type type, const char *const *names)
{
    if (!connected(driver)) {
        driver->outdated = true;
        return;
    }
    _Static_assert(FIELD_SCHEDULER_CALL_REVIVE_ROLES == FIELD_SCHEDULER_CALL_SUPPRESS_ROLES,
                   "one writer for both");
    buffer_clear(&driver->message);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        wire_put_bytes(&driver->message, FIELD_SCHEDULER_CALL_REVIVE_ROLES, slice_text(names[i]));
    bool all = names == NULL;
    calls_send(&driver->calls, type,
               all ? (struct slice){.data = NULL} : buffer_slice(&driver->message));
}

static void revive(struct framework *framework, const void *names)
{
    framework_revive(framework, names);
}

static void suppress(struct framework *framework, const void *names)
{
    framework_suppress(framework, names);
}

enum driver_status driver_revive(struct driver *driver, const char *const *names)
{
    if (driver->status != DRIVER_RUNNING || (names != NULL && names[0] == NULL))
        return driver->status;
    framework_revive(&driver->framework, names);
    revisions_each(&driver->revisions, revive, names);
    if (names == NULL)
        offer_history_revive(driver->history, (struct slice){.data = NULL});
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        offer_history_revive(driver->history, slice_text(names[i]));
    send_roles(driver, CALL_REVIVE, names);
    return driver->status;
}

enum driver_status driver_suppress(struct driver *driver, const char *const *names)
{
    if (driver->status != DRIVER_RUNNING || (names != NULL && names[0] == NULL))
        return driver->status;
    framework_suppress(&driver->framework, names);
    revisions_each(&driver->revisions, suppress, names);
    send_roles(driver, CALL_SUPPRESS, names);
    return driver->status;
}
