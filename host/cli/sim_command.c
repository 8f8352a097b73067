// SPDX-License-Identifier: Apache-2.0
//
// The simulator's options, as sim/main.lua is given them: see sim_command.h. What was not given is
// nil there.

#include "cli/sim_command.h"

#include "bindings/sim/sim_program.h"

#define TEXT(NAME, VALUE)                                                                          \
    {                                                                                              \
        .name = NAME, .kind = SIM_TEXT, .text = (VALUE)                                            \
    }
#define NUMBER(NAME, VALUE)                                                                        \
    {                                                                                              \
        .name = NAME, .kind = SIM_NUMBER, .number = (VALUE)                                        \
    }
#define WHOLE(NAME, VALUE)                                                                         \
    {                                                                                              \
        .name = NAME, .kind = SIM_WHOLE, .number = (double)(VALUE)                                 \
    }
#define TRUTH(NAME, VALUE)                                                                         \
    {                                                                                              \
        .name = NAME, .kind = SIM_TRUTH, .number = (VALUE) ? 1 : 0                                 \
    }
#define LIST(NAME, ITEMS, COUNT)                                                                   \
    {                                                                                              \
        .name = NAME, .kind = SIM_LIST, .items = (ITEMS), .count = (COUNT)                         \
    }

int sim_command_run(const struct options *options)
{
    const char *const *arguments = (const char *const *)options->argv;
    if (!options->log_given) // what a policy logs at other levels is of no use to most, and is much
        log_set_level(LOG_WARNING);
    const struct sim_value values[] = {
        TEXT("script", options->script),
        LIST("arguments", arguments, (size_t)options->argc),
        TEXT("scenario", options->scenario),
        WHOLE("agents", options->agents),
        TEXT("resources", options->resources),
        TEXT("workload", options->workload),
        TEXT("format", options->workload_format),
        WHOLE("seed", options->sim_seed),
        TEXT("seeds", options->seeds),
        LIST("set", options->set.items, options->set.count),
        TEXT("against", options->against),
        NUMBER("duration", options->duration),
        TEXT("report", options->report),
        TEXT("csv", options->csv),
        TEXT("json", options->json),
        LIST("asserts", options->asserts.items, options->asserts.count),
        TRUTH("wire", options->wire),
        NUMBER("think", options->think_time),
        WHOLE("jobs", options->sim_jobs),
        TRUTH("timing", options->timing),
        NUMBER("limit", options->sim_limit),
        NUMBER("callback_limit", options->callback_limit),
        NUMBER("load_limit", options->load_limit),
        WHOLE("memory_limit", options->memory_limit),
        TRUTH("show_log", options->log_given),
        TEXT("log_level", options->log_given ? log_level_name(options->log_level) : NULL),
        TRUTH("one_run", options->sim_run),
    };
    return sim_program_run(values, sizeof values / sizeof *values);
}
