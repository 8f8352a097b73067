// SPDX-License-Identifier: Apache-2.0
//
// What a program leaves out of its FrameworkInfo: see framework_defaults.h.

#include "mesos/framework_defaults.h"

#include "base/memory.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == 0;
}

static void fill_user(struct framework_defaults *defaults, Mesos__V1__FrameworkInfo *info)
{
    struct passwd entry, *found = NULL;
    char text[4096];
    if (!is_empty(info->user))
        return;
    getpwuid_r(geteuid(), &entry, text, sizeof text, &found);
    if (found != NULL)
        snprintf(defaults->user, sizeof defaults->user, "%s", found->pw_name);
    else
        snprintf(defaults->user, sizeof defaults->user, "%u", (unsigned)geteuid());
    info->user = defaults->user;
}

static void fill_hostname(struct framework_defaults *defaults, Mesos__V1__FrameworkInfo *info)
{
    if (!is_empty(info->hostname))
        return;
    snprintf(defaults->hostname, sizeof defaults->hostname, "localhost");
    gethostname(defaults->hostname, sizeof defaults->hostname - 1);
    info->hostname = defaults->hostname;
}

static void add_capability(struct framework_defaults *defaults, Mesos__V1__FrameworkInfo *info,
                           Mesos__V1__FrameworkInfo__Capability__Type type)
{
    size_t place = info->n_capabilities++;
    mesos__v1__framework_info__capability__init(&defaults->capabilities[place]);
    defaults->capabilities[place].has_type = true;
    defaults->capabilities[place].type = type;
    defaults->capability_list[place] = &defaults->capabilities[place];
}

static void fill_capabilities(struct framework_defaults *defaults, Mesos__V1__FrameworkInfo *info,
                              bool single_role)
{
    if (info->n_capabilities > 0)
        return;
    info->capabilities = defaults->capability_list;
    if (!single_role)
        add_capability(defaults, info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);
    add_capability(defaults, info,
                   MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT);
}

static bool is_multi_role(const Mesos__V1__FrameworkInfo *info)
{
    for (size_t i = 0; i < info->n_capabilities; i++)
        if (info->capabilities[i]->type == MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE)
            return true;
    return false;
}

static void fill_roles(struct framework_defaults *defaults, Mesos__V1__FrameworkInfo *info)
{
    static char any[] = "*";
    if (info->n_roles > 0 || !is_multi_role(info))
        return;
    defaults->role_list[0] = any;
    info->roles = defaults->role_list;
    info->n_roles = 1;
}

// An unset `role` points to the default of the descriptor, which may be the program's own copy.
static bool has_single_role(const Mesos__V1__FrameworkInfo *info)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(info->base.descriptor, "role");
    return info->role != NULL && info->role != field->default_value;
}

void framework_defaults_fill(struct framework_defaults *defaults, Mesos__V1__FrameworkInfo *info)
{
    fill_user(defaults, info);
    fill_hostname(defaults, info);
    fill_capabilities(defaults, info, has_single_role(info));
    fill_roles(defaults, info);
}

// ---- updates ----

static void keep_text(char **text, const char *current)
{
    if (!is_empty(*text) || is_empty(current))
        return;
    free(*text);
    *text = memory_string(current);
}

// The copies become part of `info`, which is freed as one that was unpacked.
static void keep(Mesos__V1__FrameworkInfo *info, const Mesos__V1__FrameworkInfo *current)
{
    if (info->id == NULL && current->id != NULL) {
        info->id = memory_new(sizeof *info->id);
        mesos__v1__framework_id__init(info->id);
        info->id->value = memory_string(current->id->value);
    }
    keep_text(&info->user, current->user);
    keep_text(&info->principal, current->principal);
    keep_text(&info->hostname, current->hostname);
    if (!info->has_checkpoint) {
        info->has_checkpoint = current->has_checkpoint;
        info->checkpoint = current->checkpoint;
    }
}

static bool pack(const ProtobufCMessage *message, struct buffer *update)
{
    buffer_clear(update);
    uint8_t *end = buffer_reserve(update, protobuf_c_message_get_packed_size(message));
    if (end != NULL)
        update->length = protobuf_c_message_pack(message, end);
    return end != NULL;
}

// What is filled in is no part of the message that is freed.
static bool pack_filled(Mesos__V1__Scheduler__Call__UpdateFramework *message, struct buffer *update)
{
    struct framework_defaults defaults;
    Mesos__V1__FrameworkInfo *info = message->framework_info, given = *info;
    if (info->n_capabilities == 0) {
        fill_capabilities(&defaults, info, has_single_role(info));
        fill_roles(&defaults, info);
    }
    bool good = pack(&message->base, update);
    *info = given;
    return good;
}

bool framework_defaults_keep(struct slice current, struct buffer *update)
{
    Mesos__V1__FrameworkInfo *info =
        mesos__v1__framework_info__unpack(NULL, current.length, current.data);
    Mesos__V1__Scheduler__Call__UpdateFramework *message =
        (void *)protobuf_c_message_unpack(&mesos__v1__scheduler__call__update_framework__descriptor,
                                          NULL, update->length, update->data);
    bool good = info != NULL && message != NULL;
    if (good) {
        keep(message->framework_info, info);
        good = pack_filled(message, update);
    }
    mesos__v1__framework_info__free_unpacked(info, NULL);
    protobuf_c_message_free_unpacked((ProtobufCMessage *)message, NULL);
    return good;
}
