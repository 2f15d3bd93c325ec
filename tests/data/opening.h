/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of data sets: a context, a temporary folder, and data sets opened by the text
   of a recipe. */
#ifndef TESTS_DATA_OPENING_H
#define TESTS_DATA_OPENING_H

#include <unistd.h>

#include "check.h"
#include "data/data.h"

struct place {
    sumi_context *context;
    char folder[64];
};

static struct place here;

static inline int make_place(void **state)
{
    (void)state;
    strcpy(here.folder, "/tmp/sumi-data-XXXXXX");
    if (sumi_context_create(NULL, &here.context) != SUMI_OK || !mkdtemp(here.folder)) return 1;
    return setenv("XDG_CACHE_HOME", here.folder, 1);
}

static inline int leave_place(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", here.folder);
    sumi_context_free(here.context);
    return system(command);
}

/* A path in the folder; the latest four stay valid. */
static inline const char *path_of(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", here.folder, name);
    return path;
}

static inline void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

/* Opens the set of a recipe's text; `path`, unless NULL, becomes data.path. */
static inline sumi_status try_data(const char *text, const char *path, sumi_data **data)
{
    sumi_recipe *recipe = NULL;
    char setting[PATH_SIZE + 16];
    CHECK_OK(here.context, sumi_recipe_parse(here.context, text, "test.ini", &recipe));
    snprintf(setting, sizeof setting, "data.path=%s", path ? path : "");
    CHECK_OK(here.context, sumi_recipe_set(recipe, setting));
    sumi_status status = sumi_data_open(here.context, recipe, data);
    sumi_recipe_free(recipe);
    return status;
}

static inline sumi_data *open_data(const char *text, const char *path)
{
    sumi_data *data = NULL;
    CHECK_OK(here.context, try_data(text, path, &data));
    return data;
}

/* Fails unless the set is refused with `status` and a message that holds `reason`. */
static inline void check_data_refused(const char *text, const char *path, sumi_status status,
                                      const char *reason)
{
    sumi_data *data = NULL;
    assert_int_equal(try_data(text, path, &data), status);
    assert_null(data);
    if (!strstr(sumi_context_message(here.context), reason)) {
        fail_msg("'%s' lacks '%s'", sumi_context_message(here.context), reason);
    }
}

static inline void read_one(sumi_data *data, int64_t index, float *item, int32_t *label)
{
    CHECK_OK(here.context, sumi_data_read(data, &index, 1, item, label));
}

#endif
