/* SPDX-License-Identifier: Apache-2.0 */
/* Files of torch.save: a zip archive of a pickle and of storages, put together as PyTorch does. */
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "files/safetensors.h"
#include "scratch.h"

enum { SPACE = 1 << 14 };

struct bytes {
    uint8_t data[SPACE];
    size_t size;
};

static void put(struct bytes *to, const void *data, size_t size)
{
    assert_true(to->size + size <= SPACE);
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

static void put_number(struct bytes *to, uint32_t number, size_t size)
{
    put(to, &number, size); /* tests run on little-endian machines */
}

/* ---- The archive ---- */

static struct bytes archive, directory;
static int members;

static void begin_archive(void)
{
    archive.size = directory.size = 0;
    members = 0;
}

/* Adds a member; method 0 is stored. */
static void add_member(const char *name, const void *data, size_t size, uint32_t method)
{
    uint32_t sum = (uint32_t)crc32(0, data, (uInt)size), offset = (uint32_t)archive.size;
    struct bytes *const both[] = {&archive, &directory};
    for (int i = 0; i < 2; i++) {
        put(both[i], i ? "PK\1\2\0\0" : "PK\3\4", i ? 6 : 4);
        put_number(both[i], 0, 4); /* version, flags */
        put_number(both[i], method, 2);
        put_number(both[i], 0, 4); /* time and date */
        put_number(both[i], sum, 4);
        put_number(both[i], (uint32_t)size, 4);
        put_number(both[i], (uint32_t)size, 4);
        put_number(both[i], (uint32_t)strlen(name), 2);
        put_number(both[i], 0, 2);
    }
    for (int i = 0; i < 5; i++) put_number(&directory, 0, 2); /* comment, disk, attributes */
    put_number(&directory, offset, 4);
    put(&directory, name, strlen(name));
    put(&archive, name, strlen(name));
    put(&archive, data, size);
    members++;
}

static void end_archive(scratch *room, const char *name)
{
    uint32_t start = (uint32_t)archive.size;
    put(&archive, directory.data, directory.size);
    put(&archive, "PK\5\6\0\0\0\0", 8);
    put_number(&archive, (uint32_t)members, 2);
    put_number(&archive, (uint32_t)members, 2);
    put_number(&archive, (uint32_t)directory.size, 4);
    put_number(&archive, start, 4);
    put_number(&archive, 0, 2);
    CHECK_OK(room->context,
             file_write(room->context, scratch_path(room, name), archive.data, archive.size));
}

/* ---- The pickle ---- */

static struct bytes program;

static void put_text(const char *text)
{
    put(&program, "X", 1);
    put_number(&program, (uint32_t)strlen(text), 4);
    put(&program, text, strlen(text));
}

static void put_whole(int number)
{
    put(&program, "J", 1);
    put_number(&program, (uint32_t)number, 4);
}

static void put_tuple(const int *numbers, int count)
{
    put(&program, "(", 1);
    for (int i = 0; i < count; i++) put_whole(numbers[i]);
    put(&program, "t", 1);
}

struct tensor {
    const char *name, *type, *key;
    int first, rank, shape[3], strides[3];
};

/* "name": torch._utils._rebuild_tensor_v2(storage, first, shape, strides, False, OrderedDict()) */
static void put_tensor(const struct tensor *tensor)
{
    put_text(tensor->name);
    put(&program, "ctorch._utils\n_rebuild_tensor_v2\n((", 35);
    put_text("storage");
    put(&program, "ctorch\n", 7);
    put(&program, tensor->type, strlen(tensor->type));
    put(&program, "\n", 1);
    put_text(tensor->key);
    put_text("cpu");
    put_whole(6);
    put(&program, "tQ", 2);
    put_whole(tensor->first);
    put_tuple(tensor->shape, tensor->rank);
    put_tuple(tensor->strides, tensor->rank);
    put(&program,
        "\x89"
        "ccollections\nOrderedDict\n)RtR",
        30);
}

/* {"global_step": 875000, "callbacks": <a call>, "state_dict": {...}} */
static void make_pickle(const struct tensor *tensors, int count)
{
    program.size = 0;
    put(&program, "\x80\x02}(", 4);
    put_text("global_step");
    put_whole(875000);
    put_text("callbacks");
    put(&program, "cposix\nsystem\n", 14);
    put_text("touch harm");
    put(&program, "\x85R", 2);
    put_text("state_dict");
    put(&program, "ccollections\nOrderedDict\n)R(", 28);
    for (int i = 0; i < count; i++) put_tensor(&tensors[i]);
    put(&program, "uu.", 3);
}

static const float numbers[6] = {1, 2, 3, 4, 5, 6};

static void write_checkpoint(scratch *room, const struct tensor *tensors, int count)
{
    make_pickle(tensors, count);
    begin_archive();
    add_member("x/data.pkl", program.data, program.size, 0);
    add_member("x/data/0", numbers, sizeof numbers, 0);
    add_member("x/data/1", "\x00\x3c\x00\xc0", 4, 0); /* 1 and -2 as float16 */
    end_archive(room, "x.ckpt");
}

static void check_values(scratch *room, const safetensors *file, const char *name, int64_t count,
                         const float *expected)
{
    float values[6];
    const safetensors_tensor *tensor = safetensors_find(file, name);
    assert_non_null(tensor);
    assert_int_equal(tensor->count, count);
    CHECK_OK(room->context, safetensors_read(file, tensor, values));
    for (int64_t i = 0; i < count; i++) CHECK_CLOSE(values[i], expected[i], 0);
}

static void tensors_are_read_and_nothing_is_executed(void **state)
{
    scratch *room = *state;
    safetensors *file = NULL;
    static const struct tensor tensors[] = {
        {"whole", "FloatStorage", "0", 0, 2, {2, 3}, {3, 1}},
        {"part", "FloatStorage", "0", 4, 1, {2}, {1}},
        {"turned", "FloatStorage", "0", 0, 2, {3, 2}, {1, 3}},
        {"half", "HalfStorage", "1", 0, 1, {2}, {1}},
        {"one", "FloatStorage", "0", 5, 0, {0}, {0}},
    };
    write_checkpoint(room, tensors, 5);
    CHECK_OK(room->context, tensors_open(room->context, room->path, &file));
    assert_int_equal(safetensors_count(file), 5);
    check_values(room, file, "whole", 6, numbers);
    check_values(room, file, "part", 2, numbers + 4);
    check_values(room, file, "turned", 6, (const float[]){1, 4, 2, 5, 3, 6});
    check_values(room, file, "half", 2, (const float[]){1, -2});
    check_values(room, file, "one", 1, numbers + 5);
    assert_string_equal(safetensors_metadata(file, "global_step"), "875000");
    safetensors_free(file);
    assert_int_not_equal(access(scratch_path(room, "harm"), F_OK), 0);
}

static void check_refused(scratch *room, sumi_status status, const char *reason)
{
    char expected[SCRATCH_PATH + 256];
    safetensors *file = NULL;
    assert_int_equal(tensors_open(room->context, scratch_path(room, "x.ckpt"), &file), status);
    assert_null(file);
    snprintf(expected, sizeof expected, "%s: %s", room->path, reason);
    assert_string_equal(sumi_context_message(room->context), expected);
}

static void check_tensor_refused(scratch *room, const struct tensor *tensor, sumi_status status,
                                 const char *reason)
{
    write_checkpoint(room, tensor, 1);
    check_refused(room, status, reason);
}

static void tensors_that_do_not_fit_their_storage_are_refused(void **state)
{
    scratch *room = *state;
    struct tensor tensor = {"w", "FloatStorage", "0", 1, 2, {2, 3}, {3, 1}};
    check_tensor_refused(room, &tensor, SUMI_ERROR_FORMAT, "a tensor reaches beyond its storage");
    tensor.first = -1;
    check_tensor_refused(room, &tensor, SUMI_ERROR_FORMAT, "a tensor reaches beyond its storage");
    tensor = (struct tensor){"w", "FloatStorage", "9", 0, 1, {2}, {1}};
    check_tensor_refused(room, &tensor, SUMI_ERROR_FORMAT,
                         "there is no member \"x/data/9\" in the archive");
    tensor = (struct tensor){"w", "StrangeStorage", "0", 0, 1, {2}, {1}};
    check_tensor_refused(room, &tensor, SUMI_ERROR_FORMAT,
                         "a tensor has a storage of an unknown kind");
    tensor = (struct tensor){"w", "FloatStorage", "0", 0, 1, {3}, {2}};
    check_tensor_refused(room, &tensor, SUMI_ERROR_UNSUPPORTED,
                         "tensor \"w\" is a view whose rows do not follow each other; save it with "
                         ".contiguous()");
    tensor = (struct tensor){"w", "FloatStorage", "0", 0, 1, {-2}, {1}};
    check_tensor_refused(room, &tensor, SUMI_ERROR_FORMAT,
                         "a tensor has a dimension that is no whole number");
}

static void archives_of_other_programs_are_refused(void **state)
{
    scratch *room = *state;
    begin_archive();
    add_member("readme.txt", "text", 4, 0);
    end_archive(room, "x.ckpt");
    check_refused(room, SUMI_ERROR_FORMAT,
                  "is a zip archive without data.pkl, and so no file of PyTorch");
    begin_archive();
    add_member("x/data.pkl", "\x80\x02N.", 4, 0);
    end_archive(room, "x.ckpt");
    check_refused(room, SUMI_ERROR_FORMAT, "its pickle is no dict of tensors");
    static const struct tensor tensor = {"w", "FloatStorage", "0", 0, 1, {2}, {1}};
    make_pickle(&tensor, 1);
    begin_archive();
    add_member("x/data.pkl", program.data, program.size, 0);
    add_member("x/data/0", numbers, sizeof numbers, 8);
    end_archive(room, "x.ckpt");
    check_refused(room, SUMI_ERROR_FORMAT, "a storage in the archive is compressed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(tensors_are_read_and_nothing_is_executed),
        SCRATCH_TEST(tensors_that_do_not_fit_their_storage_are_refused),
        SCRATCH_TEST(archives_of_other_programs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
