/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of tool/progress.c. */
#include "check.h"

#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include "progress.h"

static void check_line(const sumi_progress *progress, int width, bool bar, const char *expected)
{
    char text[256];
    progress_format(progress, width, bar, text, sizeof text);
    assert_string_equal(text, expected);
    assert_true((int)strlen(text) <= width);
}

static const sumi_progress TRAINING = {.task = "train",
                                       .step = 1200,
                                       .steps = 4000,
                                       .loss = 0.03124,
                                       .rate = 811.6,
                                       .rate_unit = "images/s",
                                       .seconds_left = 72};

static void a_line_has_step_loss_rate_and_time_left(void **state)
{
    (void)state;
    check_line(&TRAINING, 200, false, "train  1200/4000  loss 0.0312  812 images/s  1:12 left");
    check_line(&TRAINING, 200, true,
               "train  1200/4000  loss 0.0312  812 images/s  1:12 left  "
               "[#########.....................]");
    check_line(&TRAINING, 80, true,
               "train  1200/4000  loss 0.0312  812 images/s  1:12 left  [######................]");
}

static void a_narrow_line_drops_what_matters_least(void **state)
{
    (void)state;
    check_line(&TRAINING, 60, true, "train  1200/4000  loss 0.0312  812 images/s  1:12 left");
    check_line(&TRAINING, 50, false, "train  1200/4000  loss 0.0312  1:12 left");
    check_line(&TRAINING, 32, false, "train  1200/4000  loss 0.0312");
    check_line(&TRAINING, 20, false, "train  1200/4000");
    check_line(&TRAINING, 10, false, "1200/4000");
    check_line(&TRAINING, 4, false, "1200");
}

static void bytes_are_printed_in_readable_units(void **state)
{
    (void)state;
    sumi_progress fetch = {.task = "fetch",
                           .step = 9500000,
                           .steps = 11000000,
                           .rate = 3210000,
                           .rate_unit = "bytes/s",
                           .seconds_left = 0.5};
    check_line(&fetch, 100, false, "fetch  9.5/11.0 MB  3.2 MB/s  0:01 left");
    fetch.steps = 0;
    fetch.seconds_left = -1;
    fetch.rate = 812;
    check_line(&fetch, 100, true, "fetch  9.5 MB  812 B/s");
    fetch.step = 999;
    check_line(&fetch, 100, true, "fetch  999 B  812 B/s");
    fetch.step = INT64_C(5000000000000000);
    check_line(&fetch, 100, true, "fetch  5000.0 TB  812 B/s");
}

static void what_is_unknown_or_no_number_is_left_out_or_said(void **state)
{
    (void)state;
    sumi_progress odd = {.task = "sample", .step = 3, .seconds_left = -1};
    check_line(&odd, 100, true, "sample  3");
    odd.task = NULL;
    odd.rate = NAN;
    odd.seconds_left = NAN;
    odd.loss = NAN;
    check_line(&odd, 100, true, "3  loss nan");
    odd.loss = 123.456;
    odd.rate = INFINITY;
    odd.seconds_left = 1e300;
    check_line(&odd, 100, true, "3  loss 123.5");
    odd.loss = 0;
    odd.seconds_left = 3723;
    odd.rate = 1.234;
    odd.rate_unit = "steps/s";
    check_line(&odd, 100, true, "3  1.23 steps/s  1:02:03 left");
    odd.seconds_left = 500000;
    odd.rate = 12.34;
    check_line(&odd, 100, true, "3  12.3 steps/s  6 days left");
    odd.steps = 2; /* more than all is still a full bar */
    odd.seconds_left = -1;
    odd.rate = 0;
    check_line(&odd, 17, true, "3/2  [##########]");
}

static void plain_lines_come_each_tenth_or_ten_seconds(void **state)
{
    (void)state;
    progress_line line = {.plain_time = 100, .tenths = 2};
    sumi_progress progress = {.step = 29, .steps = 100};
    assert_false(progress_plain_due(&line, &progress, 105));
    assert_true(progress_plain_due(&line, &progress, 110));
    progress.step = 30;
    assert_true(progress_plain_due(&line, &progress, 101.5));
    assert_false(progress_plain_due(&line, &progress, 100.5));
    progress.step = 100;
    assert_true(progress_plain_due(&line, &progress, 100.01));
    line.tenths = 10;
    assert_false(progress_plain_due(&line, &progress, 200));
    progress.steps = 0;
    assert_false(progress_plain_due(&line, &progress, 105));
    assert_true(progress_plain_due(&line, &progress, 110));
}

static void a_file_gets_plain_lines_only(void **state)
{
    (void)state;
    FILE *stream = tmpfile();
    assert_non_null(stream);
    progress_line line;
    progress_open(&line, stream, NULL);
    for (int64_t step = 0; step <= 1000; step++) {
        sumi_progress progress = {.task = "train", .step = step, .steps = 1000, .seconds_left = -1};
        progress_show(&line, &progress);
        if (step == 1000) progress_show(&line, &progress);
    }
    progress_close(&line);
    char text[4096] = "";
    rewind(stream);
    size_t size = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\r'));
    const char *last = "train  1000/1000\n";
    assert_true(size >= strlen(last));
    assert_string_equal(text + size - strlen(last), last);
    assert_ptr_equal(strstr(text, last), text + size - strlen(last)); /* once */
}

/* Reads what a program wrote to the other side of a pseudo-terminal. */
static void check_written(int master, const char *expected)
{
    char text[1024] = "";
    size_t size = strlen(expected);
    assert_true(size < sizeof text);
    for (size_t i = 0; i < size && read(master, text + i, 1) == 1; i++) {
    }
    assert_string_equal(text, expected);
}

static void a_terminal_gets_the_picture_and_the_line_in_place(void **state)
{
    (void)state;
    int master, terminal;
    struct winsize window = {.ws_row = 24, .ws_col = 40};
    if (openpty(&master, &terminal, NULL, NULL, &window) != 0) {
        print_message("skipped: no pseudo-terminal can be had here\n");
        skip();
    }
    struct termios settings;
    assert_int_equal(tcgetattr(terminal, &settings), 0);
    cfmakeraw(&settings);
    assert_int_equal(tcsetattr(terminal, TCSANOW, &settings), 0);
    FILE *stream = fdopen(terminal, "w");
    setenv("TERM", "xterm", 1);
    setenv("SUMI_PREVIEW", "blocks", 1);
    float values[] = {1, -1};
    sumi_array image = {4, {1, 2, 1, 1}, values};
    struct preview preview;
    progress_line line;
    preview_open(&preview, stream);
    progress_open(&line, stream, &preview);
    sumi_progress progress = {.task = "sample", .steps = 9, .seconds_left = -1, .preview = &image};
#define PICTURE "\033[48;2;0;0;0m\033[38;2;255;255;255m\342\226\200\033[0m\033[K\n"
    progress_show(&line, &progress);
    check_written(master, PICTURE "\rsample  0/9  [........................]\033[K");
    progress.step = 9; /* the last is shown however soon it comes */
    progress_show(&line, &progress);
    progress_close(&line);
    fflush(stream);
    check_written(master,
                  "\r\033[K\r\033[1A" PICTURE "\rsample  9/9  [########################]\033[K\n");
    fclose(stream);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_step_loss_rate_and_time_left),
        cmocka_unit_test(a_narrow_line_drops_what_matters_least),
        cmocka_unit_test(bytes_are_printed_in_readable_units),
        cmocka_unit_test(what_is_unknown_or_no_number_is_left_out_or_said),
        cmocka_unit_test(plain_lines_come_each_tenth_or_ten_seconds),
        cmocka_unit_test(a_file_gets_plain_lines_only),
        cmocka_unit_test(a_terminal_gets_the_picture_and_the_line_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
