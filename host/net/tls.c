// SPDX-License-Identifier: Apache-2.0
//
// TLS to a master: see tls.h. libcurl makes an SSL_CTX for each connection and shows it to
// on_context(), where four callbacks are installed that only take notes: of the certificates that
// were checked, of the master asking for ours, of its alerts, and of how far it came.

#include "net/tls.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 160, NAMES_MOST = 8 };

// Alerts of TLS, by their numbers in the protocol.
enum { ALERT_HANDSHAKE_FAILURE = 40, ALERT_BAD_CERTIFICATE = 42, ALERT_CERTIFICATE_UNKNOWN = 46 };
enum { ALERT_UNKNOWN_CA = 48, ALERT_ACCESS_DENIED = 49, ALERT_PROTOCOL_VERSION = 70 };
enum { ALERT_INSUFFICIENT_SECURITY = 71, ALERT_CERTIFICATE_REQUIRED = 116 };

struct notes {
    bool started;  // a handshake
    bool answered; // in TLS
    bool finished;
    bool asked; // for a certificate that we do not have
    int alert;  // from the master, or 0
    long error; // X509_V_ERR_..., of the first certificate that is wrong
    int depth;  // where that one stands; 0 is the master's own
    char subject[NAME], issuer[NAME], since[32], until[32]; // of it
    char names[NAME * 2]; // that the master's own certificate is for
};

struct tls {
    struct tls_options options;
    struct notes notes;
};

// ---- checking files ----

static int on_passphrase(char *space, int size, int writing, void *data)
{
    (void)space, (void)size, (void)writing, (void)data;
    return 0;
}

// OpenSSL opens the files itself, and libcurl each time anew: a pipe would be empty then, or keep
// them waiting.
static bool check_readable(const char *option, const char *path, struct error *err)
{
    struct stat status;
    if (path == NULL)
        return true;
    if (access(path, R_OK) != 0 || stat(path, &status) != 0)
        return error_set(err, ERROR_IO, "%s %s: %s", option, path, strerror(errno));
    return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ||
           error_set(err, ERROR_INVALID, "%s %s: an ordinary file is expected", option, path);
}

static bool check_authorities(SSL_CTX *context, const struct tls_options *options,
                              struct error *err)
{
    if (!check_readable("--ca-file", options->ca_file, err) ||
        !check_readable("--ca-path", options->ca_path, err))
        return false;
    if (options->ca_file != NULL && SSL_CTX_load_verify_file(context, options->ca_file) != 1)
        return error_set(err, ERROR_INVALID, "--ca-file %s: there is no certificate in PEM in it",
                         options->ca_file);
    return true;
}

static bool check_own(SSL_CTX *context, const struct tls_options *options, struct error *err)
{
    const char *key = options->key ? options->key : options->cert;
    const char *option = options->key ? "--key" : "--cert";
    if (options->cert == NULL)
        return options->key == NULL ||
               error_set(err, ERROR_INVALID, "--key needs --cert, the certificate it belongs to");
    if (!check_readable("--cert", options->cert, err) || !check_readable("--key", key, err))
        return false;
    if (SSL_CTX_use_certificate_chain_file(context, options->cert) != 1)
        return error_set(err, ERROR_INVALID, "--cert %s: there is no certificate in PEM in it",
                         options->cert);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1)
        return true;
    bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    if (other)
        return error_set(err, ERROR_INVALID, "%s %s: the key does not belong to the certificate %s",
                         option, key, options->cert);
    return error_set(err, ERROR_INVALID,
                     "%s %s: there is no private key in PEM in it, or it is encrypted; one without "
                     "a passphrase is needed%s",
                     option, key, options->key ? "" : ", in that file or in one given with --key");
}

static bool check_protocol(SSL_CTX *context, const struct tls_options *options, struct error *err)
{
    if (options->no_tls_1_2 && options->no_tls_1_3)
        return error_set(err, ERROR_INVALID,
                         "TLS 1.2 and TLS 1.3 are both switched off; others are not spoken");
    if (options->ciphers != NULL && SSL_CTX_set_cipher_list(context, options->ciphers) != 1)
        return error_set(err, ERROR_INVALID, "no cipher in '%s' is known to OpenSSL",
                         options->ciphers);
    if (options->curves != NULL && SSL_CTX_set1_groups_list(context, options->curves) != 1)
        return error_set(err, ERROR_INVALID, "'%s' is not a list of curves that OpenSSL knows",
                         options->curves);
    return true;
}

static bool all_defaults(const struct tls_options *options)
{
    return options->ca_file == NULL && options->ca_path == NULL && options->cert == NULL &&
           options->key == NULL && options->ciphers == NULL && options->curves == NULL &&
           !options->no_tls_1_2 && !options->no_tls_1_3;
}

// Creating a context takes a third of the program's start: only if there is something to check.
bool tls_check(const struct tls_options *options, struct error *err)
{
    if (all_defaults(options))
        return true;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return error_set(err, ERROR_IO, "OpenSSL cannot be used");
    SSL_CTX_set_default_passwd_cb(context, on_passphrase);
    bool good = check_authorities(context, options, err) && check_own(context, options, err) &&
                check_protocol(context, options, err);
    SSL_CTX_free(context);
    ERR_clear_error();
    return good;
}

// ---- notes ----

static int slot; // of the notes in an SSL_CTX

static void reserve_slot(void)
{
    slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static struct notes *notes_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot);
}

static void write_name(const X509_NAME *name, char text[NAME])
{
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    int length = BIO_read(bio, text, NAME - 1);
    text[length > 0 ? length : 0] = 0;
    BIO_free(bio);
}

static void write_time(const ASN1_TIME *time, char text[32])
{
    struct tm when = {0};
    text[0] = 0;
    if (ASN1_TIME_to_tm(time, &when) == 1)
        strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &when);
}

// Clients look for an address among the addresses, not among the names.
static const char *explain_name(const unsigned char *data, int length)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (snprintf(text, sizeof text, "%.*s", length, data) >= (int)sizeof text)
        return "";
    bool misplaced =
        inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
    return misplaced ? " (as a DNS name, not as an IP address)" : "";
}

static void append_name(char *names, size_t size, const GENERAL_NAME *name)
{
    size_t length = strlen(names);
    const char *comma = length ? ", " : "";
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    const unsigned char *data =
        type == GEN_DNS || type == GEN_IPADD ? ASN1_STRING_get0_data(value) : NULL;
    if (data == NULL)
        return;
    if (type == GEN_DNS)
        snprintf(names + length, size - length, "%s%.*s%s", comma, ASN1_STRING_length(value), data,
                 explain_name(data, ASN1_STRING_length(value)));
    else if (ASN1_STRING_length(value) == 4)
        snprintf(names + length, size - length, "%s%d.%d.%d.%d", comma, data[0], data[1], data[2],
                 data[3]);
    else
        snprintf(names + length, size - length, "%san IPv6 address", comma);
}

// As libcurl does it: the common name counts only where there are no others.
static void note_names(struct notes *notes, X509 *certificate)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    notes->names[0] = 0;
    for (int i = 0; list != NULL && i < sk_GENERAL_NAME_num(list) && i < NAMES_MOST; i++)
        append_name(notes->names, sizeof notes->names, sk_GENERAL_NAME_value(list, i));
    if (list == NULL)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, notes->names,
                                  sizeof notes->names);
    GENERAL_NAMES_free(list);
}

static void note_wrong(struct notes *notes, X509_STORE_CTX *store, X509 *certificate)
{
    if (notes->error != X509_V_OK)
        return;
    notes->error = X509_STORE_CTX_get_error(store);
    notes->depth = X509_STORE_CTX_get_error_depth(store);
    write_name(X509_get_subject_name(certificate), notes->subject);
    write_name(X509_get_issuer_name(certificate), notes->issuer);
    write_time(X509_get0_notBefore(certificate), notes->since);
    write_time(X509_get0_notAfter(certificate), notes->until);
}

// Called for each certificate of the chain; it does not change the decision of OpenSSL.
static int on_verify(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    struct notes *notes = notes_of(ssl);
    if (certificate != NULL && X509_STORE_CTX_get_error_depth(store) == 0)
        note_names(notes, certificate);
    if (certificate != NULL && !good)
        note_wrong(notes, store, certificate);
    return good;
}

static int on_certificate_wanted(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    (void)certificate, (void)key;
    notes_of(ssl)->asked = true;
    return 0;
}

static void on_progress(const SSL *ssl, int where, int value)
{
    struct notes *notes = notes_of(ssl);
    OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
    notes->started = true;
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value & 0xff) != 0)
        notes->alert = value & 0xff;
    else if (where & SSL_CB_LOOP)
        notes->answered =
            notes->answered || (state != TLS_ST_BEFORE && state != TLS_ST_CW_CLNT_HELLO);
    else if (where & SSL_CB_HANDSHAKE_DONE)
        notes->finished = true;
}

// ---- applying ----

static CURLcode on_context(CURL *easy, void *context, void *data)
{
    (void)easy;
    struct tls *tls = data;
    SSL_CTX_set_ex_data(context, slot, &tls->notes);
    SSL_CTX_set_info_callback(context, on_progress);
    // A pipelined connection appends to what waits to be written, which may move it.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_client_cert_cb(context, on_certificate_wanted);
    SSL_CTX_set_default_passwd_cb(context, on_passphrase);
    if (!tls->options.insecure)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
    if (tls->options.depth > 0)
        SSL_CTX_set_verify_depth(context, (int)tls->options.depth);
    return CURLE_OK;
}

static long versions(const struct tls_options *options)
{
    long least = options->no_tls_1_2 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2;
    return least |
           (options->no_tls_1_3 ? CURL_SSLVERSION_MAX_TLSv1_2 : CURL_SSLVERSION_MAX_DEFAULT);
}

// If authorities are given, those of the system are not trusted.
static void apply_authorities(const struct tls_options *options, CURL *easy)
{
    if (options->ca_file == NULL && options->ca_path == NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, options->ca_path);
}

static void apply_own(const struct tls_options *options, CURL *easy)
{
    if (options->cert == NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_SSLCERT, options->cert);
    curl_easy_setopt(easy, CURLOPT_SSLKEY, options->key ? options->key : options->cert);
}

void tls_apply(struct tls *tls, void *easy)
{
    const struct tls_options *options = &tls->options;
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, versions(options));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    if (options->ciphers != NULL)
        curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, options->ciphers);
    if (options->curves != NULL)
        curl_easy_setopt(easy, CURLOPT_SSL_EC_CURVES, options->curves);
    apply_authorities(options, easy);
    apply_own(options, easy);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, tls);
}

void tls_begin(struct tls *tls)
{
    tls->notes = (struct notes){.started = false};
}

struct tls *tls_create(const struct tls_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; // drivers may be created on any thread
    pthread_once(&once, reserve_slot);
    struct tls *tls = memory_new(sizeof *tls);
    if (options != NULL)
        tls->options = *options;
    return tls;
}

void tls_destroy(struct tls *tls)
{
    free(tls);
}

// ---- explaining ----

static const char *whose(const struct notes *notes)
{
    return notes->depth == 0 ? "the master's certificate" : "the certificate of an authority";
}

static void explain_time(const struct notes *notes, char *text, size_t size)
{
    if (notes->error == X509_V_ERR_CERT_HAS_EXPIRED)
        snprintf(text, size, "%s (%s) expired on %s: it has to be renewed there", whose(notes),
                 notes->subject, notes->until);
    else
        snprintf(text, size, "%s (%s) is not valid before %s: is the clock of this machine right?",
                 whose(notes), notes->subject, notes->since);
}

static void explain_issuer(const struct notes *notes, char *text, size_t size)
{
    snprintf(text, size,
             "%s (%s) was issued by %s, which is not trusted: give the certificate of that "
             "authority with --ca-file or --ca-path",
             whose(notes), notes->subject, notes->issuer);
}

static void explain_chain(const struct notes *notes, char *text, size_t size)
{
    (void)notes;
    snprintf(text, size,
             "there are more authorities between the master's certificate and a trusted one than "
             "LIBPROCESS_SSL_VERIFICATION_DEPTH allows");
}

static const struct {
    long error;
    void (*explain)(const struct notes *notes, char *text, size_t size);
} explanations[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, explain_time},
    {X509_V_ERR_CERT_NOT_YET_VALID, explain_time},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, explain_issuer},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, explain_issuer},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, explain_issuer},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, explain_issuer},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, explain_issuer},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, explain_chain},
};

static void explain_certificate(const struct notes *notes, char *text, size_t size)
{
    for (size_t i = 0; i < sizeof explanations / sizeof *explanations; i++) {
        if (explanations[i].error == notes->error) {
            explanations[i].explain(notes, text, size);
            return;
        }
    }
    snprintf(text, size, "%s (%s) was not accepted: %s", whose(notes), notes->subject,
             X509_verify_cert_error_string(notes->error));
}

static bool about_our_certificate(int alert)
{
    return (alert >= ALERT_BAD_CERTIFICATE && alert <= ALERT_CERTIFICATE_UNKNOWN) ||
           alert == ALERT_UNKNOWN_CA || alert == ALERT_ACCESS_DENIED ||
           alert == ALERT_CERTIFICATE_REQUIRED || alert == ALERT_HANDSHAKE_FAILURE;
}

// The master sent an alert, or closed the connection after it had asked for a certificate.
static bool explain_refusal(const struct tls *tls, char *text, size_t size)
{
    const struct notes *notes = &tls->notes;
    bool given = tls->options.cert != NULL;
    const char *alert = SSL_alert_desc_string_long(notes->alert);
    if (notes->asked && !given && notes->alert == 0)
        snprintf(text, size,
                 "the master closed the connection after it had asked for a client certificate: "
                 "give --cert and --key");
    else if (notes->asked && !given && about_our_certificate(notes->alert))
        snprintf(text, size,
                 "the master asks for a client certificate, and there is none: give --cert and "
                 "--key");
    else if (given && about_our_certificate(notes->alert))
        snprintf(text, size, "the master does not accept the client certificate %s (alert '%s')",
                 tls->options.cert, alert);
    else if (notes->alert == ALERT_PROTOCOL_VERSION || notes->alert == ALERT_HANDSHAKE_FAILURE ||
             notes->alert == ALERT_INSUFFICIENT_SECURITY)
        snprintf(text, size,
                 "the master and this program have no TLS version, cipher or curve in common "
                 "(alert '%s')",
                 alert);
    else
        return false;
    return true;
}

bool tls_explain(const struct tls *tls, const char *host, bool unverified, const char *detail,
                 char *text, size_t size)
{
    const struct notes *notes = &tls->notes;
    if (notes->error != X509_V_OK && !tls->options.insecure)
        explain_certificate(notes, text, size);
    else if (unverified && notes->names[0] != 0)
        snprintf(text, size,
                 "the master's certificate is for %s and not for %s: use the name that the "
                 "certificate has in the master's address",
                 notes->names, host);
    else if (explain_refusal(tls, text, size))
        return true;
    else if (notes->started && !notes->answered)
        snprintf(text, size,
                 "it does not answer in TLS (%s): the address of a master without TLS begins with "
                 "http://, or has no scheme and --tls is not given",
                 detail);
    else
        return false;
    return true;
}
