/* A context and an empty folder for one test, both gone afterwards. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <dirent.h>

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

/* Removes a folder that holds only files and empty folders. */
static inline int scratch_tear_down(void **state)
{
    scratch *room = *state;
    char path[SCRATCH_PATH];
    DIR *folder = opendir(room->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        snprintf(path, sizeof path, "%s/%s", room->folder, entry->d_name);
        remove(path);
    }
    if (folder) closedir(folder);
    int result = remove(room->folder);
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
