/* SPDX-License-Identifier: Apache-2.0 */
/* .npz files: those that Python's zipfile wrote (stored, and deflated with the other order of
   bytes; tests/data/README.md), our own, and damaged ones. */
#include "files/npz.h"

#include "base/file.h"
#include "failing_allocator.h"
#include "files/zip.h"
#include "scratch.h"

static const double MEANS[] = {0.1, -2.0}, COVARIANCES[] = {1.0, 0.3, 0.3, 2.5};

static void begin(struct npz_array arrays[2])
{
    arrays[0] = (struct npz_array){.name = "mu", .rank = 1, .most = 2};
    arrays[1] = (struct npz_array){.name = "sigma", .rank = 2, .most = 4};
}

static void assert_values(const struct npz_array arrays[2])
{
    assert_true(arrays[0].shape[0] == 2 && arrays[1].shape[0] == 2 && arrays[1].shape[1] == 2);
    assert_memory_equal(arrays[0].values, MEANS, sizeof MEANS);
    assert_memory_equal(arrays[1].values, COVARIANCES, sizeof COVARIANCES);
}

static void files_of_another_program_are_read_to_the_last_bit(void **state)
{
    scratch *room = *state;
    static const char *const files[] = {TEST_DATA "/statistics_stored.npz",
                                        TEST_DATA "/statistics_deflated.npz"};
    for (int i = 0; i < 2; i++) {
        struct npz_array arrays[2];
        begin(arrays);
        CHECK_OK(room->context, npz_read(room->context, files[i], 2, arrays));
        assert_values(arrays);
        npz_release(room->context, 2, arrays);
    }
}

static void write_own(scratch *room, const char *path)
{
    const struct npz_array own[] = {
        {.name = "mu", .rank = 1, .shape = {2}, .values = (double *)MEANS},
        {.name = "sigma", .rank = 2, .shape = {2, 2}, .values = (double *)COVARIANCES}};
    CHECK_OK(room->context, npz_write(room->context, path, 2, own));
}

static void what_is_written_is_read_to_the_last_bit(void **state)
{
    scratch *room = *state;
    struct npz_array arrays[2];
    write_own(room, scratch_path(room, "a.npz"));
    begin(arrays);
    CHECK_OK(room->context, npz_read(room->context, scratch_path(room, "a.npz"), 2, arrays));
    assert_values(arrays);
    npz_release(room->context, 2, arrays);
}

/* Python is another reader of what is written; skipped where it is not installed. */
static void python_finds_the_archive_whole(void **state)
{
    scratch *room = *state;
    char line[SCRATCH_PATH + 64];
    if (system("command -v python3 >/dev/null 2>&1") != 0) skip();
    write_own(room, scratch_path(room, "a.npz"));
    snprintf(line, sizeof line, "python3 -m zipfile -t %s >/dev/null", scratch_path(room, "a.npz"));
    assert_int_equal(system(line), 0);
}

static void assert_refused(sumi_context *context, const void *bytes, size_t size, const char *words)
{
    struct npz_array arrays[2];
    begin(arrays);
    assert_int_equal(npz_parse(context, bytes, size, "a.npz", 2, arrays), SUMI_ERROR_FORMAT);
    const char *message = sumi_context_message(context);
    if (!strstr(message, "a.npz") || !strstr(message, words))
        fail_msg("\"%s\" does not say \"%s\"", message, words);
    assert_null(arrays[0].values);
    assert_null(arrays[1].values);
}

static void files_that_are_cut_or_changed_are_refused(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    uint8_t *bytes = NULL;
    size_t size = 0;
    CHECK_OK(context, file_read(context, TEST_DATA "/statistics_deflated.npz", 1 << 16,
                                (void **)&bytes, &size));
    for (size_t cut = 0; cut < size; cut++) assert_refused(context, bytes, cut, "");
    context_release(context, bytes);
    CHECK_OK(context, file_read(context, TEST_DATA "/statistics_stored.npz", 1 << 16,
                                (void **)&bytes, &size));
    bytes[190] ^= 1; /* a number of mu */
    assert_refused(context, bytes, size, "checksum");
    bytes[190] ^= 1;
    bytes[size - 6] ^= 1; /* where the directory begins */
    assert_refused(context, bytes, size, "directory");
    context_release(context, bytes);
}

static void arrays_that_are_missing_or_of_another_rank_are_refused(void **state)
{
    scratch *room = *state;
    sumi_context *context = room->context;
    struct npz_array other = {.name = "other", .rank = 1, .most = 4},
                     flat = {.name = "sigma", .rank = 1, .most = 4};
    const char *path = TEST_DATA "/statistics_stored.npz";
    assert_int_equal(npz_read(context, path, 1, &other), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(context), "has no array \"other\""));
    assert_int_equal(npz_read(context, path, 1, &flat), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(context), "has 2 dimensions, expected 1"));
}

static void arrays_of_more_numbers_than_the_caller_takes_are_refused(void **state)
{
    scratch *room = *state;
    struct npz_array few = {.name = "sigma", .rank = 2, .most = 3};
    const char *path = TEST_DATA "/statistics_deflated.npz";
    assert_int_equal(npz_read(room->context, path, 1, &few), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(room->context), "has 4 numbers; at most 3"));
    assert_null(few.values);
}

static void members_larger_than_the_caller_takes_are_refused_before_memory_is_taken(void **state)
{
    scratch *room = *state;
    byte_source source;
    void *bytes = NULL;
    size_t size = 0;
    CHECK_OK(room->context,
             source_open(room->context, TEST_DATA "/statistics_deflated.npz", &source));
    assert_int_equal(zip_read(&source, "sigma.npy", 100, &bytes, &size), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(room->context), "at most 100 are read"));
    assert_null(bytes);
    source_close(&source);
}

static sumi_status read_both(sumi_context *context, void *path)
{
    struct npz_array arrays[2];
    begin(arrays);
    sumi_status status = npz_read(context, path, 2, arrays);
    npz_release(context, 2, arrays);
    return status;
}

static void a_lack_of_memory_is_reported_and_loses_none(void **state)
{
    (void)state;
    for_each_failure(read_both, TEST_DATA "/statistics_stored.npz");
    for_each_failure(read_both, TEST_DATA "/statistics_deflated.npz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(files_of_another_program_are_read_to_the_last_bit),
        SCRATCH_TEST(what_is_written_is_read_to_the_last_bit),
        SCRATCH_TEST(python_finds_the_archive_whole),
        SCRATCH_TEST(files_that_are_cut_or_changed_are_refused),
        SCRATCH_TEST(arrays_that_are_missing_or_of_another_rank_are_refused),
        SCRATCH_TEST(arrays_of_more_numbers_than_the_caller_takes_are_refused),
        SCRATCH_TEST(members_larger_than_the_caller_takes_are_refused_before_memory_is_taken),
        SCRATCH_TEST(a_lack_of_memory_is_reported_and_loses_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
