/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF files, made field by field as ggml's description of the format has them. */
#include "base/file.h"
#include "files/safetensors.h"
#include "scratch.h"

enum { SPACE = 4096 };
enum { F32 = 0, F16 = 1, Q4_0 = 2, Q8_0 = 8, BF16 = 30 };

static struct {
    uint8_t bytes[SPACE];
    size_t size;
} gguf;

static void put(const void *bytes, size_t size)
{
    assert_true(gguf.size + size <= SPACE);
    memcpy(gguf.bytes + gguf.size, bytes, size);
    gguf.size += size;
}

static void put_number(uint64_t number, size_t size)
{
    put(&number, size); /* tests run on little-endian machines */
}

static void put_text(const char *text)
{
    put_number(strlen(text), 8);
    put(text, strlen(text));
}

static void begin(uint64_t tensors, uint64_t values)
{
    gguf.size = 0;
    put("GGUF\3\0\0\0", 8);
    put_number(tensors, 8);
    put_number(values, 8);
}

static void put_tensor(const char *name, int rank, const uint64_t *inner_first, int type,
                       uint64_t offset)
{
    put_text(name);
    put_number((uint64_t)rank, 4);
    for (int i = 0; i < rank; i++) put_number(inner_first[i], 8);
    put_number((uint64_t)type, 4);
    put_number(offset, 8);
}

static void align(size_t to)
{
    while (gguf.size % to) put("", 1);
}

static sumi_status open_gguf(scratch *room, safetensors **file)
{
    CHECK_OK(room->context,
             file_write(room->context, scratch_path(room, "a.gguf"), gguf.bytes, gguf.size));
    return tensors_open(room->context, room->path, file);
}

static void check_tensor(scratch *room, const safetensors *file, const char *name, const char *type,
                         int64_t count, const float *expected)
{
    float values[64];
    const safetensors_tensor *tensor = safetensors_find(file, name);
    assert_non_null(tensor);
    assert_string_equal(tensor_type_name(tensor), type);
    assert_int_equal(tensor->count, count);
    CHECK_OK(room->context, safetensors_read(file, tensor, values));
    for (int64_t i = 0; i < count; i++) CHECK_CLOSE(values[i], expected[i], 0);
}

static void plain_and_packed_tensors_are_read(void **state)
{
    scratch *room = *state;
    safetensors *file = NULL;
    begin(5, 3);
    put_text("general.name");
    put_number(8, 4);
    put_text("a model");
    put_text("sizes");
    put_number(9, 4);
    put_number(4, 4);
    put_number(2, 8);
    put("\1\0\0\0\2\0\0\0", 8);
    put_text("general.alignment");
    put_number(4, 4);
    put_number(64, 4);
    put_tensor("f32", 2, (uint64_t[]){3, 2}, F32, 0);
    put_tensor("f16", 1, (uint64_t[]){2}, F16, 64);
    put_tensor("bf16", 1, (uint64_t[]){1}, BF16, 128);
    put_tensor("q8", 1, (uint64_t[]){32}, Q8_0, 192);
    put_tensor("q4", 2, (uint64_t[]){32, 1}, Q4_0, 256);
    align(64);
    const float numbers[6] = {1, 2, 3, -4, 5, 0.5f};
    put(numbers, sizeof numbers);
    align(64);
    put("\x00\x3c\x00\xc0", 4); /* 1, -2 */
    align(64);
    put("\x80\x3f", 2); /* 1 */
    align(64);
    put("\x00\x38", 2); /* 0.5 */
    for (int i = 0; i < 32; i++) put_number((uint8_t)(i - 16), 1);
    align(64);
    put("\x00\x40", 2); /* 2 */
    for (int i = 0; i < 16; i++) put_number((uint8_t)((15 - i) << 4 | i), 1);
    CHECK_OK(room->context, open_gguf(room, &file));
    const safetensors_tensor *tensor = safetensors_find(file, "f32");
    assert_int_equal(tensor->rank, 2);
    assert_int_equal(tensor->shape[0], 2); /* rows first, as everywhere else */
    assert_int_equal(tensor->shape[1], 3);
    float q8[32], q4[32];
    for (int i = 0; i < 32; i++) q8[i] = 0.5f * (float)(i - 16);
    for (int i = 0; i < 16; i++) q4[i] = 2 * (float)(i - 8);
    for (int i = 0; i < 16; i++) q4[16 + i] = 2 * (float)(15 - i - 8);
    check_tensor(room, file, "f32", "F32", 6, numbers);
    check_tensor(room, file, "f16", "F16", 2, (const float[]){1, -2});
    check_tensor(room, file, "bf16", "BF16", 1, (const float[]){1});
    check_tensor(room, file, "q8", "Q8_0", 32, q8);
    check_tensor(room, file, "q4", "Q4_0", 32, q4);
    assert_null(safetensors_map(file, safetensors_find(file, "q8")));
    safetensors_free(file);
}

static void check_refused(scratch *room, sumi_status status, const char *reason)
{
    char expected[SCRATCH_PATH + 512];
    safetensors *file = NULL;
    assert_int_equal(open_gguf(room, &file), status);
    assert_null(file);
    snprintf(expected, sizeof expected, "%s: %s", room->path, reason);
    assert_string_equal(sumi_context_message(room->context), expected);
}

static void damaged_files_are_refused_with_the_place(void **state)
{
    scratch *room = *state;
    begin(1, 0);
    gguf.bytes[4] = 1;
    check_refused(room, SUMI_ERROR_FORMAT, "damaged GGUF: a version other than 2 and 3 at byte 8");
    begin(UINT64_MAX, 0);
    check_refused(room, SUMI_ERROR_FORMAT, "damaged GGUF: more tensors than fit at byte 24");
    begin(0, UINT64_MAX);
    check_refused(room, SUMI_ERROR_FORMAT, "damaged GGUF: cut short at byte 24");
    begin(0, 1);
    put_text("list");
    put_number(9, 4);
    put_number(10, 4);
    put_number(UINT64_MAX / 8, 8);
    check_refused(room, SUMI_ERROR_FORMAT, "damaged GGUF: a list is too long at byte 52");
    begin(1, 0);
    put_tensor("w", 1, (uint64_t[]){4}, 12, 0);
    check_refused(room, SUMI_ERROR_UNSUPPORTED,
                  "tensor \"w\" has ggml's type 12; F32, F16, BF16, Q8_0 and Q4_0 are read");
    begin(1, 0);
    put_tensor("w", 1, (uint64_t[]){31}, Q8_0, 0);
    align(32);
    check_refused(room, SUMI_ERROR_FORMAT,
                  "damaged GGUF: a packed tensor whose rows are no multiple of 32 at byte 57");
    begin(1, 0);
    put_tensor("w", 1, (uint64_t[]){4}, F32, 32);
    align(32);
    put("0123456789abcdef", 16);
    check_refused(room, SUMI_ERROR_FORMAT,
                  "tensor \"w\": its data are not inside the 80 bytes of the file: cut short?");
    begin(1, 0);
    put_tensor("w", 2, (uint64_t[]){1ull << 62, 1ull << 62}, F32, 0);
    align(32);
    check_refused(room, SUMI_ERROR_FORMAT,
                  "tensor \"w\": its data are not inside the 96 bytes of the file: cut short?");
    begin(2, 0);
    put_tensor("w", 1, (uint64_t[]){1}, F32, 0);
    put_tensor("w", 1, (uint64_t[]){1}, F32, 0);
    align(32);
    put("0123", 4);
    check_refused(room, SUMI_ERROR_FORMAT, "there are two tensors \"w\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(plain_and_packed_tensors_are_read),
        SCRATCH_TEST(damaged_files_are_refused_with_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
