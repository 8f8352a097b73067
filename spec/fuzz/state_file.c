// SPDX-License-Identifier: Apache-2.0
//
// State files made of any bytes, and once more with the checksum put right, since no fuzzer finds
// that. What state_file_read() takes says where its parts are, and written again it is read again
// to the same; what it refuses it refuses with words.

#include "app/state_file.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(const struct state_file *kept)
{
    struct buffer out;
    struct state_file again;
    struct error err = {.code = ERROR_NONE};
    buffer_init(&out, LIMIT);
    if (state_file_write(kept, 1700000000, &out, &err)) {
        if (!state_file_read(buffer_slice(&out), &again, &err) ||
            !slice_equal(again.framework_id, kept->framework_id) ||
            !slice_equal(again.state, kept->state))
            abort();
    } else if (err.text[0] == '\0') {
        abort();
    }
    buffer_free(&out);
}

static void check(struct slice document)
{
    struct state_file kept;
    struct error err = {.code = ERROR_NONE};
    if (state_file_read(document, &kept, &err))
        check_round(&kept);
    else if (err.text[0] == '\0')
        abort();
}

static uint64_t sum_of(const uint8_t *data, size_t size)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ data[i]) * UINT64_C(1099511628211);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer document;
    check((struct slice){data, size});
    buffer_init(&document, LIMIT);
    buffer_append(&document, data, size);
    buffer_append_text(&document, "\n");
    uint64_t sum = sum_of(document.data, document.length);
    buffer_format(&document, "checksum %016llx\n", (unsigned long long)sum);
    check(buffer_slice(&document));
    buffer_free(&document);
    return 0;
}
