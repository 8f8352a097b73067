// SPDX-License-Identifier: Apache-2.0
//
// The table of options and what is made of it: see options.h. A new option is a row here and a
// field in struct options.

#include "app/options.h"

#include "base/bytes.h"
#include "base/suggest.h"
#include "net/timeouts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum option_kind {
    KIND_FLAG,
    KIND_SWITCH,
    KIND_TEXT,
    KIND_NUMBER,
    KIND_SIZE,
    KIND_CHOICE,
    KIND_ADDRESS,
    KIND_FILE,
    KIND_SECONDS,
};

enum { IN_RUN = 1 << COMMAND_RUN, IN_CHECK = 1 << COMMAND_CHECK, IN_LOCAL = 1 << COMMAND_LOCAL };
enum { IN_SCRIPTS = IN_RUN | IN_CHECK, IN_CLUSTERS = IN_SCRIPTS | IN_LOCAL, IN_ALL = IN_CLUSTERS };

struct option_row {
    const char *name;
    char brief; // the short name, or 0
    const char *variable;
    enum option_kind kind;
    const char *initial; // the default, in the form in which it is given; NULL: none
    const char *value;   // what the help calls the value
    const char *help;
    const char *const *words; // of a choice, whose field is set to the number of the word
    size_t offset;            // of its field in struct options
    int64_t least, most;      // numbers, sizes, milliseconds; a flag sets its field to `least`
    const char *shown;        // how the help words the default; NULL: as it is
    unsigned commands;
    bool once; // a second one would look like an addition to the first
};

static const char *const levels[] = {"debug", "info", "warning", "error", "quiet", NULL};
static const char *const formats[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json", NULL};

#define FIELD(name) offsetof(struct options, name)

// Of rows with the same field the last one given counts; in the environment the last one here.
static const struct option_row rows[] = {
    {.name = "master",
     .brief = 'm',
     .variable = "MESOS_MASTER",
     .kind = KIND_TEXT,
     .initial = "local",
     .value = "URL",
     .offset = FIELD(master),
     .commands = IN_SCRIPTS,
     .help = "where the master is: host:port[,...], zk://..., file://..., or local[:N]"},
    {.name = "zk-session-timeout",
     .kind = KIND_SECONDS,
     .initial = "10",
     .value = "S",
     .offset = FIELD(zk_session_timeout),
     .least = 100,
     .most = 3600 * 1000,
     .commands = IN_SCRIPTS,
     .help = "seconds without ZooKeeper until no master leads any more"},
    {.name = "agents",
     .variable = "MESOS_NUM_SLAVES",
     .kind = KIND_NUMBER,
     .initial = "1",
     .value = "N",
     .offset = FIELD(agents),
     .least = 1,
     .most = 1000,
     .commands = IN_CLUSTERS,
     .help = "agents of the local cluster"},
    {.name = "resources",
     .variable = "MESOS_RESOURCES",
     .kind = KIND_TEXT,
     .value = "TEXT",
     .offset = FIELD(resources),
     .commands = IN_CLUSTERS,
     .once = true,
     .shown = "this machine's",
     .help = "resources of each local agent, such as cpus:4;mem:1024"},
    {.name = "work-dir",
     .variable = "MESOS_WORK_DIR",
     .kind = KIND_FILE,
     .value = "DIR",
     .offset = FIELD(work_dir),
     .commands = IN_CLUSTERS,
     .shown = "a fresh temporary folder",
     .help = "where the local cluster keeps its sandboxes"},
    {.name = "listen",
     .kind = KIND_ADDRESS,
     .value = "ADDR:PORT",
     .offset = FIELD(listen),
     .commands = IN_CLUSTERS,
     .shown = "127.0.0.1, any free port",
     .help = "where the local cluster's master listens, for other clients too"},
    {.name = "offer-timeout",
     .variable = "MESOS_OFFER_TIMEOUT",
     .kind = KIND_SECONDS,
     .value = "S",
     .offset = FIELD(offer_timeout),
     .least = 1,
     .most = INT64_C(365) * 24 * 3600 * 1000,
     .commands = IN_CLUSTERS,
     .shown = "never",
     .help = "the local cluster takes offers back that have no answer after S seconds"},
    {.name = "allow-host",
     .kind = KIND_TEXT,
     .value = "NAME[,...]",
     .offset = FIELD(allow_hosts),
     .commands = IN_CLUSTERS,
     .help = "more names of this machine that HTTP requests to it may use"},
    {.name = "record-limit",
     .kind = KIND_SIZE,
     .initial = "64M",
     .value = "BYTES",
     .offset = FIELD(record_limit),
     .least = 1024,
     .most = INT64_C(2) << 30,
     .commands = IN_SCRIPTS,
     .help = "the longest event taken from a master"},
    {.name = "callback-warn",
     .kind = KIND_SECONDS,
     .initial = "1",
     .value = "S",
     .offset = FIELD(callback_warn),
     .most = 86400000,
     .commands = IN_SCRIPTS,
     .help = "name a callback that runs longer than S seconds without a pause; 0: never"},
    {.name = "callback-limit",
     .kind = KIND_SECONDS,
     .value = "S",
     .offset = FIELD(callback_limit),
     .most = 86400000,
     .commands = IN_SCRIPTS,
     .shown = "never",
     .help = "stop it after S seconds, in Lua code, with an error that nothing catches"},
    {.name = "offer-warn",
     .kind = KIND_SECONDS,
     .initial = "60",
     .value = "S",
     .offset = FIELD(offer_warn),
     .most = 86400000,
     .commands = IN_SCRIPTS,
     .help = "point out offers that are held S seconds without an answer; 0: never"},
    {.name = "load-limit",
     .kind = KIND_SECONDS,
     .initial = "2",
     .value = "S",
     .offset = FIELD(load_limit),
     .most = 86400000,
     .commands = IN_SCRIPTS,
     .help = "stop a main chunk, or what ctl runs, after S seconds in the same way; 0: never"},
    {.name = "task-limit",
     .kind = KIND_NUMBER,
     .initial = "1000000",
     .value = "N",
     .offset = FIELD(task_limit),
     .least = 1,
     .most = 100000000,
     .commands = IN_SCRIPTS,
     .help = "tasks that driver:tasks() knows at most"},
    {.name = "memory-limit",
     .kind = KIND_SIZE,
     .value = "BYTES",
     .offset = FIELD(memory_limit),
     .least = 1 << 20,
     .most = INT64_C(1) << 40,
     .commands = IN_SCRIPTS,
     .shown = "none",
     .help = "the most that the script may allocate; above it, it gets an error"},
    {.name = "sandbox",
     .kind = KIND_FLAG,
     .offset = FIELD(sandbox),
     .least = 1,
     .commands = IN_SCRIPTS,
     .help = "give the script no files, processes, environment or C modules"},
    {.name = "no-watch",
     .kind = KIND_FLAG,
     .offset = FIELD(no_watch),
     .least = 1,
     .commands = IN_SCRIPTS,
     .help = "do not reload when a file of the script changes"},
    {.name = "reload-probation",
     .kind = KIND_NUMBER,
     .initial = "10",
     .value = "N",
     .offset = FIELD(reload_probation),
     .least = 0,
     .most = 1000000000,
     .commands = IN_SCRIPTS,
     .help = "take a new version back if one of its first N callbacks raises"},
    {.name = "principal",
     .kind = KIND_TEXT,
     .value = "NAME",
     .offset = FIELD(principal),
     .commands = IN_SCRIPTS,
     .help = "who the framework is to the master"},
    {.name = "secret-file",
     .kind = KIND_FILE,
     .value = "FILE",
     .offset = FIELD(secret_file),
     .commands = IN_SCRIPTS,
     .help = "the principal's secret"},
    {.name = "credential",
     .kind = KIND_FILE,
     .value = "FILE",
     .offset = FIELD(credential),
     .commands = IN_CLUSTERS,
     .help = "principal and secret, in JSON or as two words; local asks for them"},
    {.name = "token-file",
     .kind = KIND_FILE,
     .value = "FILE",
     .offset = FIELD(token_file),
     .commands = IN_CLUSTERS,
     .help = "a bearer token, or token=... for DC/OS; local asks for it"},
    {.name = "redirect-hosts",
     .kind = KIND_TEXT,
     .value = "NAME[,...]",
     .offset = FIELD(redirect_hosts),
     .commands = IN_SCRIPTS,
     .shown = "those of --master and ZooKeeper",
     .help = "hosts to which redirects may take credentials; *: any"},
    {.name = "tls",
     .variable = "LIBPROCESS_SSL_ENABLED",
     .kind = KIND_FLAG,
     .offset = FIELD(tls),
     .least = 1,
     .commands = IN_SCRIPTS,
     .help = "masters whose address says neither http:// nor https:// speak https"},
    {.name = "ca-file",
     .variable = "LIBPROCESS_SSL_CA_FILE",
     .kind = KIND_FILE,
     .value = "FILE",
     .offset = FIELD(ca_file),
     .commands = IN_SCRIPTS,
     .shown = "those of the system",
     .help = "certificates of the authorities that are trusted"},
    {.name = "ca-path",
     .variable = "LIBPROCESS_SSL_CA_DIR",
     .kind = KIND_FILE,
     .value = "DIR",
     .offset = FIELD(ca_path),
     .commands = IN_SCRIPTS,
     .help = "the same in a folder, prepared with openssl rehash"},
    {.name = "cert",
     .variable = "LIBPROCESS_SSL_CERT_FILE",
     .kind = KIND_FILE,
     .value = "FILE",
     .offset = FIELD(cert),
     .commands = IN_SCRIPTS,
     .help = "certificate of the framework, for masters that want one"},
    {.name = "key",
     .variable = "LIBPROCESS_SSL_KEY_FILE",
     .kind = KIND_FILE,
     .value = "FILE",
     .offset = FIELD(key),
     .commands = IN_SCRIPTS,
     .shown = "in the file of --cert",
     .help = "its private key"},
    {.name = "insecure",
     .kind = KIND_FLAG,
     .offset = FIELD(verify),
     .least = 0,
     .commands = IN_SCRIPTS,
     .help = "do not verify the master's certificate"},
    {.name = "registration-backoff",
     .variable = "MESOS_REGISTRATION_BACKOFF_FACTOR",
     .kind = KIND_SECONDS,
     .initial = "2",
     .value = "S",
     .offset = FIELD(registration_backoff),
     .least = 1,
     .most = 24 * 3600 * 1000,
     .commands = IN_SCRIPTS,
     .help = "the longest wait before the first retry; doubled by each, up to 60s"},
    {.name = "connect-timeout",
     .kind = KIND_SECONDS,
     .initial = TIMEOUT_TEXT(TIMEOUT_CONNECT),
     .value = "S",
     .offset = FIELD(connect_timeout),
     .least = 1,
     .most = 24 * 3600 * 1000,
     .commands = IN_SCRIPTS,
     .help = "how long to wait for a connection to the master"},
    {.name = "answer-timeout",
     .kind = KIND_SECONDS,
     .initial = TIMEOUT_TEXT(TIMEOUT_ANSWER),
     .value = "S",
     .offset = FIELD(answer_timeout),
     .least = 1,
     .most = 24 * 3600 * 1000,
     .commands = IN_SCRIPTS,
     .help = "how long to wait for the answer to a call"},
    {.name = "call-window",
     .kind = KIND_NUMBER,
     .initial = "256",
     .value = "N",
     .offset = FIELD(call_window),
     .least = 1,
     .most = 65536,
     .commands = IN_SCRIPTS,
     .help = "calls sent ahead of their answers; 1 for proxies that mix these up"},
    {.name = "state",
     .kind = KIND_FILE,
     .value = "FILE",
     .offset = FIELD(state),
     .commands = IN_SCRIPTS,
     .help = "keep the framework id and mesos.state in FILE, over restarts"},
    {.name = "elect",
     .kind = KIND_TEXT,
     .value = "ZK",
     .offset = FIELD(elect),
     .commands = IN_SCRIPTS,
     .help = "lead, or wait to, among all with the same zk://host:port/path"},
    {.name = "control",
     .kind = KIND_FILE,
     .value = "PATH",
     .offset = FIELD(control),
     .commands = IN_ALL,
     .shown = "mesos-lua/PID.sock in XDG_RUNTIME_DIR",
     .help = "the socket for mesos-lua ctl"},
    {.name = "metrics",
     .kind = KIND_ADDRESS,
     .value = "ADDR:PORT",
     .offset = FIELD(metrics),
     .commands = IN_SCRIPTS,
     .help = "serve /metrics for Prometheus and /status in JSON over HTTP"},
    {.name = "log-level",
     .variable = "MESOS_LOGGING_LEVEL",
     .kind = KIND_CHOICE,
     .words = levels,
     .initial = "info",
     .value = "LEVEL",
     .offset = FIELD(log_level),
     .commands = IN_ALL,
     .help = "what to log on stderr: debug, info, warning, error or quiet"},
    {.name = "verbose",
     .brief = 'v',
     .variable = "GLOG_v",
     .kind = KIND_FLAG,
     .offset = FIELD(log_level),
     .least = LOG_DEBUG,
     .commands = IN_ALL,
     .help = "the same as --log-level debug"},
    {.name = "quiet",
     .brief = 'q',
     .variable = "MESOS_QUIET",
     .kind = KIND_FLAG,
     .offset = FIELD(log_level),
     .least = LOG_QUIET,
     .commands = IN_ALL,
     .help = "the same as --log-level quiet"},
    {.name = "log-format",
     .kind = KIND_CHOICE,
     .words = formats,
     .initial = "text",
     .value = "FORMAT",
     .offset = FIELD(log_format),
     .commands = IN_ALL,
     .help = "how to log on stderr: text, or json, an object a line"},
    {.name = "output-limit",
     .kind = KIND_SIZE,
     .initial = "16M",
     .value = "BYTES",
     .offset = FIELD(output_limit),
     .least = 64 << 10,
     .most = INT64_C(1) << 40,
     .commands = IN_ALL,
     .help = "what the script prints waits up to this while its reader does not read"},
    {.name = "help",
     .brief = 'h',
     .kind = KIND_FLAG,
     .offset = FIELD(show),
     .least = SHOW_HELP,
     .commands = IN_ALL,
     .help = "print this and end"},
    {.name = "version",
     .kind = KIND_FLAG,
     .offset = FIELD(show),
     .least = SHOW_VERSION,
     .commands = IN_ALL,
     .help = "print the version and end"},
};

enum { ROWS = sizeof rows / sizeof *rows };

// What only the environment says.
static const struct option_row variables[] = {
    {.variable = "LIBPROCESS_SSL_VERIFY_CERT",
     .kind = KIND_SWITCH,
     .offset = FIELD(verify),
     .commands = IN_SCRIPTS,
     .help = "an older name of the next"},
    {.variable = "LIBPROCESS_SSL_VERIFY_SERVER_CERT",
     .kind = KIND_SWITCH,
     .offset = FIELD(verify),
     .initial = "true",
     .commands = IN_SCRIPTS,
     .help = "false is --insecure"},
    {.variable = "LIBPROCESS_SSL_VERIFICATION_DEPTH",
     .kind = KIND_NUMBER,
     .offset = FIELD(verification_depth),
     .most = 100,
     .commands = IN_SCRIPTS,
     .help = "the most authorities between a master and a trusted one"},
    {.variable = "LIBPROCESS_SSL_CIPHERS",
     .kind = KIND_TEXT,
     .value = "ciphers",
     .offset = FIELD(ciphers),
     .commands = IN_SCRIPTS,
     .help = "for TLS 1.2, in the words of OpenSSL"},
    {.variable = "LIBPROCESS_SSL_ECDH_CURVES",
     .kind = KIND_TEXT,
     .value = "curves",
     .offset = FIELD(curves),
     .commands = IN_SCRIPTS,
     .help = "in the words of OpenSSL, or auto"},
    {.variable = "LIBPROCESS_SSL_ENABLE_TLS_V1_2",
     .kind = KIND_SWITCH,
     .offset = FIELD(tls_1_2),
     .initial = "true",
     .commands = IN_SCRIPTS,
     .help = "false refuses it"},
    {.variable = "LIBPROCESS_SSL_ENABLE_TLS_V1_3",
     .kind = KIND_SWITCH,
     .offset = FIELD(tls_1_3),
     .initial = "true",
     .commands = IN_SCRIPTS,
     .help = "false refuses it"},
};

enum { VARIABLES = sizeof variables / sizeof *variables };

// Looked at by Mesos's drivers, its logging and its local cluster, and without meaning here; "*"
// stands for any rest that is not in the tables above.
static const char *const unused[] = {
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
};

static const struct {
    const char *name, *usage, *help;
} commands[] = {
    [COMMAND_RUN] = {"run", "mesos-lua [run] [options] SCRIPT.lua [ARG...]", "run a framework"},
    [COMMAND_CHECK] = {"check", "mesos-lua check [options] SCRIPT.lua [ARG...]",
                       "load it, report errors, contact nobody"},
    [COMMAND_LOCAL] = {"local", "mesos-lua local [options]",
                       "a local cluster, for any Mesos client"},
    [COMMAND_CTL] = {"ctl", "mesos-lua ctl TARGET COMMAND [ARG...]",
                     "talk to a running framework; ctl PID help lists the commands"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

// ---- values ----

// `name` is what the user wrote the value for: "--agents" or "MESOS_NUM_SLAVES".
typedef bool (*read_value)(const struct option_row *row, const char *name, const char *value,
                           void *field, struct error *err);

static bool read_truth(const char *name, const char *value, bool *truth, struct error *err)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    enum { OFF_WORDS = 3, WORDS = 6 };
    size_t word = 0;
    while (word < WORDS && strcasecmp(words[word], value) != 0)
        word++;
    bool number = *value != '\0' && strspn(value, "0123456789") == strlen(value);
    if (word == WORDS && !number)
        return error_set(err, ERROR_INVALID, "%s: a number, true or false expected, got '%s'", name,
                         value);
    *truth = number ? strspn(value, "0") < strlen(value) : word >= OFF_WORDS;
    return true;
}

static bool read_flag(const struct option_row *row, const char *name, const char *value,
                      void *field, struct error *err)
{
    bool on;
    if (!read_truth(name, value, &on, err))
        return false;
    if (on)
        *(int *)field = (int)row->least;
    return true;
}

static bool read_switch(const struct option_row *row, const char *name, const char *value,
                        void *field, struct error *err)
{
    (void)row;
    bool on;
    if (!read_truth(name, value, &on, err))
        return false;
    *(int *)field = on;
    return true;
}

static bool read_text(const struct option_row *row, const char *name, const char *value,
                      void *field, struct error *err)
{
    if (*value == '\0')
        return error_set(err, ERROR_INVALID, "%s: %s expected, got ''", name, row->value);
    *(const char **)field = value;
    return true;
}

static bool parse_number(const char *text, int64_t *number, const char **rest)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoll(text, &end, 10);
    *rest = end;
    return errno == 0;
}

static bool read_number(const struct option_row *row, const char *name, const char *value,
                        void *field, struct error *err)
{
    int64_t number;
    const char *rest;
    if (!parse_number(value, &number, &rest) || *rest != '\0' || number < row->least ||
        number > row->most)
        return error_set(err, ERROR_INVALID,
                         "%s: a whole number from %" PRId64 " to %" PRId64 " expected, got '%s'",
                         name, row->least, row->most, value);
    *(int64_t *)field = number;
    return true;
}

// "2", "500ms", "2secs": seconds, unless a unit stands behind, in Mesos's words or shorter.
static bool parse_time(const char *text, double *seconds)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {
        {"", 1},       {"s", 1},        {"secs", 1},       {"ms", 0.001}, {"us", 1e-6},
        {"ns", 1e-9},  {"m", 60},       {"h", 3600},       {"d", 86400},  {"mins", 60},
        {"hrs", 3600}, {"days", 86400}, {"weeks", 604800},
    };
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        *seconds = number * units[i].seconds;
        if (strcmp(units[i].name, end) == 0)
            return true;
    }
    return false;
}

static bool read_seconds(const struct option_row *row, const char *name, const char *value,
                         void *field, struct error *err)
{
    double seconds = 0;
    bool valid = parse_time(value, &seconds);
    if (!valid || !(seconds * 1000 >= (double)row->least && seconds * 1000 <= (double)row->most))
        return error_set(err, ERROR_INVALID,
                         "%s: a number of seconds from %g to %g expected, got '%s'", name,
                         (double)row->least / 1000, (double)row->most / 1000, value);
    *(double *)field = seconds;
    return true;
}

// The shift that a unit such as "M", "MB" or "MiB" stands for, or -1.
static int unit_shift(const char *unit)
{
    static const char letters[] = "KMGT";
    static const char *const tails[] = {"", "B", "iB"};
    if (*unit == '\0' || strcasecmp(unit, "B") == 0)
        return 0;
    const char *letter = strchr(letters, *unit & ~0x20);
    for (size_t i = 0; letter != NULL && i < sizeof tails / sizeof *tails; i++)
        if (strcasecmp(unit + 1, tails[i]) == 0)
            return 10 * (int)(letter - letters + 1);
    return -1;
}

static bool read_size(const struct option_row *row, const char *name, const char *value,
                      void *field, struct error *err)
{
    int64_t number;
    const char *rest;
    bool valid = parse_number(value, &number, &rest);
    int shift = valid ? unit_shift(rest) : -1;
    valid = shift >= 0 && number <= INT64_MAX >> shift;
    if (!valid || number << shift < row->least || number << shift > row->most)
        return error_set(err, ERROR_INVALID,
                         "%s: a number of bytes from %" PRId64 " to %" PRId64
                         ", such as %s, expected, got '%s'",
                         name, row->least, row->most,
                         row->least > 65536 ? "8M, 512M or 2G" : "65536, 512K or 64M", value);
    *(int64_t *)field = number << shift;
    return true;
}

static bool wrong_choice(const struct option_row *row, const char *name, const char *value,
                         struct error *err)
{
    char list[128] = "";
    size_t used = 0;
    for (size_t i = 0; row->words[i] != NULL; i++) {
        const char *between = i == 0 ? "" : row->words[i + 1] == NULL ? " or " : ", ";
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", between, row->words[i]);
    }
    return error_set(err, ERROR_INVALID, "%s: %s expected, got '%s'", name, list, value);
}

static bool read_choice(const struct option_row *row, const char *name, const char *value,
                        void *field, struct error *err)
{
    int word = 0;
    while (row->words[word] != NULL && strcasecmp(row->words[word], value) != 0)
        word++;
    if (row->words[word] == NULL)
        return wrong_choice(row, name, value, err);
    *(int *)field = word;
    return true;
}

// The host of "ADDR:PORT"; brackets are taken off.
static struct slice address_host(const char *value, const char *colon)
{
    struct slice host = {(const uint8_t *)value, (size_t)(colon - value)};
    bool bracketed = host.length > 2 && value[0] == '[' && colon[-1] == ']';
    if (bracketed)
        return (struct slice){host.data + 1, host.length - 2};
    bool plain = memchr(value, ':', host.length) == NULL && strcspn(value, "[]/@") >= host.length;
    return plain ? host : (struct slice){NULL, 0};
}

static bool read_address(const struct option_row *row, const char *name, const char *value,
                         void *field, struct error *err)
{
    (void)row;
    struct options_address *address = field;
    const char *colon = strrchr(value, ':'), *rest;
    int64_t port = 0;
    struct slice host = colon ? address_host(value, colon) : (struct slice){NULL, 0};
    bool valid = host.length > 0 && host.length < sizeof address->host &&
                 parse_number(colon + 1, &port, &rest) && *rest == '\0' && port <= UINT16_MAX;
    if (!valid)
        return error_set(err, ERROR_INVALID,
                         "%s: ADDR:PORT expected, such as 127.0.0.1:5050 or [::1]:5050, got '%s'",
                         name, value);
    memcpy(address->host, host.data, host.length);
    address->host[host.length] = '\0';
    address->port = (uint16_t)port;
    return true;
}

static const read_value readers[] = {
    [KIND_FLAG] = read_flag, [KIND_TEXT] = read_text,       [KIND_NUMBER] = read_number,
    [KIND_SIZE] = read_size, [KIND_CHOICE] = read_choice,   [KIND_ADDRESS] = read_address,
    [KIND_FILE] = read_text, [KIND_SECONDS] = read_seconds, [KIND_SWITCH] = read_switch,
};

// ---- parsing ----

struct parser {
    struct options *options;
    int argc, next;
    char *const *argv;
    bool ended;     // by "--": what follows is no option or command
    bool commanded; // a command was given
    const struct option_row *given[ROWS];
    size_t givens;
    struct error *err;
};

static bool set(struct options *options, const struct option_row *row, const char *name,
                const char *value, struct error *err)
{
    return readers[row->kind](row, name, value, (char *)options + row->offset, err);
}

static bool give(struct parser *parser, const struct option_row *row, const char *name,
                 const char *value)
{
    bool known = false;
    for (size_t i = 0; i < parser->givens; i++)
        known = known || parser->given[i] == row;
    if (known && row->once)
        return error_set(parser->err, ERROR_INVALID,
                         "--%s was given twice: write all of it in one %s", row->name, row->value);
    if (!known)
        parser->given[parser->givens++] = row;
    return set(parser->options, row, name, value, parser->err);
}

static const struct option_row *find_long(const char *name, size_t length)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
            return &rows[i];
    return NULL;
}

static const struct option_row *find_short(char brief)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].brief == brief)
            return &rows[i];
    return NULL;
}

static const char *row_name(const void *data, size_t index)
{
    (void)data;
    return index < ROWS ? rows[index].name : NULL;
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
    error_set(parser->err, ERROR_INVALID, "%s needs a value: %s %s", name, name, row->value);
    return NULL;
}

static bool parse_long(struct parser *parser, const char *argument)
{
    const char *word = argument + 2, *value = strchr(word, '=');
    size_t length = value ? (size_t)(value - word) : strlen(word);
    const struct option_row *row = find_long(word, length);
    if (row == NULL)
        return unknown_long(word, length, parser->err);
    char name[64];
    snprintf(name, sizeof name, "--%s", row->name);
    if (row->kind == KIND_FLAG && value != NULL)
        return error_set(parser->err, ERROR_INVALID, "%s takes no value, got '%s'", name,
                         value + 1);
    if (row->kind == KIND_FLAG)
        return give(parser, row, name, "true");
    value = value ? value + 1 : next_value(parser, row, name);
    return value != NULL && give(parser, row, name, value);
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
        if (row->kind != KIND_FLAG) {
            const char *value = *letters ? letters : next_value(parser, row, name);
            return value != NULL && give(parser, row, name, value);
        }
        if (!give(parser, row, name, "true"))
            return false;
    }
    return true;
}

// Options up to the first argument that is none; "--" is taken away.
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
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, parser->argv[parser->next]) == 0) {
            parser->options->command = (enum options_command)i;
            parser->commanded = true;
            parser->next++;
            return;
        }
    }
}

static const char *command_name(const void *data, size_t index)
{
    (void)data;
    return index < COMMANDS ? commands[index].name : NULL;
}

// A word that is no command is the name of a script, unless there is none and it does not look like
// one.
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
    if (options->command == COMMAND_CTL) {
        options->argc = parser->argc - parser->next;
        options->argv = parser->argv + parser->next;
        return true;
    }
    if (options->command == COMMAND_LOCAL)
        return none ||
               error_set(parser->err, ERROR_INVALID,
                         "unexpected argument '%s': mesos-lua local takes options only", argument);
    if (none)
        return error_set(parser->err, ERROR_INVALID,
                         "no script was given: %s (mesos-lua --help tells more)",
                         commands[options->command].usage);
    options->script = argument;
    options->argc = parser->argc - parser->next - 1;
    options->argv = parser->argv + parser->next + 1;
    return check_word(parser, argument);
}

static bool check_commands(const struct parser *parser)
{
    enum options_command command = parser->options->command;
    for (size_t i = 0; i < parser->givens; i++)
        if ((parser->given[i]->commands & 1u << command) == 0)
            return error_set(parser->err, ERROR_INVALID,
                             "option '--%s' has no meaning for mesos-lua %s",
                             parser->given[i]->name, commands[command].name);
    return true;
}

static bool field_given(const struct parser *parser, const struct option_row *row)
{
    for (size_t i = 0; i < parser->givens; i++)
        if (parser->given[i]->offset == row->offset)
            return true;
    return false;
}

// The prefix of libprocess's TLS variables was SSL_ once. OpenSSL and others have variables with
// that prefix as well, so that they count only beside SSL_ENABLED.
static const char *old_name(const char *variable)
{
    static const char prefix[] = "LIBPROCESS_";
    const char *enabled = getenv("SSL_ENABLED");
    bool had_one = strncmp(variable, "LIBPROCESS_SSL_", sizeof prefix + 3) == 0;
    return had_one && enabled != NULL && *enabled != 0 ? variable + sizeof prefix - 1 : NULL;
}

static const char *value_of(const char *variable)
{
    const char *value = variable ? getenv(variable) : NULL;
    return value != NULL && *value != 0 ? value : NULL;
}

static bool read_variable(const struct parser *parser, const struct option_row *row)
{
    const char *name = row->variable, *value = value_of(name);
    bool used = (row->commands & 1u << parser->options->command) != 0;
    if (value == NULL && name != NULL && (name = old_name(name)) != NULL)
        value = value_of(name);
    if (value == NULL || !used || field_given(parser, row))
        return true;
    return set(parser->options, row, name, value, parser->err);
}

static bool read_environment(const struct parser *parser)
{
    for (size_t i = 0; i < ROWS; i++)
        if (!read_variable(parser, &rows[i]))
            return false;
    for (size_t i = 0; i < VARIABLES; i++)
        if (!read_variable(parser, &variables[i]))
            return false;
    const char *curves = parser->options->curves;
    if (curves != NULL && strcmp(curves, "auto") == 0)
        parser->options->curves = NULL;
    return true;
}

// ---- what else is in the environment ----

static const char *nth_variable(size_t i)
{
    return i < ROWS ? rows[i].variable : variables[i - ROWS].variable;
}

static bool is_known(const char *name, size_t length)
{
    for (size_t i = 0; i < ROWS + VARIABLES; i++) {
        const char *known = nth_variable(i);
        if (known != NULL && strlen(known) == length && memcmp(known, name, length) == 0)
            return true;
    }
    return false;
}

static bool is_unused(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof unused / sizeof *unused; i++) {
        size_t end = strcspn(unused[i], "*");
        bool whole = unused[i][end] == 0;
        if (length >= end && memcmp(unused[i], name, end) == 0 && (!whole || length == end))
            return !is_known(name, length);
    }
    return false;
}

static void warn_unused(void)
{
    char names[768] = "";
    size_t used = 0;
    unsigned count = 0;
    for (char **entry = environ; *entry != NULL; entry++) {
        size_t length = strcspn(*entry, "=");
        if (!is_unused(*entry, length) || used + length + 3 > sizeof names)
            continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.*s", count ? ", " : "",
                                 (int)length, *entry);
        count++;
    }
    if (count > 0)
        log_warning("%s %s set and %s no meaning here", names, count == 1 ? "is" : "are",
                    count == 1 ? "has" : "have");
}

static void warn_old(void)
{
    for (size_t i = 0; i < ROWS + VARIABLES; i++) {
        const char *name = nth_variable(i), *old = name ? old_name(name) : NULL;
        if (value_of(old) != NULL && value_of(name) == NULL)
            log_warning("%s is an old name and may go: set %s", old, name);
    }
}

// What looks like one of our options, but stands where the script's arguments do. Help and version
// are what any program has. "--" in front of the script tells that it is meant so.
static void warn_behind(const struct options *options)
{
    for (int i = 0; i < options->argc && !options->arguments_marked; i++) {
        const char *word = options->argv[i];
        size_t length = strcspn(word, "=");
        if (strcmp(word, "--") == 0)
            return;
        const struct option_row *row =
            strncmp(word, "--", 2) == 0 ? find_long(word + 2, length - 2) : NULL;
        if (row != NULL && row->offset != FIELD(show) &&
            (row->commands & 1u << options->command) != 0)
            log_warning("--%s behind the script is an argument of the script; to give it to "
                        "mesos-lua, put it in front of %s",
                        row->name, options->script);
    }
}

void options_warn(const struct options *options)
{
    warn_unused();
    warn_old();
    warn_behind(options);
}

const char *options_master_name(const struct options *options)
{
    return options->master == getenv("MESOS_MASTER") ? "MESOS_MASTER" : "--master";
}

static void set_defaults(struct options *options)
{
    *options = (struct options){.command = COMMAND_RUN};
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].initial != NULL)
            set(options, &rows[i], rows[i].name, rows[i].initial, NULL);
    for (size_t i = 0; i < VARIABLES; i++)
        if (variables[i].initial != NULL)
            set(options, &variables[i], variables[i].variable, variables[i].initial, NULL);
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
        if (!parse_options(&parser))
            return false;
    }
    options->arguments_marked = parser.ended;
    if (options->show != SHOW_NOTHING)
        return true;
    return check_commands(&parser) && parse_script(&parser) && read_environment(&parser);
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
    const struct option_row *row = find_long(name, strlen(name));
    char full[64];
    bool on = true;
    if (row == NULL)
        return unknown_long(name, strlen(name), err);
    snprintf(full, sizeof full, "--%s", name);
    if (row->offset == FIELD(show))
        return error_set(err, ERROR_INVALID, "%s is for the command line only", full);
    if (value == NULL && row->kind != KIND_FLAG)
        return error_set(err, ERROR_INVALID, "%s needs a value: %s %s", full, full, row->value);
    if (row->kind == KIND_FLAG && value != NULL && !read_truth(full, value, &on, err))
        return false;
    if (!on && row->offset != FIELD(log_level))
        *(int *)((char *)options + row->offset) = row->least == 0;
    return !on || set(options, row, full, value ? value : "true", err);
}

// ---- the help ----

enum { HELP_COLUMN = 32 };

static void print_row(FILE *file, const struct option_row *row)
{
    char brief[] = "    ", left[64];
    if (row->brief != 0)
        snprintf(brief, sizeof brief, "-%c, ", row->brief);
    bool valued = row->kind != KIND_FLAG;
    snprintf(left, sizeof left, "  %.4s--%s%s%s", brief, row->name, valued ? " " : "",
             valued ? row->value : "");
    fprintf(file, "%-*s%s\n", HELP_COLUMN, left, row->help);
    const char *initial = row->shown ? row->shown : row->initial;
    if (initial == NULL && row->variable == NULL)
        return;
    fprintf(file, "%-*s[", HELP_COLUMN, "");
    if (row->variable != NULL)
        fprintf(file, "%s%s", row->variable, initial ? "; " : "");
    fprintf(file, "%s%s]\n", initial ? "default: " : "", initial ? initial : "");
}

void options_usage(FILE *file)
{
    int width = 0;
    for (int i = 0; i < COMMANDS; i++)
        width = (int)strlen(commands[i].usage) > width ? (int)strlen(commands[i].usage) : width;
    fputs("Usage:\n", file);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(file, "  %-*s  %s\n", width, commands[i].usage, commands[i].help);
    fputs("\nOptions, which stand before SCRIPT.lua; what follows it is the script's own:\n", file);
    for (size_t i = 0; i < ROWS; i++)
        print_row(file, &rows[i]);
    fputs("\nVariables without an option:\n", file);
    for (size_t i = 0; i < VARIABLES; i++)
        fprintf(file, "  %-36s%s%s%s%s\n", variables[i].variable, variables[i].help,
                variables[i].initial ? " [default: " : "",
                variables[i].initial ? variables[i].initial : "", variables[i].initial ? "]" : "");
    fputs(
        "\nExit status: 0 the driver was stopped; 1 it was aborted, or the script failed for good;"
        "\n2 usage, or the script did not load.\n"
        "\nSignals: SIGINT and SIGTERM stop the driver, as soon as Lua code that runs returns or "
        "waits. A"
        "\nsecond one stops that code first, with an error that nothing catches; while none runs "
        "it ends the"
        "\nprocess at once, as a third one does. SIGHUP reloads.\n",
        file);
}
