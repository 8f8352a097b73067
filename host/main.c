// SPDX-License-Identifier: Apache-2.0
//
// The command line: options in, exit status out.

#include "base/log.h"
#include "base/output.h"
#include "ctl.h"
#include "host.h"
#include "options.h"

#include <stdio.h>

static const int exit_usage = 2;

static int (*const commands[])(const struct options *options) = {
    [COMMAND_RUN] = host_run,
    [COMMAND_CHECK] = host_check,
    [COMMAND_LOCAL] = host_local,
    [COMMAND_CTL] = ctl_run,
};

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {0};
    if (!options_parse(&options, argc, argv, &err)) {
        fprintf(stderr, "mesos-lua: %s\n", err.text);
        return exit_usage;
    }
    if (options.show == SHOW_HELP) {
        options_usage(stdout);
        return 0;
    }
    if (options.show == SHOW_VERSION) {
        puts("mesos-lua " MESOS_LUA_VERSION);
        return 0;
    }
    log_set_level(options.log_level);
    log_set_format(options.log_format);
    if (options.command == COMMAND_RUN || options.command == COMMAND_LOCAL)
        output_start((size_t)options.output_limit);
    if (options.command != COMMAND_CTL)
        options_warn(&options);
    return commands[options.command](&options);
}
