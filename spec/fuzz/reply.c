// SPDX-License-Identifier: Apache-2.0
//
// The parser of pipelined answers fed with any bytes: whole, and again in pieces. Both ways give
// the same answers and come to the same end. The first byte sets the length of the pieces. Then the
// same twice over, by a parser that remembers answers and by one that is made to forget them. Last
// the first answer as a stream, whose body is taken in place.

#include "net/http_reply_parser.h"

#include <stdlib.h>
#include <string.h>

struct outcome {
    size_t answers;
    uint32_t sum; // of all that the answers say, in order
    bool bad, ends, answered;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mix(struct outcome *outcome, const void *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        outcome->sum = outcome->sum * 31 + ((const uint8_t *)data)[i];
    outcome->sum = outcome->sum * 31 + (uint32_t)length;
}

static void add(struct outcome *outcome, const struct http_reply_parser *parser)
{
    if (parser->status < 200 || parser->status > 999 || !parser->answered ||
        parser->body.length > HTTP_REPLY_LIMIT)
        abort();
    outcome->answers++;
    outcome->sum = outcome->sum * 31 + (uint32_t)parser->status * 2 + parser->close;
    mix(outcome, parser->location, strlen(parser->location));
    mix(outcome, parser->challenge, strlen(parser->challenge));
    mix(outcome, parser->body.data, parser->body.length);
}

// Takes one piece; false when the input is bad.
static bool feed(struct http_reply_parser *parser, const uint8_t *piece, size_t length,
                 bool forgets, struct outcome *outcome)
{
    struct error err = {.code = ERROR_NONE};
    while (length > 0) {
        switch (http_reply_parser_feed(parser, &piece, &length, &err)) {
        case HTTP_REPLY_WHOLE:
            add(outcome, parser);
            http_reply_parser_next(parser);
            parser->last_length = forgets ? 0 : parser->last_length;
            break;
        case HTTP_REPLY_MORE:
            if (length > 0)
                abort();
            return true;
        case HTTP_REPLY_BODY: // was not asked for
            abort();
        case HTTP_REPLY_BAD:
            if (err.text[0] == '\0')
                abort();
            return false;
        }
    }
    return true;
}

static struct outcome parse(const uint8_t *data, size_t size, size_t step, bool forgets)
{
    struct outcome outcome = {0};
    struct http_reply_parser parser;
    http_reply_parser_init(&parser);
    for (size_t at = 0; at < size && !outcome.bad; at += step) {
        size_t length = size - at < step ? size - at : step;
        outcome.bad = !feed(&parser, data + at, length, forgets, &outcome);
    }
    outcome.ends = !outcome.bad && http_reply_parser_end(&parser);
    if (outcome.ends)
        add(&outcome, &parser);
    outcome.answered = !outcome.bad && parser.answered;
    http_reply_parser_free(&parser);
    return outcome;
}

// Takes one piece of a stream; false when no more belongs to the answer.
static bool stream_piece(struct http_reply_parser *parser, const uint8_t *bytes, size_t length,
                         struct outcome *outcome)
{
    struct error err = {.code = ERROR_NONE};
    enum http_reply_status status = HTTP_REPLY_BODY;
    while (status == HTTP_REPLY_BODY) {
        struct slice piece = {.length = 0};
        size_t before = length;
        status = parser->answered ? http_reply_parser_piece(parser, &bytes, &length, &piece, &err)
                                  : http_reply_parser_feed(parser, &bytes, &length, &err);
        if (status == HTTP_REPLY_BODY && parser->answered && piece.length == 0 && length == before)
            abort(); // nothing was taken: it would never end
        for (size_t i = 0; status == HTTP_REPLY_BODY && i < piece.length; i++)
            outcome->sum = outcome->sum * 31 + piece.data[i];
    }
    outcome->bad = status == HTTP_REPLY_BAD;
    outcome->ends = status == HTTP_REPLY_WHOLE;
    if (status == HTTP_REPLY_MORE && length > 0)
        abort();
    return status == HTTP_REPLY_MORE;
}

static struct outcome stream(const uint8_t *data, size_t size, size_t step)
{
    struct outcome outcome = {0};
    struct http_reply_parser parser;
    http_reply_parser_init(&parser);
    parser.announce = true;
    for (size_t at = 0; at < size; at += step)
        if (!stream_piece(&parser, data + at, size - at < step ? size - at : step, &outcome))
            break;
    outcome.answered = !outcome.bad && parser.answered;
    http_reply_parser_free(&parser);
    return outcome;
}

static void compare(struct outcome a, struct outcome b)
{
    if (a.answers != b.answers || a.sum != b.sum || a.bad != b.bad || a.ends != b.ends ||
        a.answered != b.answered)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t step = (size_t)data[0] % 17 + 1, length = size - 1;
    compare(parse(data + 1, length, size, false), parse(data + 1, length, step, false));
    compare(stream(data + 1, length, size), stream(data + 1, length, step));
    uint8_t *twice = malloc(2 * length);
    if (twice == NULL)
        return 0;
    memcpy(twice, data + 1, length);
    memcpy(twice + length, data + 1, length);
    compare(parse(twice, 2 * length, 2 * length, false),
            parse(twice, 2 * length, 2 * length, true));
    compare(parse(twice, 2 * length, length, false), parse(twice, 2 * length, length, true));
    free(twice);
    return 0;
}
