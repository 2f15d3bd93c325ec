/* SPDX-License-Identifier: Apache-2.0 */
/* What calls say of parts that this build of the library has left out. Each test is of one part,
   and skips where the build has it; scripts/slim runs them all. */
#include <string.h>
#include <unistd.h>

#include "scratch.h"

static void skip_with(const char *part)
{
    if (!sumi_has(part)) return;
    print_message("skipped: this build has the part \"%s\"\n", part);
    skip();
}

/* The sentence names what cannot be done and the option that brings it. */
static void assert_left_out(sumi_context *context, sumi_status status, const char *what,
                            const char *option)
{
    assert_int_equal(status, SUMI_ERROR_UNSUPPORTED);
    assert_non_null(strstr(sumi_context_message(context), what));
    assert_non_null(strstr(sumi_context_message(context), option));
}

static void a_part_that_is_not_known_is_not_there(void **state)
{
    (void)state;
    assert_false(sumi_has("teleport"));
    assert_false(sumi_has(""));
}

/* Reads a file that begins with the given bytes, as an array. */
static sumi_status read_bytes(scratch *room, const void *bytes, size_t size)
{
    const char *path = scratch_path(room, "picture");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    sumi_array array = {0};
    sumi_status status = sumi_array_read(room->context, path, &array);
    assert_null(array.data);
    return status;
}

static void pictures_without_png_are_refused_by_name(void **state)
{
    scratch *room = *state;
    skip_with("png");
    float pixels[] = {-1, 0, 1, 0};
    sumi_array picture = {3, {2, 2, 1}, pixels};
    const char *path = scratch_path(room, "a.png");
    assert_left_out(room->context, sumi_array_write(room->context, path, &picture),
                    "writing PNG pictures", "-DSUMI_PNG=ON");
    assert_int_not_equal(access(path, F_OK), 0);
    assert_left_out(room->context, read_bytes(room, "\x89PNG\r\n\x1a\n", 8), "reading PNG pictures",
                    "-DSUMI_PNG=ON");
}

static void pictures_without_jpeg_are_refused_by_name(void **state)
{
    scratch *room = *state;
    skip_with("jpeg");
    assert_left_out(room->context, read_bytes(room, "\xff\xd8\xff", 3), "reading JPEG pictures",
                    "-DSUMI_JPEG=ON");
}

static void every_drawing_is_refused_where_drawing_is_left_out(void **state)
{
    scratch *room = *state;
    skip_with("draw");
    float numbers[] = {0, 1, 2, 3};
    const double places[] = {1, 2};
    sumi_array points = {2, {2, 2}, numbers}, frames = {4, {1, 1, 2, 2}, numbers};
    const sumi_line line = {sizeof line, "line", 2, places, places};
    const char *const titles[] = {"title"}, *path = scratch_path(room, "a.png");
    sumi_context *context = room->context;
    void *bytes = NULL;
    size_t size = 0;
    const sumi_status answers[] = {
        sumi_draw_grid(context, &points, 0, path),
        sumi_draw_grid_memory(context, &points, 0, &bytes, &size),
        sumi_draw_points(context, &points, NULL, NULL, path),
        sumi_draw_losses(context, numbers, 4, "losses", path),
        sumi_draw_lines(context, &line, 1, "lines", "x", "y", path),
        sumi_draw_filmstrip(context, &frames, titles, path),
        sumi_draw_table(context, &frames, titles, NULL, path),
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        assert_left_out(context, answers[i], "drawing", "-DSUMI_DRAW=ON");
    }
    assert_int_not_equal(access(path, F_OK), 0);
}

static void fetching_is_refused_where_downloads_are_left_out(void **state)
{
    scratch *room = *state;
    char folder[SCRATCH_PATH] = "as it was";
    skip_with("download");
    assert_left_out(room->context,
                    sumi_fetch(room->context, "mnist", NULL, NULL, NULL, folder, sizeof folder),
                    "fetching data sets", "-DSUMI_DOWNLOAD=ON");
    assert_string_equal(folder, "as it was");
}

/* `from` is an empty folder: a download would fail for another reason. */
static void an_archive_is_refused_before_it_is_fetched_where_none_can_be_unpacked(void **state)
{
    scratch *room = *state;
    char folder[SCRATCH_PATH];
    skip_with("archive");
    if (!sumi_has("download")) skip();
    assert_int_equal(setenv("XDG_CACHE_HOME", room->folder, 1), 0);
    assert_left_out(
        room->context,
        sumi_fetch(room->context, "cifar10", room->folder, NULL, NULL, folder, sizeof folder),
        "unpacking archives", "-DSUMI_ARCHIVE=ON");
}

static void a_tokenizer_without_texts_is_refused_by_name(void **state)
{
    scratch *room = *state;
    sumi_tokenizer *tokenizer = NULL;
    skip_with("text");
    assert_left_out(room->context, sumi_tokenizer_open(room->context, room->folder, &tokenizer),
                    "reading texts", "-DSUMI_TEXT=ON");
    assert_null(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_part_that_is_not_known_is_not_there),
        SCRATCH_TEST(pictures_without_png_are_refused_by_name),
        SCRATCH_TEST(pictures_without_jpeg_are_refused_by_name),
        SCRATCH_TEST(every_drawing_is_refused_where_drawing_is_left_out),
        SCRATCH_TEST(fetching_is_refused_where_downloads_are_left_out),
        SCRATCH_TEST(an_archive_is_refused_before_it_is_fetched_where_none_can_be_unpacked),
        SCRATCH_TEST(a_tokenizer_without_texts_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
