// SPDX-License-Identifier: Apache-2.0
//
// Reads the answers that come one after another on a pipelined connection, in pieces of any size.
// It knows bytes only: no connection, no request. It is strict, since a wrong end of one answer
// would assign every later answer to the wrong call: line ends are CR LF; folded headers, two
// lengths that differ, and a length beside chunks are refused.
//
// A body is kept up to HTTP_REPLY_LIMIT and read to its end. That of a stream has no end that could
// be waited for: with `announce` the headers are reported first, and the owner may take the body
// piece by piece, where it is.
//
// Nearly all answers repeat the one before, byte for byte: a master answers 202 and nothing else,
// with a date that changes once a second. The bytes of a short answer are remembered, and if they
// come again they are not parsed again.

#ifndef MESOS_LUA_NET_HTTP_REPLY_PARSER_H
#define MESOS_LUA_NET_HTTP_REPLY_PARSER_H

#include "base/buffer.h"
#include "base/error.h"
#include "net/http_reply.h"

#define HTTP_REPLY_HEADERS ((size_t)64 * 1024) // bytes of one answer's headers, 1xx and trailers

enum { HTTP_REPLY_REMEMBERED = 256 }; // bytes

enum http_reply_status {
    HTTP_REPLY_MORE,  // all bytes were taken, and there is more to come
    HTTP_REPLY_BODY,  // the headers were read, or a piece of the body
    HTTP_REPLY_WHOLE, // the answer has ended
    HTTP_REPLY_BAD,   // nothing on the connection has a meaning after that
};

struct http_reply_parser {
    bool announce; // set by the owner: HTTP_REPLY_BODY when the headers of a body were read

    // Of the answer; valid once it is HTTP_REPLY_WHOLE, and `answered` says whether the first three
    // are valid already.
    int status;
    char location[1024], challenge[256]; // empty: none
    char content_type[128], stream_id[160];
    struct buffer body;
    bool close;    // nothing comes behind it
    bool answered; // its headers were read to their end
    bool begun;    // a byte of it was read

    // How far it is.
    unsigned state;
    bool sized, chunked;  // a Content-Length, chunks
    bool old, keep_alive; // HTTP/1.0, Connection: keep-alive
    uint64_t rest;        // bytes of the body, or of the chunk, that are missing
    size_t headers;       // bytes of them that were read
    struct buffer line;   // the beginning of one that is not whole

    // An answer that was read before, in one piece, and said no more than its status.
    uint8_t last[HTTP_REPLY_REMEMBERED];
    size_t last_length; // 0: none
    int last_status;
};

void http_reply_parser_init(struct http_reply_parser *parser);
void http_reply_parser_free(struct http_reply_parser *parser);

// Makes it ready for the next answer.
void http_reply_parser_next(struct http_reply_parser *parser);

// Takes bytes from the front of `*bytes`, at most to the end of one answer.
enum http_reply_status http_reply_parser_feed(struct http_reply_parser *parser,
                                              const uint8_t **bytes, size_t *length,
                                              struct error *err);

// The next piece of a body that was announced, in place, taken from the front of `*bytes`.
enum http_reply_status http_reply_parser_piece(struct http_reply_parser *parser,
                                               const uint8_t **bytes, size_t *length,
                                               struct slice *piece, struct error *err);

// How many bytes of the body come next, before anything else; and that so many of them were taken
// in place of being fed.
uint64_t http_reply_parser_run(const struct http_reply_parser *parser);
void http_reply_parser_skip(struct http_reply_parser *parser, size_t length);

// The connection was closed. True if that ended an answer, one whose body has no length or chunks.
bool http_reply_parser_end(const struct http_reply_parser *parser);

#endif
