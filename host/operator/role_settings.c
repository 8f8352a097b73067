// SPDX-License-Identifier: Apache-2.0
//
// Weights and quota; see the header.

#include "operator/role_settings.h"

#include "base/memory.h"
#include "master/role_quota.h"
#include "master/role_weights.h"
#include "wire/json_message.h"

#include "mesos/v1/master/master.pb-c.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Quota__QuotaConfig Config;
typedef Mesos__V1__Quota__QuotaInfo Info;
typedef Mesos__V1__Quota__QuotaStatus Status;

// ---- weights ----

bool role_settings_weights(struct master *master, Mesos__V1__WeightInfo *const *infos, size_t count,
                           struct error *err)
{
    struct role_weight *weights = memory_new((count + 1) * sizeof *weights);
    for (size_t i = 0; i < count; i++)
        weights[i] = (struct role_weight){infos[i]->role ? infos[i]->role : "", infos[i]->weight};
    bool good = role_weights_update(master, weights, count, err);
    free(weights);
    return good;
}

// What the reader of JSON says, in the words of the endpoint that was asked.
static bool reword(const char *parse, const char *convert, struct slice body, struct error *err)
{
    char *words = memory_string(err->text);
    const char *reason = strstr(words, ": ");
    bool converted = strncmp(words, "Failed to convert", 17) == 0;
    error_set(err, ERROR_INVALID, "%s '%.*s': %s", converted ? convert : parse,
              (int)(body.length < 200 ? body.length : 200), (const char *)body.data,
              reason ? reason + 2 : words);
    free(words);
    return false;
}

bool role_settings_put_weights(struct master *master, struct slice body, struct error *err)
{
    static const char head[] = "{\"weight_infos\":", tail[] = "}";
    struct buffer text;
    buffer_init(&text, body.length + sizeof head + sizeof tail);
    buffer_append_text(&text, head);
    buffer_append_slice(&text, body);
    buffer_append_text(&text, tail);
    Mesos__V1__Master__Call__UpdateWeights *update =
        (Mesos__V1__Master__Call__UpdateWeights *)json_message_read(
            &mesos__v1__master__call__update_weights__descriptor, buffer_slice(&text), err);
    buffer_free(&text);
    if (update == NULL)
        return reword("Failed to parse update weights request JSON",
                      "Failed to convert weights JSON array to protobuf", body, err);
    bool good = role_settings_weights(master, update->weight_infos, update->n_weight_infos, err);
    protobuf_c_message_free_unpacked(&update->base, NULL);
    return good;
}

// ---- quota ----

static size_t read_amounts(struct role_quota_amount *amounts,
                           Mesos__V1__Quota__QuotaConfig__GuaranteesEntry *const *entries,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        amounts[i] = (struct role_quota_amount){
            entries[i]->key, entries[i]->value != NULL ? entries[i]->value->value : 0};
    return count;
}

static size_t read_limits(struct role_quota_amount *amounts,
                          Mesos__V1__Quota__QuotaConfig__LimitsEntry *const *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        amounts[i] = (struct role_quota_amount){
            entries[i]->key, entries[i]->value != NULL ? entries[i]->value->value : 0};
    return count;
}

static struct role_quota_amount *read_config(struct role_quota_config *to, const Config *from)
{
    struct role_quota_amount *amounts =
        memory_new((from->n_guarantees + from->n_limits + 1) * sizeof *amounts);
    size_t guarantees = read_amounts(amounts, from->guarantees, from->n_guarantees);
    *to = (struct role_quota_config){
        .role = from->role,
        .guarantees = amounts,
        .guarantee_count = guarantees,
        .limits = amounts + guarantees,
        .limit_count = read_limits(amounts + guarantees, from->limits, from->n_limits),
    };
    return amounts;
}

bool role_settings_update_quota(struct master *master, Config *const *configs, size_t count,
                                bool force, struct error *err)
{
    struct role_quota_config *list = memory_new((count + 1) * sizeof *list);
    struct role_quota_amount **amounts = memory_new((count + 1) * sizeof *amounts);
    for (size_t i = 0; i < count; i++)
        amounts[i] = read_config(&list[i], configs[i]);
    bool good = role_quota_update(master, list, count, force, err);
    for (size_t i = 0; i < count; i++)
        free(amounts[i]);
    free(amounts);
    free(list);
    return good;
}

bool role_settings_set_quota(struct master *master, const Mesos__V1__Quota__QuotaRequest *request,
                             struct error *err)
{
    return role_quota_set(master, request->role ? request->role : "", request->guarantee,
                          request->n_guarantee, request->has_force && request->force, err);
}

bool role_settings_post_quota(struct master *master, struct slice body, struct error *err)
{
    Mesos__V1__Quota__QuotaRequest *request = (Mesos__V1__Quota__QuotaRequest *)json_message_read(
        &mesos__v1__quota__quota_request__descriptor, body, err);
    if (request == NULL)
        return reword("Failed to parse set quota request JSON",
                      "Failed to validate set quota request JSON", body, err);
    bool good = role_settings_set_quota(master, request, err);
    protobuf_c_message_free_unpacked(&request->base, NULL);
    return good;
}

// "/master/quota/ROLE", of which a role with "/" is the rest.
bool role_settings_delete_quota(struct master *master, const char *path, struct error *err)
{
    const char *role = strstr(path, "/quota");
    role = role != NULL ? role + strlen("/quota") : "";
    role += strspn(role, "/");
    if (*role == '\0')
        return error_set(err, ERROR_INVALID,
                         "Failed to parse remove quota request for path '%.200s': expected 3 "
                         "tokens, found 2 tokens",
                         path);
    if (role_quota_remove(master, role, err))
        return true;
    char *words = memory_string(err->text);
    error_set(err, err->code, "Failed to remove quota for path '%.200s': %s", path, words);
    free(words);
    return false;
}

// ---- the quota that is set ----

static Mesos__V1__Value__Scalar *new_scalar(int64_t thousandths)
{
    Mesos__V1__Value__Scalar *scalar = memory_new(sizeof *scalar);
    mesos__v1__value__scalar__init(scalar);
    scalar->value = (double)thousandths / 1000;
    return scalar;
}

static void add_guarantee(Info *info, Config *config, const char *name, int64_t amount)
{
    Mesos__V1__Resource *resource = memory_new(sizeof *resource);
    Mesos__V1__Quota__QuotaConfig__GuaranteesEntry *entry = memory_new(sizeof *entry);
    mesos__v1__resource__init(resource);
    mesos__v1__quota__quota_config__guarantees_entry__init(entry);
    resource->name = memory_string(name);
    resource->type = MESOS__V1__VALUE__TYPE__SCALAR;
    resource->scalar = new_scalar(amount);
    entry->key = memory_string(name);
    entry->value = new_scalar(amount);
    info->guarantee[info->n_guarantee++] = resource;
    config->guarantees[config->n_guarantees++] = entry;
}

static void add_limit(Config *config, const char *name, int64_t amount)
{
    Mesos__V1__Quota__QuotaConfig__LimitsEntry *entry = memory_new(sizeof *entry);
    mesos__v1__quota__quota_config__limits_entry__init(entry);
    entry->key = memory_string(name);
    entry->value = new_scalar(amount);
    config->limits[config->n_limits++] = entry;
}

static void add_role(Status *status, const struct role_node *role,
                     const struct quantity_names *names)
{
    Info *info = memory_new(sizeof *info);
    Config *config = memory_new(sizeof *config);
    mesos__v1__quota__quota_info__init(info);
    mesos__v1__quota__quota_config__init(config);
    info->role = memory_string(role->name);
    config->role = memory_string(role->name);
    info->guarantee = memory_new(QUANTITIES_NAMES * sizeof *info->guarantee);
    config->guarantees = memory_new(QUANTITIES_NAMES * sizeof *config->guarantees);
    config->limits = memory_new(QUANTITIES_NAMES * sizeof *config->limits);
    for (size_t i = 0; i < names->count; i++) {
        if (role->quota.guarantees.amount[i] != 0)
            add_guarantee(info, config, names->names[i], role->quota.guarantees.amount[i]);
        if (role->quota.limited >> i & 1)
            add_limit(config, names->names[i], role->quota.limits.amount[i]);
    }
    status->infos[status->n_infos++] = info;
    status->configs[status->n_configs++] = config;
}

Status *role_settings_quota(const struct master *master)
{
    const struct role_node *role;
    size_t count = 1;
    Status *status = memory_new(sizeof *status);
    mesos__v1__quota__quota_status__init(status);
    TAILQ_FOREACH(role, &master->roles.roles, link)
    count += role->has_quota;
    status->infos = memory_new(count * sizeof *status->infos);
    status->configs = memory_new(count * sizeof *status->configs);
    TAILQ_FOREACH(role, &master->roles.roles, link)
    if (role->has_quota)
        add_role(status, role, &master->roles.names);
    return status;
}

void role_settings_free_quota(Status *status)
{
    protobuf_c_message_free_unpacked(&status->base, NULL);
}
