// SPDX-License-Identifier: Apache-2.0
//
// What --help prints: see options.h.

#include "app/options_internal.h"

#include <string.h>

enum { HELP_COLUMN = 32 };

static void print_commands(FILE *file)
{
    int width = 0;
    for (int i = 0; i < OPTIONS_COMMANDS; i++) {
        int length = (int)strlen(options_commands[i].usage);
        width = length > width ? length : width;
    }
    for (int i = 0; i < OPTIONS_COMMANDS; i++)
        fprintf(file, "  %-*s  %s\n", width, options_commands[i].usage, options_commands[i].help);
}

static void print_option(FILE *file, const struct option_row *row, enum options_command command)
{
    bool other = command == COMMAND_SIM && row->sim_help != NULL;
    char short_name[] = "    ", left[64];
    if (row->short_name != 0)
        snprintf(short_name, sizeof short_name, "-%c, ", row->short_name);
    bool valued = !row->kind->is_flag;
    snprintf(left, sizeof left, "  %.4s--%s%s%s", short_name, row->name, valued ? " " : "",
             valued ? row->value_name : "");
    fprintf(file, "%-*s %s\n", HELP_COLUMN - 1, left, other ? row->sim_help : row->help);
    const char *text = row->default_text ? row->default_text : row->default_value;
    if ((text == NULL && row->env == NULL) || other)
        return;
    fprintf(file, "%-*s[", HELP_COLUMN, "");
    if (row->env != NULL)
        fprintf(file, "%s%s", row->env, text ? "; " : "");
    fprintf(file, "%s%s]\n", text ? "default: " : "", text ? text : "");
}

static void print_variable(FILE *file, const struct option_row *row)
{
    fprintf(file, "  %-36s%s", row->env, row->help);
    if (row->default_value != NULL)
        fprintf(file, " [default: %s]", row->default_value);
    fputc('\n', file);
}

static void print_options(FILE *file, enum options_command command)
{
    const struct option_row *row = options_table;
    bool scripted = command != COMMAND_LOCAL;
    fprintf(file, "\nOptions%s:\n",
            scripted ? ", which stand before SCRIPT.lua; what follows it is the script's own" : "");
    for (; row->name != NULL; row++)
        if (row->help != NULL && options_applies(row, command))
            print_option(file, row, command);
    bool variables = scripted && command != COMMAND_SIM;
    fputs(variables ? "\nVariables without an option:\n" : "", file);
    for (; row->kind != NULL; row++)
        if (options_applies(row, command))
            print_variable(file, row);
}

static void print_command(FILE *file, enum options_command command)
{
    const struct option_command *row = &options_commands[command];
    fprintf(file, "%s\n  %s\n", row->usage, row->help);
    if (command < COMMAND_CTL)
        print_options(file, command);
}

void options_usage(const struct options *options, FILE *file)
{
    if (options->command_given) {
        print_command(file, options->command);
        return;
    }
    fputs("Usage:\n", file);
    print_commands(file);
    print_options(file, COMMAND_RUN);
    fputs(
        "\nExit status: 0 if the driver was stopped; 1 if it was aborted, or the script failed for "
        "good;\n2 for wrong usage, or a script that did not load.\n"
        "\nSignals: SIGINT and SIGTERM stop the driver, as soon as running Lua code returns or "
        "waits. A second\none stops that code first, with an error that pcall cannot catch; "
        "without running code it ends the\nprocess at once, as a third one does. SIGHUP reloads "
        "the script.\n"
        "\nThe options of the simulator: mesos-lua sim --help\n"
        "\nWhere the local cluster differs from a real one is listed in spec/CONFORMANCE.md.\n",
        file);
}
