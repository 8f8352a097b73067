// SPDX-License-Identifier: Apache-2.0
//
// An explanation's own part: what the framework keeps the master from offering. See explanation.h.

#include "mesos/explanation.h"

#include "base/memory.h"
#include "mesos/driver_internal.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

static void read_roles(struct roles *roles, const struct framework *framework)
{
    const Mesos__V1__FrameworkInfo *info = framework->info;
    for (size_t i = 0; i < info->n_roles; i++)
        roles_add(roles, info->roles[i]);
    if (!framework_has_capability(framework,
                                  MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE))
        roles_add(roles, info->role);
}

static void read_constrained(struct roles *roles, const struct framework *framework)
{
    if (framework->constraints == NULL)
        return;
    struct slice rest = slice_of(framework->constraints), entry;
    while (wire_next_bytes(&rest, FIELD_SCHEDULER_OFFER_CONSTRAINTS_ROLE_CONSTRAINTS, &entry))
        roles_add_slice(
            roles, wire_find(entry, FIELD_SCHEDULER_OFFER_CONSTRAINTS_ROLE_CONSTRAINTS_ENTRY_KEY));
}

void explanation_init(struct explanation *explanation, const struct driver *driver)
{
    *explanation = (struct explanation){.registered = connected(driver)};
    read_roles(&explanation->roles, &driver->framework);
    for (size_t i = 0; i < driver->framework.suppressed.count; i++)
        roles_add(&explanation->suppressed, driver->framework.suppressed.names[i]);
    read_constrained(&explanation->constrained, &driver->framework);
    explanation->offers =
        offer_explain_create(driver->offers, driver->history, loop_now(driver->loop));
}

void explanation_free(struct explanation *explanation)
{
    roles_clear(&explanation->roles);
    roles_clear(&explanation->suppressed);
    roles_clear(&explanation->constrained);
    free(explanation->role);
    offer_explain_destroy(explanation->offers);
    *explanation = (struct explanation){.registered = false};
}

bool explanation_role(struct explanation *explanation, struct slice role)
{
    free(explanation->role);
    explanation->role = memory_text((const char *)role.data, role.length);
    return offer_explain_role(explanation->offers, role);
}

bool explanation_foreign_role(const struct explanation *explanation)
{
    const struct roles *roles = &explanation->roles;
    for (size_t i = 0; explanation->role != NULL && i < roles->count; i++)
        if (strcmp(roles->names[i], explanation->role) == 0)
            return false;
    return explanation->role != NULL;
}

void explanation_finish(struct explanation *explanation)
{
    offer_explain_finish(explanation->offers);
}
