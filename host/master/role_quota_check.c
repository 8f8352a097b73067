// SPDX-License-Identifier: Apache-2.0
//
// What may be wrong with a quota by itself, in the words of a master.

#include "master/role_quota_internal.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "offers/role_name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT ((size_t)1 << 16)
#define EXABYTE (1024.0 * 1024 * 1024 * 1024) // in megabytes
#define TRILLION 1e12

typedef struct role_quota_amount Amount;
typedef struct role_quota_config Config;

// ---- amounts ----

struct amounts {
    const Amount *items;
    size_t count;
};

static struct amounts guarantees_of(const Config *config)
{
    return (struct amounts){config->guarantees, config->guarantee_count};
}

static struct amounts limits_of(const Config *config)
{
    return (struct amounts){config->limits, config->limit_count};
}

// "{ cpus: 1, mem: 32 }"; free() it.
static char *describe(struct amounts amounts)
{
    struct buffer out;
    buffer_init(&out, TEXT_LIMIT);
    for (size_t i = 0; i < amounts.count; i++)
        buffer_format(&out, "%s%.200s: %.15g", i ? ", " : "", amounts.items[i].name,
                      amounts.items[i].value);
    char *text = memory_format("{ %s }", buffer_string(&out));
    buffer_free(&out);
    return text;
}

static bool check_size(const Amount *amount, struct error *err)
{
    bool bytes = strcmp(amount->name, "mem") == 0 || strcmp(amount->name, "disk") == 0;
    if (!(amount->value > (bytes ? EXABYTE : TRILLION)))
        return true;
    return error_set(err, ERROR_INVALID,
                     "{'%.200s': %.15g} is invalid: values greater than 1 %s (%.0f) are not "
                     "supported",
                     amount->name, amount->value, bytes ? "exabyte" : "trillion",
                     bytes ? EXABYTE : TRILLION);
}

static bool check_sizes(struct amounts amounts, struct error *err)
{
    for (size_t i = 0; i < amounts.count; i++)
        if (!check_size(&amounts.items[i], err))
            return false;
    return true;
}

static const char *fault_of(double value)
{
    int class = fpclassify(value);
    return class == FP_INFINITE    ? "Infinite values not supported"
           : class == FP_NAN       ? "NaN not supported"
           : class == FP_SUBNORMAL ? "Subnormal values not supported"
           : value < 0             ? "Negative values not supported"
                                   : NULL;
}

static bool check_values(struct amounts amounts, const char *what, struct error *err)
{
    for (size_t i = 0; i < amounts.count; i++) {
        const char *fault = fault_of(amounts.items[i].value);
        if (fault != NULL)
            return error_set(err, ERROR_INVALID, "Invalid %s configuration {'%.200s': %.15g}: %s",
                             what, amounts.items[i].name, amounts.items[i].value, fault);
    }
    return true;
}

static bool is_within(const Amount *guarantee, struct amounts limits)
{
    for (size_t i = 0; i < limits.count; i++)
        if (strcmp(limits.items[i].name, guarantee->name) == 0)
            return quantities_thousandths(guarantee->value) <=
                   quantities_thousandths(limits.items[i].value);
    return true;
}

static bool check_within(const Config *config, struct error *err)
{
    bool within = true;
    for (size_t i = 0; i < config->guarantee_count; i++)
        within = within && is_within(&config->guarantees[i], limits_of(config));
    if (within)
        return true;
    char *guarantees = describe(guarantees_of(config)), *limits = describe(limits_of(config));
    error_set(err, ERROR_INVALID,
              "'QuotaConfig.guarantees' %s is not contained within the 'QuotaConfig.limits' %s",
              guarantees, limits);
    free(guarantees);
    free(limits);
    return false;
}

static bool check_amounts(const Config *config, struct error *err)
{
    if (!role_name_check(config->role, err))
        return error_context(err, "Invalid 'QuotaConfig.role'");
    if (config->guarantee_count > QUANTITIES_NAMES || config->limit_count > QUANTITIES_NAMES)
        return error_set(err, ERROR_LIMIT, "There are more than %d resources", QUANTITIES_NAMES);
    if (!check_sizes(guarantees_of(config), err))
        return error_context(err, "Invalid 'QuotaConfig.guarantees'");
    if (!check_sizes(limits_of(config), err))
        return error_context(err, "Invalid 'QuotaConfig.limits'");
    return check_values(guarantees_of(config), "guarantee", err) &&
           check_values(limits_of(config), "limit", err) && check_within(config, err);
}

bool role_quota_check(const Config *config, struct error *err)
{
    if (strchr(config->role, '/') != NULL)
        return error_set(err, ERROR_INVALID,
                         "Updating quota on nested role '%.300s' is not supported yet",
                         config->role);
    return check_amounts(config, err) || error_context(err, "Invalid QuotaConfig");
}

// ---- as the allocator has it ----

static bool number_of(struct quantity_names *names, const char *name, int *number,
                      struct error *err)
{
    *number = quantities_add_name(names, name);
    return *number >= 0 || error_set(err, ERROR_LIMIT,
                                     "Invalid QuotaConfig: there are %d scalar resources, and no "
                                     "room for '%.200s'",
                                     QUANTITIES_NAMES, name);
}

bool role_quota_read(struct quantity_names *names, const Config *config, struct quota *quota,
                     struct error *err)
{
    int number;
    *quota = (struct quota){.guaranteed = false};
    for (size_t i = 0; i < config->guarantee_count; i++) {
        if (!number_of(names, config->guarantees[i].name, &number, err))
            return false;
        quota->guarantees.amount[number] = quantities_thousandths(config->guarantees[i].value);
    }
    for (size_t i = 0; i < config->limit_count; i++) {
        if (!number_of(names, config->limits[i].name, &number, err))
            return false;
        quota->limits.amount[number] = quantities_thousandths(config->limits[i].value);
        quota->limited |= 1u << number;
    }
    quota->guaranteed = !quantities_empty(&quota->guarantees);
    return true;
}
