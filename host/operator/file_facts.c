// SPDX-License-Identifier: Apache-2.0
//
// The facts about a file; see the header.

#include "operator/file_facts.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

static char letter_of(mode_t mode)
{
    static const struct {
        mode_t type;
        char letter;
    } rows[] = {{S_IFDIR, 'd'}, {S_IFCHR, 'c'}, {S_IFBLK, 'b'},
                {S_IFIFO, 'p'}, {S_IFLNK, 'l'}, {S_IFSOCK, 's'}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((mode & S_IFMT) == rows[i].type)
            return rows[i].letter;
    return '-';
}

static void write_mode(char *text, mode_t mode)
{
    static const char letters[] = "rwxrwxrwx";
    text[0] = letter_of(mode);
    for (int i = 0; i < 9; i++)
        text[i + 1] = mode & (mode_t)(0400 >> i) ? letters[i] : '-';
    text[10] = '\0';
}

static void name_user(struct file_facts *facts, uid_t id)
{
    const struct passwd *user = getpwuid(id);
    snprintf(facts->user, sizeof facts->user, "%u", (unsigned)id);
    if (user != NULL)
        snprintf(facts->user, sizeof facts->user, "%s", user->pw_name);
    facts->user_id = id;
}

static void name_group(struct file_facts *facts, gid_t id)
{
    const struct group *group = getgrgid(id);
    snprintf(facts->group, sizeof facts->group, "%u", (unsigned)id);
    if (group != NULL)
        snprintf(facts->group, sizeof facts->group, "%s", group->gr_name);
    facts->group_id = id;
}

void file_facts(struct file_facts *facts, const struct stat *status)
{
    write_mode(facts->mode, status->st_mode);
    if (*facts->user == '\0' || facts->user_id != status->st_uid)
        name_user(facts, status->st_uid);
    if (*facts->group == '\0' || facts->group_id != status->st_gid)
        name_group(facts, status->st_gid);
}
