// SPDX-License-Identifier: Apache-2.0
//
// The parts of the options: see options.h. options_table.c has the rows, options_values.c the kinds
// of values, options_parse.c the command line and the environment, options_help.c what --help
// prints, options_tables.c the same for programs, and options_warn.c the warnings.

#ifndef MESOS_LUA_APP_OPTIONS_INTERNAL_H
#define MESOS_LUA_APP_OPTIONS_INTERNAL_H

#include "app/options.h"

struct option_row;

struct option_kind {
    bool is_flag; // it takes no value on the command line

    // Sets the field to the value that `text` stands for. `name` is what the user wrote it for:
    // "--agents" or "MESOS_NUM_SLAVES".
    bool (*parse)(const struct option_row *row, const char *name, const char *text, void *field,
                  struct error *err);
};

extern const struct option_kind options_flag;    // int or enum: "true" sets it to flag_value
extern const struct option_kind options_switch;  // int: 0 or 1
extern const struct option_kind options_text;    // const char *: not empty
extern const struct option_kind options_texts;   // struct options_texts: one more, not empty
extern const struct option_kind options_number;  // int64_t
extern const struct option_kind options_size;    // int64_t: bytes, "64M"
extern const struct option_kind options_seconds; // double: "2", "500ms"
extern const struct option_kind options_choice;  // enum: the index of one of the choices
extern const struct option_kind options_address; // struct options_address

struct option_row {
    const char *name; // the long name; NULL: only the environment has it
    char short_name;  // or 0
    const char *env;  // its variable, or NULL
    const struct option_kind *kind;
    const char *value_name;     // what the help calls the value
    const char *default_value;  // as a user would write it; NULL: none
    const char *default_text;   // how the help words the default; NULL: as it is
    double min, max;            // of a number, bytes or seconds
    double sim_max;             // of a number, for `mesos-lua sim`; 0: the same
    const char *const *choices; // names, ended by NULL
    int flag_value;
    size_t offset;        // of its field in struct options
    bool local;           // `mesos-lua local` has it, too
    bool executor;        // and so has `mesos-lua executor`
    bool sim;             // and so has `mesos-lua sim`
    bool only_sim;        // which alone has it
    bool once;            // a second one would look like an addition to the first
    const char *help;     // NULL: it is for programs, and no help has it
    const char *sim_help; // of `sim`, where variable and default do not hold; NULL: the same
};

// Ended by a row without a kind; rows without a name stand behind all others. If several rows set
// one field, the last one on the command line wins, and of the environment the last one here.
extern const struct option_row options_table[];
enum { OPTIONS_MOST = 100 }; // rows

struct option_command {
    const char *name, *usage, *help;
};

enum { OPTIONS_COMMANDS = COMMAND_TEST + 1 };
extern const struct option_command options_commands[OPTIONS_COMMANDS];

// Ended by NULL; "*" stands for the rest of a name that has no row. Mesos's drivers, its logging
// and its local cluster read these variables, which have no meaning here.
extern const char *const options_unused_env[];

const struct option_row *options_find(const char *name, size_t length); // by its long name
bool options_applies(const struct option_row *row, enum options_command command);

// True if it has options of its own alone, and all that follows it is its own.
bool options_own(enum options_command command);

// Sets the error of a number that is none, or is too small or too large: false.
bool options_wrong_number(const struct option_row *row, const char *name, const char *text,
                          struct error *err);

// A number, true, yes, on, false, no or off.
bool options_read_truth(const char *name, const char *text, bool *truth, struct error *err);

// NULL if it is not set, or empty.
const char *options_env_value(const char *variable);

// The older name of a variable, if it counts; or NULL.
const char *options_old_env(const char *variable);

#endif
