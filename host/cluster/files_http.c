// SPDX-License-Identifier: Apache-2.0
//
// The files of sandboxes over HTTP; see the header. The members of an object are in the order of
// their names, as an agent writes them.

#include "cluster/files_http.h"

#include "base/memory.h"
#include "cluster/operator_http.h"
#include "operator/file_facts.h"
#include "operator/sandbox_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result refuse(struct http_exchange *exchange, enum sandbox_files_result result,
                              const struct error *err)
{
    return http_exchange_refuse(exchange, (int)result, err->text);
}

// False: the request lacks the path, which `result` is the answer to.
static bool ask(const struct cluster_http *http, struct http_exchange *exchange,
                struct sandbox_question *question, enum MHD_Result *result)
{
    const struct cluster_request *request = exchange->data;
    const char *path = http_exchange_argument(exchange, "path");
    *question = (struct sandbox_question){http->master, request->agent, path};
    if (path != NULL && *path != '\0')
        return true;
    *result =
        http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, "Expecting 'path=value' in query.\n");
    return false;
}

// ---- /files/browse ----

static void write_file(struct json_writer *writer, const struct sandbox_file *file,
                       struct file_facts *facts)
{
    file_facts(facts, &file->status);
    json_writer_open(writer, NULL);
    json_writer_text(writer, "gid", facts->group);
    json_writer_text(writer, "mode", facts->mode);
    json_writer_double(writer, "mtime", (double)file->status.st_mtime);
    json_writer_integer(writer, "nlink", (int64_t)file->status.st_nlink);
    json_writer_text(writer, "path", file->path);
    json_writer_integer(writer, "size", (int64_t)file->status.st_size);
    json_writer_text(writer, "uid", facts->user);
    json_writer_close(writer);
}

enum MHD_Result files_http_browse(struct cluster_http *http, struct http_exchange *exchange)
{
    struct sandbox_question question;
    struct sandbox_listing listing;
    struct file_facts facts = {{0}, {0}, {0}, 0, 0};
    struct error err = {0};
    struct buffer json;
    enum MHD_Result answer;
    if (!ask(http, exchange, &question, &answer))
        return answer;
    enum sandbox_files_result result = sandbox_files_list(&question, &listing, &err);
    buffer_init(&json, JSON_WRITER_LIMIT);
    struct json_writer writer = {.out = &json};
    json_writer_list(&writer, NULL);
    for (size_t i = 0; i < listing.count; i++)
        write_file(&writer, &listing.files[i], &facts);
    json_writer_end(&writer);
    sandbox_files_free(&listing);
    if (result == SANDBOX_FILES_GOOD)
        return operator_http_send_json(exchange, &writer);
    buffer_free(&json);
    return refuse(exchange, result, &err);
}

// ---- /files/read ----

// A number of the query, -1 if it is not there.
static bool read_number(const struct http_exchange *exchange, const char *name, const char *word,
                        int64_t *number, struct error *err)
{
    const char *text = http_exchange_argument(exchange, name);
    char *end = NULL;
    *number = -1;
    if (text == NULL)
        return true;
    errno = 0;
    *number = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || errno != 0)
        return error_set(err, ERROR_INVALID,
                         "Failed to parse %s: Failed to convert '%.100s' to number.\n", name, text);
    return *number >= -1 ||
           error_set(err, ERROR_INVALID, "Negative %s provided: %lld.\n", word, (long long)*number);
}

static enum MHD_Result send_piece(struct http_exchange *exchange, int64_t offset,
                                  const struct buffer *data)
{
    struct buffer json;
    buffer_init(&json, JSON_WRITER_LIMIT);
    struct json_writer writer = {.out = &json};
    json_writer_open(&writer, NULL);
    json_writer_bytes(&writer, "data", data->data ? (const char *)data->data : "", data->length);
    json_writer_integer(&writer, "offset", offset);
    json_writer_close(&writer);
    return operator_http_send_json(exchange, &writer);
}

// Without an offset, or with -1, the answer is the size of the file.
enum MHD_Result files_http_read(struct cluster_http *http, struct http_exchange *exchange)
{
    struct sandbox_question question;
    struct error err = {0};
    struct buffer data;
    enum MHD_Result answer;
    int64_t offset, length;
    uint64_t size = 0;
    if (!ask(http, exchange, &question, &answer))
        return answer;
    if (!read_number(exchange, "offset", "offset", &offset, &err) ||
        !read_number(exchange, "length", "length", &length, &err))
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    buffer_init(&data, (size_t)1 << 20);
    uint64_t wanted = offset < 0 ? 0 : length < 0 ? UINT64_MAX : (uint64_t)length;
    enum sandbox_files_result result = sandbox_files_read(
        &question, offset < 0 ? 0 : (uint64_t)offset, wanted, &data, &size, &err);
    answer = result == SANDBOX_FILES_GOOD
                 ? send_piece(exchange, offset < 0 ? (int64_t)size : offset, &data)
                 : refuse(exchange, result, &err);
    buffer_free(&data);
    return answer;
}

// ---- /files/download ----

static enum MHD_Result send_file(struct http_exchange *exchange, int file, uint64_t size,
                                 const char *name)
{
    char *disposition = memory_format("attachment; filename=%s", name);
    struct MHD_Response *response = MHD_create_response_from_fd64(size, file); // closes it
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
    enum MHD_Result result = MHD_queue_response(exchange->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    free(disposition);
    return result;
}

enum MHD_Result files_http_download(struct cluster_http *http, struct http_exchange *exchange)
{
    struct sandbox_question question;
    struct error err = {0};
    enum MHD_Result answer;
    char *name;
    int file;
    uint64_t size = 0;
    if (!ask(http, exchange, &question, &answer))
        return answer;
    enum sandbox_files_result result = sandbox_files_open(&question, &file, &size, &name, &err);
    answer = result == SANDBOX_FILES_GOOD ? send_file(exchange, file, size, name)
                                          : refuse(exchange, result, &err);
    free(name);
    return answer;
}
