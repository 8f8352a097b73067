// SPDX-License-Identifier: Apache-2.0
//
// Names of roles: see role_name.h.

#include "offers/role_name.h"

#include <string.h>

static bool check_component(const char *role, const char *part, size_t length, struct error *err)
{
    static const char *const forbidden[] = {".", "..", "*"};
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        if (strlen(forbidden[i]) == length && memcmp(forbidden[i], part, length) == 0)
            return error_set(err, ERROR_INVALID, "Role '%.300s' cannot include '%s' as a component",
                             role, forbidden[i]);
    if (*part == '-')
        return error_set(err, ERROR_INVALID,
                         "Role component '%.*s' is invalid because it starts with a dash",
                         (int)length, part);
    // Mesos's words say backspace; what it looks for is 0x7f.
    for (size_t i = 0; i < length; i++)
        if (strchr("\t\n\v\f\r \x7f", part[i]) != NULL)
            return error_set(err, ERROR_INVALID,
                             "Role component '%.*s' is invalid because it contains backspace or "
                             "whitespace",
                             (int)length, part);
    return true;
}

static const char *slash_fault(const char *role)
{
    size_t length = strlen(role);
    if (role[0] == '/')
        return "cannot start with a slash";
    if (length > 0 && role[length - 1] == '/')
        return "cannot end with a slash";
    return strstr(role, "//") != NULL ? "cannot contain two adjacent slashes" : NULL;
}

bool role_name_check(const char *role, struct error *err)
{
    const char *fault = slash_fault(role);
    if (strcmp(role, "*") == 0)
        return true;
    if (fault != NULL)
        return error_set(err, ERROR_INVALID, "Role '%.300s' %s", role, fault);
    if (*role == '\0')
        return error_set(err, ERROR_INVALID, "Role names cannot be the empty string");
    for (const char *part = role; part != NULL;) {
        const char *slash = strchr(part, '/');
        if (!check_component(role, part, slash ? (size_t)(slash - part) : strlen(part), err))
            return false;
        part = slash ? slash + 1 : NULL;
    }
    return true;
}

bool role_name_below(const char *role, const char *outer)
{
    size_t length = strlen(outer);
    return strncmp(role, outer, length) == 0 && role[length] == '/';
}
