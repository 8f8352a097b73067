// SPDX-License-Identifier: Apache-2.0
//
// Authorization at a server of ours: see http_access.h. Each entry is a header as its client would
// send it; they are all compared, in a time that does not depend on where they differ.

#include "net/http_access.h"

#include "base/memory.h"
#include "net/credentials.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct entry {
    char *principal; // or NULL
    char *header;    // "Authorization: ..."
};

struct http_access {
    struct entry *entries;
    size_t count;
    bool tokens;
};

static void add(void *data, const char *principal, const char *header)
{
    struct http_access *access = data;
    access->entries = memory_resize(access->entries, (access->count + 1) * sizeof *access->entries);
    access->entries[access->count++] =
        (struct entry){memory_string(principal), memory_string(header)};
}

static bool read_token(struct http_access *access, const struct http_access_options *options,
                       struct error *err)
{
    const struct credentials_options given = {.token = options->token,
                                              .token_file = options->token_file};
    struct credentials *credentials = credentials_create(&given, err);
    if (credentials == NULL)
        return false;
    add(access, NULL, credentials_header(credentials));
    credentials_unref(credentials);
    return true;
}

static bool add_principals(struct http_access *access, const struct http_access_options *options,
                           struct error *err)
{
    if (options->principal_count == 0)
        return true;
    if (options->token_file != NULL || options->credential_file != NULL)
        return error_set(
            err, ERROR_INVALID,
            "credentials: there are some in the file of --cluster, and %s gives others",
            options->token_file ? "--token-file" : "--credential");
    for (size_t i = 0; i < options->principal_count; i++) {
        const struct credentials_options given = {.principal = options->principals[i].principal,
                                                  .secret = options->principals[i].secret};
        struct credentials *credentials = credentials_create(&given, err);
        if (credentials == NULL)
            return error_context(err, "credentials[%zu]", i + 1);
        add(access, given.principal, credentials_header(credentials));
        credentials_unref(credentials);
    }
    return true;
}

struct http_access *http_access_create(const struct http_access_options *options, struct error *err)
{
    struct http_access *access = memory_new(sizeof *access);
    access->tokens = options->token != NULL || options->token_file != NULL;
    bool good = true;
    if (access->tokens && options->credential_file != NULL)
        good = error_set(err, ERROR_INVALID, "--credential and --token-file exclude each other");
    else if (access->tokens)
        good = read_token(access, options, err);
    else if (options->credential_file != NULL)
        good = credentials_list(options->credential_file, add, access, err);
    if (good && add_principals(access, options, err))
        return access;
    http_access_destroy(access);
    return NULL;
}

void http_access_destroy(struct http_access *access)
{
    if (access == NULL)
        return;
    for (size_t i = 0; i < access->count; i++) {
        free(access->entries[i].principal);
        explicit_bzero(access->entries[i].header, strlen(access->entries[i].header));
        free(access->entries[i].header);
    }
    free(access->entries);
    free(access);
}

bool http_access_open(const struct http_access *access)
{
    return access->count == 0;
}

static bool equals(const struct entry *entry, const char *authorization)
{
    static const char name[] = "Authorization: ";
    const char *wanted = entry->header + sizeof name - 1;
    size_t length = strlen(wanted);
    return strlen(authorization) == length && CRYPTO_memcmp(wanted, authorization, length) == 0;
}

bool http_access_allows(const struct http_access *access, const char *authorization,
                        const char **principal)
{
    bool allowed = access->count == 0;
    *principal = NULL;
    for (size_t i = 0; i < access->count && authorization != NULL; i++) {
        if (!equals(&access->entries[i], authorization))
            continue;
        allowed = true;
        *principal = access->entries[i].principal;
    }
    return allowed;
}

const char *http_access_scheme(const struct http_access *access)
{
    return access->tokens ? "Bearer" : "Basic";
}

bool http_access_make_token(char token[HTTP_ACCESS_TOKEN + 1], struct error *err)
{
    uint8_t bytes[HTTP_ACCESS_TOKEN / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set(err, ERROR_IO, "there are no random bytes for the local cluster's token");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    explicit_bzero(bytes, sizeof bytes);
    return true;
}
