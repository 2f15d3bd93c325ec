/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors files made byte by byte, as the format's description has them, and the refusal of
   every way in which such a file can be wrong. */
#include "check.h"

#include <unistd.h>

#include "base/file.h"
#include "files/safetensors.h"
#include "scratch.h"

enum { FILE_SIZE = 4096 };

typedef struct test_file {
    uint8_t bytes[FILE_SIZE];
    size_t size;
} test_file;

/* Length, header and data, laid one after another. */
static test_file make_file(const char *header, const void *data, size_t data_size)
{
    test_file file = {{0}, 8 + strlen(header) + data_size};
    assert_true(file.size <= FILE_SIZE);
    uint64_t length = strlen(header);
    for (int i = 0; i < 8; i++) file.bytes[i] = (uint8_t)(length >> (8 * i));
    memcpy(file.bytes + 8, header, length);
    if (data_size) memcpy(file.bytes + 8 + length, data, data_size);
    return file;
}

static sumi_status parse(scratch *room, const test_file *file, safetensors **opened)
{
    return safetensors_parse(room->context, file->bytes, file->size, "test", opened);
}

static void one_file_gives_names_shapes_and_values(void **state)
{
    scratch *room = *state;
    const uint8_t data[] = {0,    0,   0x80, 0x3f, 0, 0, 0, 0xc0, /* 1, -2 */
                            0x00, 0x3c};                          /* half 1 */
    test_file file = make_file("{\"__metadata__\":{\"format\":\"pt\",\"step\":\"12\"},"
                               "\"b\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[8,10]},"
                               "\"a.w\":{\"dtype\":\"F32\",\"shape\":[1,2],"
                               "\"data_offsets\":[0,8]}}   ",
                               data, sizeof data);
    safetensors *opened = NULL;
    float values[2] = {0};
    CHECK_OK(room->context, parse(room, &file, &opened));
    assert_int_equal(safetensors_count(opened), 2);
    const safetensors_tensor *first = safetensors_tensor_at(opened, 0);
    assert_string_equal(first->name, "a.w");
    assert_int_equal(first->type, NUMBER_F32);
    assert_int_equal(first->rank, 2);
    assert_int_equal(first->shape[0], 1);
    assert_int_equal(first->shape[1], 2);
    assert_int_equal(first->count, 2);
    CHECK_OK(room->context, safetensors_read(opened, first, values));
    assert_true(values[0] == 1.0f && values[1] == -2.0f);
    const safetensors_tensor *scalar = safetensors_find(opened, "b");
    assert_non_null(scalar);
    assert_int_equal(scalar->rank, 0);
    CHECK_OK(room->context, safetensors_read(opened, scalar, values));
    assert_true(values[0] == 1.0f);
    assert_null(safetensors_find(opened, "c"));
    assert_null(safetensors_tensor_at(opened, 2));
    assert_string_equal(safetensors_metadata(opened, "step"), "12");
    assert_null(safetensors_metadata(opened, "other"));
    safetensors_free(opened);
}

static void weights_that_are_not_numbers_come_through_as_such(void **state)
{
    scratch *room = *state;
    const uint8_t data[] = {0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0xff};
    test_file file = make_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
                               data, sizeof data);
    safetensors *opened = NULL;
    float values[2] = {0};
    CHECK_OK(room->context, parse(room, &file, &opened));
    CHECK_OK(room->context, safetensors_read(opened, safetensors_tensor_at(opened, 0), values));
    assert_true(isnan(values[0]) && isinf(values[1]));
    safetensors_free(opened);
}

static void empty_tensors_are_allowed(void **state)
{
    scratch *room = *state;
    const uint8_t data[4] = {0};
    test_file file = make_file("{\"e\":{\"dtype\":\"I64\",\"shape\":[0,3],\"data_offsets\":[0,0]},"
                               "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                               "\"z\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}}",
                               data, sizeof data);
    safetensors *opened = NULL;
    CHECK_OK(room->context, parse(room, &file, &opened));
    assert_int_equal(safetensors_count(opened), 3);
    assert_int_equal(safetensors_find(opened, "e")->count, 0);
    safetensors_free(opened);
}

/* Each header is laid before eight bytes of data and must be refused with a message that holds
   `reason`. */
static const struct {
    const char *header, *reason;
} wrong_headers[] = {
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", "JSON"},
    {"[1]", "JSON object"},
    {"{\"a\":1}", "object with dtype"},
    {"{\"__metadata__\":{\"a\":1}}", "object of texts"},
    {"{\"__metadata__\":[]}", "object of texts"},
    {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "dtype"},
    {"{\"a\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", "dtype"},
    {"{\"a\":{\"dtype\":\"F8_E5M2\",\"shape\":[8],\"data_offsets\":[0,8]}}", "not supported"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", "shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", "shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", "shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", "shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "from 0"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}",
     "dimensions"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
     "too large"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387906],\"data_offsets\":[0,8]}}", "fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", "data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8.0]}}", "data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", "are outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "are outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", "cut short"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,18446744073709551615]}}",
     "are outside"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", "fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     "overlap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
     "overlap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "gap"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     "gap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "follow the last"},
    {"{}", "follow the last"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
     "twice"},
};

static void wrong_headers_are_refused_with_the_reason(void **state)
{
    scratch *room = *state;
    for (size_t i = 0; i < sizeof wrong_headers / sizeof wrong_headers[0]; i++) {
        test_file file = make_file(wrong_headers[i].header, "12345678", 8);
        safetensors *opened = NULL;
        sumi_status status = parse(room, &file, &opened);
        const char *message = sumi_context_message(room->context);
        if (status != SUMI_ERROR_FORMAT && status != SUMI_ERROR_UNSUPPORTED) {
            fail_msg("%s gives %s", wrong_headers[i].header, sumi_status_name(status));
        }
        assert_null(opened);
        if (!strstr(message, wrong_headers[i].reason) || !strstr(message, "test")) {
            fail_msg("%s gives \"%s\"", wrong_headers[i].header, message);
        }
    }
}

static void names_out_of_a_file_cannot_steer_the_terminal(void **state)
{
    scratch *room = *state;
    test_file file = make_file("{\"\\u001b[31m\\n\":1}", NULL, 0);
    safetensors *opened = NULL;
    assert_int_equal(parse(room, &file, &opened), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(room->context), "\"?[31m?\""));
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    scratch *room = *state;
    test_file file = make_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
                               "12345678", 8);
    for (size_t size = 0; size < file.size; size++) {
        safetensors *opened = NULL;
        uint8_t *exact = test_malloc(size ? size : 1); /* so that reading past the end shows */
        memcpy(exact, file.bytes, size);
        assert_int_equal(safetensors_parse(room->context, exact, size, "test", &opened),
                         SUMI_ERROR_FORMAT);
        assert_null(opened);
        test_free(exact);
    }
}

static void a_header_length_beyond_the_file_is_refused(void **state)
{
    scratch *room = *state;
    test_file file = make_file("{}", NULL, 0);
    safetensors *opened = NULL;
    memset(file.bytes, 0xff, 8);
    assert_int_equal(parse(room, &file, &opened), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(room->context), "announces a header"));
}

static void what_is_written_reads_back_the_same(void **state)
{
    scratch *room = *state;
    const float values[] = {1.5f, -0.25f, 65504.0f};
    const uint8_t raw[] = {1, 2, 3};
    const int64_t wide[] = {-5, INT64_MAX};
    const safetensors_entry entries[] = {
        {"raw/\"state\"", NUMBER_U8, 1, {3}, raw}, {"weight", NUMBER_F32, 2, {1, 3}, values},
        {"half", NUMBER_F16, 1, {3}, values},      {"brain", NUMBER_BF16, 1, {3}, values},
        {"steps", NUMBER_I64, 1, {2}, wide},       {"nothing", NUMBER_F32, 1, {0}, NULL},
    };
    const safetensors_text metadata[] = {{"recipe", "[train]\nsteps = 5\n"}};
    const char *path = scratch_path(room, "out.safetensors");
    CHECK_OK(room->context, safetensors_write(room->context, path, entries, 6, metadata, 1));

    safetensors *opened = NULL;
    float read[3] = {0};
    uint8_t bytes[3] = {0};
    int64_t integers[2] = {0};
    CHECK_OK(room->context, safetensors_open(room->context, path, &opened));
    assert_int_equal(safetensors_count(opened), 6);
    assert_string_equal(safetensors_metadata(opened, "format"), "pt");
    assert_string_equal(safetensors_metadata(opened, "recipe"), metadata[0].value);
    const char *exact[] = {"weight", "half"};
    for (int i = 0; i < 2; i++) {
        CHECK_OK(room->context, safetensors_read(opened, safetensors_find(opened, exact[i]), read));
        assert_memory_equal(read, values, sizeof values);
    }
    CHECK_OK(room->context, safetensors_read(opened, safetensors_find(opened, "brain"), read));
    assert_true(read[0] == 1.5f && read[1] == -0.25f && read[2] == 65536.0f);
    CHECK_OK(room->context,
             safetensors_read_bytes(opened, safetensors_find(opened, "raw/\"state\""), bytes));
    assert_memory_equal(bytes, raw, sizeof raw);
    CHECK_OK(room->context,
             safetensors_read_bytes(opened, safetensors_find(opened, "steps"), integers));
    assert_memory_equal(integers, wide, sizeof wide);
    safetensors_free(opened);
}

static void the_written_header_is_padded_to_eight_bytes(void **state)
{
    scratch *room = *state;
    const float value = 1;
    const char *path = scratch_path(room, "one.safetensors");
    for (int length = 1; length <= 9; length++) {
        char name[16] = "aaaaaaaaaaaaaaa";
        name[length] = 0;
        safetensors_entry entry = {name, NUMBER_F32, 1, {1}, &value};
        uint8_t *bytes = NULL;
        size_t size = 0;
        CHECK_OK(room->context, safetensors_write(room->context, path, &entry, 1, NULL, 0));
        CHECK_OK(room->context, file_read(room->context, path, FILE_SIZE, (void **)&bytes, &size));
        assert_int_equal(bytes[0] % 8, 0);
        assert_int_equal(size, 8 + bytes[0] + 4);
        assert_int_equal(bytes[8], '{');
        context_release(room->context, bytes);
    }
}

static void two_tensors_of_one_name_are_not_written(void **state)
{
    scratch *room = *state;
    const float value = 1;
    const safetensors_entry entries[] = {{"a", NUMBER_F32, 1, {1}, &value},
                                         {"a", NUMBER_F32, 1, {1}, &value}};
    const char *path = scratch_path(room, "twice.safetensors");
    assert_int_equal(safetensors_write(room->context, path, entries, 2, NULL, 0),
                     SUMI_ERROR_ARGUMENT);
    assert_false(path_exists(path));
}

static void a_missing_file_is_named(void **state)
{
    scratch *room = *state;
    safetensors *opened = NULL;
    assert_int_equal(safetensors_open(room->context, "/nowhere/at.all", &opened), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "/nowhere/at.all"));
    assert_int_equal(safetensors_open(room->context, room->folder, &opened), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "folder"));
}

/* ---- Sharded sets ---- */

static void write_shard(scratch *room, const char *name, const char *tensor, float value)
{
    safetensors_entry entry = {tensor, NUMBER_F32, 1, {1}, &value};
    CHECK_OK(room->context,
             safetensors_write(room->context, scratch_path(room, name), &entry, 1, NULL, 0));
}

static sumi_status open_index(scratch *room, const char *text, safetensors **opened)
{
    const char *path = scratch_path(room, "model.safetensors.index.json");
    CHECK_OK(room->context, file_write(room->context, path, text, strlen(text)));
    return safetensors_open(room->context, path, opened);
}

static void a_sharded_set_reads_as_one(void **state)
{
    scratch *room = *state;
    safetensors *opened = NULL;
    float value = 0;
    write_shard(room, "m-1.safetensors", "a", 3);
    write_shard(room, "m-2.safetensors", "b", 4);
    CHECK_OK(room->context,
             open_index(room,
                        "{\"metadata\":{\"total_size\":8,\"note\":\"hi\"},\"weight_map\":"
                        "{\"b\":\"m-2.safetensors\",\"a\":\"m-1.safetensors\"}}",
                        &opened));
    assert_int_equal(safetensors_count(opened), 2);
    CHECK_OK(room->context, safetensors_read(opened, safetensors_find(opened, "a"), &value));
    assert_true(value == 3);
    CHECK_OK(room->context, safetensors_read(opened, safetensors_find(opened, "b"), &value));
    assert_true(value == 4);
    assert_string_equal(safetensors_metadata(opened, "note"), "hi");
    assert_string_equal(safetensors_metadata(opened, "format"), "pt");
    assert_null(safetensors_metadata(opened, "total_size"));
    safetensors_free(opened);
}

static void a_truncated_file_of_a_sharded_set_is_named(void **state)
{
    scratch *room = *state;
    safetensors *file = NULL;
    write_shard(room, "m-1.safetensors", "a", 3);
    write_shard(room, "m-2.safetensors", "b", 4);
    CHECK_OK(room->context,
             open_index(room,
                        "{\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\"}}",
                        &file));
    for (int i = 0; i < 2; i++)
        assert_non_null(safetensors_map(file, safetensors_tensor_at(file, (size_t)i)));
    CHECK_OK(room->context, safetensors_check(room->context, file));
    assert_int_equal(truncate(scratch_path(room, "m-2.safetensors"), 10), 0);
    assert_int_equal(safetensors_check(room->context, file), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "m-2.safetensors: was truncated"));
    safetensors_free(file);
}

static void wrong_indices_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *reason;
        sumi_status status;
    } wrong[] = {
        {"{", "JSON", SUMI_ERROR_FORMAT},
        {"[]", "weight_map", SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{}}", "weight_map", SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{\"a\":5}}", "same folder", SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{\"a\":\"\"}}", "same folder", SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{\"a\":\"../x.safetensors\"}}", "same folder", SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "same folder", SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{\"a\":\"..\"}}", "same folder", SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{\"a\":\"none.safetensors\"}}", "none.safetensors", SUMI_ERROR_FILE},
        {"{\"weight_map\":{\"a\":\"model.safetensors.index.json\"}}", "file of tensors",
         SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{\"c\":\"m-1.safetensors\"}}", "\"c\" should be in", SUMI_ERROR_FORMAT},
        {"{\"weight_map\":{\"a\":\"m-1.safetensors\",\"a\":\"m-1.safetensors\"}}", "twice",
         SUMI_ERROR_FORMAT},
    };
    scratch *room = *state;
    write_shard(room, "m-1.safetensors", "a", 3);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        safetensors *opened = NULL;
        sumi_status status = open_index(room, wrong[i].text, &opened);
        const char *message = sumi_context_message(room->context);
        if (status != wrong[i].status || !strstr(message, wrong[i].reason)) {
            fail_msg("%s gives \"%s\"", wrong[i].text, message);
        }
        assert_null(opened);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(one_file_gives_names_shapes_and_values),
        SCRATCH_TEST(weights_that_are_not_numbers_come_through_as_such),
        SCRATCH_TEST(empty_tensors_are_allowed),
        SCRATCH_TEST(wrong_headers_are_refused_with_the_reason),
        SCRATCH_TEST(names_out_of_a_file_cannot_steer_the_terminal),
        SCRATCH_TEST(a_file_cut_anywhere_is_refused),
        SCRATCH_TEST(a_header_length_beyond_the_file_is_refused),
        SCRATCH_TEST(what_is_written_reads_back_the_same),
        SCRATCH_TEST(the_written_header_is_padded_to_eight_bytes),
        SCRATCH_TEST(two_tensors_of_one_name_are_not_written),
        SCRATCH_TEST(a_missing_file_is_named),
        SCRATCH_TEST(a_sharded_set_reads_as_one),
        SCRATCH_TEST(a_truncated_file_of_a_sharded_set_is_named),
        SCRATCH_TEST(wrong_indices_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
