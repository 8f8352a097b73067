// SPDX-License-Identifier: Apache-2.0
//
// The command line: options in, exit status out.

#include "app/options.h"
#include "app/program.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/output.h"
#include "cli/ctl.h"
#include "cli/hosts.h"
#include "cli/new_files.h"
#include "cli/policy_tests.h"
#include "cli/sim_command.h"
#include "loop/inherited.h"
#include "loop/spawner.h"
#include "ops/control_commands.h"

#include <stdio.h>

static const int exit_usage = 2;

static int (*const commands[])(const struct options *options) = {
    [COMMAND_RUN] = program_run,     [COMMAND_CHECK] = program_check,
    [COMMAND_LOCAL] = program_local, [COMMAND_EXECUTOR] = program_run,
    [COMMAND_CTL] = ctl_run,         [COMMAND_PS] = hosts_print,
    [COMMAND_NEW] = new_files_write, [COMMAND_TEST] = policy_tests_run,
    [COMMAND_SIM] = sim_command_run,
};

static bool get_ready(const struct options *options, struct error *err)
{
    bool client = options->command >= COMMAND_SIM;
    bool runs = options->command != COMMAND_CHECK && !client;
    if (runs) {
        spawner_prepare();
        inherited_raise_limit();
    } else {
        spawner_decline();
    }
    if (client)
        inherited_release_signals();
    log_set_level(options->log_level);
    log_set_format(options->log_format);
    if (runs)
        output_start((size_t)options->output_limit);
    if (runs && options->log_file != NULL && !log_file_open(options->log_file, err))
        return false;
    if (!client)
        options_warn(options);
    return true;
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {0};
    if (!inherited_descriptors(&err) || !options_parse(&options, argc, argv, &err)) {
        fprintf(stderr, "mesos-lua: %s\n", err.text);
        return exit_usage;
    }
    if (options.show == SHOW_HELP) {
        if (options.command == COMMAND_CTL)
            ctl_usage(stdout);
        else
            options_usage(&options, stdout);
        return 0;
    }
    if (options.show == SHOW_VERSION) {
        puts("mesos-lua " MESOS_LUA_VERSION);
        return 0;
    }
    if (options.show == SHOW_TABLES) {
        options_tables(stdout);
        control_commands_tables(stdout);
        return 0;
    }
    if (!get_ready(&options, &err)) {
        fprintf(stderr, "mesos-lua: %s\n", err.text);
        return exit_usage;
    }
    return commands[options.command](&options);
}
