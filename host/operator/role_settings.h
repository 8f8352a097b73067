// SPDX-License-Identifier: Apache-2.0
//
// What operators set for roles, weights and quota, as messages and as bodies of requests. An error
// is the body of an answer with status 400, or with 409 if its code is ERROR_REFUSED.

#ifndef MESOS_LUA_OPERATOR_ROLE_SETTINGS_H
#define MESOS_LUA_OPERATOR_ROLE_SETTINGS_H

#include "base/bytes.h"
#include "base/error.h"
#include "master/master_records.h"

#include "mesos/v1/quota/quota.pb-c.h"

// The bodies of PUT /weights and POST /quota, and the path of DELETE /quota/ROLE.
bool role_settings_put_weights(struct master *master, struct slice body, struct error *err);
bool role_settings_post_quota(struct master *master, struct slice body, struct error *err);
bool role_settings_delete_quota(struct master *master, const char *path, struct error *err);

bool role_settings_weights(struct master *master, Mesos__V1__WeightInfo *const *infos, size_t count,
                           struct error *err);
bool role_settings_update_quota(struct master *master,
                                Mesos__V1__Quota__QuotaConfig *const *configs, size_t count,
                                bool force, struct error *err);
bool role_settings_set_quota(struct master *master, const Mesos__V1__Quota__QuotaRequest *request,
                             struct error *err);

// The quota of all roles that have one; free it with role_settings_free_quota().
Mesos__V1__Quota__QuotaStatus *role_settings_quota(const struct master *master);
void role_settings_free_quota(Mesos__V1__Quota__QuotaStatus *status);

#endif
