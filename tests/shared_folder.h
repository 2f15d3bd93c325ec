/* SPDX-License-Identifier: Apache-2.0 */
/* An empty folder for all tests of a program, gone afterwards. */
#ifndef TESTS_SHARED_FOLDER_H
#define TESTS_SHARED_FOLDER_H

#include "scratch.h"

static char shared_folder[64];

/* The path of a name in the folder, valid until the next call. */
static inline const char *in_folder(const char *name)
{
    static char path[SCRATCH_PATH];
    snprintf(path, sizeof path, "%s/%s", shared_folder, name);
    return path;
}

static inline int make_shared_folder(void **state)
{
    (void)state;
    strcpy(shared_folder, "/tmp/sumi-test-XXXXXX");
    return mkdtemp(shared_folder) ? 0 : -1;
}

static inline int remove_shared_folder(void **state)
{
    (void)state;
    return scratch_remove(shared_folder);
}

#endif
