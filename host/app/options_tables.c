// SPDX-License-Identifier: Apache-2.0
//
// What --tables prints: see options.h. One line a row, fields separated by tabs, none of which
// stands in a text of the tables; a field without a value is empty.

#include "app/options_internal.h"

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

static void print_commands(FILE *file)
{
    for (int i = 0; i < OPTIONS_COMMANDS; i++)
        fprintf(file, "command\t%s\t%s\t%s\n", options_commands[i].name, options_commands[i].usage,
                options_commands[i].help);
}

static void print_choices(FILE *file, const char *const *choices)
{
    for (size_t i = 0; choices != NULL && choices[i] != NULL; i++)
        fprintf(file, "%s%s", i ? "," : "", choices[i]);
}

static void print_places(FILE *file, const struct option_row *row)
{
    const char *comma = "";
    for (int i = 0; i < OPTIONS_COMMANDS; i++) {
        if (!options_applies(row, (enum options_command)i))
            continue;
        fprintf(file, "%s%s", comma, options_commands[i].name);
        comma = ",";
    }
}

static void print_option(FILE *file, const struct option_row *row)
{
    const char short_name[] = {row->short_name, '\0'};
    fprintf(file, "option\t%s\t%s\t%s\t%s\t%s\t", row->name, short_name, text_of(row->value_name),
            text_of(row->env), text_of(row->default_text ? row->default_text : row->default_value));
    print_choices(file, row->choices);
    fputc('\t', file);
    print_places(file, row);
    fprintf(file, "\t%s\n", row->help);
}

void options_tables(FILE *file)
{
    const struct option_row *row = options_table;
    print_commands(file);
    for (; row->name != NULL; row++)
        if (row->help != NULL)
            print_option(file, row);
    for (; row->kind != NULL; row++)
        fprintf(file, "variable\t%s\t%s\t%s\n", row->env, text_of(row->default_value), row->help);
}
