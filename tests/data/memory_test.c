/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and reading each kind of data set while every allocation fails in turn. */
#include <sys/stat.h>

#include "failing_allocator.h"
#include "files/image.h"
#include "files/npy.h"
#include "opening.h"
#include "tar_bytes.h"
#include "written_picture.h"

static sumi_status use_data(sumi_context *context, void *user)
{
    const char *text = user;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_status status = sumi_recipe_parse(context, text, "test.ini", &recipe);
    if (status == SUMI_OK) status = sumi_data_open(context, recipe, &data);
    float items[2 * 32 * 32 * 3];
    if (status == SUMI_OK) status = data_read_batch(data, 1, 0, 2, items, NULL);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

static void try_kind(const char *kind, const char *path, const char *more)
{
    for (int memory = 0; memory < 2; memory++) {
        char text[512];
        /* a failure while reading ahead is reported with the next batch, which is not read here */
        snprintf(text, sizeof text, "[data]\nkind = %s\npath = %s\nmemory = %d\nreaders = 0\n%s",
                 kind, path, memory, more);
        for_each_failure(use_data, text);
    }
}

static void generators_survive_every_failure(void **state)
{
    (void)state;
    try_kind("morlet", "", "count = 10\n");
    try_kind("digits", "", "count = 10\nlabels = yes\n");
    try_kind("shapes", "", "count = 4\nlabels = yes\n");
    try_kind("moons", "", "count = 10\nlabels = yes\n");
    static const char *const points[] = {"swissroll", "gaussians", "checkerboard", "rings"};
    for (int i = 0; i < 4; i++) try_kind(points[i], "", "count = 10\nlabels = no\n");
    try_kind("heartbeat", "", "count = 10\n");
    try_kind("noise", "", "count = 10\nlabels = yes\nshape = 3, 2\n");
}

static void write_text(const char *name, const char *text)
{
    write_bytes(path_of(name), text, strlen(text));
}

/* An archive of the picture of a file with a caption and a class. */
static void write_archive(const char *picture, const char *path)
{
    static struct tar_bytes tar;
    void *bytes = NULL;
    size_t size = 0;
    CHECK_OK(here.context, file_read(here.context, picture, 1 << 20, &bytes, &size));
    tar_put(&tar, "1.png", '0', bytes, size);
    tar_put(&tar, "1.json", '0', "{\"text\": \"a cat\"}", 17);
    tar_put(&tar, "1.cls", '0', "0", 1);
    tar_end(&tar);
    write_bytes(path, tar.bytes, tar.size);
    context_release(here.context, bytes);
}

static void files_survive_every_failure(void **state)
{
    (void)state;
    const char *table = "1,2\n3,4\n";
    const uint8_t idx[16 + 4] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4};
    const uint8_t idx_labels[9] = {0, 0, 8, 1, 0, 0, 0, 1, 7};
    uint8_t pixels[5 * 4] = {0};
    image picture = {5, 4, 1, pixels};
    sumi_array points = {2, {3, 2}, (float[6]){1, 2, 3, 4, 5, 6}};
    mkdir(path_of("a"), 0777);
    mkdir(path_of("a/b"), 0777);
    CHECK_OK(here.context, write_png(here.context, path_of("a/b/1.png"), &picture));
    CHECK_OK(here.context, sumi_array_write(here.context, path_of("p.npy"), &points));
    write_bytes(path_of("t.csv"), table, strlen(table));
    write_bytes(path_of("train-images-idx3-ubyte"), idx, sizeof idx);
    write_bytes(path_of("train-labels-idx1-ubyte"), idx_labels, sizeof idx_labels);
    try_kind("folder", path_of("a"), "width = 4\nheight = 4\nlabels = yes\n");
    write_text("a/b/1.txt", "a cat");
    write_text("a/list.csv", "file_name,text\nb/1.png,a cat\n");
    write_text("a/list.jsonl", "{\"file_name\": \"b/1.png\", \"text\": \"x\"}");
    try_kind("folder", path_of("a"), "width = 4\nheight = 4\ncaptions = yes\n");
    try_kind("folder", path_of("a/list.csv"), "captions = yes\n");
    try_kind("folder", path_of("a/list.jsonl"), "captions = yes\n");
    write_archive(path_of("a/b/1.png"), path_of("t.tar"));
    try_kind("webdataset", path_of("t.tar"), "captions = yes\nlabels = yes\n");
    try_kind("npy", path_of("p.npy"), "items = points\n");
    try_kind("csv", path_of("t.csv"), "items = points\n");
    try_kind("idx", here.folder, "labels = yes\n");
}

static void reading_ahead_survives_every_failure(void **state)
{
    (void)state;
    char text[512];
    sumi_array points = {2, {3, 2}, (float[6]){1, 2, 3, 4, 5, 6}};
    CHECK_OK(here.context, sumi_array_write(here.context, path_of("q.npy"), &points));
    snprintf(text, sizeof text, "[data]\nkind = npy\npath = %s\nitems = points\nmemory = 0\n",
             path_of("q.npy"));
    for_each_failure(use_data, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_survive_every_failure),
        cmocka_unit_test(files_survive_every_failure),
        cmocka_unit_test(reading_ahead_survives_every_failure),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}
