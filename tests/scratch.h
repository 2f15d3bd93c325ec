/* SPDX-License-Identifier: Apache-2.0 */
/* A context and an empty folder for one test, both gone afterwards. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <dirent.h>
#include <sys/stat.h>

#include "check.h"

enum { SCRATCH_PATH = 512 };

typedef struct scratch {
    sumi_context *context;
    char folder[64];
    char path[SCRATCH_PATH];
} scratch;

static inline int scratch_set_up(void **state)
{
    scratch *room = calloc(1, sizeof *room);
    if (!room) return -1;
    strcpy(room->folder, "/tmp/sumi-test-XXXXXX");
    *state = room;
    if (sumi_context_create(NULL, &room->context) != SUMI_OK) return -1;
    return mkdtemp(room->folder) ? 0 : -1;
}

/* Removes a file, or a folder and all that is in it. */
static inline int scratch_remove(const char *path)
{
    char inside[SCRATCH_PATH];
    struct stat about;
    DIR *folder = lstat(path, &about) == 0 && S_ISDIR(about.st_mode) ? opendir(path) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        int length = snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (length < SCRATCH_PATH) scratch_remove(inside);
    }
    if (folder) closedir(folder);
    return remove(path);
}

static inline int scratch_tear_down(void **state)
{
    scratch *room = *state;
    int result = scratch_remove(room->folder);
    sumi_context_free(room->context);
    free(room);
    return result;
}

/* The path of a name in the folder, valid until the next call. */
static inline const char *scratch_path(scratch *room, const char *name)
{
    snprintf(room->path, sizeof room->path, "%s/%s", room->folder, name);
    return room->path;
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

#endif
