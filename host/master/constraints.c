// SPDX-License-Identifier: Apache-2.0
//
// Offer constraints: the groups of a role are joined by OR, the constraints of a group by AND.
// Regular expressions are POSIX extended ones, and match the whole value.

#include "master/master_internal.h"

#include "base/memory.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Scheduler__AttributeConstraint Constraint;
typedef Mesos__V1__Scheduler__AttributeConstraint__Predicate Predicate;
typedef Mesos__V1__Scheduler__AttributeConstraint__Selector Selector;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints RoleConstraints;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints__Group Group;

#define PATTERN_LIMIT 4096
#define EXPANDED_LIMIT 100000 // bytes, with repetitions written out

#define PREDICATE(NAME) MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__PREDICATE__PREDICATE_##NAME
#define SELECTOR(NAME) MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__SELECTOR_##NAME
#define PSEUDOATTRIBUTE(NAME)                                                                      \
    MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__##NAME

static const char *pattern_of(const Predicate *predicate)
{
    if (predicate->predicate_case == PREDICATE(TEXT_MATCHES))
        return predicate->text_matches->regex;
    if (predicate->predicate_case == PREDICATE(TEXT_NOT_MATCHES))
        return predicate->text_not_matches->regex;
    return NULL;
}

static bool compile(regex_t *regex, const char *pattern, struct error *err)
{
    char *whole = memory_format("^(%s)$", pattern);
    int fault = regcomp(regex, whole, REG_EXTENDED | REG_NOSUB);
    free(whole);
    if (fault == 0)
        return true;
    char text[200];
    regerror(fault, regex, text, sizeof text);
    return error_set(err, ERROR_INVALID, "Failed to construct regex from pattern '%.200s': %s",
                     pattern, text);
}

// ---- validation ----

// The C library writes repetitions out: nested ones would take all memory.
static bool is_small(const char *pattern)
{
    double copies = 1;
    for (const char *at = pattern; (at = strchr(at, '{')) != NULL; at++) {
        char *end;
        unsigned long count = strtoul(at + 1, &end, 10);
        unsigned long most = *end == ',' ? strtoul(end + 1, NULL, 10) : 0;
        count = count > most ? count : most;
        copies *= count > 1 ? (double)count : 1;
    }
    return copies * (double)strlen(pattern) <= EXPANDED_LIMIT;
}

static bool check_constraint(const Constraint *constraint, struct error *err)
{
    if (constraint->selector->selector_case ==
        MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__SELECTOR__NOT_SET)
        return error_set(err, ERROR_INVALID, "The selector is not set or unknown");
    if (constraint->predicate->predicate_case ==
        MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__PREDICATE__PREDICATE__NOT_SET)
        return error_set(err, ERROR_INVALID, "The predicate is not set or unknown");
    const char *pattern = pattern_of(constraint->predicate);
    if (pattern == NULL)
        return true;
    if (strlen(pattern) > PATTERN_LIMIT)
        return error_set(err, ERROR_LIMIT, "The regex pattern is longer than %d bytes",
                         PATTERN_LIMIT);
    if (!is_small(pattern))
        return error_set(err, ERROR_LIMIT,
                         "The repetitions of the regex pattern make it longer than %d bytes",
                         EXPANDED_LIMIT);
    regex_t regex;
    if (!compile(&regex, pattern, err))
        return false;
    regfree(&regex);
    return true;
}

static bool check_role(const RoleConstraints *role, const char *name, struct error *err)
{
    if (role == NULL || role->n_groups == 0)
        return error_set(err, ERROR_INVALID,
                         "'OfferConstraints::role_constraints' has an empty "
                         "'RoleConstraints::groups' for role %s",
                         name);
    for (size_t i = 0; i < role->n_groups; i++) {
        const Group *group = role->groups[i];
        if (group->n_attribute_constraints == 0)
            return error_set(err, ERROR_INVALID,
                             "'OfferConstraints::RoleConstraints::groups' for role %scontains an "
                             "empty RoleConstraints::Group",
                             name);
        for (size_t j = 0; j < group->n_attribute_constraints; j++)
            if (!check_constraint(group->attribute_constraints[j], err))
                return error_context(err, "A role %s has an invalid 'AttributeConstraint'", name);
    }
    return true;
}

bool constraints_check(const Mesos__V1__Scheduler__OfferConstraints *constraints, struct error *err)
{
    for (size_t i = 0; i < constraints->n_role_constraints; i++)
        if (!check_role(constraints->role_constraints[i]->value,
                        constraints->role_constraints[i]->key, err))
            return false;
    return true;
}

// ---- matching ----

// What the selector selects on the agent.
struct selected {
    bool exists;
    const char *text; // NULL: it is no text
};

// The text of a property that is no attribute, or NULL.
static const char *pseudoattribute(const Selector *selector, const struct node *node)
{
    switch (selector->pseudoattribute_type) {
    case PSEUDOATTRIBUTE(HOSTNAME):
        return node->hostname;
    case PSEUDOATTRIBUTE(REGION):
        return node->description.region;
    case PSEUDOATTRIBUTE(ZONE):
        return node->description.zone;
    default:
        return NULL;
    }
}

static struct selected select_value(const Selector *selector, const struct node *node)
{
    struct selected selected = {.exists = false};
    if (selector->selector_case == SELECTOR(ATTRIBUTE_NAME)) {
        const Mesos__V1__Attribute *attribute =
            agent_description_attribute(&node->description, selector->attribute_name);
        selected.exists = attribute != NULL;
        selected.text = attribute && attribute->text ? attribute->text->value : NULL;
    } else {
        selected.text = pseudoattribute(selector, node);
        selected.exists = selected.text != NULL;
    }
    return selected;
}

static bool matches(const char *pattern, const char *value)
{
    regex_t regex;
    if (!compile(&regex, pattern, NULL))
        return false;
    bool good = regexec(&regex, value, 0, NULL, 0) == 0;
    regfree(&regex);
    return good;
}

// A number or ranges fulfil all predicates about texts, as they do in a real master, so that a
// scheduler that knows them sees the offer and decides.
static bool constraint_holds(const Constraint *constraint, const struct node *node)
{
    const struct selected selected = select_value(constraint->selector, node);
    const Predicate *predicate = constraint->predicate;
    const char *value = selected.text;
    if (predicate->predicate_case == PREDICATE(EXISTS))
        return selected.exists;
    if (predicate->predicate_case == PREDICATE(NOT_EXISTS))
        return !selected.exists;
    if (selected.exists && value == NULL)
        return true;
    switch (predicate->predicate_case) {
    case PREDICATE(TEXT_EQUALS):
        return value != NULL && strcmp(value, predicate->text_equals->value) == 0;
    case PREDICATE(TEXT_NOT_EQUALS):
        return value == NULL || strcmp(value, predicate->text_not_equals->value) != 0;
    case PREDICATE(TEXT_MATCHES):
        return value != NULL && matches(predicate->text_matches->regex, value);
    case PREDICATE(TEXT_NOT_MATCHES):
        return value == NULL || !matches(predicate->text_not_matches->regex, value);
    default:
        return false;
    }
}

static bool group_holds(const Group *group, const struct node *node)
{
    for (size_t i = 0; i < group->n_attribute_constraints; i++)
        if (!constraint_holds(group->attribute_constraints[i], node))
            return false;
    return true;
}

static bool role_holds(const RoleConstraints *role, const struct node *node)
{
    for (size_t i = 0; i < role->n_groups; i++)
        if (group_holds(role->groups[i], node))
            return true;
    return false;
}

bool constraints_hold(const Mesos__V1__Scheduler__OfferConstraints *constraints, const char *role,
                      const struct node *node)
{
    for (size_t i = 0; constraints != NULL && i < constraints->n_role_constraints; i++)
        if (strcmp(constraints->role_constraints[i]->key, role) == 0)
            return role_holds(constraints->role_constraints[i]->value, node);
    return true;
}
