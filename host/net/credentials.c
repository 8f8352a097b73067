// SPDX-License-Identifier: Apache-2.0
//
// Credentials: see credentials.h. load() makes a `struct identity` from scratch, out of the options
// and files; the one in use is replaced as a whole, or not at all.

#include "net/credentials.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/regular_file.h"

#include <ctype.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 64 * 1024, TEXT_MOST = 16 * 1024, TRUSTED_MOST = 64 };

struct identity {
    char *principal; // or NULL
    char *header;    // or NULL
};

// The hosts of masters; a new one takes the place of the oldest.
struct names {
    char *list[TRUSTED_MOST];
    size_t next;
};

struct credentials {
    unsigned references;
    char *principal, *secret, *secret_file, *credential_file, *token_file; // as given
    char *token, *redirect_hosts;                                          // the same
    struct identity identity;
    struct names trusted;
    bool name_only, from_address;
    bool fixed; // the file was a pipe: it can be read once
    bool warned_readers, warned_plain;
    char said[sizeof((struct error *)0)->text]; // what was logged last about a file
};

// The contents of pipes, kept to the end of the process.
struct held {
    dev_t device;
    ino_t inode;
    char *text;
    struct held *next;
};

static struct held *helds;

// ---- memory ----

static void forget_header(struct identity *identity)
{
    memory_wipe(identity->header);
    identity->header = NULL;
}

static void free_identity(struct identity *identity)
{
    free(identity->principal);
    forget_header(identity);
    *identity = (struct identity){.header = NULL};
}

// ---- files ----

static bool read_all(int file, char *text, struct error *err)
{
    size_t length;
    if (!regular_file_read(file, text, FILE_MOST + 1, &length, err))
        return false;
    if (length > FILE_MOST)
        return error_set(err, ERROR_LIMIT, "it is longer than %d bytes", FILE_MOST);
    if (memchr(text, 0, length) != NULL)
        return error_set(err, ERROR_INVALID, "there is a zero byte in it");
    text[length] = 0;
    return true;
}

static void check_mode(struct credentials *credentials, const char *path, const struct stat *state)
{
    if (!S_ISREG(state->st_mode)) {
        credentials->fixed = true;
        return;
    }
    if ((state->st_mode & S_IROTH) == 0 || credentials->warned_readers)
        return;
    credentials->warned_readers = true;
    log_warning("%s can be read by all users of this machine: chmod 600 would keep its secret",
                path);
}

static void trim_line_ends(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = 0;
}

static char *read_text(int file, struct error *err)
{
    char *text = memory_new(FILE_MOST + 2);
    if (read_all(file, text, err))
        return text;
    explicit_bzero(text, FILE_MOST + 2);
    free(text);
    return NULL;
}

// A pipe can be read once, and other drivers of the process may need its contents.
static char *read_pipe(int file, const struct stat *state, struct error *err)
{
    for (const struct held *held = helds; held != NULL; held = held->next)
        if (held->device == state->st_dev && held->inode == state->st_ino)
            return memory_string(held->text);
    char *text = read_text(file, err);
    if (text != NULL && *text == 0) {
        error_set(err, ERROR_INVALID, "it is a pipe that holds nothing, and no process writes to");
        free(text);
        return NULL;
    }
    if (text == NULL)
        return NULL;
    struct held *held = memory_new(sizeof *held);
    *held = (struct held){.device = state->st_dev, .inode = state->st_ino, .next = helds};
    held->text = memory_string(text);
    helds = held;
    return text;
}

// The contents without the line ends behind them, to be freed with memory_wipe(), or NULL.
static char *read_file(struct credentials *credentials, const char *path, struct error *err)
{
    struct stat state;
    int file = regular_file_open(AT_FDCWD, path, REGULAR_FILE_OR_PIPE, &state, err);
    if (file < 0)
        return NULL;
    char *text = S_ISREG(state.st_mode) ? read_text(file, err) : read_pipe(file, &state, err);
    close(file);
    if (text == NULL)
        return NULL;
    check_mode(credentials, path, &state);
    trim_line_ends(text);
    return text;
}

// ---- what a master can take ----

static bool has_control(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

// The master cuts "principal:secret" at each ":" and wants two pieces.
static bool check_word(const char *what, const char *text, struct error *err)
{
    if (*text == 0)
        return error_set(err, ERROR_INVALID, "the %s is empty", what);
    if (strlen(text) > TEXT_MOST)
        return error_set(err, ERROR_LIMIT, "the %s is longer than %d characters", what, TEXT_MOST);
    if (has_control(text))
        return error_set(err, ERROR_INVALID,
                         "the %s has a line end or another control character "
                         "in it",
                         what);
    if (strchr(text, ':') != NULL)
        return error_set(err, ERROR_INVALID,
                         "the %s has a ':' in it, which no Mesos master can take: choose another",
                         what);
    return true;
}

static bool make_basic(struct identity *identity, const char *principal, const char *secret,
                       struct error *err)
{
    static const char scheme[] = "Authorization: Basic ";
    if (!check_word("principal", principal, err) || !check_word("secret", secret, err))
        return false;
    char *pair = memory_format("%s:%s", principal, secret);
    size_t length = strlen(pair);
    identity->principal = memory_string(principal);
    identity->header = memory_new(sizeof scheme + (length + 2) / 3 * 4 + 1);
    memcpy(identity->header, scheme, sizeof scheme);
    EVP_EncodeBlock((unsigned char *)identity->header + sizeof scheme - 1,
                    (const unsigned char *)pair, (int)length);
    memory_wipe(pair);
    return true;
}

static bool make_token(struct identity *identity, char *token, struct error *err)
{
    size_t length = strlen(token), blank = strspn(token, " \t\r\n");
    while (length > blank && isspace((unsigned char)token[length - 1]))
        token[--length] = 0;
    token += blank;
    if (*token == 0)
        return error_set(err, ERROR_INVALID, "there is no token in it");
    if (has_control(token))
        return error_set(err, ERROR_INVALID,
                         "the token has a line end or another control "
                         "character in it");
    bool whole = strncmp(token, "token=", 6) == 0 || strncasecmp(token, "Bearer ", 7) == 0;
    identity->header = memory_format("Authorization: %s%s", whole ? "" : "Bearer ", token);
    return true;
}

// ---- sources ----

static bool load_secret_file(struct credentials *credentials, struct identity *identity,
                             struct error *err)
{
    const char *path = credentials->secret_file;
    char *secret = read_file(credentials, path, err);
    bool good = secret != NULL && make_basic(identity, credentials->principal, secret, err);
    memory_wipe(secret);
    return good || error_context(err, "--secret-file %s", path);
}

static bool load_token_file(struct credentials *credentials, struct identity *identity,
                            struct error *err)
{
    const char *path = credentials->token_file;
    char *token = read_file(credentials, path, err);
    bool good = token != NULL && make_token(identity, token, err);
    memory_wipe(token);
    identity->principal = good ? memory_string(credentials->principal) : NULL;
    return good || error_context(err, "--token-file %s", path);
}

static const char form[] = "{\"principal\": \"...\", \"secret\": \"...\"} expected";

static bool read_entry(const json_t *json, struct identity *identity, struct error *err)
{
    const char *principal = json_string_value(json_object_get(json, "principal"));
    const char *secret = json_string_value(json_object_get(json, "secret"));
    if (principal == NULL || secret == NULL)
        return error_set(err, ERROR_INVALID, "%s", form);
    return make_basic(identity, principal, secret, err);
}

// A list may have one entry only, as a client is one principal.
static bool read_json(char *text, struct identity *identity, struct error *err)
{
    json_error_t where;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    const json_t *list = json_object_get(root, "credentials");
    bool good;
    if (root == NULL)
        good = error_set(err, ERROR_INVALID, "line %d is not JSON: %s", where.line, form);
    else if (json_array_size(list) > 1)
        good = error_set(err, ERROR_INVALID, "it names %zu principals, and a client is one",
                         json_array_size(list));
    else
        good = read_entry(list != NULL ? json_array_get(list, 0) : root, identity, err);
    json_decref(root);
    return good;
}

static bool read_words(char *text, struct identity *identity, struct error *err)
{
    char *rest, *principal = strtok_r(text, " \t\r\n", &rest);
    const char *secret = strtok_r(NULL, " \t\r\n", &rest);
    if (secret == NULL || strtok_r(NULL, " \t\r\n", &rest) != NULL)
        return error_set(err, ERROR_INVALID,
                         "a principal and its secret expected, with a blank "
                         "between them, or both in JSON");
    return make_basic(identity, principal, secret, err);
}

static bool load_credential_file(struct credentials *credentials, struct identity *identity,
                                 struct error *err)
{
    const char *path = credentials->credential_file;
    char *text = read_file(credentials, path, err);
    bool good = text != NULL && (text[strspn(text, " \t\r\n")] == '{' ? read_json : read_words)(
                                    text, identity, err);
    memory_wipe(text);
    return good || error_context(err, "--credential %s", path);
}

static bool load(struct credentials *credentials, struct identity *identity, struct error *err)
{
    *identity = (struct identity){.header = NULL};
    if (credentials->token_file != NULL)
        return load_token_file(credentials, identity, err);
    if (credentials->credential_file != NULL)
        return load_credential_file(credentials, identity, err);
    if (credentials->secret_file != NULL)
        return load_secret_file(credentials, identity, err);
    if (credentials->secret != NULL)
        return make_basic(identity, credentials->principal, credentials->secret, err);
    identity->principal = memory_string(credentials->principal);
    return true;
}

// ---- for servers ----

struct reading {
    void (*each)(void *data, const char *principal, const char *header);
    void *data;
};

static void hand_out(const struct reading *reading, struct identity *identity)
{
    reading->each(reading->data, identity->principal, identity->header);
    free_identity(identity);
}

static bool list_entries(const json_t *list, const struct reading *reading, struct error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct identity identity = {.header = NULL};
        if (!read_entry(json_array_get(list, i), &identity, err))
            return error_context(err, "credentials[%zu]", i + 1);
        hand_out(reading, &identity);
    }
    return json_array_size(list) > 0 || error_set(err, ERROR_INVALID, "it names no principal");
}

static bool list_one(char *text, const struct reading *reading, struct error *err)
{
    struct identity identity = {.header = NULL};
    bool json = text[strspn(text, " \t\r\n")] == '{';
    if (!(json ? read_json : read_words)(text, &identity, err))
        return false;
    hand_out(reading, &identity);
    return true;
}

bool credentials_list(const char *path,
                      void (*each)(void *data, const char *principal, const char *header),
                      void *data, struct error *err)
{
    const struct reading reading = {each, data};
    struct credentials scratch = {.references = 1};
    char *text = read_file(&scratch, path, err);
    json_t *root = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *list = json_object_get(root, "credentials");
    bool good = text != NULL &&
                (list != NULL ? list_entries(list, &reading, err) : list_one(text, &reading, err));
    json_decref(root);
    memory_wipe(text);
    return good || error_context(err, "--credential %s", path);
}

// ---- life ----

static bool check_options(const struct credentials_options *options, struct error *err)
{
    int ways = (options->secret != NULL) + (options->secret_file != NULL) +
               (options->credential_file != NULL) + (options->token_file != NULL);
    if (ways > 1)
        return error_set(err, ERROR_INVALID,
                         "more than one kind of credentials is given: --secret-file (with "
                         "--principal), --credential and --token-file exclude each other");
    if (options->credential_file != NULL && options->principal != NULL)
        return error_set(err, ERROR_INVALID,
                         "--principal is given, and the file of --credential names one as well");
    if (options->secret_file != NULL && options->principal == NULL)
        return error_set(err, ERROR_INVALID, "--secret-file needs --principal, whose secret it is");
    if (options->secret != NULL && options->principal == NULL)
        return error_set(err, ERROR_INVALID, "there is a secret, but no principal");
    return options->principal == NULL || check_word("principal", options->principal, err);
}

// Beside a token the other options only set the principal.
static bool apply_token(struct credentials *credentials, struct error *err)
{
    if (credentials->name_only || credentials->token != NULL)
        forget_header(&credentials->identity);
    return credentials->token == NULL ||
           make_token(&credentials->identity, credentials->token, err);
}

struct credentials *credentials_create(const struct credentials_options *options, struct error *err)
{
    if (!check_options(options, err))
        return NULL;
    struct credentials *credentials = memory_new(sizeof *credentials);
    credentials->references = 1;
    credentials->name_only = options->name_only;
    credentials->principal = memory_string(options->principal);
    credentials->secret = memory_string(options->secret);
    credentials->secret_file = memory_string(options->secret_file);
    credentials->credential_file = memory_string(options->credential_file);
    credentials->token_file = memory_string(options->token_file);
    credentials->token = memory_string(options->token);
    credentials->redirect_hosts = memory_string(options->redirect_hosts);
    if (load(credentials, &credentials->identity, err) && apply_token(credentials, err))
        return credentials;
    credentials_unref(credentials);
    return NULL;
}

struct credentials *credentials_ref(struct credentials *credentials)
{
    credentials->references++;
    return credentials;
}

void credentials_unref(struct credentials *credentials)
{
    if (credentials == NULL || --credentials->references > 0)
        return;
    free_identity(&credentials->identity);
    free(credentials->principal);
    memory_wipe(credentials->secret);
    free(credentials->secret_file);
    free(credentials->credential_file);
    free(credentials->token_file);
    memory_wipe(credentials->token);
    free(credentials->redirect_hosts);
    for (size_t i = 0; i < TRUSTED_MOST; i++)
        free(credentials->trusted.list[i]);
    free(credentials);
}

// Replaces "%3a" and the like, as texts in addresses have it.
static char *decode(const char *text)
{
    char *plain = memory_string(text), *to = plain;
    for (; *text; text++) {
        const char hex[] = {text[0] == '%' ? text[1] : 'x', text[0] == '%' && text[1] ? text[2] : 0,
                            0};
        bool coded = isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]);
        *to++ = coded ? (char)strtol(hex, NULL, 16) : *text;
        text += coded ? 2 : 0;
    }
    *to = 0;
    return plain;
}

bool credentials_use_url(struct credentials *credentials, const struct url *url, struct error *err)
{
    credentials_trust(credentials, url->host);
    if (url->user[0] == 0 && url->password[0] == 0)
        return true;
    if (credentials->identity.header != NULL && !credentials->from_address)
        return true;
    struct identity identity = {.header = NULL};
    char *user = decode(url->user), *password = decode(url->password);
    bool good = make_basic(&identity, user, password, err);
    free(user);
    memory_wipe(password);
    if (!good)
        return error_context(err, "master address '%s:%u'", url->host, url->port);
    free_identity(&credentials->identity);
    credentials->identity = identity;
    credentials->from_address = true;
    return true;
}

// ---- redirects ----

static bool is_trusted(const struct credentials *credentials, const char *host)
{
    for (size_t i = 0; i < TRUSTED_MOST; i++)
        if (credentials->trusted.list[i] != NULL &&
            strcasecmp(credentials->trusted.list[i], host) == 0)
            return true;
    return false;
}

void credentials_trust(struct credentials *credentials, const char *host)
{
    struct names *trusted = &credentials->trusted;
    if (is_trusted(credentials, host))
        return;
    free(trusted->list[trusted->next]);
    trusted->list[trusted->next] = memory_string(host);
    trusted->next = (trusted->next + 1) % TRUSTED_MOST;
}

static bool is_allowed(const char *list, const char *host)
{
    size_t length = strlen(host);
    while (list != NULL && *list != '\0') {
        size_t blank = strspn(list, " ,"), end;
        list += blank;
        end = strcspn(list, " ,");
        if ((end == 1 && *list == '*') || (end == length && strncasecmp(list, host, end) == 0))
            return true;
        list += end;
    }
    return false;
}

bool credentials_follow(const struct credentials *credentials, const char *from, const char *to)
{
    return credentials->identity.header == NULL || strcasecmp(from, to) == 0 ||
           is_trusted(credentials, to) || is_allowed(credentials->redirect_hosts, to);
}

// ---- reading again ----

static bool in_file(const struct credentials *credentials)
{
    return !credentials->fixed &&
           (credentials->secret_file != NULL || credentials->credential_file != NULL ||
            credentials->token_file != NULL);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void say(struct credentials *credentials, const char *text)
{
    if (strcmp(credentials->said, text) != 0)
        log_warning("%s; the credentials stay as they were", text);
    snprintf(credentials->said, sizeof credentials->said, "%s", text);
}

// The principal of a framework cannot change.
static bool load_again(struct credentials *credentials, struct identity *identity,
                       struct error *err)
{
    if (!load(credentials, identity, err))
        return false;
    if (same(identity->principal, credentials->identity.principal))
        return true;
    error_set(err, ERROR_INVALID, "--credential %s names another principal, which takes a restart",
              credentials->credential_file);
    free_identity(identity);
    return false;
}

bool credentials_refresh(struct credentials *credentials)
{
    struct identity identity;
    struct error err;
    if (credentials->name_only || credentials->from_address || !in_file(credentials))
        return false;
    if (!load_again(credentials, &identity, &err)) {
        say(credentials, err.text);
        return false;
    }
    credentials->said[0] = 0;
    if (same(identity.header, credentials->identity.header)) {
        free_identity(&identity);
        return false;
    }
    free_identity(&credentials->identity);
    credentials->identity = identity;
    log_info("the credentials have changed; the new ones are used from now on");
    return true;
}

// ---- telling ----

const char *credentials_principal(const struct credentials *credentials)
{
    return credentials->identity.principal;
}

const char *credentials_header(const struct credentials *credentials)
{
    return credentials->identity.header;
}

void credentials_warn(struct credentials *credentials, const struct url *master)
{
    char address[URL_ADDRESS];
    bool own = credentials->token != NULL; // it stays within this process
    if (credentials->identity.header == NULL || master->tls || own || credentials->warned_plain)
        return;
    credentials->warned_plain = true;
    log_warning("the credentials are sent to %s without TLS, in clear text: "
                "https:// or --tls protects them, if the master has it",
                url_address(master, address));
}

static const char *source_of(const struct credentials *credentials)
{
    if (credentials->from_address)
        return "the master's address";
    if (credentials->secret != NULL)
        return "the driver's settings";
    if (credentials->secret_file != NULL)
        return credentials->secret_file;
    return credentials->credential_file != NULL ? credentials->credential_file
                                                : credentials->token_file;
}

static void explain_401(const struct credentials *credentials, const char *challenge, char *text,
                        size_t size)
{
    bool basic = challenge != NULL && strncasecmp(challenge, "Basic", 5) == 0;
    bool token = credentials != NULL && credentials->token_file != NULL;
    const char *comma = challenge ? ", " : "", *wants = challenge ? challenge : "";
    if (credentials == NULL || credentials->identity.header == NULL)
        snprintf(text, size, "the master asks for credentials (401%s%s): give %s", comma, wants,
                 basic || challenge == NULL ? "--principal and --secret-file, or --credential"
                                            : "--token-file");
    else if (token && basic)
        snprintf(text, size,
                 "the master does not take the token of %s (401%s%s): it asks for --principal and "
                 "--secret-file",
                 source_of(credentials), comma, wants);
    else if (token)
        snprintf(text, size,
                 "the master does not take the token of %s (401%s%s): it may have run out",
                 source_of(credentials), comma, wants);
    else
        snprintf(text, size,
                 "the master does not take principal '%s' with the secret of %s (401%s%s): one of "
                 "them is wrong",
                 credentials->identity.principal, source_of(credentials), comma, wants);
}

static void explain_403(const char *principal, char *text, size_t size)
{
    if (principal != NULL)
        snprintf(text, size,
                 "the master forbids it to principal '%s' (403): its operator has to allow it",
                 principal);
    else
        snprintf(text, size,
                 "the master forbids it (403): its operator has to allow it, or --principal or "
                 "other credentials are needed");
}

void credentials_explain(const struct credentials *credentials, int status, const char *challenge,
                         char *text, size_t size)
{
    if (status == 401)
        explain_401(credentials, challenge, text, size);
    else
        explain_403(credentials ? credentials->identity.principal : NULL, text, size);
}
