// SPDX-License-Identifier: Apache-2.0
//
// Files as messages; see the header.

#include "operator/file_messages.h"

#include <stdio.h>

static void write_file(struct response_writer *writer, const struct sandbox_file *file)
{
    Mesos__V1__FileInfo info = MESOS__V1__FILE_INFO__INIT;
    Mesos__V1__TimeInfo time = MESOS__V1__TIME_INFO__INIT;
    char user[16], group[16];
    snprintf(user, sizeof user, "%u", (unsigned)file->status.st_uid);
    snprintf(group, sizeof group, "%u", (unsigned)file->status.st_gid);
    time.nanoseconds = (int64_t)file->status.st_mtime * 1000000000;
    info.path = file->path;
    info.has_nlink = info.has_size = info.has_mode = true;
    info.nlink = (int32_t)file->status.st_nlink;
    info.size = (uint64_t)file->status.st_size;
    info.mtime = &time;
    info.mode = file->status.st_mode;
    info.uid = user;
    info.gid = group;
    response_writer_item(writer, &info.base);
}

struct master_answer file_messages_list(const struct sandbox_question *question,
                                        struct response_writer *writer)
{
    struct sandbox_listing listing;
    struct master_answer answer = {0};
    answer.status = (int)sandbox_files_list(question, &listing, &answer.error);
    response_writer_list(writer, "file_infos");
    for (size_t i = 0; i < listing.count; i++)
        write_file(writer, &listing.files[i]);
    response_writer_end(writer);
    sandbox_files_free(&listing);
    return answer;
}

struct master_answer file_messages_read(const struct sandbox_question *question, uint64_t offset,
                                        uint64_t length, struct response_writer *writer)
{
    struct master_answer answer = {0};
    struct buffer data;
    uint64_t size = 0;
    buffer_init(&data, (size_t)1 << 20);
    answer.status = (int)sandbox_files_read(question, offset, length, &data, &size, &answer.error);
    response_writer_number(writer, "size", size);
    response_writer_bytes(writer, "data", buffer_slice(&data));
    buffer_free(&data);
    return answer;
}
