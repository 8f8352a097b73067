// SPDX-License-Identifier: Apache-2.0
//
// Options from the command line, the environment and embedders: see options.h.

#include "app/options_internal.h"

#include "base/suggest.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- the command line ----

struct parser {
    struct options *options;
    int argc, next;
    char *const *argv;
    bool ended;                                   // by "--": no option or command follows
    bool commanded;                               // a command was given
    const struct option_row *given[OPTIONS_MOST]; // in this order, each once
    size_t given_count;
    struct error *err;
};

static bool set(struct options *options, const struct option_row *row, const char *name,
                const char *value, struct error *err)
{
    return row->kind->parse(row, name, value, (char *)options + row->offset, err);
}

static bool set_given(struct parser *parser, const struct option_row *row, const char *name,
                      const char *value)
{
    bool known = false;
    for (size_t i = 0; i < parser->given_count; i++)
        known = known || parser->given[i] == row;
    if (known && row->once)
        return error_set(parser->err, ERROR_INVALID,
                         "--%s was given twice: write all of it in one %s", row->name,
                         row->value_name);
    if (!known)
        parser->given[parser->given_count++] = row;
    return set(parser->options, row, name, value, parser->err);
}

static const struct option_row *find_short(char name)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if (row->short_name == name)
            return row;
    return NULL;
}

static const char *row_name(const void *data, size_t index)
{
    (void)data;
    return options_table[index].name;
}

static bool unknown_long(const char *name, size_t length, struct error *err)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : 0), name);
    const char *nearest = suggest(word, row_name, NULL);
    if (nearest != NULL)
        return error_set(err, ERROR_INVALID, "unknown option '--%.*s' (did you mean '--%s'?)",
                         (int)length, name, nearest);
    return error_set(err, ERROR_INVALID,
                     "unknown option '--%.*s' (mesos-lua --help lists the options)", (int)length,
                     name);
}

// The argument behind an option that needs one.
static const char *next_value(struct parser *parser, const struct option_row *row, const char *name)
{
    if (parser->next < parser->argc)
        return parser->argv[parser->next++];
    error_set(parser->err, ERROR_INVALID, "%s needs a value: %s %s", name, name, row->value_name);
    return NULL;
}

static bool parse_long(struct parser *parser, const char *argument)
{
    const char *word = argument + 2, *value = strchr(word, '=');
    size_t length = value ? (size_t)(value - word) : strlen(word);
    const struct option_row *row = options_find(word, length);
    if (row == NULL)
        return unknown_long(word, length, parser->err);
    char name[64];
    snprintf(name, sizeof name, "--%s", row->name);
    if (row->kind->is_flag && value != NULL)
        return error_set(parser->err, ERROR_INVALID, "%s takes no value, got '%s'", name,
                         value + 1);
    if (row->kind->is_flag)
        return set_given(parser, row, name, "true");
    value = value ? value + 1 : next_value(parser, row, name);
    return value != NULL && set_given(parser, row, name, value);
}

// "-vq", "-mURL", "-m URL"
static bool parse_short(struct parser *parser, const char *letters)
{
    while (*letters != '\0') {
        char name[] = {'-', *letters, '\0'};
        const struct option_row *row = find_short(*letters++);
        if (row == NULL)
            return error_set(parser->err, ERROR_INVALID,
                             "unknown option '%s' (mesos-lua --help lists the options)", name);
        if (!row->kind->is_flag) {
            const char *value = *letters ? letters : next_value(parser, row, name);
            return value != NULL && set_given(parser, row, name, value);
        }
        if (!set_given(parser, row, name, "true"))
            return false;
    }
    return true;
}

// Parses options up to the first other argument. "--" is consumed.
static bool parse_options(struct parser *parser)
{
    while (parser->next < parser->argc && !parser->ended) {
        const char *argument = parser->argv[parser->next];
        if (argument[0] != '-' || argument[1] == '\0')
            break;
        parser->next++;
        parser->ended = strcmp(argument, "--") == 0;
        bool parsed = parser->ended || (argument[1] == '-' ? parse_long(parser, argument)
                                                           : parse_short(parser, argument + 1));
        if (!parsed)
            return false;
    }
    return true;
}

static void parse_command(struct parser *parser)
{
    if (parser->next == parser->argc)
        return;
    for (int i = 0; i < OPTIONS_COMMANDS; i++) {
        if (strcmp(options_commands[i].name, parser->argv[parser->next]) == 0) {
            parser->options->command = (enum options_command)i;
            parser->commanded = parser->options->command_given = true;
            parser->next++;
            return;
        }
    }
}

static const char *command_name(const void *data, size_t index)
{
    (void)data;
    return index < OPTIONS_COMMANDS ? options_commands[index].name : NULL;
}

// A word that is no command is the name of a script, unless it does not look like one and no file
// has it.
static bool check_word(const struct parser *parser, const char *word)
{
    if (parser->commanded || parser->ended || strpbrk(word, "./") != NULL ||
        access(word, F_OK) == 0)
        return true;
    const char *nearest = suggest(word, command_name, NULL);
    return error_set(parser->err, ERROR_INVALID, "no file '%s', and no command of that name%s%s%s",
                     word, nearest ? ": did you mean '" : " (mesos-lua --help lists the commands)",
                     nearest ? nearest : "", nearest ? "'?" : "");
}

static bool parse_script(struct parser *parser)
{
    struct options *options = parser->options;
    bool none = parser->next == parser->argc;
    const char *argument = none ? NULL : parser->argv[parser->next];
    if (options->command == COMMAND_CTL || options_own(options->command)) {
        options->argc = parser->argc - parser->next;
        options->argv = parser->argv + parser->next;
        return true;
    }
    if (options->command == COMMAND_LOCAL || options->command == COMMAND_PS)
        return none || error_set(parser->err, ERROR_INVALID,
                                 "unexpected argument '%s': mesos-lua %s takes %s", argument,
                                 options_commands[options->command].name,
                                 options->command == COMMAND_PS ? "none" : "options only");
    if (none)
        return error_set(
            parser->err, ERROR_INVALID, "no script was given: %s (mesos-lua %s --help tells more)",
            options_commands[options->command].usage, options_commands[options->command].name);
    options->script = argument;
    options->argc = parser->argc - parser->next - 1;
    options->argv = parser->argv + parser->next + 1;
    return check_word(parser, argument);
}

static bool check_commands(const struct parser *parser)
{
    enum options_command command = parser->options->command;
    for (size_t i = 0; i < parser->given_count; i++)
        if (!options_applies(parser->given[i], command))
            return error_set(parser->err, ERROR_INVALID,
                             "option '--%s' has no meaning for mesos-lua %s",
                             parser->given[i]->name, options_commands[command].name);
    return true;
}

// ---- the environment ----

static bool field_given(const struct parser *parser, const struct option_row *row)
{
    for (size_t i = 0; i < parser->given_count; i++)
        if (parser->given[i]->offset == row->offset)
            return true;
    return false;
}

// The prefix of libprocess's TLS variables was SSL_ once. OpenSSL and others have variables with
// that prefix as well, so they count only beside SSL_ENABLED.
const char *options_old_env(const char *variable)
{
    static const char prefix[] = "LIBPROCESS_";
    bool renamed = strncmp(variable, "LIBPROCESS_SSL_", sizeof prefix + 3) == 0;
    return renamed && options_env_value("SSL_ENABLED") ? variable + sizeof prefix - 1 : NULL;
}

const char *options_env_value(const char *variable)
{
    const char *value = variable ? getenv(variable) : NULL;
    return value != NULL && *value != '\0' ? value : NULL;
}

// A simulation is the same wherever it runs: only the log follows the environment.
static bool is_variable_of(const struct option_row *row, enum options_command command)
{
    bool log = row->offset == offsetof(struct options, log_level);
    return options_applies(row, command) && (command != COMMAND_SIM || log);
}

static bool read_variable(const struct parser *parser, const struct option_row *row)
{
    const char *name = row->env, *value = options_env_value(name);
    if (value == NULL && name != NULL && (name = options_old_env(name)) != NULL)
        value = options_env_value(name);
    if (value == NULL || !is_variable_of(row, parser->options->command) || field_given(parser, row))
        return true;
    return set(parser->options, row, name, value, parser->err);
}

static bool read_environment(const struct parser *parser)
{
    for (const struct option_row *row = options_table; row->kind != NULL; row++)
        if (!read_variable(parser, row))
            return false;
    const char *curves = parser->options->curves;
    if (curves != NULL && strcmp(curves, "auto") == 0)
        parser->options->curves = NULL;
    return true;
}

// ---- all of it ----

// A cluster of real processes is smaller than a simulated one.
static bool check_agents(const struct parser *parser)
{
    const struct options *options = parser->options;
    const struct option_row *row = options_find("agents", strlen("agents"));
    char text[24];
    if (options->command == COMMAND_SIM || (double)options->agents <= row->max)
        return true;
    snprintf(text, sizeof text, "%lld", (long long)options->agents);
    return options_wrong_number(row, field_given(parser, row) ? "--agents" : row->env, text,
                                parser->err);
}

static void note_log(const struct parser *parser)
{
    size_t field = offsetof(struct options, log_level);
    for (const struct option_row *row = options_table; row->kind != NULL; row++)
        if (row->offset == field && (field_given(parser, row) || options_env_value(row->env)))
            parser->options->log_given = true;
}

const char *options_master_name(const struct options *options)
{
    return options->master == getenv("MESOS_MASTER") ? "MESOS_MASTER" : "--master";
}

static void set_defaults(struct options *options)
{
    *options = (struct options){.command = COMMAND_RUN};
    for (const struct option_row *row = options_table; row->kind != NULL; row++)
        if (row->default_value != NULL)
            set(options, row, row->name ? row->name : row->env, row->default_value, NULL);
}

// Of a command with options of its own: `mesos-lua new --help`.
static void ask_help(struct parser *parser)
{
    const char *word = parser->next < parser->argc ? parser->argv[parser->next] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        parser->options->show = SHOW_HELP;
}

bool options_parse(struct options *options, int argc, char *const *argv, struct error *err)
{
    struct parser parser = {
        .options = options, .argc = argc, .next = argc > 0, .argv = argv, .err = err};
    set_defaults(options);
    if (!parse_options(&parser))
        return false;
    if (!parser.ended) {
        parse_command(&parser);
        if (options_own(options->command))
            ask_help(&parser);
        else if (!parse_options(&parser))
            return false;
    }
    options->arguments_marked = parser.ended;
    if (options->show != SHOW_NOTHING)
        return true;
    if (!check_commands(&parser) || !parse_script(&parser) || !read_environment(&parser))
        return false;
    note_log(&parser);
    return check_agents(&parser);
}

// ---- for embedders ----

bool options_init(struct options *options, bool environment, struct error *err)
{
    const struct parser parser = {.options = options, .err = err};
    set_defaults(options);
    return !environment || read_environment(&parser);
}

bool options_set(struct options *options, const char *name, const char *value, struct error *err)
{
    const struct option_row *row = options_find(name, strlen(name));
    char full[64];
    bool on = true;
    if (row == NULL)
        return unknown_long(name, strlen(name), err);
    snprintf(full, sizeof full, "--%s", name);
    if (row->offset == offsetof(struct options, show) ||
        row->offset == offsetof(struct options, log_file))
        return error_set(err, ERROR_INVALID, "%s is for the command line only", full);
    if (value == NULL && !row->kind->is_flag)
        return error_set(err, ERROR_INVALID, "%s needs a value: %s %s", full, full,
                         row->value_name);
    if (row->kind->is_flag && value != NULL && !options_read_truth(full, value, &on, err))
        return false;
    if (!on && row->offset != offsetof(struct options, log_level))
        *(int *)((char *)options + row->offset) = row->flag_value == 0;
    return !on || set(options, row, full, value ? value : "true", err);
}
