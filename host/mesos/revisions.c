// SPDX-License-Identifier: Apache-2.0
//
// Revisions of a framework: see revisions.h.

#include "mesos/revisions.h"

#include "base/memory.h"

#include <stdlib.h>

struct revision {
    struct revision *next;
    struct framework framework;
};

void revisions_init(struct revisions *revisions)
{
    *revisions = (struct revisions){.first = NULL};
    revisions->last = &revisions->first;
}

static void forget_known(struct revisions *revisions)
{
    if (revisions->has_known)
        framework_free(&revisions->known);
    revisions->has_known = false;
}

void revisions_drop_sent(struct revisions *revisions)
{
    while (revisions->first != NULL)
        revisions_answered(revisions, REVISION_UNKNOWN);
}

void revisions_clear(struct revisions *revisions)
{
    revisions_drop_sent(revisions);
    forget_known(revisions);
}

void revisions_sent(struct revisions *revisions, const struct framework *framework)
{
    struct revision *revision = memory_new(sizeof *revision);
    framework_copy(&revision->framework, framework);
    *revisions->last = revision;
    revisions->last = &revision->next;
}

void revisions_answered(struct revisions *revisions, enum revision_answer answer)
{
    struct revision *revision = revisions->first;
    if (revision == NULL)
        return;
    revisions->first = revision->next;
    if (revisions->first == NULL)
        revisions->last = &revisions->first;
    if (answer == REVISION_ACCEPTED) {
        forget_known(revisions);
        revisions->known = revision->framework;
        revisions->has_known = true;
    } else {
        framework_free(&revision->framework);
    }
    free(revision);
}

bool revisions_differ(const struct revisions *revisions, const struct framework *framework)
{
    return revisions->has_known && !framework_same(&revisions->known, framework);
}

void revisions_roll_back(struct revisions *revisions, struct framework *framework)
{
    framework_free(framework);
    framework_copy(framework, &revisions->known);
}

void revisions_each(struct revisions *revisions,
                    void (*change)(struct framework *framework, const void *data), const void *data)
{
    if (revisions->has_known)
        change(&revisions->known, data);
    for (struct revision *it = revisions->first; it != NULL; it = it->next)
        change(&it->framework, data);
}
