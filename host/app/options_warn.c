// SPDX-License-Identifier: Apache-2.0
//
// Warnings of what the environment and the script's arguments hold: see options.h.

#include "app/options_internal.h"

#include <string.h>
#include <unistd.h>

static bool has_row(const char *variable, size_t length)
{
    for (const struct option_row *row = options_table; row->kind != NULL; row++)
        if (row->env != NULL && strlen(row->env) == length &&
            memcmp(row->env, variable, length) == 0)
            return true;
    return false;
}

static bool is_unused(const char *variable, size_t length)
{
    for (size_t i = 0; options_unused_env[i] != NULL; i++) {
        const char *pattern = options_unused_env[i];
        size_t end = strcspn(pattern, "*");
        bool whole = pattern[end] == '\0';
        if (length >= end && memcmp(pattern, variable, end) == 0 && (!whole || length == end))
            return !has_row(variable, length);
    }
    return false;
}

static void warn_of_unused(void)
{
    char names[768] = "";
    size_t used = 0;
    unsigned count = 0;
    for (char **entry = environ; *entry != NULL; entry++) {
        size_t length = strcspn(*entry, "=");
        if (!is_unused(*entry, length) || used + length + 3 > sizeof names)
            continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.*s", count ? ", " : "",
                                 (int)length, *entry);
        count++;
    }
    if (count > 0)
        log_warning("%s %s set and %s no meaning here", names, count == 1 ? "is" : "are",
                    count == 1 ? "has" : "have");
}

static void warn_of_old_names(void)
{
    for (const struct option_row *row = options_table; row->kind != NULL; row++) {
        const char *old = row->env ? options_old_env(row->env) : NULL;
        if (options_env_value(old) != NULL && options_env_value(row->env) == NULL)
            log_warning("%s is a deprecated name: set %s", old, row->env);
    }
}

// An option of ours among the script's arguments is probably misplaced. Help and version are what
// any program has; "--" in front of the script says that the arguments are meant so.
static void warn_of_misplaced(const struct options *options)
{
    for (int i = 0; i < options->argc && !options->arguments_marked; i++) {
        const char *word = options->argv[i];
        size_t length = strcspn(word, "=");
        if (strcmp(word, "--") == 0)
            return;
        const struct option_row *row =
            strncmp(word, "--", 2) == 0 ? options_find(word + 2, length - 2) : NULL;
        if (row != NULL && row->offset != offsetof(struct options, show) &&
            options_applies(row, options->command))
            log_warning("--%s behind the script is an argument of the script; to give it to "
                        "mesos-lua, put it in front of %s",
                        row->name, options->script);
    }
}

// An executor has the environment of its agent.
void options_warn(const struct options *options)
{
    if (options->command != COMMAND_EXECUTOR) {
        warn_of_unused();
        warn_of_old_names();
    }
    warn_of_misplaced(options);
}
