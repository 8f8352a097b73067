// SPDX-License-Identifier: Apache-2.0
//
// The RecordIO decoder: see recordio.h. It is in one of two states: in a length line (`record` is
// NULL) or inside a record. The length is checked against the limit digit by digit, so it
// cannot overflow and no memory is allocated for a length that is refused.

#include "net/recordio.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 32 // bytes of garbage in an error

void recordio_init(struct recordio *recordio, size_t limit)
{
    *recordio = (struct recordio){.limit = limit ? limit : RECORDIO_LIMIT};
}

void recordio_free(struct recordio *recordio)
{
    bytes_unref(recordio->record);
    recordio_init(recordio, recordio->limit);
}

bool recordio_whole(const struct recordio *recordio)
{
    return recordio->record == NULL && recordio->digits == 0 && recordio->bad.code == ERROR_NONE;
}

// ---- errors ----

// One byte as it stands in a C string; returns how many characters that took.
static size_t escape(char *text, size_t size, uint8_t byte)
{
    const char *special = byte == '\n'   ? "\\n"
                          : byte == '\r' ? "\\r"
                          : byte == '\t' ? "\\t"
                          : byte == '"'  ? "\\\""
                          : byte == '\\' ? "\\\\"
                                         : NULL;
    int length = special         ? snprintf(text, size, "%s", special)
                 : isprint(byte) ? snprintf(text, size, "%c", byte)
                                 : snprintf(text, size, "\\x%02x", byte);
    return (size_t)length;
}

// Remembers that the input is bad; `input` is where it went wrong, and what there is of it is shown
// behind the digits that came before.
static enum recordio_status refuse(struct recordio *recordio, enum error_code code,
                                   const char *what, const uint8_t *input, size_t length)
{
    char shown[sizeof recordio->line + 4 * SHOWN + 1] = "";
    size_t used = (size_t)snprintf(shown, sizeof shown, "%s", recordio->line);
    for (size_t i = 0; i < length && i < SHOWN; i++)
        used += escape(shown + used, sizeof shown - used, input[i]);
    error_set(&recordio->bad, code, "%s, got \"%s\"%s", what, shown, length > SHOWN ? "..." : "");
    return RECORDIO_BAD;
}

static enum recordio_status refuse_length(struct recordio *recordio, const uint8_t *input,
                                          size_t length)
{
    char what[96];
    size_t digits = 0;
    while (digits < length && isdigit(input[digits]))
        digits++;
    snprintf(what, sizeof what, "record length of at most %zu bytes expected", recordio->limit);
    return refuse(recordio, ERROR_LIMIT, what, input, digits);
}

// ---- decoding ----

static enum recordio_status read_digit(struct recordio *recordio, const uint8_t *input,
                                       size_t length)
{
    if (!isdigit(*input))
        return refuse(recordio, ERROR_PROTOCOL, "record length expected", input, length);
    if (recordio->digits == RECORDIO_DIGITS)
        return refuse(recordio, ERROR_LIMIT, "record length of sensible size expected", input,
                      length);
    size_t digit = (size_t)(*input - '0');
    if (recordio->length > recordio->limit / 10 || recordio->length * 10 + digit > recordio->limit)
        return refuse_length(recordio, input, length);
    if (recordio->digits < sizeof recordio->line - 1)
        recordio->line[recordio->digits] = (char)*input;
    recordio->digits++;
    recordio->length = recordio->length * 10 + digit;
    return RECORDIO_MORE;
}

static void begin_record(struct recordio *recordio)
{
    recordio->record = bytes_create(recordio->length);
    recordio->filled = recordio->length = recordio->digits = 0;
    memset(recordio->line, 0, sizeof recordio->line);
}

// Reads up to the end of the length line.
static enum recordio_status read_line(struct recordio *recordio, const uint8_t **input,
                                      size_t *length)
{
    while (*length && recordio->record == NULL) {
        if (**input == '\n' && recordio->digits > 0)
            begin_record(recordio);
        else if (read_digit(recordio, *input, *length) == RECORDIO_BAD)
            return RECORDIO_BAD;
        ++*input;
        --*length;
    }
    return RECORDIO_MORE;
}

size_t recordio_space(const struct recordio *recordio, uint8_t **space)
{
    if (recordio->record == NULL)
        return 0;
    *space = recordio->record->data + recordio->filled;
    return recordio->record->length - recordio->filled;
}

struct bytes *recordio_filled(struct recordio *recordio, size_t length)
{
    struct bytes *record = recordio->record;
    recordio->filled += length;
    if (recordio->filled < record->length)
        return NULL;
    recordio->record = NULL;
    return record;
}

static enum recordio_status fill_record(struct recordio *recordio, const uint8_t **input,
                                        size_t *length, struct bytes **record)
{
    size_t missing = recordio->record->length - recordio->filled;
    size_t taken = *length < missing ? *length : missing;
    if (taken)
        memcpy(recordio->record->data + recordio->filled, *input, taken);
    *input += taken;
    *length -= taken;
    *record = recordio_filled(recordio, taken);
    return *record ? RECORDIO_RECORD : RECORDIO_MORE;
}

enum recordio_status recordio_decode(struct recordio *recordio, const uint8_t **input,
                                     size_t *length, struct bytes **record, struct error *err)
{
    if (recordio->bad.code == ERROR_NONE && recordio->record == NULL)
        read_line(recordio, input, length);
    if (recordio->bad.code != ERROR_NONE) {
        error_set(err, recordio->bad.code, "%s", recordio->bad.text);
        return RECORDIO_BAD;
    }
    return recordio->record ? fill_record(recordio, input, length, record) : RECORDIO_MORE;
}
