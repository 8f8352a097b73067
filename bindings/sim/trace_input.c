// SPDX-License-Identifier: Apache-2.0
//
// Files of workloads: see trace_input.h.

#include "bindings/sim/trace_input.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_BLOCK = 4096, LARGE_BLOCK = 65536 };

// ---- blocks ----

// Reads the next block; false at the end of the file, and if the system fails.
static bool refill(struct trace_input *input, struct error *err)
{
    ssize_t count;
    do
        count = read(input->file, input->block, input->read_size);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        error_set(err, ERROR_IO, "%s: %s", input->path, strerror(errno));
    if (count <= 0)
        return false;
    input->at = 0;
    input->end = (size_t)count;
    input->end_offset += (uint64_t)count;
    if (input->read_size < LARGE_BLOCK)
        input->read_size *= 2;
    return true;
}

// ---- opening ----

static bool is_compressed(const uint8_t *data, size_t length)
{
    static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd},
                         xz[] = {0xfd, '7', 'z'}, bzip2[] = {'B', 'Z', 'h'};
    static const struct {
        const uint8_t *bytes;
        size_t length;
    } heads[] = {{gzip, sizeof gzip}, {zstd, sizeof zstd}, {xz, sizeof xz}, {bzip2, sizeof bzip2}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (length >= heads[i].length && memcmp(data, heads[i].bytes, heads[i].length) == 0)
            return true;
    return false;
}

static void skip_mark(struct trace_input *input)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (input->end >= 3 && memcmp(input->block, mark, 3) == 0)
        input->at = 3;
}

static bool begin(struct trace_input *input, struct error *err)
{
    struct stat status;
    if (fstat(input->file, &status) == 0 && S_ISDIR(status.st_mode))
        return error_set(err, ERROR_INVALID, "%s: this is a folder, and a file is expected",
                         input->path);
    struct error reason = {.code = ERROR_NONE};
    bool some = refill(input, &reason);
    if (reason.code != ERROR_NONE)
        return error_set(err, reason.code, "%s", reason.text);
    if (some && is_compressed(input->block, input->end))
        return error_set(err, ERROR_INVALID,
                         "%s: the file is compressed: unpack it first, such as with gunzip -k",
                         input->path);
    skip_mark(input);
    return true;
}

bool trace_input_open(struct trace_input *input, const char *path, struct error *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
    *input = (struct trace_input){.path = memory_string(path),
                                  .file = file,
                                  .block = memory_new(LARGE_BLOCK),
                                  .read_size = LARGE_BLOCK};
    buffer_init(&input->text, TRACE_INPUT_ITEM);
    if (begin(input, err))
        return true;
    trace_input_close(input);
    return false;
}

void trace_input_close(struct trace_input *input)
{
    if (input->path == NULL)
        return;
    close(input->file);
    buffer_free(&input->text);
    free(input->block);
    free(input->path);
    input->path = NULL;
}

// ---- reading ----

static uint64_t offset_of(const struct trace_input *input)
{
    return input->end_offset - (input->end - input->at);
}

void trace_input_begin(struct trace_input *input, size_t back)
{
    buffer_clear(&input->text);
    input->item_offset = offset_of(input) - back;
    input->item_line = input->line + 1;
}

int trace_input_byte(struct trace_input *input, struct error *err)
{
    if (input->at == input->end && !refill(input, err))
        return -1;
    int byte = input->block[input->at++];
    input->line += byte == '\n';
    return byte;
}

enum trace_status trace_input_line(struct trace_input *input, struct error *err)
{
    struct error reason = {.code = ERROR_NONE};
    const uint8_t *stop = NULL;
    trace_input_begin(input, 0);
    while (stop == NULL && (input->at < input->end || refill(input, &reason))) {
        const uint8_t *from = input->block + input->at;
        stop = memchr(from, '\n', input->end - input->at);
        size_t length = stop ? (size_t)(stop - from) : input->end - input->at;
        input->at += length + (stop != NULL);
        if (!buffer_append(&input->text, from, length))
            return trace_input_fault(input, err, "the line has more than %zu bytes",
                                     TRACE_INPUT_ITEM);
    }
    if (reason.code != ERROR_NONE) {
        error_set(err, reason.code, "%s", reason.text);
        return TRACE_BAD;
    }
    input->complete = stop != NULL;
    if (stop == NULL && input->text.length == 0)
        return TRACE_END;
    input->line++;
    return TRACE_ITEM;
}

bool trace_input_seek(struct trace_input *input, uint64_t offset, size_t line, struct error *err)
{
    uint64_t first = input->end_offset - input->end;
    input->line = line - 1;
    if (offset >= first && offset < input->end_offset) {
        input->at = (size_t)(offset - first);
        return true;
    }
    if (lseek(input->file, (off_t)offset, SEEK_SET) < 0)
        return error_set(err, ERROR_IO,
                         "%s: rows are put in order by reading a file twice, and this cannot: %s",
                         input->path, strerror(errno));
    input->at = input->end = 0;
    input->end_offset = offset;
    input->read_size = SMALL_BLOCK;
    return true;
}

enum trace_status trace_input_fault(const struct trace_input *input, struct error *err,
                                    const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(err, ERROR_INVALID, "%s:%zu: %s", input->path, input->item_line, text);
    return TRACE_BAD;
}
