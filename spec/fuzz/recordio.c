// SPDX-License-Identifier: Apache-2.0
//
// RecordIO fed with any bytes: whole, and again in pieces. Both ways give the same records and come
// to the same end. The first byte sets the length of the pieces.

#include "net/recordio.h"

#include <stdlib.h>

#define LIMIT 4096

struct outcome {
    size_t records, bytes;
    uint32_t sum; // of the bytes and the lengths, in order
    bool bad, whole;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct outcome *outcome, struct bytes *record)
{
    if (record->length > LIMIT)
        abort();
    outcome->records++;
    outcome->bytes += record->length;
    for (size_t i = 0; i < record->length; i++)
        outcome->sum = outcome->sum * 31 + record->data[i];
    outcome->sum = outcome->sum * 31 + (uint32_t)record->length;
    bytes_unref(record);
}

// Takes one piece; false when the input is bad.
static bool feed(struct recordio *recordio, const uint8_t *piece, size_t length,
                 struct outcome *outcome)
{
    struct bytes *record;
    struct error err = {.code = ERROR_NONE};
    for (;;) {
        switch (recordio_decode(recordio, &piece, &length, &record, &err)) {
        case RECORDIO_RECORD:
            add(outcome, record);
            break;
        case RECORDIO_MORE:
            return true;
        case RECORDIO_BAD:
            if (err.text[0] == '\0')
                abort();
            return false;
        }
    }
}

static struct outcome decode(const uint8_t *data, size_t size, size_t step)
{
    struct outcome outcome = {0};
    struct recordio recordio;
    recordio_init(&recordio, LIMIT);
    for (size_t at = 0; at < size && !outcome.bad; at += step) {
        size_t length = size - at < step ? size - at : step;
        outcome.bad = !feed(&recordio, data + at, length, &outcome);
    }
    outcome.whole = recordio_whole(&recordio);
    recordio_free(&recordio);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t step = (size_t)data[0] + 1;
    struct outcome a = decode(data + 1, size - 1, size);
    struct outcome b = decode(data + 1, size - 1, step);
    if (a.records != b.records || a.bytes != b.bytes || a.sum != b.sum || a.bad != b.bad ||
        a.whole != b.whole)
        abort();
    return 0;
}
