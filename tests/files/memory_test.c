/* SPDX-License-Identifier: Apache-2.0 */
/* The readers and writers of files, with each of their allocations failing in turn. */
#include "check.h"

#include <zlib.h>

#include "base/file.h"
#include "failing_allocator.h"
#include "files/cifar.h"
#include "files/idx.h"
#include "files/image.h"
#include "files/npy.h"
#include "files/safetensors.h"
#include "scratch.h"
#include "written_picture.h"

/* Keeps the first failure of several calls that must all be made, such as releases. */
#define STEP(expression)                                                                           \
    do {                                                                                           \
        if (status == SUMI_OK) status = (expression);                                              \
    } while (0)

static sumi_status use_safetensors(sumi_context *context, void *path)
{
    const float value = 1;
    const safetensors_entry entries[] = {{"a", NUMBER_F32, 1, {1}, &value},
                                         {"b", NUMBER_F16, 1, {1}, &value}};
    float back = 0;
    safetensors *file = NULL;
    sumi_status status = safetensors_write(context, path, entries, 2, NULL, 0);
    STEP(safetensors_open(context, path, &file));
    STEP(safetensors_read(file, safetensors_find(file, "b"), &back));
    if (status == SUMI_OK) assert_true(back == 1);
    safetensors_free(file);
    return status;
}

static sumi_status use_sharded(sumi_context *context, void *path)
{
    safetensors *file = NULL;
    sumi_status status = safetensors_open(context, path, &file);
    if (status == SUMI_OK) assert_int_equal(safetensors_count(file), 2);
    safetensors_free(file);
    return status;
}

static sumi_status use_idx(sumi_context *context, void *path)
{
    uint8_t bytes[2];
    idx *file = NULL;
    sumi_status status = idx_open(context, path, &file);
    STEP(idx_read_bytes(file, 0, 2, bytes));
    idx_free(file);
    return status;
}

static sumi_status use_cifar(sumi_context *context, void *path)
{
    uint8_t label;
    cifar *file = NULL;
    sumi_status status = cifar_open(context, path, &file);
    STEP(cifar_read_rows(file, 0, 1, NULL, &label));
    cifar_free(file);
    return status;
}

static sumi_status use_npy(sumi_context *context, void *path)
{
    float data[] = {1, 2};
    sumi_array array = {1, {2}, data}, back = {0};
    sumi_status status = sumi_array_write(context, path, &array);
    STEP(npy_read(context, path, &back));
    sumi_array_release(context, &back);
    return status;
}

static sumi_status use_image(sumi_context *context, void *path)
{
    uint8_t pixels[6 * 4 * 3] = {0}, small[3 * 3];
    image picture = {6, 4, 3, pixels}, back = {0};
    sumi_status status = write_png(context, path, &picture);
    STEP(image_read(context, path, 1, &back));
    STEP(image_turn(context, 6, &back));
    STEP(image_fit(context, &back, 3, 3, 1, small));
    image_release(context, &back);
    return status;
}

static void safetensors_survive_every_failure(void **state)
{
    scratch *room = *state;
    const float value = 1;
    safetensors_entry entry = {"a", NUMBER_F32, 1, {1}, &value};
    for_each_failure(use_safetensors, (void *)(uintptr_t)scratch_path(room, "a.safetensors"));
    CHECK_OK(room->context, safetensors_write(room->context, scratch_path(room, "1.safetensors"),
                                              &entry, 1, NULL, 0));
    entry.name = "b";
    CHECK_OK(room->context, safetensors_write(room->context, scratch_path(room, "2.safetensors"),
                                              &entry, 1, NULL, 0));
    const char *text = "{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}";
    const char *path = scratch_path(room, "x.index.json");
    CHECK_OK(room->context, file_write(room->context, path, text, strlen(text)));
    for_each_failure(use_sharded, (void *)(uintptr_t)path);
}

static void idx_files_survive_every_failure(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a.gz");
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, "\0\0\x08\x01\0\0\0\x02xy", 10), 10);
    assert_int_equal(gzclose(file), Z_OK);
    for_each_failure(use_idx, (void *)(uintptr_t)path);
}

static void cifar_files_survive_every_failure(void **state)
{
    scratch *room = *state;
    static const uint8_t record[1 + CIFAR_PIXELS];
    const char *path = scratch_path(room, "a.bin");
    CHECK_OK(room->context, file_write(room->context, path, record, sizeof record));
    for_each_failure(use_cifar, (void *)(uintptr_t)path);
}

static void npy_files_survive_every_failure(void **state)
{
    for_each_failure(use_npy, (void *)(uintptr_t)scratch_path(*state, "a.npy"));
}

static void pictures_survive_every_failure(void **state)
{
    for_each_failure(use_image, (void *)(uintptr_t)scratch_path(*state, "a.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(safetensors_survive_every_failure),
        SCRATCH_TEST(idx_files_survive_every_failure),
        SCRATCH_TEST(cifar_files_survive_every_failure),
        SCRATCH_TEST(npy_files_survive_every_failure),
        SCRATCH_TEST(pictures_survive_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
