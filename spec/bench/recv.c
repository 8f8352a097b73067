// SPDX-License-Identifier: Apache-2.0
//
// The floor of what a client costs: a loop of recv(), and nothing is done with the bytes. It
// subscribes like a client, reads into one buffer, and says with one byte each time that a batch is
// there.
//
//   bench-recv PORT HEAD BATCH...     bytes before the first batch, and of each of those that are
//                                     sent in turns

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char subscribe[] = "POST /api/v1/scheduler HTTP/1.1\r\nContent-Length: 2\r\n\r\n"
                                "\x10\x01";

static void check(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static int subscribe_at(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int stream = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(stream, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    check(write(stream, subscribe, sizeof subscribe - 1) == sizeof subscribe - 1, "write");
    return stream;
}

int main(int argc, char **argv)
{
    enum { SIZE = 256 * 1024 };
    static char buffer[SIZE];
    check(argc > 3, "bench-recv PORT HEAD BATCH...");
    int stream = subscribe_at(argv[1]), turn = 3;
    size_t due = strtoul(argv[2], NULL, 10) + strtoul(argv[turn], NULL, 10), read = 0;
    for (ssize_t length; (length = recv(stream, buffer, SIZE, 0)) > 0;) {
        read += (size_t)length;
        if (read < due)
            continue;
        check(write(stream, ".", 1) == 1, "write");
        turn = turn + 1 < argc ? turn + 1 : 3;
        due += strtoul(argv[turn], NULL, 10);
    }
    return 0;
}
