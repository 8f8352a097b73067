// SPDX-License-Identifier: Apache-2.0
//
// The framework changes while it runs: by updateFramework, by a new version of its script, by roles
// that are suppressed and revived. The driver remembers what the master took last (revisions.h),
// and goes back to it when a revision is refused: a later SUBSCRIBE carries nothing that the master
// did not take.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

void driver_send_revision(struct driver *this)
{
    this->outdated = !this->connected;
    if (!this->connected)
        return;
    framework_write(&this->framework, &this->message);
    if (outbox_send(&this->outbox, CALL_UPDATE_FRAMEWORK, buffer_slice(&this->message)))
        revisions_sent(&this->revisions, &this->framework);
}

// Of several revisions that are on their way the last one decides.
void driver_revision_answered(struct driver *this, enum revision_answer answer)
{
    revisions_answered(&this->revisions, answer);
    if (answer != REVISION_REFUSED || this->revisions.first != NULL ||
        !revisions_differ(&this->revisions, &this->framework))
        return;
    log_warning("the framework stays as the master knows it");
    revisions_go_back(&this->revisions, &this->framework);
}

bool driver_resubscribe(struct driver *this, struct slice reason)
{
    if (!running(this) || this->connected || !revisions_differ(&this->revisions, &this->framework))
        return false;
    log_warning("the master refused the framework as it was changed, which goes on as the master "
                "knows it: %.*s",
                SLICE_ARGS(reason));
    revisions_go_back(&this->revisions, &this->framework);
    subscription_start(&this->subscription);
    return true;
}

// ---- another version of the script ----

static void add_names(struct roles *roles, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        roles_add(roles, names[i]);
}

static bool revised_framework(struct driver *this, const struct driver_revision *revision,
                              struct framework *next)
{
    const struct framework *now = &this->framework;
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

void driver_revise(struct driver *this, const struct driver_revision *revision)
{
    struct framework next;
    this->explicit_acknowledgements = revision->explicit_acknowledgements;
    if (revision->framework.data == NULL && !revision->roles && !revision->constraints)
        return;
    if (!revised_framework(this, revision, &next)) {
        log_error("the framework stays as it was: its new FrameworkInfo is malformed or larger "
                  "than 64 MiB");
        return;
    }
    framework_free(&this->framework);
    this->framework = next;
    driver_send_revision(this);
}

// ---- updateFramework ----

// The new framework, roles and constraints, if they may take the place of the old ones.
static bool read_update(struct driver *this, struct slice wire, struct framework *update,
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
    struct slice known = framework_id(&this->framework), given = framework_id(update);
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

enum driver_status driver_update_framework(struct driver *this, struct slice wire)
{
    struct framework update;
    struct error err = {0};
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!read_update(this, wire, &update, &err)) {
        driver_fail(this, err.text);
        return this->status;
    }
    framework_free(&this->framework);
    this->framework = update;
    driver_send_revision(this);
    return this->status;
}

// ---- roles ----

// While disconnected the roles are remembered: SUBSCRIBE brings them to the next master.
static void send_roles(struct driver *this, enum call_type type, const char *const *names)
{
    if (!this->connected) {
        this->outdated = true;
        return;
    }
    _Static_assert(FIELD_SCHEDULER_CALL_REVIVE_ROLES == FIELD_SCHEDULER_CALL_SUPPRESS_ROLES,
                   "one writer for both");
    buffer_clear(&this->message);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        wire_put_bytes(&this->message, FIELD_SCHEDULER_CALL_REVIVE_ROLES, slice_text(names[i]));
    bool all = names == NULL;
    outbox_send(&this->outbox, type,
                all ? (struct slice){.data = NULL} : buffer_slice(&this->message));
}

static void revive(struct framework *framework, const void *names)
{
    framework_revive(framework, names);
}

static void suppress(struct framework *framework, const void *names)
{
    framework_suppress(framework, names);
}

enum driver_status driver_revive(struct driver *this, const char *const *names)
{
    if (this->status != DRIVER_RUNNING || (names != NULL && names[0] == NULL))
        return this->status;
    framework_revive(&this->framework, names);
    revisions_each(&this->revisions, revive, names);
    send_roles(this, CALL_REVIVE, names);
    return this->status;
}

enum driver_status driver_suppress(struct driver *this, const char *const *names)
{
    if (this->status != DRIVER_RUNNING || (names != NULL && names[0] == NULL))
        return this->status;
    framework_suppress(&this->framework, names);
    revisions_each(&this->revisions, suppress, names);
    send_roles(this, CALL_SUPPRESS, names);
    return this->status;
}
