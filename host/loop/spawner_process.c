// SPDX-License-Identifier: Apache-2.0
//
// The spawner: see spawner_process.h. One thread, one poll: requests of the host, and SIGCHLD by a
// signalfd, as all signals are blocked. It blocks nowhere else but in vfork(), until the program
// has been executed. Answers that the socket does not take are queued; while many are queued,
// nothing is read and nothing is reaped.
//
// A program that ended stays a zombie until its group has been killed, so that the number of the
// group cannot be reused yet.

#include "loop/spawner_process.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "loop/inherited.h"
#include "loop/spawner.h"
#include "loop/spawner_wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SOCKET = 3,                // the only descriptor of the host
    ANSWERS_WAITING = 1 << 16, // bytes
    PAUSE_LONGEST = 20,        // milliseconds between two rounds of killing
};

struct process {
    uint64_t program;
    pid_t pid;
};

struct spawner_process {
    int signals;
    struct wire_head head;
    size_t head_length;    // how much of it has been read
    struct buffer body;    // what has been read behind it
    int files[WIRE_FILES]; // that came along
    size_t file_count;
    bool files_cut;          // some did not fit into this process
    char **words;            // arguments, NULL, variables, NULL
    struct buffer answers;   // for the socket
    struct process *running; // in no order
    size_t count, capacity;
};

// What is to be executed: points into the request.
struct program {
    const char *directory, *file;
    char **argv, **environment;
    const struct wire_start *start;
    const gid_t *groups;
    int files[WIRE_FILES];
};

struct fault {
    uint32_t step;
    int32_t code;
};

// ---- answers ----

static void answer(struct spawner_process *spawner, const struct wire_reply *reply)
{
    buffer_append(&spawner->answers, reply, sizeof *reply);
}

static bool is_full(const struct spawner_process *spawner)
{
    return spawner->answers.length >= ANSWERS_WAITING;
}

// False: the host is gone.
static bool send_answers(struct spawner_process *spawner)
{
    while (spawner->answers.length > 0) {
        ssize_t sent = send(SOCKET, spawner->answers.data, spawner->answers.length,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN;
        buffer_consume(&spawner->answers, (size_t)sent);
    }
    return true;
}

// ---- what runs ----

static void add(struct spawner_process *spawner, uint64_t program, pid_t pid)
{
    if (spawner->count == spawner->capacity) {
        spawner->capacity = spawner->capacity ? spawner->capacity * 2 : 64;
        spawner->running =
            memory_resize(spawner->running, spawner->capacity * sizeof *spawner->running);
    }
    spawner->running[spawner->count++] = (struct process){program, pid};
}

static struct process *find_pid(struct spawner_process *spawner, pid_t pid)
{
    for (size_t i = 0; i < spawner->count; i++)
        if (spawner->running[i].pid == pid)
            return &spawner->running[i];
    return NULL;
}

static void kill_program(struct spawner_process *spawner, uint64_t program, int number)
{
    for (size_t i = 0; i < spawner->count; i++)
        if (spawner->running[i].program == program)
            kill(-spawner->running[i].pid, number);
}

static void end(struct spawner_process *spawner, struct process *process, const siginfo_t *info)
{
    bool exited = info->si_code == CLD_EXITED;
    const struct wire_reply reply = {.program = process->program,
                                     .answer = WIRE_ENDED,
                                     .status = exited ? info->si_status : 0,
                                     .signal = exited ? 0 : info->si_status};
    answer(spawner, &reply);
    *process = spawner->running[--spawner->count];
}

static void reap(struct spawner_process *spawner)
{
    siginfo_t info = {0};
    while (!is_full(spawner) && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0) {
        struct process *process = find_pid(spawner, info.si_pid);
        if (process != NULL) {
            kill(-process->pid, SIGKILL);
            end(spawner, process, &info);
        }
        waitpid(info.si_pid, NULL, 0);
        info.si_pid = 0;
    }
}

// ---- starting ----

static _Noreturn void fail(int report, enum spawn_step step)
{
    const struct fault fault = {.step = step, .code = errno};
    ssize_t written = write(report, &fault, sizeof fault);
    (void)written;
    _exit(127);
}

// In the child, which may share the memory of the spawner until it executes: nothing is written to
// it. All other descriptors are closed by exec.
static _Noreturn void become(const struct program *program, int report)
{
    const struct wire_start *start = program->start;
    sigset_t none;
    setsid();
    for (int i = 0; i < WIRE_FILES; i++)
        if (dup2(program->files[i], i) < 0)
            fail(report, SPAWN_FORK);
    if (*program->directory != '\0' && chdir(program->directory) != 0)
        fail(report, SPAWN_DIRECTORY);
    if (start->switched && (setgroups(start->groups, program->groups) != 0 ||
                            setgid(start->gid) != 0 || setuid(start->uid) != 0))
        fail(report, SPAWN_USER);
    prctl(PR_SET_PDEATHSIG, SIGKILL); // if the spawner itself is killed
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(program->file, program->argv); // looks into the PATH of `environ`
    fail(report, SPAWN_EXECUTE);
}

static pid_t fork_into(const struct program *program, int report)
{
    pid_t pid = vfork();
    if (pid == 0)
        become(program, report);
    return pid;
}

// The pipe says what failed, or is closed by exec.
static pid_t execute(const struct program *program, struct fault *fault)
{
    static char *none[] = {NULL};
    int ends[2];
    *fault = (struct fault){.step = SPAWN_FORK};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        fault->code = errno;
        return -1;
    }
    environ = program->environment;
    pid_t pid = fork_into(program, ends[1]);
    fault->code = pid < 0 ? errno : 0;
    environ = none; // what it was is part of the request
    close(ends[1]);
    if (pid > 0 && read(ends[0], fault, sizeof *fault) != sizeof *fault)
        fault->code = 0;
    close(ends[0]);
    if (pid > 0 && fault->code != 0)
        waitpid(pid, NULL, 0);
    return pid;
}

// ---- requests ----

static void close_files(struct spawner_process *spawner)
{
    for (size_t i = 0; i < spawner->file_count; i++)
        close(spawner->files[i]);
    spawner->file_count = 0;
    spawner->files_cut = false;
}

// Descriptors that did not travel along are /dev/null, which the spawner has as 0, 1 and 2.
static void place_files(const struct spawner_process *spawner, struct program *program)
{
    size_t taken = 0;
    for (int i = 0; i < WIRE_FILES; i++) {
        bool given = (spawner->head.files & 1u << i) != 0 && taken < spawner->file_count;
        program->files[i] = given ? spawner->files[taken++] : i;
    }
}

// Lets `count` words begin at the texts from `text` on, with NULL behind them. Returns what
// follows.
static char *split(char *text, size_t count, char **words)
{
    for (size_t i = 0; i < count; i++) {
        words[i] = text;
        text += strlen(text) + 1;
    }
    words[count] = NULL;
    return text;
}

static void read_program(struct spawner_process *spawner, struct program *program)
{
    const struct wire_start *start = (const struct wire_start *)(const void *)spawner->body.data;
    size_t words = (size_t)start->arguments + start->variables + 2;
    spawner->words = memory_resize(spawner->words, words * sizeof *spawner->words);
    char *text = (char *)spawner->body.data + sizeof *start + start->groups * sizeof(gid_t);
    char *front[3];
    text = split(text, 2, front);
    *program = (struct program){.directory = front[0],
                                .file = front[1],
                                .argv = spawner->words,
                                .environment = spawner->words + start->arguments + 1,
                                .start = start,
                                .groups = (const gid_t *)(const void *)(start + 1)};
    text = split(text, start->arguments, program->argv);
    split(text, start->variables, program->environment);
    place_files(spawner, program);
}

static void start(struct spawner_process *spawner)
{
    struct program program;
    struct fault fault = {.step = SPAWN_FORK, .code = EMFILE};
    struct wire_reply reply = {.program = spawner->head.program, .answer = WIRE_FAILED};
    read_program(spawner, &program);
    pid_t pid = spawner->files_cut ? -1 : execute(&program, &fault);
    if (fault.code == 0) {
        add(spawner, reply.program, pid);
        reply.answer = WIRE_STARTED;
        reply.pid = pid;
    } else {
        reply.step = fault.step;
        reply.fault = fault.code;
    }
    answer(spawner, &reply);
}

static void handle(struct spawner_process *spawner)
{
    if (spawner->head.request == WIRE_START)
        start(spawner);
    else if (spawner->head.request == WIRE_KILL)
        kill_program(spawner, spawner->head.program, spawner->head.signal);
    close_files(spawner);
    buffer_shrink(&spawner->body);
    spawner->head_length = 0;
}

static void take_files(struct spawner_process *spawner, struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count && spawner->file_count < WIRE_FILES; i++)
            memcpy(&spawner->files[spawner->file_count++], CMSG_DATA(part) + i * sizeof(int),
                   sizeof(int));
    }
    spawner->files_cut = spawner->files_cut || (message->msg_flags & MSG_CTRUNC) != 0;
}

static ssize_t receive(struct spawner_process *spawner, void *to, size_t length)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(WIRE_FILES * sizeof(int))];
    struct iovec bytes = {.iov_base = to, .iov_len = length};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(SOCKET, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got > 0)
        take_files(spawner, &message);
    return got;
}

// Reads on in the request that has begun. False: the host is gone, or the request is malformed.
static bool read_request(struct spawner_process *spawner)
{
    bool in_head = spawner->head_length < sizeof spawner->head;
    size_t missing = in_head ? sizeof spawner->head - spawner->head_length
                             : spawner->head.length - spawner->body.length;
    void *to = in_head ? (uint8_t *)&spawner->head + spawner->head_length
                       : buffer_reserve(&spawner->body, missing);
    ssize_t got = to != NULL ? receive(spawner, to, missing) : 0;
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    if (in_head)
        spawner->head_length += (size_t)got;
    else
        spawner->body.length += (size_t)got;
    if (spawner->head_length == sizeof spawner->head &&
        spawner->body.length == spawner->head.length)
        handle(spawner);
    return true;
}

// ---- the end ----

// The parent of a process, or 0.
static pid_t parent_of(int processes, const char *pid)
{
    char path[32], text[512];
    snprintf(path, sizeof path, "%.16s/stat", pid);
    int file = openat(processes, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    const char *name_end = strrchr(text, ')'); // a name may contain anything
    return name_end != NULL ? (pid_t)strtol(name_end + 4, NULL, 10) : 0;
}

struct victims {
    pid_t *pids; // ascending, as /proc lists them
    size_t count, capacity;
    bool killed; // one at least
};

static int compare_pids(const void *a, const void *b)
{
    pid_t first = *(const pid_t *)a, second = *(const pid_t *)b;
    return (first > second) - (first < second);
}

static bool is_victim(const struct victims *victims, pid_t pid)
{
    return victims->count > 0 &&
           bsearch(&pid, victims->pids, victims->count, sizeof pid, compare_pids) != NULL;
}

static void kill_victim(struct victims *victims, pid_t pid)
{
    if (victims->count == victims->capacity) {
        victims->capacity = victims->capacity ? victims->capacity * 2 : 64;
        victims->pids = memory_resize(victims->pids, victims->capacity * sizeof *victims->pids);
    }
    victims->pids[victims->count++] = pid;
    victims->killed = kill(pid, SIGKILL) == 0 || victims->killed;
}

// One round over all processes: kills the children, and the children of what it kills if they come
// behind them in the list; the others become children for the next round. False: it may kill none.
static bool kill_descendants(void)
{
    struct victims victims = {0};
    DIR *processes = opendir("/proc");
    pid_t self = getpid();
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        pid_t parent = pid > 0 ? parent_of(dirfd(processes), entry->d_name) : 0;
        if (parent > 0 && (parent == self || is_victim(&victims, parent)))
            kill_victim(&victims, pid);
    }
    if (processes != NULL)
        closedir(processes);
    free(victims.pids);
    return victims.killed;
}

// Programs of other users, such as sudo's, are left if they may not be killed.
static void end_all(struct spawner_process *spawner)
{
    for (size_t i = 0; i < spawner->count; i++)
        kill(-spawner->running[i].pid, SIGKILL);
    for (int pause = 1;; pause = pause < PAUSE_LONGEST ? pause * 2 : pause) {
        pid_t pid;
        do
            pid = waitpid(-1, NULL, WNOHANG);
        while (pid > 0);
        if (pid < 0 || !kill_descendants())
            return;
        poll(NULL, 0, pause);
    }
}

// ---- life ----

static void reset_signals(struct spawner_process *spawner)
{
    sigset_t all, ends;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    spawner->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void forget_signals(const struct spawner_process *spawner)
{
    struct signalfd_siginfo info;
    while (read(spawner->signals, &info, sizeof info) == sizeof info)
        ;
}

// Keeps nothing of the host but the socket.
static void reset_files(int socket)
{
    int copy = fcntl(socket, F_DUPFD_CLOEXEC, SOCKET + 1); // it may be one of the first itself
    int file = open("/dev/null", O_RDWR);
    for (int i = 0; i < WIRE_FILES && file >= 0; i++)
        dup2(file, i);
    if (dup2(copy, SOCKET) < 0 || fcntl(SOCKET, F_SETFD, FD_CLOEXEC) != 0)
        _exit(1);
    closefrom(SOCKET + 1);
}

// Where `ps` reads the command line: fields 48 and 49 of /proc/self/stat. Left as it is if that is
// not where this program has got its name from, as under valgrind.
static void rename_process(void)
{
    static const char name[] = "mesos-lua: spawner";
    char text[1024];
    unsigned long first = 0, last = 0;
    prctl(PR_SET_NAME, "mesos-spawner");
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    char *field = strrchr(text, ')');
    for (int i = 2; field != NULL && i < 48; i++)
        field = strchr(field + 1, ' ');
    if (field == NULL || sscanf(field, "%lu %lu", &first, &last) != 2 || last <= first)
        return;
    char *line = program_invocation_name;
    if ((uintptr_t)line != first)
        return;
    memset(line, 0, last - first);
    memcpy(line, name, last - first < sizeof name ? last - first - 1 : sizeof name);
}

static void run(struct spawner_process *spawner)
{
    bool live = true;
    while (live) {
        bool full = is_full(spawner);
        struct pollfd files[] = {{.fd = SOCKET, .events = full ? 0 : POLLIN},
                                 {.fd = full ? -1 : spawner->signals, .events = POLLIN}};
        if (spawner->answers.length > 0)
            files[0].events |= POLLOUT;
        poll(files, 2, -1);
        if (files[1].revents != 0) {
            forget_signals(spawner);
            reap(spawner);
        }
        if ((files[0].revents & (POLLHUP | POLLERR)) != 0 && (files[0].revents & POLLIN) == 0)
            live = false;
        if ((files[0].revents & POLLIN) != 0)
            live = read_request(spawner);
        live = send_answers(spawner) && live;
        if (full && !is_full(spawner))
            reap(spawner); // SIGCHLD may have come in between
    }
}

static _Noreturn void be_spawner(int socket)
{
    static struct spawner_process spawner;
    reset_files(socket);
    inherited_restore_limit();
    setsid();
    reset_signals(&spawner);
    rename_process();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    buffer_init(&spawner.body, WIRE_LONGEST);
    buffer_init(&spawner.answers, SIZE_MAX);
    run(&spawner);
    end_all(&spawner);
    _exit(0);
}

int spawner_process_fork(pid_t *pid)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    *pid = fork();
    if (*pid == 0)
        be_spawner(ends[1]);
    int fault = errno;
    close(ends[1]);
    if (*pid > 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        return ends[0];
    close(ends[0]);
    errno = fault;
    return -1;
}
