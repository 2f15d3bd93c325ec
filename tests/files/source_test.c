/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from files and from memory: the same answers, and no reading past the end. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "files/number.h"
#include "scratch.h"

static void check_source(scratch *room, const byte_source *source)
{
    char part[4] = {0};
    assert_int_equal(source->size, 5);
    CHECK_OK(room->context, source_read(source, 1, part, 3));
    assert_string_equal(part, "ell");
    CHECK_OK(room->context, source_read(source, 5, part, 0));
    assert_int_equal(source_read(source, 3, part, 3), SUMI_ERROR_FORMAT);
    assert_int_equal(source_read(source, 6, part, 0), SUMI_ERROR_FORMAT);
    assert_int_equal(source_read(source, UINT64_MAX, part, 2), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(room->context), source->name));
}

static void files_and_memory_read_alike(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    byte_source source;
    CHECK_OK(room->context, file_write(room->context, path, "hello", 5));
    CHECK_OK(room->context, source_open(room->context, path, &source));
    check_source(room, &source);
    source_close(&source);
    source_close(&source);
    CHECK_OK(room->context, source_from_memory(room->context, "hello", 5, "test", &source));
    check_source(room, &source);
    source_close(&source);
}

static void only_regular_files_are_opened(void **state)
{
    scratch *room = *state;
    const char *pipe_path = scratch_path(room, "pipe");
    byte_source source;
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    const char *const paths[] = {pipe_path, room->folder, "/dev/null", "/nowhere/a"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(source_open(room->context, paths[i], &source), SUMI_ERROR_FILE);
        assert_non_null(strstr(sumi_context_message(room->context), paths[i]));
        source_close(&source);
    }
}

static void a_file_truncated_while_open_is_an_error(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    char part[5];
    byte_source source;
    CHECK_OK(room->context, file_write(room->context, path, "hello", 5));
    CHECK_OK(room->context, source_open(room->context, path, &source));
    assert_int_equal(truncate(path, 2), 0);
    assert_int_equal(source_read(&source, 0, part, 5), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "truncated"));
    source_close(&source);
}

static void a_mapped_file_that_was_truncated_or_written_to_is_an_error(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    const struct timespec past[2] = {{1000, 0}, {1000, 0}}, later[2] = {{1000, 0}, {1000, 1}};
    byte_source source;
    CHECK_OK(room->context, file_write(room->context, path, "hello", 5));
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    CHECK_OK(room->context, source_open(room->context, path, &source));
    CHECK_OK(room->context, source_check(room->context, &source));
    const uint8_t *bytes = source_bytes(&source);
    assert_non_null(bytes);
    assert_true(source_bytes(&source) == bytes);
    assert_memory_equal(bytes, "hello", 5);
    CHECK_OK(room->context, source_check(room->context, &source));
    assert_int_equal(utimensat(AT_FDCWD, path, later, 0), 0);
    assert_int_equal(source_check(room->context, &source), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "was written to"));
    assert_int_equal(truncate(path, 2), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    assert_int_equal(source_check(room->context, &source), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(room->context), "from 5 to 2 bytes"));
    source_close(&source);
}

static void a_mapped_file_that_was_replaced_stays_as_it_was(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    byte_source source;
    CHECK_OK(room->context, file_write(room->context, path, "hello", 5));
    CHECK_OK(room->context, source_open(room->context, path, &source));
    const uint8_t *bytes = source_bytes(&source);
    assert_non_null(bytes);
    CHECK_OK(room->context, file_write(room->context, path, "bye", 3));
    CHECK_OK(room->context, source_check(room->context, &source));
    assert_memory_equal(bytes, "hello", 5);
    assert_int_equal(remove(path), 0);
    CHECK_OK(room->context, source_check(room->context, &source));
    assert_memory_equal(bytes, "hello", 5);
    source_close(&source);
}

static void a_copied_file_may_be_truncated(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a");
    byte_source source;
    sumi_context_set_mapping(room->context, false);
    CHECK_OK(room->context, file_write(room->context, path, "hello", 5));
    CHECK_OK(room->context, source_open(room->context, path, &source));
    const uint8_t *bytes = source_bytes(&source);
    assert_non_null(bytes);
    assert_int_equal(truncate(path, 0), 0);
    CHECK_OK(room->context, source_check(room->context, &source));
    assert_memory_equal(bytes, "hello", 5);
    source_close(&source);
}

/* More numbers than fit into one block of the conversion. */
static void many_numbers_are_converted_block_by_block(void **state)
{
    enum { COUNT = 50000 };
    scratch *room = *state;
    uint8_t *bytes = test_malloc(2 * COUNT);
    float *values = test_malloc(COUNT * sizeof *values);
    byte_source source;
    for (int i = 0; i < COUNT; i++) {
        bytes[2 * i] = (uint8_t)(i >> 8);
        bytes[2 * i + 1] = (uint8_t)i;
    }
    CHECK_OK(room->context, source_from_memory(room->context, bytes, 2 * COUNT, "test", &source));
    CHECK_OK(room->context, source_read_numbers(&source, 0, NUMBER_U16, true, COUNT, values));
    for (int i = 0; i < COUNT; i++) assert_true(values[i] == (float)i);
    assert_int_equal(source_read_numbers(&source, 2, NUMBER_U16, true, COUNT, values),
                     SUMI_ERROR_FORMAT);
    source_close(&source);
    test_free(bytes);
    test_free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(files_and_memory_read_alike),
        SCRATCH_TEST(only_regular_files_are_opened),
        SCRATCH_TEST(a_file_truncated_while_open_is_an_error),
        SCRATCH_TEST(a_mapped_file_that_was_truncated_or_written_to_is_an_error),
        SCRATCH_TEST(a_mapped_file_that_was_replaced_stays_as_it_was),
        SCRATCH_TEST(a_copied_file_may_be_truncated),
        SCRATCH_TEST(many_numbers_are_converted_block_by_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
