/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of tool/terminal.c, on a pseudo-terminal. */
#define _GNU_SOURCE /* for pseudo-terminals */
#include "check.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

/* A fresh pseudo-terminal's program side; its other side stays open in *master. */
static FILE *open_terminal(int *master)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0) {
        print_message("skipped: no pseudo-terminal can be had here\n");
        skip();
    }
    int terminal = open(ptsname(*master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    FILE *stream = fdopen(terminal, "w");
    assert_non_null(stream);
    return stream;
}

static void clear_environment(void)
{
    const char *names[] = {"SUMI_PREVIEW", "NO_COLOR",        "TERM",
                           "TERM_PROGRAM", "KITTY_WINDOW_ID", "TMUX"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
}

static void the_environment_chooses_the_graphics(void **state)
{
    (void)state;
    int master;
    FILE *stream = open_terminal(&master);
    /* TERM is "linux" where the answer would else be asked of whoever runs the tests. */
    const struct {
        const char *settings[5];
        enum terminal_graphics expected;
    } cases[] = {
        {{NULL}, GRAPHICS_NONE},
        {{"TERM=dumb"}, GRAPHICS_NONE},
        {{"TERM=dumb", "SUMI_PREVIEW=kitty"}, GRAPHICS_NONE},
        {{"TERM=linux"}, GRAPHICS_BLOCKS},
        {{"TERM=linux", "NO_COLOR=1"}, GRAPHICS_SHADES},
        {{"TERM=linux", "NO_COLOR="}, GRAPHICS_BLOCKS},
        {{"TERM=linux", "SUMI_PREVIEW=none"}, GRAPHICS_NONE},
        {{"TERM=linux", "SUMI_PREVIEW=sixel"}, GRAPHICS_SIXEL},
        {{"TERM=linux", "SUMI_PREVIEW=blocks"}, GRAPHICS_BLOCKS},
        {{"TERM=linux", "SUMI_PREVIEW=kitty", "NO_COLOR=1"}, GRAPHICS_KITTY},
        {{"TERM=xterm-kitty"}, GRAPHICS_KITTY},
        {{"TERM=xterm-kitty", "NO_COLOR=1"}, GRAPHICS_SHADES},
        {{"TERM=linux", "KITTY_WINDOW_ID=3"}, GRAPHICS_KITTY},
        {{"TERM=linux", "KITTY_WINDOW_ID=3", "TMUX=/tmp/x"}, GRAPHICS_BLOCKS},
        {{"TERM=linux", "TERM_PROGRAM=WezTerm"}, GRAPHICS_KITTY},
        {{"TERM=linux", "TERM_PROGRAM=ghostty"}, GRAPHICS_KITTY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clear_environment();
        for (int j = 0; cases[i].settings[j]; j++) {
            char name[32];
            const char *equals = strchr(cases[i].settings[j], '=');
            snprintf(name, sizeof name, "%.*s", (int)(equals - cases[i].settings[j]),
                     cases[i].settings[j]);
            setenv(name, equals + 1, 1);
        }
        if (terminal_choose_graphics(stream) != cases[i].expected) {
            fail_msg("case %zu chose %d", i, terminal_choose_graphics(stream));
        }
    }
    fclose(stream);
    close(master);
}

static void the_size_is_the_terminals_own(void **state)
{
    (void)state;
    int master;
    FILE *stream = open_terminal(&master);
    struct winsize window = {.ws_row = 50, .ws_col = 120, .ws_xpixel = 960, .ws_ypixel = 900};
    assert_int_equal(ioctl(master, TIOCSWINSZ, &window), 0);
    terminal_size size = terminal_measure(stream);
    assert_int_equal(size.columns, 120);
    assert_int_equal(size.lines, 50);
    assert_int_equal(size.cell_width, 8);
    assert_int_equal(size.cell_height, 18);
    window.ws_xpixel = window.ws_ypixel = window.ws_col = 0;
    assert_int_equal(ioctl(master, TIOCSWINSZ, &window), 0);
    size = terminal_measure(stream);
    assert_int_equal(size.columns, 80);
    assert_int_equal(size.cell_width, 10);
    assert_int_equal(size.cell_height, 20);
    fclose(stream);
    close(master);
}

static void a_file_is_no_terminal(void **state)
{
    (void)state;
    setenv("TERM", "xterm-kitty", 1);
    setenv("SUMI_PREVIEW", "blocks", 1);
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_false(terminal_can_redraw(stream));
    assert_int_equal(terminal_choose_graphics(stream), GRAPHICS_NONE);
    assert_int_equal(terminal_measure(stream).columns, 80);
    fclose(stream);
}

static void the_answer_names_sixel_by_its_number(void **state)
{
    (void)state;
    assert_true(terminal_answer_has_sixel("\033[?62;4;22c")); /* as foot and xterm -ti vt340 say */
    assert_true(terminal_answer_has_sixel("x\033[?64;1;2;4c"));
    assert_false(terminal_answer_has_sixel("\033[?62;22c"));
    assert_false(terminal_answer_has_sixel("\033[?4;6c")); /* a VT132, not sixels */
    assert_false(terminal_answer_has_sixel("\033[?1;2;44c"));
    assert_false(terminal_answer_has_sixel("\033[?62;;c"));
    assert_false(terminal_answer_has_sixel("\033[?"));
    assert_false(terminal_answer_has_sixel("\033[?;"));
    assert_false(terminal_answer_has_sixel(""));
}

/* What a program on a terminal of its own chooses when its question is answered so. */
static int choice_with_answer(const char *answer)
{
    int master;
    pid_t child = forkpty(&master, NULL, NULL, NULL);
    if (child < 0) {
        print_message("skipped: no pseudo-terminal can be had here\n");
        skip();
    }
    if (child == 0) {
        clear_environment();
        setenv("TERM", "xterm", 1);
        _exit((int)terminal_choose_graphics(stdout));
    }
    char question[3];
    for (size_t i = 0; i < sizeof question; i++) assert_int_equal(read(master, question + i, 1), 1);
    assert_memory_equal(question, "\033[c", 3);
    assert_int_equal(write(master, answer, strlen(answer)), strlen(answer));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    close(master);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_terminal_is_asked_whether_it_has_sixels(void **state)
{
    (void)state;
    assert_int_equal(choice_with_answer("\033[?62;4;22c"), GRAPHICS_SIXEL);
    assert_int_equal(choice_with_answer("\033[?62;22c"), GRAPHICS_BLOCKS);
    assert_int_equal(choice_with_answer(""), GRAPHICS_BLOCKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_chooses_the_graphics),
        cmocka_unit_test(the_size_is_the_terminals_own),
        cmocka_unit_test(a_file_is_no_terminal),
        cmocka_unit_test(the_answer_names_sixel_by_its_number),
        cmocka_unit_test(a_terminal_is_asked_whether_it_has_sixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
