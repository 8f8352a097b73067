// SPDX-License-Identifier: Apache-2.0
//
// The control socket: see control.h. A session is a client. Its request is a block of its own that
// outlives it, since the answer may come later than the client's end. While a request is under way
// the session goes on to read up to the length of one request, and no further.
//
// control_serve() takes connections and bytes from the descriptors themselves, which libuv finds
// empty later; an answer that the socket takes at once needs no turn of the loop either.

#include "ops/control.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "ops/control_line.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PIECE = 65536 };

static const uint64_t look_again = LOOP_SECOND / 2; // for clients that will send nothing else

struct session;

struct control {
    struct loop *loop;
    const struct control_events *events;
    void *data;
    uv_pipe_t *pipe;
    char *path, *link; // link: a name for the path among the default ones, or NULL
    struct stat made;
    TAILQ_HEAD(, session) sessions; // the one that was heard of last at the end
    unsigned count;
    bool serving;           // the loop does not turn
    struct deferral resume; // what was held up goes on
    struct timer look;
};

struct control_request {
    struct session *session; // NULL: its client is gone
    void (*left)(void *data);
    void *left_data;
};

struct session {
    struct control *control;
    TAILQ_ENTRY(session) link;
    uv_pipe_t pipe;
    uv_write_t write;
    char *reply; // being written, or NULL
    struct buffer input;
    struct control_request *request;
    bool reading, ended; // ended: no more will come
    bool held;           // its next request waits for a turn of the loop
    bool taking;         // one is being handed over
};

static void go_on(struct session *session);

// ---- where sockets are ----

static char *runtime_folder(uid_t uid)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    if (uid == geteuid() && folder != NULL && *folder == '/')
        return memory_format("%s/mesos-lua", folder);
    return memory_format("/run/user/%u/mesos-lua", (unsigned)uid);
}

static char *temporary_folder(uid_t uid)
{
    return memory_format("/tmp/mesos-lua-%u", (unsigned)uid);
}

static bool fits(const char *path)
{
    return strlen(path) < sizeof((struct sockaddr_un *)NULL)->sun_path;
}

static char *socket_in(char *folder, pid_t pid)
{
    char *path = memory_format("%s/%d.sock", folder, (int)pid);
    free(folder);
    return path;
}

char *control_find(pid_t pid, uid_t *user)
{
    struct stat process, found;
    char *name = memory_format("/proc/%d", (int)pid);
    uid_t uid = stat(name, &process) == 0 ? process.st_uid : geteuid();
    free(name);
    *user = uid;
    char *path = socket_in(runtime_folder(uid), pid);
    if (stat(path, &found) == 0)
        return path;
    free(path);
    path = socket_in(temporary_folder(uid), pid);
    if (stat(path, &found) == 0)
        return path;
    free(path);
    return NULL;
}

// Makes it, or looks whether it is ours alone.
static bool own_folder(const char *folder, struct error *err)
{
    struct stat there;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return error_set(err, ERROR_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    if (lstat(folder, &there) != 0 || !S_ISDIR(there.st_mode))
        return error_set(err, ERROR_INVALID, "%s is not a folder", folder);
    if (there.st_uid != geteuid() || (there.st_mode & 077) != 0)
        return error_set(err, ERROR_INVALID,
                         "the folder %s is not for its owner alone: give it to the user of this "
                         "process and set its mode to 0700",
                         folder);
    return true;
}

// Names of sockets of processes that are no more.
static void clean(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        bool ours = end != entry->d_name && strcmp(end, ".sock") == 0 && pid > 0;
        if (ours && (pid == getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH)))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

// A path for this process in a folder of its user, or NULL.
static char *default_path(struct error *err)
{
    char *folders[] = {runtime_folder(geteuid()), temporary_folder(geteuid())}, *path = NULL;
    for (size_t i = 0; i < 2 && path == NULL; i++) {
        if (!own_folder(folders[i], err))
            continue;
        clean(folders[i]);
        path = memory_format("%s/%d.sock", folders[i], (int)getpid());
        if (fits(path))
            continue;
        error_set(err, ERROR_LIMIT, "the path %s is too long for a socket", path);
        free(path);
        path = NULL;
    }
    free(folders[0]);
    free(folders[1]);
    return path;
}

// ---- listening ----

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

// Is somebody listening there? A socket that nobody listens at is removed.
static bool make_room(const char *path, struct error *err)
{
    struct stat there;
    if (lstat(path, &there) != 0)
        return true;
    if (!S_ISSOCK(there.st_mode))
        return error_set(err, ERROR_INVALID, "%s is there and is no socket", path);
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool left =
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (!left)
        return error_set(err, ERROR_INVALID, "another process listens at %s", path);
    unlink(path);
    return true;
}

static int bind_socket(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    int result = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof address);
    int fault = errno;
    umask(mask);
    if (result == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = fault;
    return -1;
}

static bool is_allowed(uv_pipe_t *pipe)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    if (peer.uid == geteuid() || peer.uid == 0)
        return true;
    log_warning("a process of user %u was refused at the control socket", (unsigned)peer.uid);
    return false;
}

// ---- sessions ----

static void on_session_closed(uv_handle_t *handle)
{
    struct session *session = handle->data;
    buffer_free(&session->input);
    free(session->reply);
    free(session);
}

static void end_session(struct session *session)
{
    struct control *control = session->control;
    struct control_request *request = session->request;
    if (uv_is_closing((uv_handle_t *)&session->pipe))
        return;
    session->request = NULL;
    if (control != NULL) {
        TAILQ_REMOVE(&control->sessions, session, link);
        control->count--;
    }
    uv_close((uv_handle_t *)&session->pipe, on_session_closed);
    if (request == NULL)
        return;
    request->session = NULL;
    if (request->left != NULL)
        request->left(request->left_data);
}

static void on_written(uv_write_t *write, int status)
{
    struct session *session = write->data;
    free(session->reply);
    session->reply = NULL;
    if (status != 0)
        end_session(session);
    else
        go_on(session);
}

// A line with its newline. To be freed.
static char *reply_line(json_t *reply)
{
    char *text = json_dumps(reply, JSON_COMPACT);
    char *line =
        memory_format("%s\n", text ? text : "{\"ok\":false,\"error\":\"the reply is not UTF-8\"}");
    free(text);
    return line;
}

// What the socket does not take at once is written by and by.
static void send_reply(struct session *session, json_t *reply)
{
    char *line = reply_line(reply);
    uv_stream_t *stream = (uv_stream_t *)&session->pipe;
    uv_buf_t whole = uv_buf_init(line, (unsigned)strlen(line));
    int sent = uv_try_write(stream, &whole, 1);
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (done == whole.len) {
        free(line);
        return;
    }
    uv_buf_t rest = uv_buf_init(line + done, (unsigned)(whole.len - done));
    session->reply = line;
    session->write.data = session;
    if (uv_write(&session->write, stream, &rest, 1, on_written) != 0)
        end_session(session);
}

static struct control_request *new_request(struct session *session)
{
    session->request = memory_new(sizeof *session->request);
    session->request->session = session;
    TAILQ_REMOVE(&session->control->sessions, session, link);
    TAILQ_INSERT_TAIL(&session->control->sessions, session, link);
    return session->request;
}

void control_reply(struct control_request *request, json_t *reply)
{
    struct session *session = request->session;
    if (session != NULL) {
        session->request = NULL;
        send_reply(session, reply);
        if (session->control != NULL && session->reply == NULL && !session->taking)
            deferral_queue(&session->control->resume);
    }
    json_decref(reply);
    free(request);
}

void control_request_follow(struct control_request *request, void (*left)(void *data), void *data)
{
    request->left = left;
    request->left_data = data;
}

static void refuse(struct session *session, const char *text)
{
    control_reply(new_request(session), json_pack("{s:b, s:s}", "ok", 0, "error", text));
}

// ---- requests ----

static void hold(struct session *session)
{
    session->held = true;
    deferral_queue(&session->control->resume);
}

static void take_line(struct session *session, const struct control_line *line)
{
    struct control *control = session->control;
    if (line->complaint != NULL)
        refuse(session, line->complaint);
    else if (line->command != NULL)
        control->events->handle(control->data, new_request(session), line->command, line->argument);
}

// Takes the first line from the input, if a whole one is there and its turn has come.
static bool take_next(struct session *session)
{
    struct control *control = session->control;
    struct control_line line;
    if (session->held || !control_line_read(buffer_slice(&session->input), session->ended, &line))
        return false;
    if (control->serving && line.command != NULL &&
        !control->events->ready(control->data, line.command)) {
        hold(session);
    } else {
        buffer_consume(&session->input, line.taken);
        session->taking = true;
        take_line(session, &line);
        session->taking = false;
    }
    control_line_free(&line);
    return !session->held;
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *to)
{
    struct session *session = handle->data;
    size_t room = session->input.limit - session->input.length;
    size_t length = suggested < room ? suggested : room;
    *to = uv_buf_init((char *)buffer_reserve(&session->input, length), (unsigned)length);
}

static int descriptor_of(struct session *session)
{
    uv_os_fd_t fd = -1;
    uv_fileno((uv_handle_t *)&session->pipe, &fd);
    return fd;
}

// Is the other end closed, and not only for writing?
static bool has_left(struct session *session)
{
    struct pollfd descriptor = {.fd = descriptor_of(session)};
    return poll(&descriptor, 1, 0) > 0 && (descriptor.revents & (POLLHUP | POLLERR)) != 0;
}

static bool unanswered(const struct session *session)
{
    return session->request != NULL || session->held;
}

// Bytes, or the end of them (a length below 0), have come.
static void take_bytes(struct session *session, ssize_t length)
{
    if (length > 0)
        session->input.length += (size_t)length;
    if (length < 0) {
        session->ended = true;
        session->reading = false;
        uv_read_stop((uv_stream_t *)&session->pipe);
    }
    if (session->ended && unanswered(session) && has_left(session))
        end_session(session);
    else
        go_on(session);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *from)
{
    (void)from;
    take_bytes(stream->data, length);
}

static void set_reading(struct session *session, bool on)
{
    if (on == session->reading || session->ended)
        return;
    session->reading = on;
    if (on)
        uv_read_start((uv_stream_t *)&session->pipe, allocate, on_read);
    else
        uv_read_stop((uv_stream_t *)&session->pipe);
}

static bool idle(const struct session *session)
{
    return session->request == NULL && session->reply == NULL && !session->held &&
           !uv_is_closing((const uv_handle_t *)&session->pipe);
}

static void refuse_long(struct session *session)
{
    session->ended = true;
    buffer_clear(&session->input);
    uv_read_stop((uv_stream_t *)&session->pipe);
    refuse(session, "the request is longer than 1 MiB");
}

// Takes requests as long as they are answered at once.
static void go_on(struct session *session)
{
    struct control *control = session->control;
    while (idle(session) && take_next(session))
        ;
    if (uv_is_closing((uv_handle_t *)&session->pipe))
        return;
    bool full = session->input.length == session->input.limit;
    if (idle(session) && full)
        refuse_long(session);
    if (idle(session) && session->ended) {
        end_session(session);
    } else {
        set_reading(session, !full);
        if (session->ended && !timer_active(&control->look))
            timer_start(&control->look, look_again);
    }
}

// The sessions as they are now; what is done to one of them may end that one, and no other.
static size_t list_sessions(const struct control *control, struct session **list)
{
    size_t count = 0;
    struct session *session;
    TAILQ_FOREACH(session, &control->sessions, link)
    list[count++] = session;
    return count;
}

static void on_resume(void *data)
{
    struct control *control = data;
    struct session *list[CONTROL_CLIENTS + 1];
    size_t count = list_sessions(control, list);
    for (size_t i = 0; i < count; i++) {
        list[i]->held = false;
        go_on(list[i]);
    }
}

// Of a client that will send nothing else libuv does not tell that it has gone.
static void on_look(void *data)
{
    struct control *control = data;
    struct session *list[CONTROL_CLIENTS + 1];
    size_t count = list_sessions(control, list);
    bool more = false;
    for (size_t i = 0; i < count; i++) {
        bool waits = list[i]->ended && unanswered(list[i]);
        if (waits && has_left(list[i]))
            end_session(list[i]);
        else
            more = more || waits;
    }
    if (more)
        timer_start(&control->look, look_again);
}

// The one that was silent for the longest time, rather one without a request.
static void evict(struct control *control)
{
    struct session *session;
    TAILQ_FOREACH(session, &control->sessions, link)
    if (session->request == NULL)
        break;
    end_session(session ? session : TAILQ_FIRST(&control->sessions));
}

static struct session *new_session(struct control *control)
{
    struct session *session = memory_new(sizeof *session);
    session->control = control;
    buffer_init(&session->input, CONTROL_REQUEST);
    uv_pipe_init(loop_uv_handle(control->loop), &session->pipe, 0);
    session->pipe.data = session;
    if (control->count >= CONTROL_CLIENTS)
        evict(control);
    control->count++;
    TAILQ_INSERT_TAIL(&control->sessions, session, link);
    return session;
}

static void welcome(struct session *session)
{
    if (is_allowed(&session->pipe)) {
        go_on(session);
        return;
    }
    session->ended = true;
    refuse(session, "this host belongs to another user");
    go_on(session);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control *control = stream->data;
    if (status != 0)
        return;
    struct session *session = new_session(control);
    if (uv_accept(stream, (uv_stream_t *)&session->pipe) != 0)
        end_session(session);
    else
        welcome(session);
}

// ---- without the loop ----

static void accept_now(struct control *control)
{
    uv_os_fd_t listener = -1;
    uv_fileno((uv_handle_t *)control->pipe, &listener);
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        struct session *session = new_session(control);
        if (uv_pipe_open(&session->pipe, fd) == 0) {
            welcome(session);
        } else {
            close(fd);
            end_session(session);
        }
    }
}

// Not more than what one request may have.
static void read_now(struct session *session)
{
    while (!session->ended && !uv_is_closing((uv_handle_t *)&session->pipe)) {
        size_t room = session->input.limit - session->input.length;
        uint8_t *to =
            room > 0 ? buffer_reserve(&session->input, room < PIECE ? room : PIECE) : NULL;
        if (to == NULL)
            return;
        ssize_t length =
            recv(descriptor_of(session), to, room < PIECE ? room : PIECE, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return;
        take_bytes(session, length > 0 ? length : -1);
    }
}

void control_serve(struct control *control)
{
    struct session *list[CONTROL_CLIENTS + 1];
    control->serving = true;
    accept_now(control);
    size_t count = list_sessions(control, list);
    for (size_t i = 0; i < count; i++)
        read_now(list[i]);
    control->serving = false;
}

// ---- the face ----

static bool start(struct control *control, struct error *err)
{
    if (!make_room(control->path, err))
        return false;
    int fd = bind_socket(control->path);
    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot listen at %s: %s", control->path, strerror(errno));
    lstat(control->path, &control->made);
    control->pipe = memory_new(sizeof *control->pipe);
    uv_pipe_init(loop_uv_handle(control->loop), control->pipe, 0);
    control->pipe->data = control;
    int fault = uv_pipe_open(control->pipe, fd);
    if (fault != 0)
        close(fd);
    else
        fault = uv_listen((uv_stream_t *)control->pipe, SOMAXCONN, on_connection);
    return fault == 0 ||
           error_set(err, ERROR_IO, "cannot listen at %s: %s", control->path, uv_strerror(fault));
}

// So that the process can be found by its id, too.
static void add_link(struct control *control)
{
    char *target = realpath(control->path, NULL);
    control->link = target ? default_path(NULL) : NULL;
    if (control->link != NULL && symlink(target, control->link) != 0) {
        free(control->link);
        control->link = NULL;
    }
    free(target);
}

struct control *control_open(struct loop *loop, const char *path,
                             const struct control_events *events, void *data, struct error *err)
{
    char *chosen = path ? memory_string(path) : default_path(err);
    if (chosen == NULL)
        return NULL;
    if (!fits(chosen)) {
        error_set(err, ERROR_LIMIT, "the path %s is too long for a socket", chosen);
        free(chosen);
        return NULL;
    }
    struct control *control = memory_new(sizeof *control);
    *control = (struct control){.loop = loop, .events = events, .data = data, .path = chosen};
    TAILQ_INIT(&control->sessions);
    deferral_init(&control->resume, loop, on_resume, control);
    timer_init(&control->look, loop, on_look, control);
    if (!start(control, err)) {
        control_close(control);
        return NULL;
    }
    if (path != NULL)
        add_link(control);
    return control;
}

static void on_pipe_closed(uv_handle_t *handle)
{
    free(handle);
}

void control_unlink(const struct control *control)
{
    struct stat there;
    if (control->made.st_ino != 0 && lstat(control->path, &there) == 0 &&
        there.st_ino == control->made.st_ino && there.st_dev == control->made.st_dev)
        unlink(control->path);
    if (control->link != NULL)
        unlink(control->link);
}

void control_close(struct control *control)
{
    if (control == NULL)
        return;
    while (!TAILQ_EMPTY(&control->sessions))
        end_session(TAILQ_FIRST(&control->sessions));
    deferral_cancel(&control->resume);
    timer_stop(&control->look);
    control_unlink(control);
    if (control->pipe != NULL)
        uv_close((uv_handle_t *)control->pipe, on_pipe_closed);
    free(control->link);
    free(control->path);
    free(control);
}

const char *control_path(const struct control *control)
{
    return control->path;
}
