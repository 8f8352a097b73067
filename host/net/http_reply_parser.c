// SPDX-License-Identifier: Apache-2.0
//
// Answers of HTTP/1.1, read strictly: see http_reply_parser.h. Everything but bodies is read in
// lines. A line that is whole in the input is read where it is; the beginning of another is kept
// until its end is there.

#include "net/http_reply_parser.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum parser_state {
    STATUS_LINE,
    HEADERS,
    BODY,        // `rest` bytes
    BODY_TO_END, // of the connection
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    TRAILERS,
};

#define LENGTH_MOST ((uint64_t)1 << 62)

void http_reply_parser_init(struct http_reply_parser *parser)
{
    *parser = (struct http_reply_parser){.state = STATUS_LINE};
    buffer_init(&parser->body, HTTP_REPLY_LIMIT);
    buffer_init(&parser->line, HTTP_REPLY_HEADERS);
}

void http_reply_parser_free(struct http_reply_parser *parser)
{
    buffer_free(&parser->body);
    buffer_free(&parser->line);
}

// Forgets an interim answer, but not how long the headers are by now.
static void forget(struct http_reply_parser *parser)
{
    parser->status = 0;
    parser->location[0] = parser->challenge[0] = 0;
    parser->content_type[0] = parser->stream_id[0] = 0;
    parser->state = STATUS_LINE;
    parser->close = parser->answered = false;
    parser->sized = parser->chunked = parser->old = parser->keep_alive = false;
    parser->rest = 0;
}

void http_reply_parser_next(struct http_reply_parser *parser)
{
    forget(parser);
    parser->begun = false;
    parser->headers = 0;
    buffer_clear(&parser->body);
    buffer_clear(&parser->line);
}

bool http_reply_parser_end(const struct http_reply_parser *parser)
{
    return parser->state == BODY_TO_END;
}

// ---- pieces of lines ----

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

// A visible character but for "(),/:;<=>?@[\\]{}" and the quote: a bit for each.
static bool is_token(uint8_t byte)
{
    static const uint64_t tokens[2] = {UINT64_C(0x3ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe)};
    return byte < 128 && (tokens[byte >> 6] >> (byte & 63) & 1);
}

static bool is_text(uint8_t byte)
{
    return byte == '\t' || (byte >= ' ' && byte != 127);
}

// Eight bytes a step: a byte below ' ', or 127, sends the step to the slow way.
static bool all_text(struct slice text)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t word;
    for (; text.length >= sizeof word; text.data += sizeof word, text.length -= sizeof word) {
        memcpy(&word, text.data, sizeof word);
        uint64_t deletes = word ^ 127 * ones;
        if ((((word - ' ' * ones) & ~word) | ((deletes - ones) & ~deletes)) & tops)
            break;
    }
    for (size_t i = 0; i < text.length; i++)
        if (!is_text(text.data[i]))
            return false;
    return true;
}

static struct slice trim(struct slice text)
{
    while (text.length > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text.data++, text.length--;
    while (text.length > 0 &&
           (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.length--;
    return text;
}

static bool same_word(struct slice text, const char *word)
{
    return text.length == strlen(word) &&
           strncasecmp((const char *)text.data, word, text.length) == 0;
}

// A number in decimal or hexadecimal digits, all of `text`.
static bool read_number(struct slice text, unsigned base, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i], low = byte | 0x20;
        unsigned digit = base;
        if (is_digit(byte))
            digit = byte - (unsigned)'0';
        else if (low >= 'a' && low <= 'f')
            digit = low - (unsigned)'a' + 10;
        if (digit >= base || *number > LENGTH_MOST / base)
            return false;
        *number = *number * base + digit;
    }
    return text.length > 0;
}

// A printable quotation of any bytes.
static const char *quote(struct slice line, char text[64])
{
    size_t length = line.length < 60 ? line.length : 60;
    for (size_t i = 0; i < length; i++)
        text[i] = line.data[i] >= ' ' && line.data[i] < 127 ? (char)line.data[i] : '?';
    memcpy(text + length, length < line.length ? "..." : "", length < line.length ? 4 : 1);
    return text;
}

static bool complain(struct error *err, const char *what, struct slice line)
{
    char text[64];
    return error_set(err, ERROR_INVALID, "%s: \"%s\"", what, quote(line, text));
}

// ---- headers ----

static bool read_content_length(struct http_reply_parser *parser, struct slice value,
                                struct error *err)
{
    uint64_t length;
    if (!read_number(value, 10, &length))
        return complain(err, "the Content-Length of the answer is not a length", value);
    if (parser->sized && parser->rest != length)
        return complain(err, "the answer has two Content-Lengths, the second one is", value);
    parser->sized = true;
    parser->rest = length;
    return true;
}

static bool read_transfer_encoding(struct http_reply_parser *parser, struct slice value,
                                   struct error *err)
{
    if (parser->chunked || !same_word(value, "chunked"))
        return complain(err, "the answer has a Transfer-Encoding that is not known", value);
    parser->chunked = true;
    return true;
}

static bool read_connection(struct http_reply_parser *parser, struct slice value, struct error *err)
{
    (void)err;
    while (value.length > 0) {
        const uint8_t *comma = memchr(value.data, ',', value.length);
        size_t length = comma ? (size_t)(comma - value.data) : value.length;
        struct slice word = trim((struct slice){value.data, length});
        if (same_word(word, "close"))
            parser->close = true;
        else if (same_word(word, "keep-alive"))
            parser->keep_alive = true;
        length += comma != NULL;
        value.data += length;
        value.length -= length;
    }
    return true;
}

static bool read_location(struct http_reply_parser *parser, struct slice value, struct error *err)
{
    (void)err;
    snprintf(parser->location, sizeof parser->location, "%.*s", SLICE_ARGS(value));
    return true;
}

static bool read_challenge(struct http_reply_parser *parser, struct slice value, struct error *err)
{
    (void)err;
    snprintf(parser->challenge, sizeof parser->challenge, "%.*s", SLICE_ARGS(value));
    return true;
}

static bool read_content_type(struct http_reply_parser *parser, struct slice value,
                              struct error *err)
{
    (void)err;
    snprintf(parser->content_type, sizeof parser->content_type, "%.*s", SLICE_ARGS(value));
    return true;
}

static bool read_stream_id(struct http_reply_parser *parser, struct slice value, struct error *err)
{
    (void)err;
    snprintf(parser->stream_id, sizeof parser->stream_id, "%.*s", SLICE_ARGS(value));
    return true;
}

static const struct wanted {
    const char *name;
    size_t length; // of it
    bool (*read)(struct http_reply_parser *parser, struct slice value, struct error *err);
} wanted[] = {
    {"Content-Length", 14, read_content_length}, {"Transfer-Encoding", 17, read_transfer_encoding},
    {"Connection", 10, read_connection},         {"Location", 8, read_location},
    {"WWW-Authenticate", 16, read_challenge},    {"Content-Type", 12, read_content_type},
    {"Mesos-Stream-Id", 15, read_stream_id},
};

static bool split_header(struct slice line, struct slice *name, struct slice *value,
                         struct error *err)
{
    size_t length = 0;
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return complain(err, "a header of the answer is folded", line);
    while (length < line.length && is_token(line.data[length]))
        length++;
    if (length == 0 || length == line.length || line.data[length] != ':')
        return complain(err, "a line among the headers of the answer is no header", line);
    if (!all_text((struct slice){line.data + length, line.length - length}))
        return complain(err, "a header of the answer has bytes that are no text", line);
    *name = (struct slice){line.data, length};
    *value = trim((struct slice){line.data + length + 1, line.length - length - 1});
    return true;
}

static bool end_headers(struct http_reply_parser *parser, struct error *err)
{
    if (parser->sized && parser->chunked)
        return error_set(err, ERROR_INVALID, "the answer has a Content-Length and chunks");
    if (parser->status < 200) {
        forget(parser);
        return true;
    }
    parser->answered = true;
    parser->close |= parser->old && !parser->keep_alive;
    if (parser->status == 204 || parser->status == 304)
        parser->sized = true, parser->chunked = false, parser->rest = 0;
    parser->state = parser->chunked ? CHUNK_SIZE : parser->sized ? BODY : BODY_TO_END;
    parser->close |= parser->state == BODY_TO_END;
    return true;
}

// ---- lines ----

static bool read_status(struct http_reply_parser *parser, struct slice line, struct error *err)
{
    const uint8_t *text = line.data;
    bool fits = line.length >= 12 && memcmp(text, "HTTP/1.", 7) == 0 && is_digit(text[7]) &&
                text[8] == ' ' && text[9] >= '1' && text[9] <= '9' && is_digit(text[10]) &&
                is_digit(text[11]) && (line.length == 12 || text[12] == ' ');
    if (!fits || !all_text((struct slice){text + 12, line.length - 12}))
        return complain(err, "the answer is not HTTP", line);
    parser->status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
    parser->old = text[7] == '0';
    parser->state = HEADERS;
    return parser->status != 101 ||
           complain(err, "the answer changes the protocol, which was not asked for", line);
}

static bool read_header(struct http_reply_parser *parser, struct slice line, struct error *err)
{
    struct slice name, value;
    if (line.length == 0)
        return end_headers(parser, err);
    if (!split_header(line, &name, &value, err))
        return false;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (name.length == wanted[i].length && same_word(name, wanted[i].name))
            return wanted[i].read(parser, value, err);
    return true;
}

static bool read_chunk_size(struct http_reply_parser *parser, struct slice line, struct error *err)
{
    const uint8_t *extension = memchr(line.data, ';', line.length);
    size_t length = extension ? (size_t)(extension - line.data) : line.length;
    struct slice size = {line.data, length};
    while (extension && size.length > 0 && strchr(" \t", size.data[size.length - 1]))
        size.length--;
    if (!read_number(size, 16, &parser->rest))
        return complain(err, "a chunk of the answer has no length", line);
    parser->state = parser->rest > 0 ? CHUNK : TRAILERS;
    return true;
}

static bool read_chunk_end(struct http_reply_parser *parser, struct slice line, struct error *err)
{
    parser->state = CHUNK_SIZE;
    parser->headers = 0; // of a long body, the lines between the chunks are many
    return line.length == 0 || complain(err, "a chunk of the answer is longer than it says", line);
}

// The last line leaves an empty body behind.
static bool read_trailer(struct http_reply_parser *parser, struct slice line, struct error *err)
{
    struct slice name, value;
    if (line.length > 0)
        return split_header(line, &name, &value, err);
    parser->state = BODY;
    return true;
}

static bool (*const readers[])(struct http_reply_parser *, struct slice, struct error *) = {
    [STATUS_LINE] = read_status,  [HEADERS] = read_header,   [CHUNK_SIZE] = read_chunk_size,
    [CHUNK_END] = read_chunk_end, [TRAILERS] = read_trailer,
};

static bool read_line(struct http_reply_parser *parser, struct slice line, struct error *err)
{
    if (line.length < 2 || line.data[line.length - 2] != '\r')
        return complain(err, "a line of the answer has no CR LF at its end", line);
    line.length -= 2;
    return readers[parser->state](parser, line, err);
}

static bool count_headers(struct http_reply_parser *parser, size_t length, struct error *err)
{
    parser->headers += length;
    return parser->headers <= HTTP_REPLY_HEADERS ||
           error_set(err, ERROR_INVALID, "the headers of the answer are longer than %zu bytes",
                     HTTP_REPLY_HEADERS);
}

// Consumes a line, or the part of it that is there.
static bool collect_line(struct http_reply_parser *parser, const uint8_t **bytes, size_t *length,
                         struct error *err)
{
    const uint8_t *start = *bytes, *end = memchr(start, '\n', *length);
    size_t taken = end ? (size_t)(end - start) + 1 : *length;
    *bytes += taken;
    *length -= taken;
    if (!count_headers(parser, taken, err))
        return false;
    if (end != NULL && parser->line.length == 0)
        return read_line(parser, (struct slice){start, taken}, err);
    buffer_append(&parser->line, start, taken); // fits: count_headers() has seen to it
    if (end == NULL)
        return true;
    bool good = read_line(parser, buffer_slice(&parser->line), err);
    buffer_clear(&parser->line);
    return good;
}

// ---- bodies ----

static void keep(struct http_reply_parser *parser, const uint8_t *bytes, size_t length)
{
    size_t room = parser->body.limit - parser->body.length;
    buffer_append(&parser->body, bytes, length < room ? length : room);
}

static bool in_body(const struct http_reply_parser *parser)
{
    return parser->state == BODY || parser->state == BODY_TO_END || parser->state == CHUNK;
}

uint64_t http_reply_parser_run(const struct http_reply_parser *parser)
{
    if (!in_body(parser))
        return 0;
    return parser->state == BODY_TO_END ? UINT64_MAX : parser->rest;
}

void http_reply_parser_skip(struct http_reply_parser *parser, size_t length)
{
    if (parser->state == BODY_TO_END)
        return;
    parser->rest -= length;
    if (parser->state == CHUNK && parser->rest == 0)
        parser->state = CHUNK_END;
}

// Passes what there is of the body, or of its chunk.
static void take_body(struct http_reply_parser *parser, const uint8_t **bytes, size_t *length)
{
    uint64_t run = http_reply_parser_run(parser);
    size_t taken = run < *length ? (size_t)run : *length;
    *bytes += taken;
    *length -= taken;
    http_reply_parser_skip(parser, taken);
}

static void read_body(struct http_reply_parser *parser, const uint8_t **bytes, size_t *length)
{
    const uint8_t *start = *bytes;
    take_body(parser, bytes, length);
    keep(parser, start, (size_t)(*bytes - start));
}

// ---- answers that were read before ----

static bool says_status_only(const struct http_reply_parser *parser)
{
    return !parser->close && parser->location[0] == 0 && parser->challenge[0] == 0 &&
           parser->body.length == 0;
}

static void remember(struct http_reply_parser *parser, const uint8_t *bytes, size_t length)
{
    if (length > sizeof parser->last || !says_status_only(parser))
        return;
    memcpy(parser->last, bytes, length);
    parser->last_length = length;
    parser->last_status = parser->status;
}

// Only before a byte of the answer was read: the parser is in the same state, so the same bytes
// mean the same.
static bool repeat_last(struct http_reply_parser *parser, const uint8_t **bytes, size_t *length)
{
    size_t taken = parser->last_length;
    if (parser->begun || taken == 0 || *length < taken || memcmp(*bytes, parser->last, taken) != 0)
        return false;
    *bytes += taken;
    *length -= taken;
    parser->begun = parser->answered = true;
    parser->status = parser->last_status;
    parser->state = BODY;
    return true;
}

static bool is_whole(const struct http_reply_parser *parser)
{
    return parser->state == BODY && parser->rest == 0;
}

enum http_reply_status http_reply_parser_feed(struct http_reply_parser *parser,
                                              const uint8_t **bytes, size_t *length,
                                              struct error *err)
{
    const uint8_t *start = parser->begun ? NULL : *bytes;
    if (repeat_last(parser, bytes, length))
        return HTTP_REPLY_WHOLE;
    parser->begun |= *length > 0;
    while (*length > 0) {
        bool answered = parser->answered;
        if (in_body(parser))
            read_body(parser, bytes, length);
        else if (!collect_line(parser, bytes, length, err))
            return HTTP_REPLY_BAD;
        if (!is_whole(parser) && parser->announce && parser->answered && !answered)
            return HTTP_REPLY_BODY;
        if (!is_whole(parser))
            continue;
        if (start != NULL)
            remember(parser, start, (size_t)(*bytes - start));
        return HTTP_REPLY_WHOLE;
    }
    return HTTP_REPLY_MORE;
}

enum http_reply_status http_reply_parser_piece(struct http_reply_parser *parser,
                                               const uint8_t **bytes, size_t *length,
                                               struct slice *piece, struct error *err)
{
    while (*length > 0 && !is_whole(parser)) {
        if (in_body(parser)) {
            piece->data = *bytes;
            take_body(parser, bytes, length);
            piece->length = (size_t)(*bytes - piece->data);
            return HTTP_REPLY_BODY;
        }
        if (!collect_line(parser, bytes, length, err))
            return HTTP_REPLY_BAD;
    }
    return is_whole(parser) ? HTTP_REPLY_WHOLE : HTTP_REPLY_MORE;
}
