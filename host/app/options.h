// SPDX-License-Identifier: Apache-2.0
//
// The command line: one table of rows is the source of the parsing, the defaults, the environment
// variables, the errors and the help. The command line wins over the environment, the environment
// over the default; an empty environment variable counts as unset.

#ifndef MESOS_LUA_APP_OPTIONS_H
#define MESOS_LUA_APP_OPTIONS_H

#include "base/error.h"
#include "base/log.h"

#include <stdint.h>
#include <stdio.h>

enum options_command {
    COMMAND_RUN,
    COMMAND_CHECK,
    COMMAND_LOCAL,
    COMMAND_EXECUTOR,
    COMMAND_SIM,
    COMMAND_CTL,
    COMMAND_PS,
    COMMAND_NEW,
    COMMAND_TEST
};
enum options_show { SHOW_NOTHING, SHOW_HELP, SHOW_VERSION, SHOW_TABLES };

// Where to listen. The host of "[::1]:80" is "::1". Port 0: any free port.
struct options_address {
    char host[256];
    uint16_t port;
};

// The values of an option that may be given several times.
enum { OPTIONS_TEXTS_MOST = 64 };
struct options_texts {
    const char *items[OPTIONS_TEXTS_MOST];
    size_t count;
};

// Texts point into argv, the environment or the table and are not owned.
struct options {
    enum options_command command;
    enum options_show show; // print that and exit; nothing else was checked then
    bool command_given;     // and not left out, which is `run`
    const char *script;     // NULL for `local`, `ctl`, `ps`, `new` and `test`
    int argc;               // the script's own arguments, or all of `ctl`, `new` and `test`
    char *const *argv;
    bool arguments_marked; // "--" stood in front of the script

    const char *master;
    double zk_session_timeout;     // seconds
    int64_t agents;                // 0: not given
    struct options_texts agent;    // descriptions, each of one agent
    const char *cluster;           // file that describes the local cluster, or NULL
    const char *resources;         // NULL: this machine's
    const char *work_dir;          // NULL: a fresh temporary folder
    int64_t keep;                  // how many of those stay
    struct options_address listen; // host "": not given
    const char *containers;        // "podman", "docker" or a path; NULL: tasks have no images
    const char *allow_hosts;       // more host names of our servers, "a,b"; or NULL
    const char *redirect_hosts;    // where redirects may take credentials, "a,b" or "*"; or NULL
    const char *faults;            // a file, or NULL
    int64_t fault_seed;            // 0: not given
    const char *zk;                // zk://host/path, or NULL
    int64_t masters;               // 0: not given
    double agent_timeout;          // seconds
    double executor_registration_timeout;                          // seconds
    double offer_timeout;                                          // seconds; 0: never
    int no_watch;                                                  // 1: reload only when asked
    int64_t reload_probation;                                      // callbacks
    int64_t record_limit;                                          // bytes
    double registration_backoff, connect_timeout, answer_timeout;  // seconds
    int64_t call_window;                                           // calls
    const char *principal, *secret_file, *credential, *token_file; // each may be NULL
    int tls, verify, tls_1_2, tls_1_3;                             // 0 or 1
    const char *ca_file, *ca_path, *cert, *key, *ciphers, *curves; // each may be NULL
    int64_t verification_depth;                                    // 0: any
    const char *elect;                    // zk:// address, or NULL: there is no election
    const char *state;                    // file, or NULL: nothing is kept
    const char *control;                  // NULL: the default path
    struct options_address metrics;       // host "": none
    double callback_warn, callback_limit; // seconds; 0: none
    double load_limit;                    // seconds; 0: none
    double offer_warn;                    // seconds; 0: never
    int64_t task_limit;                   // tasks
    int64_t memory_limit;                 // bytes; 0: none
    int sandbox, allow_serve;
    enum log_level log_level;
    enum log_format log_format;
    const char *log_file; // NULL: stderr
    int64_t output_limit; // bytes of output that wait for a reader

    // Of `sim`; a text that was not given is NULL.
    const char *scenario, *workload, *workload_format, *seeds, *against;
    struct options_texts set, asserts;
    int64_t sim_seed, sim_jobs;             // sim_jobs 0: not given
    double duration, think_time, sim_limit; // seconds, the second a factor; 0: none
    const char *report, *csv, *json;
    int wire, timing, sim_run; // sim_run: it is one run of several, for the program
    bool log_given;            // the level of the log was given, here or by the environment
};

// Fills `options` from the arguments (argv[0] is the program) and the environment. On failure `err`
// is one line for stderr.
bool options_parse(struct options *options, int argc, char *const *argv, struct error *err);

// For embedders: the defaults of `run`, with the environment's values on request; then one option
// by its long name. The value of a flag is "true", "false" or NULL, which is true; texts point into
// what was given. Help and version are refused: they are for the command line only.
bool options_init(struct options *options, bool environment, struct error *err);
bool options_set(struct options *options, const char *name, const char *value, struct error *err);

// What --help prints: about the command that was given, or about all.
void options_usage(const struct options *options, FILE *file);

// What --tables prints, for programs: options and commands, from which man pages and completion are
// made (host/package/documents.lua).
void options_tables(FILE *file);

// Warns of environment variables that Mesos's own drivers read and this program does not, of
// deprecated names, and of options that stand behind the script. Logs once.
void options_warn(const struct options *options);

// The source of the address of the master: "--master" or "MESOS_MASTER".
const char *options_master_name(const struct options *options);

#endif
