// SPDX-License-Identifier: Apache-2.0
//
// Calls of schedulers, made of any bytes, unpacked quickly and by protobuf-c: both have to agree on
// what is in them. The first byte chooses the message type. Most mutations are of fields.

#include "support/mutation.h"
#include "support/unpack_check.h"

#include "mesos/v1/executor/executor.pb-c.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <stdlib.h>

static const ProtobufCMessageDescriptor *const types[] = {
    &mesos__v1__scheduler__call__descriptor,
    &mesos__v1__scheduler__call__accept__descriptor,
    &mesos__v1__scheduler__call__decline__descriptor,
    &mesos__v1__scheduler__call__acknowledge__descriptor,
    &mesos__v1__offer__operation__descriptor,
    &mesos__v1__executor__call__descriptor,
};

struct input {
    const ProtobufCMessageDescriptor *type;
    struct slice message;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static struct input read_input(const uint8_t *data, size_t size)
{
    return (struct input){types[data[0] % (sizeof types / sizeof *types)], {data + 1, size - 1}};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct input input = read_input(data, size);
    if (unpack_check(input.type, input.message) == UNPACK_DIFFERS)
        abort();
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    if (size == 0 || seed % 8 == 0)
        return LLVMFuzzerMutate(data, size, most);
    return mutation_mutate_input(read_input(data, size).type, data, size, most, seed);
}
