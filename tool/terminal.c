/* SPDX-License-Identifier: Apache-2.0 */
/* Detecting the capabilities of a terminal; see terminal.h. */
#include "terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool terminal_can_redraw(FILE *stream)
{
    const char *name = environment("TERM");
    return isatty(fileno(stream)) && name[0] && strcmp(name, "dumb") != 0;
}

terminal_size terminal_measure(FILE *stream)
{
    terminal_size size = {80, 24, 10, 20};
    struct winsize window = {0};
    if (ioctl(fileno(stream), TIOCGWINSZ, &window) != 0) return size;
    if (window.ws_col) size.columns = window.ws_col;
    if (window.ws_row) size.lines = window.ws_row;
    if (window.ws_xpixel / size.columns >= 4 && window.ws_ypixel / size.lines >= 4) {
        size.cell_width = window.ws_xpixel / size.columns;
        size.cell_height = window.ws_ypixel / size.lines;
    }
    return size;
}

bool terminal_answer_has_sixel(const char *answer)
{
    const char *place = strstr(answer, "\033[?");
    if (!place) return false;
    place += 3;
    for (bool first = true; *place; first = false) {
        char *end;
        long number = strtol(place, &end, 10);
        /* Skips the first number, the terminal's class, which may also be 4. */
        if (!first && number == 4 && end > place) return true;
        if (*end != ';') return false;
        place = end + 1;
    }
    return false;
}

/* Reads up to the answer's final letter, or until no byte arrives for half a second. */
static void read_answer(int terminal, char *answer, size_t size)
{
    size_t length = 0;
    struct pollfd wait = {.fd = terminal, .events = POLLIN};
    while (length + 1 < size && poll(&wait, 1, 500) == 1) {
        if (read(terminal, answer + length, 1) != 1) break;
        if (answer[length++] == 'c') break;
    }
    answer[length] = 0;
}

/* Asks the controlling terminal for its device attributes (DA1). */
static bool ask_for_sixel(void)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) return false;
    char answer[128] = "";
    struct termios usual, raw;
    /* A background job that changes the terminal would be stopped. */
    if (tcgetpgrp(terminal) == getpgrp() && tcgetattr(terminal, &usual) == 0) {
        raw = usual;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        if (tcsetattr(terminal, TCSANOW, &raw) == 0) {
            if (write(terminal, "\033[c", 3) == 3) read_answer(terminal, answer, sizeof answer);
            tcsetattr(terminal, TCSAFLUSH, &usual);
        }
    }
    close(terminal);
    return terminal_answer_has_sixel(answer);
}

static bool speaks_kitty(void)
{
    if (environment("TMUX")[0])
        return false; /* the inherited variables describe the outer
                         terminal */
    const char *name = environment("TERM"), *program = environment("TERM_PROGRAM");
    if (begins_with(name, "screen") || begins_with(name, "tmux")) return false;
    return strcmp(name, "xterm-kitty") == 0 || strcmp(name, "xterm-ghostty") == 0
           || environment("KITTY_WINDOW_ID")[0] || strcmp(program, "WezTerm") == 0
           || strcmp(program, "ghostty") == 0;
}

enum terminal_graphics terminal_choose_graphics(FILE *stream)
{
    static const struct {
        const char *name;
        enum terminal_graphics graphics;
    } WISHES[] = {
        {"none", GRAPHICS_NONE},
        {"blocks", GRAPHICS_BLOCKS},
        {"sixel", GRAPHICS_SIXEL},
        {"kitty", GRAPHICS_KITTY},
    };
    if (!terminal_can_redraw(stream)) return GRAPHICS_NONE;
    const char *wish = environment("SUMI_PREVIEW");
    for (size_t i = 0; i < sizeof WISHES / sizeof *WISHES; i++) {
        if (strcmp(wish, WISHES[i].name) == 0) return WISHES[i].graphics;
    }
    if (environment("NO_COLOR")[0]) return GRAPHICS_SHADES;
    if (speaks_kitty()) return GRAPHICS_KITTY;
    if (strcmp(environment("TERM"), "linux") == 0) return GRAPHICS_BLOCKS;
    return ask_for_sixel() ? GRAPHICS_SIXEL : GRAPHICS_BLOCKS;
}
