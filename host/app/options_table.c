// SPDX-License-Identifier: Apache-2.0
//
// The table of options: see options.h. A new option is a row here and a field in struct options.

#include "app/options_internal.h"

#include "net/timeouts.h"

#include <stddef.h>
#include <string.h>

// The offset of a field. A field of another type does not compile.
#define OFFSET(TYPE, FIELD)                                                                        \
    _Generic(&((struct options *)NULL)->FIELD, TYPE * : offsetof(struct options, FIELD))

#define ROW(NAME, KIND, TYPE, FIELD, ...)                                                          \
    {                                                                                              \
        .name = NAME, .kind = &(KIND), .offset = OFFSET(TYPE, FIELD), __VA_ARGS__                  \
    }

// A flag of an int, which it sets to 1; one that sets a field of any kind of integer to VALUE.
#define OPT_FLAG(NAME, FIELD, ...) OPT_SET(NAME, int, FIELD, 1, __VA_ARGS__)
#define OPT_SET(NAME, TYPE, FIELD, VALUE, ...)                                                     \
    ROW(NAME, options_flag, TYPE, FIELD, .flag_value = (VALUE), __VA_ARGS__)

#define OPT_SWITCH(NAME, FIELD, ...) ROW(NAME, options_switch, int, FIELD, __VA_ARGS__)
#define OPT_TEXT(NAME, FIELD, VALUE_NAME, ...)                                                     \
    ROW(NAME, options_text, const char *, FIELD, .value_name = VALUE_NAME, __VA_ARGS__)
#define OPT_TEXTS(NAME, FIELD, VALUE_NAME, ...)                                                    \
    ROW(NAME, options_texts, struct options_texts, FIELD, .value_name = VALUE_NAME, __VA_ARGS__)
#define OPT_NUMBER(NAME, FIELD, DEFAULT, ...)                                                      \
    ROW(NAME, options_number, int64_t, FIELD, .default_value = DEFAULT, .value_name = "N",         \
        __VA_ARGS__)
#define OPT_SIZE(NAME, FIELD, DEFAULT, ...)                                                        \
    ROW(NAME, options_size, int64_t, FIELD, .default_value = DEFAULT, .value_name = "BYTES",       \
        __VA_ARGS__)
#define OPT_SECONDS(NAME, FIELD, DEFAULT, ...)                                                     \
    ROW(NAME, options_seconds, double, FIELD, .default_value = DEFAULT, .value_name = "S",         \
        __VA_ARGS__)
#define OPT_CHOICE(NAME, TYPE, FIELD, CHOICES, DEFAULT, ...)                                       \
    ROW(NAME, options_choice, TYPE, FIELD, .choices = (CHOICES), .default_value = DEFAULT,         \
        __VA_ARGS__)
#define OPT_ADDRESS(NAME, FIELD, ...)                                                              \
    ROW(NAME, options_address, struct options_address, FIELD, .value_name = "ADDR:PORT",           \
        __VA_ARGS__)

#define HOUR 3600.0
#define DAY (24 * HOUR)
#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const char *const levels[] = {"debug", "info", "warning", "error", "quiet", NULL};
static const char *const formats[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json", NULL};

const struct option_row options_table[] = {
    OPT_TEXT("master", master, "URL", .short_name = 'm', .env = "MESOS_MASTER",
             .default_value = "local",
             .help = "where the master is: host:port[,...], zk://..., file://..., or local[:N]"),
    OPT_SECONDS("zk-session-timeout", zk_session_timeout, "10", .min = 0.1, .max = HOUR,
                .local = true,
                .help = "seconds without ZooKeeper after which no master leads any more"),
    OPT_NUMBER("agents", agents, NULL, .default_text = "1", .min = 1, .max = 1000,
               .sim_max = 1000000, .env = "MESOS_NUM_SLAVES", .local = true, .sim = true,
               .sim_help = "agents, all alike, with --resources; instead of those of the scenario",
               .help = "agents of the local cluster, all alike"),
    OPT_TEXTS("agent", agent, "TEXT", .local = true,
              .help = "one local agent each, such as 'cpus:4;mem:1024 zone=a rack=7'"),
    OPT_TEXT("cluster", cluster, "FILE", .local = true, .once = true,
             .help = "the local cluster in Lua or JSON: agents, roles, credentials"),
    OPT_TEXT("faults", faults, "FILE", .local = true, .once = true,
             .help = "faults of the local cluster in Lua or JSON, at times or at random"),
    OPT_NUMBER("fault-seed", fault_seed, NULL, .default_text = "the file's, or 1", .min = 1,
               .max = 1e15, .local = true, .help = "what these do at random depends on it alone"),
    OPT_TEXT("resources", resources, "TEXT", .env = "MESOS_RESOURCES",
             .default_text = "this machine's", .local = true, .sim = true, .once = true,
             .sim_help = "what each of them has, such as cpus:32;mem:131072",
             .help = "resources of each local agent, such as cpus:4;mem:1024"),
    OPT_TEXT("work-dir", work_dir, "DIR", .env = "MESOS_WORK_DIR",
             .default_text = "a fresh temporary folder", .local = true,
             .help = "where the local cluster keeps its sandboxes"),
    OPT_NUMBER("keep", keep, "5", .min = 0, .max = 1000, .local = true,
               .help = "how many of the latest temporary folders are kept"),
    OPT_TEXT("containers", containers, "PROGRAM", .local = true, .default_text = "none",
             .help = "podman or docker: local tasks with an image run in its containers"),
    OPT_ADDRESS("listen", listen, .default_text = "127.0.0.1, any free port", .local = true,
                .help = "where the local cluster's master listens, for other clients too"),
    OPT_NUMBER("masters", masters, NULL, .default_text = "1", .min = 1, .max = 9, .local = true,
               .help = "masters of the local cluster: one leads, the others redirect to it"),
    OPT_TEXT("zk", zk, "ZK", .local = true,
             .help = "where these are elected and found by other clients: zk://host:port/path"),
    OPT_SECONDS("agent-timeout", agent_timeout, "75", .min = 0.01, .max = DAY, .local = true,
                .help = "seconds until a local agent that does not answer is unreachable"),
    OPT_SECONDS("executor-registration-timeout", executor_registration_timeout, "60", .min = 0.01,
                .max = DAY, .local = true,
                .help = "seconds in which an executor has to register with its local agent"),
    OPT_SECONDS("offer-timeout", offer_timeout, NULL, .min = 0.001, .max = 365 * DAY,
                .env = "MESOS_OFFER_TIMEOUT", .default_text = "never", .local = true,
                .help = "the local cluster rescinds offers that have no answer after S seconds"),
    OPT_TEXT("allow-host", allow_hosts, "NAME[,...]", .local = true,
             .help = "more names of this machine that HTTP requests to it may use"),
    OPT_SIZE("record-limit", record_limit, "64M", .min = KIB, .max = 2 * GIB, .executor = true,
             .help = "the longest event accepted from a master"),
    OPT_SECONDS("callback-warn", callback_warn, "1", .max = DAY, .executor = true,
                .help = "warn of a callback that runs for S seconds without a pause; 0: never"),
    OPT_SECONDS("callback-limit", callback_limit, NULL, .max = DAY, .default_text = "never",
                .executor = true, .sim = true,
                .sim_help = "end a run when a callback runs for S seconds of Lua code (10)",
                .help = "stop it after S seconds of Lua code, with an error that pcall cannot "
                        "catch"),
    OPT_SECONDS("offer-warn", offer_warn, "60", .max = DAY,
                .help = "warn of offers that are held S seconds without an answer; 0: never"),
    OPT_SECONDS("load-limit", load_limit, "2", .max = DAY, .executor = true, .sim = true,
                .sim_help = "stop a main chunk after S seconds (2)",
                .help = "stop a main chunk, or code from ctl, after S seconds in the same way; "
                        "0: never"),
    OPT_NUMBER("task-limit", task_limit, "1000000", .min = 1, .max = 1e8,
               .help = "the most tasks that driver:tasks() knows"),
    OPT_SIZE("memory-limit", memory_limit, NULL, .min = MIB, .max = 1024 * GIB,
             .default_text = "none", .executor = true, .sim = true,
             .help = "the most that the script may allocate; above it, it gets an error"),
    OPT_FLAG("sandbox", sandbox, .executor = true,
             .help = "give the script no files, processes, environment or C modules"),
    OPT_FLAG("allow-serve", allow_serve, .executor = true,
             .help = "let a script in the sandbox listen with mesos.serve"),
    OPT_FLAG("no-watch", no_watch, .help = "do not reload when a file of the script changes"),
    OPT_NUMBER("reload-probation", reload_probation, "10", .max = 1e9,
               .help = "roll back a new version if one of its first N callbacks raises"),
    OPT_TEXT("principal", principal, "NAME",
             .help = "the name under which the framework authenticates"),
    OPT_TEXT("secret-file", secret_file, "FILE", .help = "the principal's secret"),
    OPT_TEXT("credential", credential, "FILE", .local = true,
             .help = "principal and secret, in JSON or as two words; local requires them"),
    OPT_TEXT("token-file", token_file, "FILE", .local = true,
             .help = "a bearer token, or token=... for DC/OS; local requires it"),
    OPT_TEXT("redirect-hosts", redirect_hosts, "NAME[,...]",
             .default_text = "those of --master and ZooKeeper",
             .help = "hosts to which redirects may take credentials; *: any"),
    OPT_FLAG("tls", tls, .env = "LIBPROCESS_SSL_ENABLED", .executor = true,
             .help = "use https for masters whose address says neither http:// nor https://"),
    OPT_TEXT("ca-file", ca_file, "FILE", .env = "LIBPROCESS_SSL_CA_FILE",
             .default_text = "those of the system", .executor = true, .local = true,
             .help = "certificates of the authorities that are trusted, also for tasks' uris"),
    OPT_TEXT("ca-path", ca_path, "DIR", .env = "LIBPROCESS_SSL_CA_DIR", .executor = true,
             .help = "the same in a folder, prepared with openssl rehash"),
    OPT_TEXT("cert", cert, "FILE", .env = "LIBPROCESS_SSL_CERT_FILE", .executor = true,
             .help = "certificate of the framework, for masters that require one"),
    OPT_TEXT("key", key, "FILE", .env = "LIBPROCESS_SSL_KEY_FILE",
             .default_text = "in the file of --cert", .executor = true, .help = "its private key"),
    OPT_SET("insecure", int, verify, 0, .executor = true,
            .help = "do not verify the master's certificate"),
    OPT_SECONDS("registration-backoff", registration_backoff, "2", .min = 0.001, .max = DAY,
                .env = "MESOS_REGISTRATION_BACKOFF_FACTOR",
                .help = "the longest backoff before the first retry; doubled by each, up to 60s"),
    OPT_SECONDS("connect-timeout", connect_timeout, TIMEOUT_TEXT(TIMEOUT_CONNECT), .min = 0.001,
                .max = DAY, .executor = true,
                .help = "how long to wait for a connection to the master"),
    OPT_SECONDS("answer-timeout", answer_timeout, TIMEOUT_TEXT(TIMEOUT_ANSWER), .min = 0.001,
                .max = DAY, .executor = true, .help = "how long to wait for the answer to a call"),
    OPT_NUMBER("call-window", call_window, "256", .min = 1, .max = 65536, .executor = true,
               .help = "calls sent ahead of their answers; 1 for proxies that reorder these"),
    OPT_TEXT("state", state, "FILE",
             .help = "keep the framework id and mesos.state in FILE, over restarts"),
    OPT_TEXT("elect", elect, "ZK",
             .help = "lead, or wait to lead, among all with the same zk://host:port/path"),
    OPT_TEXT("control", control, "PATH", .local = true,
             .default_text = "mesos-lua/PID.sock in XDG_RUNTIME_DIR",
             .help = "the socket for mesos-lua ctl"),
    OPT_ADDRESS("metrics", metrics,
                .help = "serve /metrics for Prometheus and /status in JSON over HTTP"),
    OPT_CHOICE("log-level", enum log_level, log_level, levels, "info", .value_name = "LEVEL",
               .env = "MESOS_LOGGING_LEVEL", .local = true, .executor = true, .sim = true,
               .sim_help =
                   "show the log on stderr, in virtual time: debug, info, warning, error or quiet",
               .help = "what to log on stderr: debug, info, warning, error or quiet"),
    OPT_SET("verbose", enum log_level, log_level, LOG_DEBUG, .short_name = 'v', .env = "GLOG_v",
            .local = true, .executor = true, .sim = true, .help = "the same as --log-level debug"),
    OPT_SET("quiet", enum log_level, log_level, LOG_QUIET, .short_name = 'q', .env = "MESOS_QUIET",
            .local = true, .executor = true, .sim = true, .help = "the same as --log-level quiet"),
    OPT_CHOICE("log-format", enum log_format, log_format, formats, "text", .value_name = "FORMAT",
               .local = true, .executor = true,
               .help = "how to log on stderr: text, or json, an object a line"),
    OPT_TEXT("log-file", log_file, "FILE", .default_text = "stderr", .local = true,
             .executor = true,
             .help = "append the log to FILE, with dates; ctl log-reopen opens it anew"),
    OPT_SIZE("output-limit", output_limit, "16M", .min = 64 * KIB, .max = 1024 * GIB, .local = true,
             .executor = true,
             .help = "the most output of the script that is queued for a slow reader"),
    OPT_TEXT("scenario", scenario, "FILE", .only_sim = true, .once = true,
             .help = "the world in Lua: agents, workload, run times, faults, stubs"),
    OPT_TEXT("workload", workload, "FILE", .only_sim = true, .once = true,
             .help = "the jobs: JSON lines, CSV with a header, or a public trace"),
    OPT_TEXT("format", workload_format, "NAME", .only_sim = true,
             .default_text = "by the ending of the file",
             .help = "of the workload: json, csv, cook, openb, google2011, google2019 or swf"),
    OPT_NUMBER("seed", sim_seed, "1", .min = 1, .max = 1e15, .only_sim = true,
               .help = "what is random in a run follows from it alone"),
    OPT_TEXT("seeds", seeds, "A..B", .only_sim = true, .once = true,
             .help = "one run for each seed, and intervals over them"),
    OPT_TEXTS("set", set, "NAME=VALUE[,...]", .only_sim = true,
              .help = "what the scenario reads as sim.set.NAME; of several values: a run for each"),
    OPT_TEXT("against", against, "OTHER.lua", .only_sim = true, .once = true,
             .help = "another policy for the same worlds, and how they differ"),
    ROW("duration", options_seconds, double, duration, .value_name = "T", .min = 0.001,
        .max = 36500 * DAY, .only_sim = true, .default_text = "until all jobs have ended",
        .help = "virtual time, such as 90s, 2h or 30d"),
    OPT_TEXT("report", report, "FILE.html", .only_sim = true, .help = "write one page about it"),
    OPT_TEXT("csv", csv, "DIR", .only_sim = true, .help = "write series and jobs as tables"),
    OPT_TEXT("json", json, "FILE", .only_sim = true, .help = "write the results; -: to stdout"),
    OPT_TEXTS("assert", asserts, "EXPR", .only_sim = true,
              .help = "such as 'wait.p95 < 30'; exit status 3 if one does not hold"),
    OPT_FLAG("wire", wire, .only_sim = true,
             .help = "pack and frame every event and call as over a connection"),
    ROW("think-time", options_seconds, double, think_time, .value_name = "F", .max = 1e6,
        .only_sim = true, .default_text = "0: callbacks take no virtual time",
        .help = "a callback takes so many times its real time of virtual time"),
    OPT_NUMBER("jobs", sim_jobs, NULL, .min = 1, .max = 1024, .only_sim = true,
               .default_text = "the processors", .help = "runs at a time"),
    OPT_FLAG("timing", timing, .only_sim = true,
             .help = "put the real time of callbacks into the files, which differs each time"),
    OPT_SECONDS("time-limit", sim_limit, NULL, .max = 365 * DAY, .only_sim = true,
                .default_text = "none", .help = "end a run after S seconds of real time"),
    OPT_FLAG("one-run", sim_run, .only_sim = true),
    OPT_SET("help", enum options_show, show, SHOW_HELP, .short_name = 'h', .local = true,
            .executor = true, .sim = true, .help = "print this and exit"),
    OPT_SET("version", enum options_show, show, SHOW_VERSION, .local = true, .executor = true,
            .sim = true, .help = "print the version and exit"),
    OPT_SET("tables", enum options_show, show, SHOW_TABLES, .local = true, .executor = true,
            .sim = true),

    // Of the environment only.
    OPT_SWITCH(NULL, verify, .env = "LIBPROCESS_SSL_VERIFY_CERT", .executor = true,
               .help = "an older name of the next"),
    OPT_SWITCH(NULL, verify, .env = "LIBPROCESS_SSL_VERIFY_SERVER_CERT", .default_value = "true",
               .executor = true, .help = "false is --insecure"),
    OPT_NUMBER(NULL, verification_depth, NULL, .max = 100,
               .env = "LIBPROCESS_SSL_VERIFICATION_DEPTH", .executor = true,
               .help = "the most authorities between a master and a trusted one"),
    OPT_TEXT(NULL, ciphers, "ciphers", .env = "LIBPROCESS_SSL_CIPHERS", .executor = true,
             .help = "for TLS 1.2, as OpenSSL writes them"),
    OPT_TEXT(NULL, curves, "curves", .env = "LIBPROCESS_SSL_ECDH_CURVES", .executor = true,
             .help = "as OpenSSL writes them, or auto"),
    OPT_SWITCH(NULL, tls_1_2, .env = "LIBPROCESS_SSL_ENABLE_TLS_V1_2", .default_value = "true",
               .executor = true, .help = "false refuses it"),
    OPT_SWITCH(NULL, tls_1_3, .env = "LIBPROCESS_SSL_ENABLE_TLS_V1_3", .default_value = "true",
               .executor = true, .help = "false refuses it"),
    {.kind = NULL},
};

_Static_assert(sizeof options_table / sizeof *options_table <= OPTIONS_MOST, "too many options");

const char *const options_unused_env[] = {
    "MESOS_MODULES",
    "MESOS_MODULES_DIR",
    "MESOS_AUTHENTICATEE",
    "MESOS_AUTHENTICATION_*",
    "MESOS_HTTP_AUTHENTICATEE",
    "MESOS_CONNECTION_DELAY_MAX",
    "MESOS_LOG_DIR",
    "MESOS_LOGBUFSECS",
    "MESOS_INITIALIZE_DRIVER_LOGGING",
    "MESOS_EXTERNAL_LOG_FILE",
    "MESOS_ISOLATION",
    "MESOS_LAUNCHER",
    "MESOS_ROLES",
    "MESOS_ATTRIBUTES",
    "MESOS_ACLS",
    "MESOS_AUTHENTICATE_*",
    "MESOS_EXAMPLE_*",
    "MESOS_EXPLICIT_ACKNOWLEDGEMENTS",
    "MESOS_API_VERSION",
    "GLOG_*",
    "LIBPROCESS_*",
    NULL,
};

const struct option_command options_commands[OPTIONS_COMMANDS] = {
    [COMMAND_RUN] = {"run", "mesos-lua [run] [options] SCRIPT.lua [ARG...]", "run a framework"},
    [COMMAND_CHECK] = {"check", "mesos-lua check [options] SCRIPT.lua [ARG...]",
                       "load it and report errors, without a connection"},
    [COMMAND_LOCAL] = {"local", "mesos-lua local [options]",
                       "a local cluster, for any Mesos client"},
    [COMMAND_EXECUTOR] = {"executor", "mesos-lua executor [options] SCRIPT.lua [ARG...]",
                          "a custom executor, started by an agent"},
    [COMMAND_SIM] = {"sim", "mesos-lua sim [options] SCRIPT.lua [ARG...]",
                     "run it in virtual time, on a simulated cluster"},
    [COMMAND_CTL] = {"ctl", "mesos-lua ctl TARGET COMMAND [ARG...]",
                     "talk to a running host; ctl --help lists how"},
    [COMMAND_PS] = {"ps", "mesos-lua ps", "list the running hosts of this user"},
    [COMMAND_NEW] = {"new", "mesos-lua new NAME [--kind KIND]",
                     "a script with its tests, to start from"},
    [COMMAND_TEST] = {"test", "mesos-lua test [FILE...]",
                      "tests of policies: busted, with its own options"},
};

const struct option_row *options_find(const char *name, size_t length)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if (strlen(row->name) == length && memcmp(row->name, name, length) == 0)
            return row;
    return NULL;
}

bool options_applies(const struct option_row *row, enum options_command command)
{
    if (command == COMMAND_SIM || row->only_sim)
        return command == COMMAND_SIM && (row->sim || row->only_sim);
    if (command == COMMAND_EXECUTOR)
        return row->executor;
    return command == COMMAND_LOCAL ? row->local : command < COMMAND_CTL;
}

bool options_own(enum options_command command)
{
    return command == COMMAND_NEW || command == COMMAND_TEST;
}
