// SPDX-License-Identifier: Apache-2.0
//
// The command line: options in, exit status out.

#include "base/log.h"
#include "host.h"
#include "options.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {0};
    if (!options_parse(&options, argc, argv, &err)) {
        fprintf(stderr, "mesos-lua: %s\n", err.text);
        return 2;
    }
    return 0;
}
